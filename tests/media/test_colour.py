"""Pictures that bring an ICC profile: their colours come as sRGB, and a hostile profile does no harm."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PIL
from PIL import ImageCms

from tests.makers import corners, write_picture
from unimma.media import decode
from unimma.media.plain import write_plain
from unimma.types import Modality

ADOBE_RGB = np.array([[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]])
SRGB = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]])
WHITE = (0.96420, 1.0, 0.82491)  # D50, to which profiles adapt their colours


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values: np.ndarray | tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def gamma(power: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(power * 256)) + b"\0\0"


def profile(space: bytes, kind: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2."""
    tags = {b"wtpt": xyz(WHITE), **tags}
    table, content = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(content), len(tag))
        content += tag
    size = struct.pack(">I", 128 + len(table) + len(content))
    head = size + bytes(4) + b"\x02\x40\0\0" + kind + space + pcs + bytes(12) + b"acsp" + bytes(28) + fixed(*WHITE)
    return head.ljust(128, b"\0") + table + content


def rgb_profile(colours: np.ndarray, power: float) -> bytes:
    curves = {channel + b"TRC": gamma(power) for channel in (b"r", b"g", b"b")}
    columns = {channel + b"XYZ": xyz(colours[i]) for i, channel in enumerate((b"r", b"g", b"b"))}
    return profile(b"RGB ", b"mntr", b"XYZ ", columns | curves)


def seen_as_srgb(pixels: np.ndarray, colours: np.ndarray, power: float) -> np.ndarray:
    """What such pixels look like, worked out from the definition."""
    light = (pixels / 255.0) ** power @ colours @ np.linalg.inv(SRGB)
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def greys_of_ink() -> bytes:
    """A printing profile whose inks look unlike any other: cyan is all but white, black is half a grey."""
    inks = np.indices((2, 2, 2, 2)).reshape(4, 16)
    lightness = 255 - 8 * inks[0] - 64 * inks[1] - 32 * inks[2] - 128 * inks[3]
    grid = b"".join(bytes([light, 128, 128]) for light in np.clip(lightness, 0, 255).tolist())
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + 4 * ramp + grid + 3 * ramp
    return profile(b"CMYK", b"prtr", b"Lab ", {b"A2B0": table})


@pytest.mark.parametrize("ending", ["png", "tiff", "webp"])
def test_colours_of_a_wide_space_come_as_srgb(tmp_path: Path, ending: str) -> None:
    path = write_picture(tmp_path / f"wide.{ending}", icc_profile=rgb_profile(ADOBE_RGB, 2.2), lossless=True)
    expected = seen_as_srgb(corners(), ADOBE_RGB, 2.2)
    assert np.abs(expected - corners()).max() > 20
    assert np.abs(decode(path).pixels - expected).max() <= 2


@pytest.mark.parametrize("ending", ["jpg", "heic", "avif"])
def test_a_photo_of_a_wide_space_comes_as_srgb(tmp_path: Path, ending: str) -> None:
    colour = np.full((64, 64, 3), (60, 190, 70), np.uint8)
    path = write_picture(tmp_path / f"wide.{ending}", colour, icc_profile=rgb_profile(ADOBE_RGB, 2.2), quality=95)
    expected = seen_as_srgb(colour, ADOBE_RGB, 2.2)[0, 0]
    assert np.abs(expected - colour[0, 0]).max() > 15
    assert np.abs(decode(path).pixels[32, 32] - expected).max() <= 6


def test_what_is_kept_has_the_colours_and_not_the_profile(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "wide.png", icc_profile=rgb_profile(ADOBE_RGB, 2.2))
    kept = write_plain(path, Modality.IMAGE, tmp_path, "kept")
    with PIL.open(kept) as picture:
        assert "icc_profile" not in picture.info
    assert np.abs(decode(kept).pixels.astype(int) - decode(path).pixels).mean() < 4


def test_a_picture_that_says_srgb_keeps_every_pixel(tmp_path: Path) -> None:
    said = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode(write_picture(tmp_path / "said.png", icc_profile=said)).pixels, corners())


def test_transparency_survives_a_profile(tmp_path: Path) -> None:
    layers = np.full((20, 40, 4), (60, 190, 70, 255), np.uint8)
    layers[:, 20:, 3] = 0
    PIL.fromarray(layers).save(tmp_path / "layers.png", icc_profile=rgb_profile(ADOBE_RGB, 2.2))
    pixels = decode(tmp_path / "layers.png").pixels
    assert np.abs(pixels[10, 10] - seen_as_srgb(layers[0, 0, :3], ADOBE_RGB, 2.2)).max() <= 2
    assert tuple(pixels[10, 30]) == (255, 255, 255)


def test_a_palette_is_converted_by_its_profile(tmp_path: Path) -> None:
    PIL.fromarray(corners()).quantize(4).save(tmp_path / "palette.png", icc_profile=rgb_profile(ADOBE_RGB, 2.2))
    expected = seen_as_srgb(corners(), ADOBE_RGB, 2.2)
    assert np.abs(decode(tmp_path / "palette.png").pixels - expected).max() <= 4


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_converted_by_its_profile(tmp_path: Path, mode: str) -> None:
    linear = profile(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": gamma(1.0)})
    PIL.new("L", (8, 8), 100).convert(mode).save(tmp_path / "grey.png", icc_profile=linear)
    light = 100 / 255
    assert np.abs(decode(tmp_path / "grey.png").pixels - 255 * (1.055 * light ** (1 / 2.4) - 0.055)).max() <= 2


def test_inks_are_converted_by_their_profile(tmp_path: Path) -> None:
    for inks, lightness in (((0, 0, 0, 0), 100.0), ((255, 0, 0, 0), 96.9), ((0, 0, 0, 255), 49.8)):
        PIL.new("CMYK", (16, 16), inks).save(tmp_path / "inks.tiff", icc_profile=greys_of_ink())
        pixels = decode(tmp_path / "inks.tiff").pixels
        light = ((lightness + 16) / 116) ** 3
        assert np.abs(pixels - 255 * (1.055 * light ** (1 / 2.4) - 0.055)).max() <= 4


def hostile_profiles() -> dict[str, bytes]:
    good = rgb_profile(ADOBE_RGB, 2.2)
    return {
        "no profile": b"Private Lane 7" * 20,
        "short": good[:100],
        "cut off": good[:200],
        "another space": profile(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": gamma(1.0)}),
        "an unknown space": good[:16] + b"\xff\xfe\xfd\xfc" + good[20:],
        "very many tags": good[:128] + b"\xff\xff\xff\xff" + good[132:],
        "tags beyond its end": good[:128] + good[128:].replace(struct.pack(">I", 20), b"\x7f\xff\xff\xff"),
        "a curve of very many points": good.replace(b"curv\0\0\0\0\0\0\0\1", b"curv\0\0\0\0\xff\xff\xff\xff"),
        "megabytes": good + bytes(5_000_000),
    }


@pytest.mark.parametrize("what", hostile_profiles())
def test_a_profile_that_makes_no_sense_counts_as_none(tmp_path: Path, what: str) -> None:
    path = write_picture(tmp_path / "photo.tiff", icc_profile=hostile_profiles()[what])
    assert np.array_equal(decode(path).pixels, corners())
