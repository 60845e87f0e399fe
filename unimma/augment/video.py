"""Variations of clips in time and space; clips in another order, with captions that say so.

A clip's `times` are the moments at which its frames were looked at, so each function moves them with the frames.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unimma.augment.audio import MAX_SPEED_CHANGE, change_speed, vary_audio_more
from unimma.augment.image import Pixels, jitter_colour, lower_resolution, random_crop
from unimma.augment.text import inside
from unimma.types import Audio, Video

MIN_TIME_SHARE = 0.5  # of a clip's length stays
MIN_SIDE_PX, MAX_SIDE_PX = 96, 240


def vary_video(video: Video, rng: np.random.Generator) -> Video:
    """A stretch of it at another speed, all frames cropped and coloured alike, its sound varied on its own.

    Never mirrored or backwards: captions tell from where to where something moves.
    """
    video = change_video_speed(
        crop_time(video, rng, MIN_TIME_SHARE), 1.0 + rng.uniform(-MAX_SPEED_CHANGE, MAX_SPEED_CHANGE)
    )
    video = on_every_frame(video, rng, random_crop)
    video = on_every_frame(video, rng, jitter_colour)
    if rng.random() < 0.3:
        side = int(rng.integers(MIN_SIDE_PX, MAX_SIDE_PX))
        video = on_every_frame(video, rng, lambda pixels, _: lower_resolution(pixels, side))
    return replace(video, sound=vary_audio_more(video.sound, rng)) if video.sound else video


def on_every_frame(
    video: Video, rng: np.random.Generator, change: Callable[[Pixels, np.random.Generator], Pixels]
) -> Video:
    """The same random change to every frame, each of which gets a generator of the same seed."""
    seed = int(rng.integers(2**62))
    return replace(video, frames=np.stack([change(frame, np.random.default_rng(seed)) for frame in video.frames]))


def cut(video: Video, start_s: float, end_s: float) -> Video:
    """The stretch from `start_s` to `end_s`, with its sound; the nearest frame where none lies in it."""
    inside_it = (video.times >= start_s) & (video.times < end_s)
    if not inside_it.any():
        inside_it[np.argmin(np.abs(video.times - (start_s + end_s) / 2))] = True
    times = np.clip(video.times[inside_it] - start_s, 0.0, end_s - start_s)
    sound = video.sound
    if sound is not None:
        first, last = round(start_s * sound.rate_hz), round(end_s * sound.rate_hz)
        part = sound.waveform[first:last]
        sound = Audio(part.copy(), sound.rate_hz, sound.name) if len(part) else None
    return Video(video.frames[inside_it], times, end_s - start_s, sound, video.name)


def crop_time(video: Video, rng: np.random.Generator, min_share: float = MIN_TIME_SHARE) -> Video:
    """A random stretch of `min_share` to all of its length."""
    length_s = video.duration_s * rng.uniform(min_share, 1.0)
    start_s = rng.uniform(0.0, video.duration_s - length_s)
    return cut(video, start_s, start_s + length_s)


def change_video_speed(video: Video, factor: float) -> Video:
    """Played `factor` times as fast; the sound gets higher with it, as on a film."""
    sound = video.sound
    if sound is not None:
        sound = Audio(change_speed(sound.waveform, factor), sound.rate_hz, sound.name)
    return replace(video, times=video.times / factor, duration_s=video.duration_s / factor, sound=sound)


def reverse(video: Video) -> Video:
    """Played backwards, its sound too."""
    sound = video.sound
    if sound is not None:
        sound = Audio(sound.waveform[::-1].copy(), sound.rate_hz, sound.name)
    times = video.duration_s - video.times[::-1]
    return replace(video, frames=video.frames[::-1].copy(), times=times, sound=sound)


def shuffle_frames(video: Video, rng: np.random.Generator, num_parts: int | None = None) -> Video:
    """Its frames, or `num_parts` stretches of them, in another order; times and sound stay. One frame stays one frame.

    Source: Shuffle and Learn, Misra et al. 2016, arXiv 1603.08561, which tells right order from wrong.
    """
    parts = np.array_split(np.arange(len(video.frames)), num_parts or len(video.frames))
    order = np.arange(len(parts))
    while len(order) > 1 and np.array_equal(order, np.arange(len(order))):
        order = rng.permutation(len(parts))
    return replace(video, frames=video.frames[np.concatenate([parts[i] for i in order])])


DISORDERS: dict[str, Callable[[Video, np.random.Generator], Video]] = {  # how it is told → what is done
    "played backwards": lambda video, _: reverse(video),
    "with its frames out of order": shuffle_frames,
}


def out_of_order(video: Video, caption: str, rng: np.random.Generator) -> list[tuple[Video, str]]:
    """The clip backwards and shuffled, each with a caption that is true of it: hard negatives of the clip as it is."""
    said = inside(caption)
    return [(change(video, rng), f"{said}, {how}" if said else how) for how, change in DISORDERS.items()]
