"""Sounds and clips as files that any browser plays."""

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from unimma.types import Audio, Video

_TICKS = 90_000  # time stamps a second, as in MPEG


def write_wav(audio: Audio, path: Path) -> None:
    """A sound as WAV: 16 bits, one channel, its own rate."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.rate_hz)
        file.writeframes((np.clip(audio.waveform, -1, 1) * 32_767).astype("<i2").tobytes())


def write_mp4(video: Video, path: Path) -> None:
    """A clip as MP4 (H.264, AAC), sides cut to even numbers; a frame lasts until halfway to the next one's moment."""
    height, width = (side // 2 * 2 for side in video.frames.shape[1:3])
    edges = np.concatenate([[0.0], (video.times[1:] + video.times[:-1]) / 2])
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "24", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        sound = container.add_stream("aac", rate=video.sound.rate_hz, layout="mono") if video.sound else None
        shown = [*zip(video.frames, edges, strict=True), (video.frames[-1], video.duration_s - 1 / 30)]
        for pixels, at_s in shown:  # the last one again: players would cut its time
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
            frame.pts, frame.time_base = round(at_s * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None and video.sound is not None:
            heard = av.AudioFrame.from_ndarray(np.ascontiguousarray(video.sound.waveform[None]), "fltp", "mono")
            heard.sample_rate, heard.pts, heard.time_base = video.sound.rate_hz, 0, Fraction(1, video.sound.rate_hz)
            container.mux(sound.encode(heard))
            container.mux(sound.encode(None))
