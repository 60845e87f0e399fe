"""Variations of pictures; two pictures in one picture.

Pixels are uint8 [height, width, 3], RGB; what comes back is a new array of the same kind.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageEnhance, ImageFilter, ImageOps

from unimma.types import Image

Pixels = npt.NDArray[np.uint8]
MIN_CROP_SHARE = 0.5  # of a picture's area
MIN_CROP_SHARE_MORE = 0.3
CROP_RATIOS = (3 / 4, 4 / 3)
LOW_SIDES_PX = (48, 161)  # sources are 64 to 500 px: the model must not tell them by sharpness
MAX_COLOUR_CHANGE, MAX_HUE_TURN = 0.3, 0.03
_GREY = (128, 128, 128)  # what comes in from outside where a picture is turned or sheared
_BOX = PillowImage.Resampling.BOX
_BICUBIC = PillowImage.Resampling.BICUBIC


def vary_image(image: Image, rng: np.random.Generator) -> Image:
    """Random resized crop, mirror, brightness, contrast, saturation, blur, and loss of resolution.

    Source: the views of SimCLR, Chen et al. 2020, arXiv 2002.05709, appendix A, in a milder form.
    """
    picture = _random_crop(PillowImage.fromarray(image.pixels), rng, MIN_CROP_SHARE)
    if rng.random() < 0.5:
        picture = picture.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(rng.uniform(0.7, 1.3))
    if rng.random() < 0.3:
        side = int(rng.integers(*LOW_SIDES_PX))
        picture = picture.resize((side, side), _BICUBIC)
    elif rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    return Image(np.asarray(picture), image.name)


def vary_image_more(image: Image, rng: np.random.Generator) -> Image:
    """Smaller crops than `vary_image`'s, hue too, and two operations of RandAugment on half of the pictures."""
    pixels = random_crop(image.pixels, rng, MIN_CROP_SHARE_MORE)
    if rng.random() < 0.5:
        pixels = mirror(pixels)
    pixels = rand_augment(pixels, rng) if rng.random() < 0.5 else jitter_colour(pixels, rng)
    if rng.random() < 0.3:
        pixels = lower_resolution(pixels, int(rng.integers(*LOW_SIDES_PX)))
    elif rng.random() < 0.2:
        pixels = blur(pixels, rng.uniform(0.3, 1.2))
    return Image(pixels, image.name)


def random_crop(pixels: Pixels, rng: np.random.Generator, min_share: float = MIN_CROP_SHARE) -> Pixels:
    """A rectangle of `min_share` to all of the area, 3:4 to 4:3 of its form, anywhere; encoders bring it to their size.

    Source: Szegedy et al. 2014, arXiv 1409.4842, section 6.
    """
    return np.asarray(_random_crop(PillowImage.fromarray(pixels), rng, min_share))


def mirror(pixels: Pixels) -> Pixels:
    """Left and right exchanged; `unimma.augment.swap_sides` does it to the caption."""
    return np.ascontiguousarray(pixels[:, ::-1])


def jitter_colour(
    pixels: Pixels, rng: np.random.Generator, change: float = MAX_COLOUR_CHANGE, hue_turn: float = MAX_HUE_TURN
) -> Pixels:
    """Brightness, contrast and saturation by a factor of 1 ± `change`, hue by up to `hue_turn` of the colour circle.

    More than a tenth of the circle makes captions with colours wrong.
    """
    picture = PillowImage.fromarray(pixels)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(rng.uniform(1 - change, 1 + change))
    hue, saturation, value = picture.convert("HSV").split()
    turned = (np.asarray(hue, np.int16) + round(255 * rng.uniform(-hue_turn, hue_turn))) % 256
    return np.asarray(
        PillowImage.merge("HSV", (PillowImage.fromarray(turned.astype(np.uint8)), saturation, value)).convert("RGB")
    )


def blur(pixels: Pixels, sigma_px: float) -> Pixels:
    """Gaussian blur."""
    return np.asarray(PillowImage.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma_px)))


def lower_resolution(pixels: Pixels, short_side: int) -> Pixels:
    """Shrunk to a short side of so many pixels and enlarged again; a smaller picture stays as it is."""
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    if scale >= 1:
        return pixels.copy()
    small = PillowImage.fromarray(pixels).resize((max(1, round(width * scale)), max(1, round(height * scale))), _BOX)
    return np.asarray(small.resize((width, height), _BICUBIC))


