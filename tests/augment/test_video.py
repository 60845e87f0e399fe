"""Varied clips: frames, times and sound move together, and a changed order is told."""

import numpy as np
import pytest

from tests.makers import peak_hz, tone
from unimma.augment import (
    change_video_speed,
    crop_time,
    cut,
    mirror,
    on_every_frame,
    out_of_order,
    random_crop,
    reverse,
    shuffle_frames,
    vary_video,
)
from unimma.types import Audio, Video

RATE_HZ = 8_000


def rising(num_frames: int = 8, duration_s: float = 4.0, *, with_sound: bool = True) -> Video:
    """Frame i has grey 10 · i, looked at in the middle of its stretch; the sound gets louder."""
    frames = np.repeat(np.arange(num_frames) * 10, 24 * 32 * 3).reshape(num_frames, 24, 32, 3).astype(np.uint8)
    times = (np.arange(num_frames) + 0.5) * duration_s / num_frames
    wave = tone(duration_s, rate_hz=RATE_HZ, hz=500) * np.linspace(0, 1, int(duration_s * RATE_HZ), dtype=np.float32)
    for array in (frames, times, wave):
        array.setflags(write=False)
    return Video(frames, times, duration_s, Audio(wave, RATE_HZ) if with_sound else None, "rising.mp4")


def greys(video: Video) -> list[int]:
    return [int(frame.mean()) for frame in video.frames]


def check(video: Video) -> None:
    assert video.frames.dtype == np.uint8 and video.frames.ndim == 4 and len(video.frames) == len(video.times) > 0
    assert (np.diff(video.times) > 0).all()
    assert video.times[0] >= 0 and video.times[-1] <= video.duration_s + 1e-9
    if video.sound:
        assert video.sound.duration_s == pytest.approx(video.duration_s, abs=0.02)


def test_a_cut_keeps_what_is_seen_and_heard_in_it() -> None:
    part = cut(rising(), 1.0, 2.5)
    check(part)
    assert greys(part) == [20, 30, 40]
    assert part.times.tolist() == pytest.approx([0.25, 0.75, 1.25])
    assert part.sound is not None
    assert np.abs(part.sound.waveform[:400]).max() == pytest.approx(0.5 * 0.25, abs=0.02)
    assert greys(cut(rising(), 1.3, 1.4)) == [20]  # none lies in it: the nearest


def test_a_faster_clip_is_shorter_and_higher() -> None:
    fast = change_video_speed(rising(), 1.25)
    check(fast)
    assert fast.duration_s == pytest.approx(3.2)
    assert greys(fast) == greys(rising()) and fast.times[0] == pytest.approx(0.2)
    assert fast.sound is not None and peak_hz(fast.sound.waveform, RATE_HZ) == pytest.approx(625, rel=0.01)


def test_backwards_twice_is_the_clip() -> None:
    clip, back = rising(), reverse(rising())
    check(back)
    assert greys(back) == greys(clip)[::-1]
    again = reverse(back)
    assert np.array_equal(again.frames, clip.frames) and np.allclose(again.times, clip.times)
    assert again.sound is not None and clip.sound is not None
    assert np.array_equal(again.sound.waveform, clip.sound.waveform)


def test_shuffled_frames_are_the_same_frames_in_another_order() -> None:
    clip = rising()
    for seed in range(20):
        mixed = shuffle_frames(clip, np.random.default_rng(seed))
        check(mixed)
        assert greys(mixed) != greys(clip) and sorted(greys(mixed)) == greys(clip)
    halves = shuffle_frames(clip, np.random.default_rng(0), num_parts=2)
    assert greys(halves) == [40, 50, 60, 70, 0, 10, 20, 30]


def test_clips_out_of_order_say_so() -> None:
    (back, said_back), (mixed, said_mixed) = out_of_order(rising(), "The sun rises.", np.random.default_rng(0))
    assert greys(back) == greys(rising())[::-1] and said_back == "the sun rises, played backwards"
    assert sorted(greys(mixed)) == greys(rising()) and said_mixed == "the sun rises, with its frames out of order"
    assert out_of_order(rising(), "", np.random.default_rng(0))[0][1] == "played backwards"


def test_every_frame_is_changed_alike() -> None:
    rows, columns = np.indices((24, 32))
    frame = np.stack([rows, columns, columns], axis=2).astype(np.uint8)
    clip = Video(np.stack([frame] * 5), np.arange(5) / 5, 1.0)
    cropped = on_every_frame(clip, np.random.default_rng(3), random_crop).frames
    assert cropped.shape[1:3] != (24, 32)
    assert all(np.array_equal(cropped[0], other) for other in cropped[1:])
    flipped = on_every_frame(clip, np.random.default_rng(0), lambda pixels, _: mirror(pixels))
    assert np.array_equal(flipped.frames[2], frame[:, ::-1])


@pytest.mark.parametrize("with_sound", [True, False])
def test_a_varied_clip_keeps_its_direction_and_is_the_same_for_the_same_seed(with_sound: bool) -> None:
    clip, varied = rising(with_sound=with_sound), []
    for seed in range(8):
        one, again = (vary_video(clip, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(one.frames, again.frames) and one.duration_s == again.duration_s
        assert (one.sound is None) is not with_sound
        assert (np.diff(greys(one)) > 0).all()
        assert (np.diff(one.times) > 0).all() and one.times[-1] <= one.duration_s
        varied.append(one.duration_s)
    assert len(set(varied)) == 8 and max(varied) < 4.0 * 1.2


def test_one_frame_is_enough() -> None:
    single = rising(1, 0.1)
    for made in (
        vary_video(single, np.random.default_rng(0)),
        crop_time(single, np.random.default_rng(0)),
        reverse(single),
        shuffle_frames(single, np.random.default_rng(0)),
        change_video_speed(single, 3.0),
        cut(single, 0.0, 0.01),
    ):
        assert len(made.frames) == len(made.times) == 1
        assert 0 <= made.times[0] <= made.duration_s
