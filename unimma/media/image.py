"""Pictures: a still file, or the first frame of a moving one → upright RGB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image as PIL
from PIL import ImageOps

from unimma.errors import MediaError
from unimma.media import pulse
from unimma.media.colour import to_srgb
from unimma.media.kind import Format
from unimma.media.source import Source, reading
from unimma.settings import Limits
from unimma.types import Image

_CAN_MOVE = {"GIF", "WEBP", "PNG", "AVIF"}
_heif_lock = threading.Lock()


def decode_image(source: Source, form: Format, limits: Limits) -> Image:
    """The picture, or a moving picture's first frame, turned upright, alpha composed onto white.

    Returns:
        pixels uint8 [height, width, 3], read-only.
    Raises:
        MediaError: damaged, cut off, or over `limits.max_image_pixels`.
    """
    with reading(source), open_picture(source, form, limits) as picture:
        pixels = np.array(to_rgb(picture))
    pixels.setflags(write=False)
    return Image(pixels, source.name)


def is_moving(source: Source, form: Format, limits: Limits) -> bool:
    """Whether a picture file has a second frame to show after the first.

    Raises:
        MediaError: damaged, or over `limits.max_image_pixels`.
    """
    if form.code not in _CAN_MOVE:  # the pages of a TIFF, the second photo of a phone's JPEG: not a film
        return False
    with reading(source), open_picture(source, form, limits) as picture:
        return bool(getattr(picture, "is_animated", False))


@contextmanager
def open_picture(source: Source, form: Format, limits: Limits) -> Iterator[PIL.Image]:
    """Pillow's picture, opened by the one plug-in that its first bytes ask for, nothing decoded yet.

    Raises:
        MediaError: over `limits.max_image_pixels`.
    """
    if form.code == "HEIF":
        _register_heif()
    try:
        with source.open() as stream, PIL.open(stream, formats=_plugins(form.code)) as picture:
            check_pixels(source.name, picture.size, limits.max_image_pixels)
            yield picture
    except (PIL.DecompressionBombError, PIL.DecompressionBombWarning) as error:  # Pillow's own, wider limit
        raise _too_large(source.name, "too many pixels", limits.max_image_pixels) from error


def check_pixels(name: str, size: tuple[int, int], most: int) -> None:
    """Called before a picture's or frame's pixels are allocated.

    Raises:
        MediaError: width times height is over `most`.
    """
    width, height = size
    if width * height > most:
        raise _too_large(name, f"{width} x {height} pixels", most)


def to_rgb(picture: PIL.Image) -> PIL.Image:
    """A picture of any of Pillow's modes as upright 8-bit sRGB: deep ones scaled (not clipped), alpha on white."""
    picture.load()  # before turning: Pillow turns a TIFF while it loads and then forgets the tag
    pulse.alive()  # the largest pictures take seconds a step, and on a busy machine many
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return _from_deep(picture)
    picture = to_srgb(picture)
    pulse.alive()
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    return PIL.alpha_composite(PIL.new("RGBA", layers.size, "white"), layers).convert("RGB")


def _from_deep(picture: PIL.Image) -> PIL.Image:
    """Grey of 16 bits, 32 bits or floating point → RGB; Pillow's own conversion clips at 255."""
    grey = np.array(picture, dtype=np.float64)  # worked on in place: the largest pictures are half a gigabyte here
    np.nan_to_num(grey, copy=False)
    top = grey.max()
    if picture.mode.startswith("I"):
        white = 65535.0 if picture.mode.startswith("I;16") or 255 < top <= 65535 else max(255.0, top)
    else:
        white = 1.0 if top <= 1 else max(255.0, top)  # floating point has no fixed white: 1 and 255 are both in use
    grey *= 255 / white
    np.clip(np.rint(grey, out=grey), 0, 255, out=grey)
    return PIL.fromarray(grey.astype(np.uint8)).convert("RGB")


def _plugins(code: str) -> tuple[str, ...]:
    return ("JPEG", "MPO") if code == "JPEG" else (code,)  # phones append a second photo: Pillow calls such a JPEG MPO


def _register_heif() -> None:
    """Teaches Pillow HEIC, once, when the first such file comes: the import costs a tenth of a second."""
    with _heif_lock:
        PIL.init()
        if "HEIF" not in PIL.OPEN:
            from pillow_heif import register_heif_opener

            register_heif_opener(thumbnails=False)


def _too_large(name: str, size: str, most: int) -> MediaError:
    return MediaError(f"{name}: {size}", f"at most {most / 1e6:g} million pixels", "Make it smaller.")
