"""Varied pictures: what a change is said to do, measured on pictures whose content is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from tests.makers import CORNERS, corner_means, corners
from unimma.augment import (
    blend,
    blur,
    jitter_colour,
    lower_resolution,
    mirror,
    paste_above,
    paste_beside,
    rand_augment,
    random_crop,
    vary_image,
    vary_image_more,
)
from unimma.augment.image import OPERATIONS
from unimma.types import Image

Vary = Callable[[Image, np.random.Generator], Image]


def still(pixels: np.ndarray) -> np.ndarray:
    pixels.setflags(write=False)
    return pixels


def checks(side: int = 64) -> np.ndarray:
    """One black, one white pixel: the finest detail there is."""
    pattern = np.indices((side, side)).sum(axis=0) % 2 * 255
    return still(np.repeat(pattern[..., None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize("vary", [vary_image, vary_image_more])
def test_a_varied_picture_still_shows_most_of_it(vary: Vary) -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:, :, 0] = 200
    still(pixels)
    seen = {vary(Image(pixels), np.random.default_rng(seed)).pixels.shape for seed in range(12)}
    assert len(seen) > 3
    varied = vary_image(Image(pixels), np.random.default_rng(0)).pixels
    assert varied.dtype == np.uint8
    assert varied[:, :, 0].mean() > 3 * varied[:, :, 1].mean()  # red stays red


@pytest.mark.parametrize("vary", [vary_image, vary_image_more])
def test_the_same_seed_gives_the_same_picture(vary: Vary) -> None:
    image = Image(still(corners()), "a.png")
    for seed in range(10):
        one, again = vary(image, np.random.default_rng(seed)), vary(image, np.random.default_rng(seed))
        assert np.array_equal(one.pixels, again.pixels) and one.name == "a.png"
    assert not np.array_equal(vary(image, np.random.default_rng(10)).pixels, one.pixels)


def test_a_crop_is_a_part_of_the_picture_of_at_least_the_share_asked_for() -> None:
    rows, columns = np.indices((90, 120))
    pixels = still(np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8))
    areas = []
    for seed in range(50):
        crop = random_crop(pixels, np.random.default_rng(seed), 0.4)
        height, width = crop.shape[:2]
        top, left = crop[0, 0, :2]
        assert np.array_equal(crop, pixels[top : top + height, left : left + width])
        areas.append(height * width / (90 * 120))
    assert min(areas) >= 0.33  # a form that does not fit is cut
    assert max(areas) > 0.8


def test_a_mirrored_picture_has_its_sides_exchanged() -> None:
    means = corner_means(mirror(still(corners())))
    assert np.allclose(means[[1, 0, 3, 2]], list(CORNERS.values()))


def test_colours_change_a_little_and_keep_their_names() -> None:
    for seed in range(20):
        means = corner_means(jitter_colour(still(corners()), np.random.default_rng(seed)))
        assert means.argmax(axis=1)[:3].tolist() == [0, 1, 2]  # red, green, blue
        assert means[3, :2].min() > means[3, 2]  # yellow
    grey = still(np.full((8, 8, 3), 100, np.uint8))
    levels = [jitter_colour(grey, np.random.default_rng(seed)).mean() for seed in range(200)]
    assert 65 < min(levels) < 80 and 120 < max(levels) < 135


@pytest.mark.parametrize("change", [lambda p: blur(p, 1.5), lambda p: lower_resolution(p, 16)])
def test_fine_detail_goes_and_the_whole_stays(change: Callable[[np.ndarray], np.ndarray]) -> None:
    changed = change(checks())
    assert changed.shape == (64, 64, 3)
    assert changed[8:-8, 8:-8].std() < 12 < checks().std()
    assert changed.mean() == pytest.approx(127.5, abs=3)


def test_a_picture_is_never_enlarged_by_losing_resolution() -> None:
    assert np.array_equal(lower_resolution(checks(), 64), checks())
    assert np.array_equal(lower_resolution(checks(), 500), checks())


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_each_operation_grows_with_its_amount_and_keeps_the_size(name: str) -> None:
    photo = np.repeat(np.indices((40, 56)).sum(axis=0)[..., None] + 60, 3, axis=2).astype(np.uint8)  # a soft slope
    photo[10:20, 15:25] = (200, 60, 90)
    picture = PillowImage.fromarray(photo)
    changes = [np.abs(np.asarray(OPERATIONS[name](picture, x), float) - photo).mean() for x in (0.05, 0.9)]
    assert OPERATIONS[name](picture, -0.9).size == (56, 40)
    if name == "identity":
        assert changes == [0, 0]
    elif name in ("autocontrast", "equalize"):  # as they are, whatever the amount
        assert changes[0] == changes[1] > 0
    else:
        assert changes[1] > changes[0]


def test_rand_augment_draws_from_all_operations() -> None:
    made = {rand_augment(still(corners()), np.random.default_rng(seed)).tobytes() for seed in range(60)}
    assert len(made) > 30
    assert np.array_equal(rand_augment(corners(), np.random.default_rng(0), num_ops=0), corners())


def test_two_pictures_in_one_stand_where_they_are_said_to() -> None:
    red, blue = (
        still(np.full((20, width, 3), colour, np.uint8)) for width, colour in ((30, (255, 0, 0)), (60, (0, 0, 255)))
    )
    wide = paste_beside(red, blue)
    assert wide.shape == (20, 90, 3)
    assert wide[10, 5].tolist() == [255, 0, 0] and wide[10, 60].tolist() == [0, 0, 255]
    tall = paste_above(red, blue)
    assert tall.shape == (30, 30, 3)
    assert tall[5, 15].tolist() == [255, 0, 0] and tall[25, 15].tolist() == [0, 0, 255]
    mixed = blend(red, blue, 0.75)
    assert mixed.shape == red.shape
    assert mixed[10, 10].tolist() == pytest.approx([191, 0, 64], abs=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_no_picture_is_too_small(width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = still(rng.integers(0, 256, (height, width, 3)).astype(np.uint8))
    for vary in (vary_image, vary_image_more):
        varied = vary(Image(pixels), rng).pixels
        assert varied.dtype == np.uint8 and varied.ndim == 3 and varied.shape[2] == 3 and varied.size
    one = still(np.zeros((1, 1, 3), np.uint8))
    assert paste_beside(pixels, one).shape[0] == height and paste_above(pixels, one).shape[1] == width
    assert lower_resolution(pixels, 1).shape == pixels.shape == rand_augment(pixels, rng).shape
