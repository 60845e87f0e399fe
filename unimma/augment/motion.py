"""Clips made from still pictures: a camera that pans and zooms, a picture that moves over another one.

Each motion has words that tell it, and a partner that is the same motion backwards: a caption with the partner's words
is wrong of the clip by its motion alone.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFilter

from unimma.augment.image import Pixels
from unimma.types import Video

Place = tuple[float, float, float, float]
_BICUBIC = PillowImage.Resampling.BICUBIC
_SMOOTH = 4  # a mask is drawn so many times larger, then shrunk: Pillow draws no soft edges


@dataclass(frozen=True)
class Motion:
    """A motion and how it is told.

    Attributes:
        of_camera: the camera moves over one picture; else one picture moves over another.
        sentences: "{}" is what is seen, or what moves.
        label: the same as a noun.
        alone: a camera's motion without what is seen, to be said beside a caption; "" where a picture moves.
        first, last: from where to where: centre x, centre y, size, and turn in degrees counterclockwise. Of a camera:
            what it sees, in shares of the picture. Of a picture: where it is, in shares of the frame and its height.
        backwards: the name of what it is when it is played backwards.
    """

    of_camera: bool
    sentences: tuple[str, ...]
    label: str
    alone: str
    first: Place
    last: Place
    backwards: str


MOTIONS: dict[str, Motion] = {
    "zoom in": Motion(
        True,
        ("the camera zooms in on {}", "zooming in on {}", "{} gets bigger as the camera moves closer"),
        "zoom in on {}",
        "the camera zooms in",
        (0.5, 0.5, 1.0, 0.0),
        (0.5, 0.5, 0.4, 0.0),
        "zoom out",
    ),
    "zoom out": Motion(
        True,
        ("the camera zooms out from {}", "zooming out from {}", "{} gets smaller as the camera moves away"),
        "zoom out from {}",
        "the camera zooms out",
        (0.5, 0.5, 0.4, 0.0),
        (0.5, 0.5, 1.0, 0.0),
        "zoom in",
    ),
    "pan right": Motion(
        True,
        ("the camera pans from left to right over {}", "the camera moves to the right across {}"),
        "pan to the right over {}",
        "the camera pans from left to right",
        (0.3, 0.5, 0.6, 0.0),
        (0.7, 0.5, 0.6, 0.0),
        "pan left",
    ),
    "pan left": Motion(
        True,
        ("the camera pans from right to left over {}", "the camera moves to the left across {}"),
        "pan to the left over {}",
        "the camera pans from right to left",
        (0.7, 0.5, 0.6, 0.0),
        (0.3, 0.5, 0.6, 0.0),
        "pan right",
    ),
    "tilt up": Motion(
        True,
        ("the camera tilts up over {}", "the camera moves upwards over {}"),
        "tilt up over {}",
        "the camera tilts up",
        (0.5, 0.7, 0.6, 0.0),
        (0.5, 0.3, 0.6, 0.0),
        "tilt down",
    ),
    "tilt down": Motion(
        True,
        ("the camera tilts down over {}", "the camera moves downwards over {}"),
        "tilt down over {}",
        "the camera tilts down",
        (0.5, 0.3, 0.6, 0.0),
        (0.5, 0.7, 0.6, 0.0),
        "tilt up",
    ),
    "hold": Motion(
        True,
        ("nothing moves in this picture of {}", "a still camera shows {}"),
        "still view of {}",
        "nothing moves",
        (0.5, 0.5, 0.9, 0.0),
        (0.5, 0.5, 0.9, 0.0),
        "hold",
    ),
    "to the right": Motion(
        False,
        ("{} moves from left to right", "{} moves to the right", "{} passes by from the left to the right"),
        "{} moving from left to right",
        "",
        (0.1, 0.55, 0.5, 0.0),
        (0.9, 0.55, 0.5, 0.0),
        "to the left",
    ),
    "to the left": Motion(
        False,
        ("{} moves from right to left", "{} moves to the left", "{} passes by from the right to the left"),
        "{} moving from right to left",
        "",
        (0.9, 0.55, 0.5, 0.0),
        (0.1, 0.55, 0.5, 0.0),
        "to the right",
    ),
    "up": Motion(
        False,
        ("{} moves upwards", "{} rises", "{} moves up from the bottom to the top"),
        "{} moving upwards",
        "",
        (0.5, 0.9, 0.5, 0.0),
        (0.5, 0.1, 0.5, 0.0),
        "down",
    ),
    "down": Motion(
        False,
        ("{} moves downwards", "{} falls", "{} moves down from the top to the bottom"),
        "{} moving downwards",
        "",
        (0.5, 0.1, 0.5, 0.0),
        (0.5, 0.9, 0.5, 0.0),
        "up",
    ),
    "closer": Motion(
        False,
        ("{} comes closer", "{} gets bigger", "{} approaches the camera"),
        "{} coming closer",
        "",
        (0.5, 0.55, 0.2, 0.0),
        (0.5, 0.55, 0.9, 0.0),
        "away",
    ),
    "away": Motion(
        False,
        ("{} moves away", "{} gets smaller", "{} disappears into the distance"),
        "{} moving away",
        "",
        (0.5, 0.55, 0.9, 0.0),
        (0.5, 0.55, 0.2, 0.0),
        "closer",
    ),
    "clockwise": Motion(
        False,
        ("{} turns clockwise", "{} spins clockwise"),
        "{} turning clockwise",
        "",
        (0.5, 0.5, 0.6, 0.0),
        (0.5, 0.5, 0.6, -300.0),
        "counterclockwise",
    ),
    "counterclockwise": Motion(
        False,
        ("{} turns counterclockwise", "{} spins counterclockwise"),
        "{} turning counterclockwise",
        "",
        (0.5, 0.5, 0.6, 0.0),
        (0.5, 0.5, 0.6, 300.0),
        "clockwise",
    ),
}


def set_in_motion(
    still: Pixels,
    background: Pixels | None,
    motion: Motion,
    rng: np.random.Generator,
    *,
    num_frames: int,
    duration_s: float,
    size: tuple[int, int],
) -> Video:
    """A clip without sound: `num_frames` of `size` (width, height), looked at evenly over `duration_s`.

    `rng` moves the path a little and decides its pace: no two clips of one motion are alike.

    Args:
        still: what the camera moves over, or what moves.
        background: what it moves over; None for a motion of the camera.
    Source: pictures pasted over others, Dwibedi et al. 2017, arXiv 1708.01642, here set in motion.
    """
    progress = np.linspace(0, 1, num_frames) ** rng.uniform(0.7, 1.4)  # never standing still, never at one pace
    path = np.array(motion.first) + progress[:, None] * (np.array(motion.last) - np.array(motion.first))
    path[:, :3] += rng.uniform(-0.05, 0.05, 3)
    if background is None:
        picture = _cropped_to(PillowImage.fromarray(still), size)
        frames = [_seen(picture, x, y, share, size) for x, y, share, _ in path.tolist()]
    else:
        ground = _cropped_to(PillowImage.fromarray(background), size).resize(size, _BICUBIC)
        thing = PillowImage.fromarray(still)
        thing = _middle(thing, 2 * thing.height, 2 * thing.width)  # a strip would be wider than any frame
        thing.thumbnail((max(size), max(size)))
        thing = _cut_out(thing, rng)
        frames = [_pasted(ground, thing, *place) for place in path.tolist()]
    times = (np.arange(num_frames, dtype=np.float64) + 0.5) * (duration_s / num_frames)
    return Video(np.stack([np.asarray(frame) for frame in frames]), times, duration_s)


def _cropped_to(picture: PillowImage.Image, size: tuple[int, int]) -> PillowImage.Image:
    """The middle of a picture, in the form of `size`."""
    ratio = size[0] / size[1]
    return _middle(picture, picture.height * ratio, picture.width / ratio)


def _middle(picture: PillowImage.Image, max_width: float, max_height: float) -> PillowImage.Image:
    width, height = max(1, min(picture.width, round(max_width))), max(1, min(picture.height, round(max_height)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _seen(picture: PillowImage.Image, x: float, y: float, share: float, size: tuple[int, int]) -> PillowImage.Image:
    """What a camera at (x, y) sees, held inside the picture."""
    share = min(1.0, max(0.1, share))
    half = share / 2
    x, y = (min(1 - half, max(half, centre)) for centre in (x, y))
    left, right = (min(1.0, max(0.0, x + side)) * picture.width for side in (-half, half))
    top, bottom = (min(1.0, max(0.0, y + side)) * picture.height for side in (-half, half))
    return picture.resize(size, _BICUBIC, box=(left, top, right, bottom))


def _cut_out(picture: PillowImage.Image, rng: np.random.Generator) -> PillowImage.Image:
    """The picture as RGBA with soft edges, an ellipse or a rounded rectangle: less of its own ground comes with it."""
    width, height = picture.size
    mask = PillowImage.new("L", (width * _SMOOTH, height * _SMOOTH))
    pen = ImageDraw.Draw(mask)
    margin = 0.04
    box = (margin * mask.width, margin * mask.height, (1 - margin) * mask.width, (1 - margin) * mask.height)
    if rng.random() < 0.6:
        pen.ellipse(box, fill=255)
    else:
        pen.rounded_rectangle(box, radius=0.15 * min(mask.size), fill=255)
    soft = mask.resize(picture.size, PillowImage.Resampling.BOX).filter(
        ImageFilter.GaussianBlur(0.02 * min(picture.size))
    )
    cut = picture.copy()
    cut.putalpha(soft)
    return cut


def _pasted(
    ground: PillowImage.Image, thing: PillowImage.Image, x: float, y: float, share: float, turn: float
) -> PillowImage.Image:
    height = max(1, round(ground.height * max(0.05, share)))
    width = max(1, round(thing.width * height / thing.height))
    turned = thing.resize((width, height), _BICUBIC).rotate(turn, _BICUBIC, expand=True)
    frame = ground.copy()
    place = (round(x * ground.width - turned.width / 2), round(y * ground.height - turned.height / 2))
    frame.paste(turned, place, turned)
    return frame
