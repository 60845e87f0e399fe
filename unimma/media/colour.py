"""Colours of a picture whose ICC profile says what its numbers mean (Adobe RGB, Display P3, printing inks) → sRGB."""

import io

import numpy as np
from PIL import Image as PIL
from PIL import ImageCms

_MOST_BYTES = 4_000_000  # of a profile; those of printing presses have two or three million
_MODES = {"RGB ": {"RGB", "RGBA"}, "GRAY": {"L", "LA"}, "CMYK": {"CMYK"}}  # what a profile of each kind can be about
_SAME = 2  # of 255 levels: what rounding makes of sRGB itself
_INTENT, _FLAGS = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION


def to_srgb(picture: PIL.Image) -> PIL.Image:
    """An 8-bit picture in sRGB: RGB or RGBA where its profile differs from that, else the picture as it is.

    A profile that is broken, too large or about something else counts as none: the picture can be seen without.
    """
    profile = picture.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= _MOST_BYTES:
        return picture
    if picture.mode == "P":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    try:
        return _converted(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _converted(picture: PIL.Image, profile: ImageCms.ImageCmsProfile) -> PIL.Image:
    if picture.mode not in _MODES.get(profile.profile.xcolor_space, ()):
        return picture
    taken = "L" if picture.mode == "LA" else picture.mode
    given = "RGBA" if taken == "RGBA" else "RGB"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    transform = ImageCms.buildTransform(profile, srgb, taken, given, _INTENT, _FLAGS)
    if given == taken and _changes_nothing(transform, taken):  # most photos: sRGB that says so
        return picture
    seen = picture.getchannel("L") if picture.mode == "LA" else picture
    converted = ImageCms.applyTransform(seen, transform)
    assert converted is not None  # it is only where the picture is changed in place
    if picture.mode == "LA":
        converted.putalpha(picture.getchannel("A"))
    return converted


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a few hundred colours from all over the cube come out as they went in."""
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    probe = PIL.fromarray(cube).convert(mode)
    converted = ImageCms.applyTransform(probe, transform)
    assert converted is not None
    return int(np.abs(np.asarray(converted, np.int16) - np.asarray(probe, np.int16)).max()) <= _SAME