def rand_augment(pixels: Pixels, rng: np.random.Generator, num_ops: int = 2, magnitude: float = 0.3) -> Pixels:
    """`num_ops` random operations of fourteen, each of `magnitude` (0 to 1, the paper's 0 to 30).

    Source: RandAugment, Cubuk et al. 2019, arXiv 1909.13719, with its operations and ranges.
    """
    picture = PillowImage.fromarray(pixels)
    for name in rng.choice(sorted(OPERATIONS), num_ops):
        picture = OPERATIONS[name](picture, magnitude * float(rng.choice([-1.0, 1.0])))
    return np.asarray(picture)


Operation = Callable[[PillowImage.Image, float], PillowImage.Image]


def _affine(*, shear: tuple[float, float] = (0, 0), shift: tuple[float, float] = (0, 0)) -> Operation:
    def moved(picture: PillowImage.Image, amount: float) -> PillowImage.Image:
        (shear_x, shear_y), (shift_x, shift_y) = shear, shift
        across = (1.0, amount * shear_x, amount * shift_x * picture.width)
        down = (amount * shear_y, 1.0, amount * shift_y * picture.height)
        return picture.transform(picture.size, PillowImage.Transform.AFFINE, across + down, _BICUBIC, fillcolor=_GREY)

    return moved


def _enhanced(enhance: Callable[[PillowImage.Image], ImageEnhance._Enhance]) -> Operation:
    return lambda picture, amount: enhance(picture).enhance(1 + 0.9 * amount)


OPERATIONS: dict[str, Operation] = {  # (picture, amount from -1 to 1) → picture
    "identity": lambda picture, amount: picture,
    "autocontrast": lambda picture, amount: ImageOps.autocontrast(picture),
    "equalize": lambda picture, amount: ImageOps.equalize(picture),
    "rotate": lambda picture, amount: picture.rotate(30 * amount, _BICUBIC, fillcolor=_GREY),
    "posterize": lambda picture, amount: ImageOps.posterize(picture, 8 - round(4 * abs(amount))),
    "solarize": lambda picture, amount: ImageOps.solarize(picture, 256 - round(128 * abs(amount))),
    "colour": _enhanced(ImageEnhance.Color),
    "contrast": _enhanced(ImageEnhance.Contrast),
    "brightness": _enhanced(ImageEnhance.Brightness),
    "sharpness": _enhanced(ImageEnhance.Sharpness),
    "shear x": _affine(shear=(0.3, 0)),
    "shear y": _affine(shear=(0, 0.3)),
    "translate x": _affine(shift=(0.33, 0)),
    "translate y": _affine(shift=(0, 0.33)),
}


def blend(first: Pixels, second: Pixels, share: float) -> Pixels:
    """`share` of the first picture over the rest of the second, in the first one's size.

    Source: mixup, Zhang et al. 2017, arXiv 1710.09412.
    """
    size = (first.shape[1], first.shape[0])
    other = PillowImage.fromarray(second).resize(size, _BICUBIC)
    return np.asarray(PillowImage.blend(other, PillowImage.fromarray(first), share))


def paste_beside(first: Pixels, second: Pixels) -> Pixels:
    """Both whole, the first on the left, in the first one's height."""
    height = first.shape[0]
    width = max(1, round(second.shape[1] * height / second.shape[0]))
    return np.concatenate([first, np.asarray(PillowImage.fromarray(second).resize((width, height), _BICUBIC))], axis=1)


def paste_above(first: Pixels, second: Pixels) -> Pixels:
    """Both whole, the first on top, in the first one's width."""
    width = first.shape[1]
    height = max(1, round(second.shape[0] * width / second.shape[1]))
    return np.concatenate([first, np.asarray(PillowImage.fromarray(second).resize((width, height), _BICUBIC))], axis=0)


def _random_crop(picture: PillowImage.Image, rng: np.random.Generator, min_share: float) -> PillowImage.Image:
    share, ratio = rng.uniform(min_share, 1.0), np.exp(rng.uniform(*np.log(CROP_RATIOS)))
    width = max(1, min(picture.width, round(picture.width * np.sqrt(share * ratio))))
    height = max(1, min(picture.height, round(picture.height * np.sqrt(share / ratio))))
    left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
    return picture.crop((int(left), int(top), int(left) + width, int(top) + height))
