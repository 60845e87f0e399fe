"""Two pictures in one, two sounds in one, and the sentence that says so: what teaches "and" and "then"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from unimma.augment.audio import append, overlay
from unimma.augment.image import blend, paste_above, paste_beside
from unimma.augment.text import above, beside, both, first_then_second
from unimma.types import Audio, Image

Rng = np.random.Generator
T = TypeVar("T")
BLEND_SHARES = (0.35, 0.65)  # both of two blended pictures can be seen
MAX_RATIO_DB = 6.0  # one of two sounds lies at most so far above the other: both can be heard
MAX_GAP_S = 0.5


@dataclass(frozen=True)
class Pairing(Generic[T]):
    """A way to put two items into one: `join` them, and `say` it of their captions."""

    join: Callable[[T, T, Rng], T]
    say: Callable[[str, str, Rng], str]


# Source: pasting after CutMix, Yun et al. 2019, arXiv 1905.04899, and mixup, Zhang et al. 2017, arXiv 1710.09412; both
# pictures stay whole, and words stand in place of shares.
PICTURE_PAIRINGS: dict[str, Pairing[Image]] = {
    "beside": Pairing(lambda a, b, rng: Image(paste_beside(a.pixels, b.pixels), a.name), beside),
    "above": Pairing(lambda a, b, rng: Image(paste_above(a.pixels, b.pixels), a.name), above),
    "blended": Pairing(lambda a, b, rng: Image(blend(a.pixels, b.pixels, rng.uniform(*BLEND_SHARES)), a.name), both),
}
# Source: between-class sounds, Tokozume et al. 2018, arXiv 1711.10282, with words in place of shares.
SOUND_PAIRINGS: dict[str, Pairing[Audio]] = {
    "at once": Pairing(lambda a, b, rng: overlay(a, b, rng.uniform(-MAX_RATIO_DB, MAX_RATIO_DB)), both),
    "in a row": Pairing(lambda a, b, rng: append(a, b, rng.uniform(0.0, MAX_GAP_S)), first_then_second),
}
