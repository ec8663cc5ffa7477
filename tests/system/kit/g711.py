"""G.711 and the few signal measures that tests need: level, tone frequency, duration of sound."""
import numpy as np

RATE = 8000


def _ulaw_table():
    table = np.empty(256, dtype=np.int16)
    for code in range(256):
        u = ~code & 0xFF
        magnitude = (((u & 0x0F) << 3) + 0x84) << ((u & 0x70) >> 4)
        magnitude -= 0x84
        table[code] = -magnitude if u & 0x80 else magnitude
    return table


def _alaw_table():
    table = np.empty(256, dtype=np.int16)
    for code in range(256):
        a = code ^ 0x55
        exponent, mantissa = (a & 0x70) >> 4, a & 0x0F
        value = (mantissa << 4) + 8
        if exponent:
            value = (value + 0x100) << (exponent - 1)
        table[code] = value if a & 0x80 else -value
    return table


ULAW = _ulaw_table()
ALAW = _alaw_table()


def decode(payload, payload_type):
    """PCM of one payload: type 0 is PCMU, 8 is PCMA."""
    return (ULAW if payload_type == 0 else ALAW)[np.frombuffer(payload, dtype=np.uint8)]


def encode(pcm, payload_type):
    """The payload of int16 samples, by nearest code (tests only: exact and slow is fine)."""
    table = (ULAW if payload_type == 0 else ALAW).astype(np.int32)
    order = np.argsort(table, kind="stable")
    levels = table[order]
    at = np.searchsorted(levels, np.asarray(pcm, dtype=np.int32)).clip(1, 255)
    left = np.abs(levels[at - 1] - pcm) <= np.abs(levels[at] - pcm)
    return order[np.where(left, at - 1, at)].astype(np.uint8).tobytes()


def tone(hz, seconds, level=8000):
    t = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def rms(pcm):
    pcm = np.asarray(pcm, dtype=np.float64)
    return float(np.sqrt(np.mean(pcm * pcm))) if len(pcm) else 0.0


def dominant_hz(pcm):
    """Frequency of the strongest component, 0 for silence."""
    pcm = np.asarray(pcm, dtype=np.float64)
    if len(pcm) < 160 or rms(pcm) < 20:
        return 0.0
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum[1:]) + 1) * RATE / len(pcm)


def loud_seconds(pcm, floor=100):
    """How much of it is sound: 20 ms frames whose level is above floor."""
    frames = len(pcm) // 160
    if not frames:
        return 0.0
    f = np.asarray(pcm[: frames * 160], dtype=np.float64).reshape(frames, 160)
    return float(np.sum(np.sqrt(np.mean(f * f, axis=1)) > floor)) * 0.02


def similarity(heard, expected):
    """Best normalised cross-correlation of `expected` anywhere in `heard`: 1.0 is the same audio."""
    h, e = np.asarray(heard, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if len(h) < len(e) or not rms(e):
        return 0.0
    n = 1 << int(np.ceil(np.log2(len(h) + len(e))))
    corr = np.fft.irfft(np.fft.rfft(h, n) * np.conj(np.fft.rfft(e, n)), n)[: len(h) - len(e) + 1]
    energy = np.cumsum(np.concatenate(([0.0], h * h)))
    window = energy[len(e):] - energy[: len(h) - len(e) + 1]
    return float(np.max(corr / np.sqrt(np.maximum(window, 1.0) * np.sum(e * e))))
