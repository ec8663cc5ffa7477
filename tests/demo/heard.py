"""heard.py CAPTURE WAV: says what speech came in the RTP of a capture, keeps it as a WAV file; fails when there was none."""
import pathlib
import struct
import sys
import wave

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from kit import g711  # noqa: E402

FRAME = 160


def rtp_packets(path):
    """(time, payload type, sequence, timestamp, payload) of each RTP packet; Linux cooked and Ethernet captures, IPv4."""
    data = pathlib.Path(path).read_bytes()
    if len(data) < 24:
        return
    link_header = {1: 14, 113: 16, 276: 20}[struct.unpack_from("<I", data, 20)[0]]
    fraction = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[struct.unpack_from("<I", data)[0]]
    at = 24
    seen = set()
    while at + 16 <= len(data):
        seconds, rest, size, _ = struct.unpack_from("<IIII", data, at)
        packet = data[at + 16 + link_header:at + 16 + size]
        at += 16 + size
        udp = packet[4 * (packet[0] & 0x0F):]
        rtp = udp[8:]
        if len(rtp) < 12 or rtp[0] >> 6 != 2:
            continue
        sequence, timestamp, ssrc = struct.unpack_from("!HII", rtp, 2)
        # A capture of all interfaces shows a packet twice: going out and coming in.
        if (ssrc, sequence) in seen:
            continue
        seen.add((ssrc, sequence))
        yield seconds + rest * fraction, rtp[1] & 0x7F, sequence, timestamp, rtp[12 + 4 * (rtp[0] & 0x0F):]


def phrases(pcm):
    """(start, end) seconds of each stretch of sound; pauses up to 0.6 s are within a phrase."""
    frames = pcm[:len(pcm) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    loud = np.flatnonzero(np.sqrt(np.mean(frames * frames, axis=1)) > 100)
    found = []
    for frame in loud:
        if found and frame - found[-1][1] <= 30:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    return [(a * 0.02, (b + 1) * 0.02) for a, b in found]


def main():
    packets = [p for p in rtp_packets(sys.argv[1]) if p[1] in (0, 8)]
    if not packets:
        sys.exit("no audio came")
    gaps = [b[0] - a[0] for a, b in zip(packets, packets[1:])]
    # Where nothing was sent the timestamps go on: silence.
    first = packets[0][3]
    pcm = np.zeros(max((p[3] - first) % (1 << 32) for p in packets) + FRAME, dtype=np.int16)
    for _, pt, _, timestamp, payload in packets:
        sound = g711.decode(payload, pt)
        start = (timestamp - first) % (1 << 32)
        pcm[start:start + len(sound)] = sound[:len(pcm) - start]
    with wave.open(sys.argv[2], "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(g711.RATE)
        out.writeframes(pcm.tobytes())
    found = phrases(pcm)
    print(f"  {len(packets)} packets of {'PCMU' if packets[0][1] == 0 else 'PCMA'}, median gap {np.median(gaps) * 1000:.1f} ms")
    for start, end in found:
        part = pcm[int(start * g711.RATE):int(end * g711.RATE)]
        print(f"  speech from {start:5.2f} s to {end:5.2f} s, level {20 * np.log10(max(g711.rms(part), 1) / 32768):.0f} dBFS")
    if len(found) < 2:
        sys.exit(f"two phrases were to be heard, {len(found)} came")


main()
