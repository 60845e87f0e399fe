"""Pictures of each format and each trap, compared pixel by pixel with what was written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import CORNERS, corner_means, corners, write_animation, write_picture
from unimma.errors import MediaError
from unimma.media import decode
from unimma.settings import Limits
from unimma.types import Image, Modality

COLOURS = np.array(list(CORNERS.values()), np.float64)
ORIENTATIONS = {  # EXIF tag → what was done to the upright pixels before they were stored
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, -1),
}


def pixels_of(path: Path, **options: object) -> np.ndarray:
    picture = decode(path, **options)  # type: ignore[arg-type]
    assert isinstance(picture, Image)
    return picture.pixels


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "gif"])
def test_a_lossless_format_gives_back_every_pixel(tmp_path: Path, ending: str) -> None:
    assert np.array_equal(pixels_of(write_picture(tmp_path / f"quarters.{ending}")), corners())


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {"quality": 95}),
        ("jpg", {"quality": 90, "progressive": True}),
        ("webp", {"quality": 90}),
        ("webp", {"lossless": True}),
        ("avif", {"quality": 90}),
        ("heic", {"quality": 90}),
        ("tiff", {"compression": "jpeg"}),
        ("tiff", {"compression": "tiff_lzw"}),
    ],
)
def test_every_format_shows_its_colours_in_their_places(
    tmp_path: Path, ending: str, options: dict[str, object]
) -> None:
    pixels = pixels_of(write_picture(tmp_path / f"quarters.{ending}", corners(128, 96), **options))
    assert pixels.shape == (96, 128, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(corner_means(pixels) - COLOURS).max() < 6


def test_the_pixels_cannot_be_changed(picture: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        pixels_of(picture)[0, 0] = 0


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "quarters.png").rename(tmp_path / "song.mp3")
    assert np.array_equal(pixels_of(path), corners())
    assert np.array_equal(decode(path.read_bytes()).pixels, corners())


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("tag", ORIENTATIONS)
def test_a_turned_photo_comes_upright(tmp_path: Path, ending: str, tag: int) -> None:
    upright = corners(96, 64)
    exif = PIL.Exif()
    exif[0x0112] = tag
    stored = np.ascontiguousarray(ORIENTATIONS[tag](upright))
    pixels = pixels_of(write_picture(tmp_path / f"turned.{ending}", stored, exif=exif))
    assert pixels.shape == upright.shape
    assert np.abs(corner_means(pixels) - COLOURS).max() < 12


@pytest.mark.parametrize("ending", ["png", "webp", "tiff", "avif"])
def test_what_is_transparent_becomes_white(tmp_path: Path, ending: str) -> None:
    layers = np.zeros((40, 60, 4), np.uint8)
    layers[:, 20:40] = (0, 0, 0, 128)
    layers[:, 40:] = (10, 20, 200, 255)
    PIL.fromarray(layers).save(tmp_path / f"layers.{ending}", lossless=True)
    pixels = pixels_of(tmp_path / f"layers.{ending}").astype(int)
    assert np.abs(pixels[20, 10] - 255).max() <= 3
    assert np.abs(pixels[20, 30] - 127).max() <= 4
    assert np.abs(pixels[20, 50] - (10, 20, 200)).max() <= 6


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_palette_with_a_transparent_colour_becomes_white_there(tmp_path: Path, ending: str) -> None:
    indices = np.zeros((20, 30), np.uint8)
    indices[:, 15:] = 1
    picture = PIL.fromarray(indices, "P")
    picture.putpalette([9, 9, 9, 200, 100, 0])
    picture.save(tmp_path / f"palette.{ending}", transparency=0)
    pixels = pixels_of(tmp_path / f"palette.{ending}")
    assert tuple(pixels[10, 5]) == (255, 255, 255)
    assert tuple(pixels[10, 25]) == (200, 100, 0)


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path: Path, ending: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(8, 0)
    PIL.fromarray(ramp).save(tmp_path / f"deep.{ending}")
    pixels = pixels_of(tmp_path / f"deep.{ending}")
    assert np.array_equal(pixels[4, :, 0], np.arange(256))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_floating_point_between_zero_and_one_is_scaled(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(8, 0)
    PIL.fromarray(ramp).save(tmp_path / "ramp.tiff")
    assert np.array_equal(pixels_of(tmp_path / "ramp.tiff")[0, :, 0], np.arange(256))


def test_cmyk_is_turned_into_light(tmp_path: Path) -> None:
    PIL.fromarray(corners(96, 64)).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert np.abs(corner_means(pixels_of(tmp_path / "print.jpg")) - COLOURS).max() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_of_png_decodes_to_three_channels(tmp_path: Path, mode: str) -> None:
    PIL.fromarray(corners()).convert(mode).save(tmp_path / "mode.png")
    assert pixels_of(tmp_path / "mode.png").shape == (48, 64, 3)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "avif"])
def test_of_a_moving_picture_the_first_frame_on_request(tmp_path: Path, ending: str) -> None:
    frames = [np.full((40, 60, 3), grey, np.uint8) for grey in (40, 120, 240)]
    path = write_animation(tmp_path / f"moving.{ending}", frames, (100, 100, 100))
    pixels = pixels_of(path, modality=Modality.IMAGE)
    assert np.abs(pixels.astype(int) - 40).max() <= 3


def test_a_phones_jpeg_with_a_second_photo_is_the_first(tmp_path: Path) -> None:
    dark = PIL.new("RGB", (64, 48))
    PIL.fromarray(corners()).save(tmp_path / "pair.jpg", format="MPO", save_all=True, append_images=[dark], quality=95)
    assert np.abs(corner_means(pixels_of(tmp_path / "pair.jpg")) - COLOURS).max() < 6


def test_too_many_pixels_are_refused_by_a_limit_that_can_be_moved(picture: Path) -> None:
    with pytest.raises(MediaError, match=r"quarters\.jpg: 64 x 48 pixels; expected at most 0\.003 million pixels"):
        decode(picture, limits=Limits(max_image_pixels=3_000))
    assert pixels_of(picture, limits=Limits(max_image_pixels=64 * 48)).shape == (48, 64, 3)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"])
def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path, ending: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    path = write_picture(tmp_path / f"noise.{ending}", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=rf"noise\.{ending}: (damaged|.* bytes where its header states)"):
        decode(path)
