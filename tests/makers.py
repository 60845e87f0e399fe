"""Real small media, made in a moment: pictures, tones, clips and moving pictures whose content a test can check."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image as PIL

Pixels = npt.NDArray[np.uint8]
CORNERS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220), "yellow": (230, 210, 40)}
MARK_RGB = (230, 20, 20)  # the upper left corner of every frame of a clip


def corners(width: int = 64, height: int = 48) -> Pixels:
    """Red, green / blue, yellow: any turn, flip or mix-up of colours shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    places = ((top, left), (top, right), (bottom, left), (bottom, right))
    for place, colour in zip(places, CORNERS.values(), strict=True):
        pixels[place] = colour
    return pixels


def corner_means(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Mean colour in the middle of each quarter, float64 [4, 3] in the order of `CORNERS`."""
    height, width = pixels.shape[:2]
    return np.array(
        [
            pixels[int(y * height) - 2 : int(y * height) + 2, int(x * width) - 2 : int(x * width) + 2].mean(axis=(0, 1))
            for y in (0.25, 0.75)
            for x in (0.25, 0.75)
        ]
    )


def write_picture(path: Path, pixels: Pixels | None = None, **options: Any) -> Path:
    """A picture in the format that the ending names (also .heic); `options` go to Pillow."""
    if path.suffix == ".heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    PIL.fromarray(corners() if pixels is None else pixels).save(path, **options)
    return path


def write_animation(path: Path, frames: Sequence[Pixels], durations_ms: Sequence[int], **options: Any) -> Path:
    """A moving .gif, .webp, .png or .avif."""
    first, *others = (PIL.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=list(durations_ms), loop=0, **options)
    return path


def tone(
    seconds: float = 1.0, *, rate_hz: int = 44_100, hz: float = 440.0, level: float = 0.5
) -> npt.NDArray[np.float32]:
    """A sine, float32 [num_samples]."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def peak_hz(waveform: npt.NDArray[np.float32], rate_hz: int) -> float:
    """The strongest frequency, by the Fourier transform of a window in the middle."""
    window = waveform[len(waveform) // 4 : 3 * len(waveform) // 4]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window))))
    return float(np.argmax(spectrum) * rate_hz / len(window))


def write_tone(
    path: Path,
    codec: str = "pcm_s16le",
    rate_hz: int = 44_100,
    layout: str = "mono",
    seconds: float = 1.0,
    *,
    hz: float = 440.0,
    level: float = 0.5,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A sine in the container that the ending names, equal on all channels."""
    with av.open(str(path), "w") as output:
        output.metadata.update(metadata or {})
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        _mux_sound(output, stream, tone(seconds, rate_hz=rate_hz, hz=hz, level=level))
    return path


def grey_at(time_s: float, seconds: float) -> int:
    """The grey that a frame of `write_clip` shows at a time: it rises evenly over the clip."""
    return round(30 + 200 * min(1.0, max(0.0, time_s / seconds)))


def clip_frame(time_s: float, seconds: float, size: tuple[int, int]) -> Pixels:
    """A frame of `write_clip`: an even grey that tells the time, and a red mark in the upper left corner."""
    width, height = size
    pixels = np.full((height, width, 3), grey_at(time_s, seconds), np.uint8)
    pixels[: height // 3, : width // 3] = MARK_RGB
    return pixels


def write_clip(
    path: Path,
    codec: str = "libx264",
    *,
    seconds: float = 2.0,
    fps: int = 10,
    size: tuple[int, int] = (96, 64),
    times_s: Sequence[float] | None = None,
    sound_hz: float | None = None,
    sound_codec: str = "aac",
    sound_rate_hz: int = 44_100,
    sound_at_s: float = 0.0,
    rotation: int = 0,
    key_frame_every: int = 12,
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A clip in the container that the ending names.

    Args:
        times_s: when each frame begins, for a variable frame rate (may start below zero); None: evenly by `fps`.
        sound_hz: a sine beside the pictures, or no sound at all.
        sound_at_s: when the sound begins.
        rotation: degrees counter-clockwise that a player has to turn the pictures by (as phones write it).
    """
    with _usual_priority(), av.open(str(path), "w", options=container_options or {}) as output:
        output.metadata.update(metadata or {})
        stream = output.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = key_frame_every
        stream.codec_context.time_base = Fraction(1, fps * 100 if path.suffix != ".avi" else fps)
        if times_s is not None or path.suffix in (".avi", ".h264"):
            stream.codec_context.max_b_frames = 0  # as in what phones write, and old cameras
        if rotation:
            stream.set_display_rotation(rotation)
        sound = output.add_stream(sound_codec, rate=sound_rate_hz, layout="mono") if sound_hz else None
        for time_s in np.arange(round(seconds * fps)) / fps if times_s is None else times_s:
            frame = av.VideoFrame.from_ndarray(clip_frame(time_s, seconds, size), format="rgb24")
            if size[1] > 576:
                frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")  # as players take it to be
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(float(time_s) / frame.time_base)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if sound:
            _mux_sound(output, sound, tone(seconds, rate_hz=sound_rate_hz, hz=sound_hz), sound_at_s)
    return path


@contextmanager
def _usual_priority() -> Iterator[None]:
    """SVT-AV1 gives the thread that root calls it from real-time priority, before which all other programs wait."""
    try:
        yield
    finally:
        if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _mux_sound(output: Any, stream: Any, waveform: npt.NDArray[np.float32], at_s: float = 0.0) -> None:
    num_channels = stream.layout.nb_channels
    interleaved = np.repeat(waveform, num_channels)[None]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), format="flt", layout=stream.layout.name)
    frame.rate, frame.pts, frame.time_base = stream.rate, round(at_s * stream.rate), Fraction(1, stream.rate)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
