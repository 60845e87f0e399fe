"""Moving pictures: each round of frames as a clip, in its own times."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import write_animation, write_picture
from unimma.errors import MediaError
from unimma.media import decode, kind_of
from unimma.settings import NUM_FRAMES, Limits
from unimma.types import Image, Modality, Video

GREYS = (0, 120, 240)
FRAMES = [np.full((40, 60, 3), grey, np.uint8) for grey in GREYS]
ENDINGS = ["gif", "webp", "png", "avif"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_moving_picture_is_a_clip_with_its_own_times(tmp_path: Path, ending: str) -> None:
    video = decode(write_animation(tmp_path / f"moving.{ending}", FRAMES, (100, 300, 600)))
    assert isinstance(video, Video)
    assert video.times == pytest.approx([0, 0.1, 0.4])
    assert video.duration_s == pytest.approx(1.0)
    assert video.sound is None
    assert np.abs(video.frames.mean(axis=(1, 2, 3)) - GREYS).max() < 3
    assert not video.frames.flags.writeable


def test_of_many_frames_those_in_the_middles_of_equal_stretches(tmp_path: Path) -> None:
    greys = np.arange(0, 240, 5)
    frames = [np.full((8, 8, 3), grey, np.uint8) for grey in greys]
    video = decode(write_animation(tmp_path / "many.gif", frames, [50] * len(frames)))
    assert len(video.frames) == NUM_FRAMES
    assert list(video.frames[:, 0, 0, 0]) == list(greys[1::3])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_still_picture_of_the_same_format_is_an_image(tmp_path: Path, ending: str) -> None:
    path = write_picture(tmp_path / f"still.{ending}")
    assert kind_of(path) is Modality.IMAGE
    assert isinstance(decode(path), Image)
    with pytest.raises(MediaError, match="one still picture; expected a moving one"):
        decode(path, modality=Modality.VIDEO)


def test_transparent_frames_lie_on_white_and_on_what_was_before(tmp_path: Path) -> None:
    first, second = (PIL.new("RGBA", (60, 40), (0, 0, 0, 0)) for _ in range(2))
    first.paste((200, 0, 0, 255), (0, 0, 20, 40))
    second.paste((0, 0, 200, 255), (40, 0, 60, 40))
    path = tmp_path / "layers.gif"
    first.save(path, save_all=True, append_images=[second], duration=100, disposal=2)
    frames = decode(path).frames
    assert [tuple(frames[0, 20, x]) for x in (10, 30, 50)] == [(200, 0, 0), (255, 255, 255), (255, 255, 255)]
    assert [tuple(frames[1, 20, x]) for x in (10, 30, 50)] == [(255, 255, 255), (255, 255, 255), (0, 0, 200)]


def test_frames_without_a_time_are_shown_as_browsers_show_them(tmp_path: Path) -> None:
    assert decode(write_animation(tmp_path / "hasty.gif", FRAMES, (0, 0, 0))).duration_s == pytest.approx(0.3)


def test_a_large_moving_picture_is_scaled(tmp_path: Path) -> None:
    frames = [np.full((720, 900, 3), grey, np.uint8) for grey in GREYS]
    video = decode(write_animation(tmp_path / "large.webp", frames, (100, 100, 100)))
    assert video.frames.shape == (3, 360, 450, 3)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_animation_frames=2), "3 frames; expected at most 2"),
        (Limits(max_frame_pixels=60 * 39), "60 x 40 pixels"),
        (Limits(max_video_seconds=0.5), "s long; expected at most"),
        (Limits(max_decode_seconds=1e-9), "not read after"),
    ],
)
def test_a_moving_picture_over_a_limit_is_refused(tmp_path: Path, limits: Limits, words: str) -> None:
    path = write_animation(tmp_path / "moving.gif", FRAMES, (100, 300, 600))
    with pytest.raises(MediaError, match=rf"moving\.gif: .*{words}"):
        decode(path, limits=limits)
