"""Documents and audio that many tests need."""
from . import g711


def doc(body):
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'


def tone_of(pcm):
    """Frequency of the loud part of what was heard, 0 for silence."""
    loud = [f for f in (pcm[i:i + 800] for i in range(0, len(pcm) - 800, 800)) if g711.rms(f) > 500]
    return g711.dominant_hz(loud[len(loud) // 2]) if loud else 0
