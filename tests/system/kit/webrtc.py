"""A WebRTC peer (aiortc): DTLS-SRTP, ICE, one audio track each way. It takes the place of a call's RtpPeer: say() and audio() are as there."""
import asyncio
import fractions
import threading
import time

import aioice.ice
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender
from av import AudioFrame

RATE, SAMPLES = 8000, 160
ADDRESS = "127.0.0.5"
# It would leave loopback out, where everything is here.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [ADDRESS]


class Said(MediaStreamTrack):
    """What say() queued, silence else."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.queue, self.sent, self.begun = [], 0, None

    async def recv(self):
        self.begun = self.begun or time.monotonic()
        await asyncio.sleep(max(0, self.begun + self.sent * 0.02 - time.monotonic()))
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.sent * SAMPLES, fractions.Fraction(1, RATE)
        frame.planes[0].update((self.queue.pop(0) if self.queue else np.zeros(SAMPLES, np.int16)).tobytes())
        self.sent += 1
        return frame


class WebRtc:
    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._heard, self._said = [], Said()
        self._run(self._open())

    def _run(self, work, timeout=10):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    async def _open(self):
        self._pc = RTCPeerConnection()
        self._pc.addTransceiver(self._said)
        self._pc.getTransceivers()[0].setCodecPreferences(
            [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.mimeType in ("audio/PCMU", "audio/PCMA")])
        self._pc.on("track", lambda track: asyncio.ensure_future(self._hear(track)))

    async def _hear(self, track):
        try:
            while True:
                frame = await track.recv()
                self._heard.append((time.monotonic(), frame.to_ndarray().reshape(-1)))
        except MediaStreamError:
            pass

    async def _describe(self, make):
        await self._pc.setLocalDescription(await make())
        return self._pc.localDescription.sdp

    async def _take(self, sdp, kind):
        # aiortc does not read an rtcp attribute without an address, which RFC 3605 allows.
        lines = [line for line in sdp.splitlines(True) if not line.startswith("a=rtcp:")]
        await self._pc.setRemoteDescription(RTCSessionDescription("".join(lines), kind))

    # -- descriptions

    def offer(self):
        return self._run(self._describe(self._pc.createOffer))

    def accept(self, sdp):
        """The answer to offer()."""
        self._run(self._take(sdp, "answer"))

    def answer(self, sdp):
        """To the other side's offer."""
        self._run(self._take(sdp, "offer"))
        return self._run(self._describe(self._pc.createAnswer))

    @property
    def connected(self):
        return self._pc.connectionState == "connected"

    # -- as RtpPeer

    def say(self, pcm):
        self._said.queue += [np.asarray(pcm[i:i + SAMPLES], np.int16) for i in range(0, len(pcm) - SAMPLES + 1, SAMPLES)]

    def audio(self, since=0.0):
        heard = [pcm for at, pcm in list(self._heard) if at >= since]
        return np.concatenate(heard) if heard else np.zeros(0, np.int16)

    def close(self):
        if self._loop.is_running():
            self._run(self._pc.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
