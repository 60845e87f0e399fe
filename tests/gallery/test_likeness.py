import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PIL
from PIL import ImageDraw

from tests.makers import corners, write_clip
from unimma.gallery.likeness import ALIKE_UP_TO, INCOMPARABLE, distance, is_alike, likeness
from unimma.media import decode
from unimma.types import Audio, Image, Text, Video

HEIGHT, WIDTH = 120, 160


def scene(seed: int) -> np.ndarray:
    """Coloured discs on a coloured ground, uint8 [120, 160, 3]."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:] = rng.integers(30, 220, 3)
    for _ in range(8):
        y, x, radius = rng.integers(HEIGHT), rng.integers(WIDTH), rng.integers(10, 40)
        pixels[(down - y) ** 2 + (across - x) ** 2 < radius**2] = rng.integers(20, 230, 3)
    return pixels


def of(pixels: np.ndarray) -> bytes:
    found = likeness(Image(pixels))
    assert found is not None
    return found


def plain(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((40, 50, 3), (red, green, blue), np.uint8)


def as_jpeg(pixels: np.ndarray, quality: int, scale: float = 1.0) -> np.ndarray:
    file = io.BytesIO()
    picture = PIL.fromarray(pixels)
    picture.resize((round(picture.width * scale), round(picture.height * scale))).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.open(file).convert("RGB"))


def film(seeds: list[int], duration_s: float = 4.0, sound: Audio | None = None) -> Video:
    frames = np.stack([scene(seed) for seed in seeds])
    return Video(frames, np.linspace(0.0, duration_s, len(seeds), endpoint=False), duration_s, sound)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 95), st.floats(0.4, 2.0), st.floats(0.75, 1.3))
def test_an_encoded_resized_brightened_copy_is_alike(seed, quality, scale, gamma):
    pixels = scene(seed)
    brighter = (255 * (pixels / 255.0) ** gamma).round().astype(np.uint8)
    assert is_alike(of(pixels), of(as_jpeg(brighter, quality, scale)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000), st.integers(5_001, 10_000))
def test_different_pictures_are_not_alike(one, other):
    assert not is_alike(of(scene(one)), of(scene(other)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99))
def test_distance_is_even_handed_and_nothing_to_itself(one, other):
    a, b = of(scene(one)), of(scene(other))
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a)
    assert is_alike(a, b) == (distance(a, b) <= ALIKE_UP_TO)


def test_the_same_drawing_in_another_colour_is_no_copy():
    red, blue = plain(240, 240, 240), plain(240, 240, 240)
    red[10:30, 10:40], blue[10:30, 10:40] = (200, 30, 30), (30, 30, 200)
    assert not is_alike(of(red), of(blue))


def page(words: str) -> np.ndarray:
    picture = PIL.new("RGB", (320, 400), "white")
    ImageDraw.Draw(picture).multiline_text((20, 20), words, fill="black", spacing=6)
    return np.asarray(picture)


def test_pages_of_text_are_told_apart_by_what_they_say():
    one, other = ("\n".join(f"{word} {n * n} {word * 3}" for n in range(20)) for word in ("apples", "zephyr"))
    assert is_alike(of(page(one)), of(as_jpeg(page(one), 60, 0.5)))
    assert not is_alike(of(page(one)), of(page(other)))


def test_mirrored_is_no_copy():
    assert not is_alike(of(scene(3)), of(scene(3)[:, ::-1].copy()))


@pytest.mark.parametrize("other", [(0, 0, 0), (255, 0, 0), (0, 0, 90), (128, 128, 128)])
def test_blank_pictures_are_told_apart_by_colour_and_brightness(other):
    rng = np.random.default_rng(0)
    white = np.clip(plain(252, 252, 252) + rng.normal(0, 2, (40, 50, 3)), 0, 255).astype(np.uint8)
    assert is_alike(of(white), of(plain(253, 253, 253)))
    assert not is_alike(of(white), of(plain(*other)))


def test_a_pixel_is_enough():
    assert len(of(np.zeros((1, 1, 3), np.uint8))) == len(of(scene(0))) == 113


def test_a_clip_encoded_anew_is_alike_and_a_longer_one_is_not(tmp_path: Path):
    one = write_clip(tmp_path / "a.mp4", sound_hz=440.0)
    smaller = write_clip(tmp_path / "b.webm", "libvpx-vp9", size=(64, 48), fps=15)
    longer = write_clip(tmp_path / "c.mp4", seconds=3.0)
    a, b, c = (likeness(decode(path)) for path in (one, smaller, longer))
    assert a is not None and b is not None and c is not None
    assert is_alike(a, b)
    assert distance(a, c) == INCOMPARABLE


def test_clips_that_share_only_their_beginning_are_not_alike():
    a, b = likeness(film([1, 1, 2, 3])), likeness(film([1, 4, 5, 6]))
    assert a is not None and b is not None
    assert not is_alike(a, b)


def test_a_clip_of_one_frame_has_a_likeness():
    assert len(likeness(film([1])) or b"") == 453


def test_a_picture_is_never_like_a_clip():
    clip = likeness(film([1, 1, 1, 1]))
    assert clip is not None
    assert distance(of(scene(1)), clip) == INCOMPARABLE


def test_text_and_sound_have_none_and_neither_has_music_over_a_black_screen():
    sound = Audio(np.zeros(100, np.float32), 44_100)
    black = Video(np.zeros((8, 30, 40, 3), np.uint8), np.arange(8.0), 8.0, sound)
    assert likeness(Text("red")) is None
    assert likeness(sound) is None
    assert likeness(black) is None
    assert likeness(Video(black.frames, black.times, black.duration_s)) is not None


def test_a_picture_of_any_shape_is_taken():
    assert is_alike(of(corners(640, 480)), of(corners(64, 48)))
    assert len(of(np.zeros((1, 3_000, 3), np.uint8))) == 113
