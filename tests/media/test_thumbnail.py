"""Small pictures for cards."""

import io
from pathlib import Path

import numpy as np
from PIL import Image as PIL

from tests.makers import CORNERS, corner_means, corners, tone
from unimma.media import decode
from unimma.media.thumbnail import poster_index, thumbnail
from unimma.types import Audio, Image, Text, Video


def opened(content: bytes | None) -> PIL.Image:
    assert content
    picture = PIL.open(io.BytesIO(content))
    assert picture.format == "WEBP"
    assert max(picture.size) <= 320
    return picture


def test_of_a_picture_the_picture() -> None:
    small = opened(thumbnail(Image(corners(1000, 500))))
    assert small.size == (320, 160)
    assert np.abs(corner_means(np.asarray(small.convert("RGB"))) - list(CORNERS.values())).max() < 12


def test_a_small_picture_stays_as_it_is(picture: Path) -> None:
    assert opened(thumbnail(decode(picture))).size == (64, 48)


def test_of_a_clip_the_frame_that_shows_most(clip: Path) -> None:
    assert opened(thumbnail(decode(clip))).size == (96, 64)
    frames = np.zeros((8, 48, 64, 3), np.uint8)
    frames[0, :, ::2] = 255  # a title card
    frames[5] = corners()
    assert poster_index(frames) == 5
    assert poster_index(frames[:1]) == 0
    assert opened(thumbnail(Video(frames, np.arange(8.0), 8.0))).size == (64, 48)


def test_of_a_sound_its_loudness_over_time_on_a_transparent_ground() -> None:
    swell = np.concatenate([tone(1.0, level=0.02), tone(1.0, level=0.8), np.zeros(44_100, np.float32)])
    drawn = opened(thumbnail(Audio(swell, 44_100)))
    assert drawn.mode == "RGBA"
    alpha = np.asarray(drawn)[..., 3] > 128
    quiet, loud, silent = (part.sum() for part in np.array_split(alpha, 3, axis=1))
    assert loud > 3 * quiet > 3 * silent > 0
    assert not alpha[0].any()
    assert not alpha[:, 0].any()


def test_a_sound_of_no_length_to_speak_of_is_drawn_too() -> None:
    for num_samples in (1, 10, 47):
        opened(thumbnail(Audio(np.zeros(num_samples, np.float32), 44_100)))


def test_of_a_text_nothing() -> None:
    assert thumbnail(Text("words")) is None
