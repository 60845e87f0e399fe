"""Moving pictures (GIF, animated WebP, APNG and AVIF) as clips without sound, through Pillow."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image as PIL

from unimma.errors import MediaError
from unimma.media.container import check_length
from unimma.media.image import check_pixels, open_picture, to_rgb
from unimma.media.kind import Format
from unimma.media.source import Clock, Source, reading
from unimma.media.video import SHORT_SIDE, Shown, clip, middles
from unimma.settings import Limits
from unimma.types import Video

_USUAL_MS = 100.0  # what browsers show a frame for whose stated time is 10 ms or less


def decode_animation(source: Source, form: Format, limits: Limits) -> Video:
    """A moving picture as at most `NUM_FRAMES` frames sampled evenly over its length, one round of it.

    Returns:
        frames uint8 [num_frames, height, width, 3], alpha on white, short side at most `SHORT_SIDE`, read-only.
    Raises:
        MediaError: not moving, damaged, or over `limits.max_animation_frames`, `max_frame_pixels`,
            `max_video_seconds` or `max_decode_seconds`.
    """
    clock = Clock.start(source.name, limits.max_decode_seconds)
    with reading(source), open_picture(source, form, limits) as picture:
        stretches = [(shown.at_s, shown.until_s) for shown in moving_frames(picture, clock, limits)]
        starts, length_s = [at_s for at_s, _ in stretches], stretches[-1][1]
        wanted = set(np.searchsorted(starts, middles(length_s), side="right") - 1)
        taken = [
            (shown.at_s, _shrunk(shown.frame))
            for i, shown in enumerate(moving_frames(picture, clock, limits))
            if i in wanted
        ]
    return clip(taken, length_s, None, source.name)


def moving_frames(picture: PIL.Image, clock: Clock, limits: Limits) -> Iterator[Shown[PIL.Image]]:
    """Each frame in order; it is Pillow's own picture, so it changes when the next one is asked for.

    Raises:
        MediaError: not moving, or over a limit.
    """
    num_frames = int(getattr(picture, "n_frames", 1))
    if num_frames < 2:
        raise MediaError(f"{clock.name}: one still picture", "a moving one", "Use it as an image.")
    if num_frames > limits.max_animation_frames:
        most = f"at most {limits.max_animation_frames:,}"
        raise MediaError(f"{clock.name}: {num_frames:,} frames", most, "Use its first frame as an image, or cut it.")
    at_s = 0.0
    for i in range(num_frames):
        clock.check()
        picture.seek(i)
        check_pixels(clock.name, picture.size, limits.max_frame_pixels)  # a GIF may grow on the way
        picture.load()  # WebP and AVIF tell a frame's time only then
        until_s = at_s + _duration_s(picture)
        check_length(clock.name, until_s, limits.max_video_seconds)
        yield Shown(picture, at_s, until_s)
        at_s = until_s


def _duration_s(picture: PIL.Image) -> float:
    """How long the current frame is shown."""
    stated_ms = float(picture.info.get("duration") or 0)
    return (stated_ms if stated_ms > 10 else _USUAL_MS) / 1000


def _shrunk(frame: PIL.Image) -> npt.NDArray[np.uint8]:
    small = to_rgb(frame)
    scale = min(1.0, SHORT_SIDE / min(small.size))
    size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
    return np.asarray(small.resize(size, PIL.Resampling.BOX, reducing_gap=2.0) if scale < 1 else small)
