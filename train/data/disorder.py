"""Clips that are played backwards or whose frames are shuffled, as a source of training media with words that say so.

Beside the clips they are made of, they can be told from these by the order of their frames alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from train.data.rows import TrainRow, meaning, said, tellable
from unimma.augment import DISORDERS
from unimma.types import Modality, Video

WAYS = sorted(DISORDERS)


@dataclass(frozen=True)
class DisorderRow:
    """A clip out of order; the fields of `train.data.parquet.Row` that training reads.

    Attributes:
        label: what it shows and its order: rows of one label mean the same, the clip as it was means something else.
        captions: sentences that tell both.
        wrong_captions: the same sentences of the other disorder; the clip's own sentences may still be true of it.
        way: a name of `unimma.augment.DISORDERS`.
        clip: as it was.
    """

    set: str
    id: str
    modality: Modality
    label: str
    captions: tuple[str, ...]
    wrong_captions: tuple[str, ...]
    way: str
    seed: int
    clip: TrainRow = field(repr=False)

    def decode(self) -> Video:
        """The clip in its new order.

        Raises:
            MediaError: it cannot be decoded.
        """
        clip = self.clip.decode()
        assert isinstance(clip, Video)  # `disorder_rows` takes clips
        return DISORDERS[self.way](clip, np.random.default_rng(self.seed))


def disorder_rows(
    clips: Sequence[TrainRow], num_clips: int, *, names: Mapping[str, Sequence[str]], seed: int
) -> list[DisorderRow]:
    """Up to `num_clips`, at most one a clip and way; which clips come first is decided by `seed`.

    Args:
        clips: rows of clips; one that has neither label nor caption is left out.
        names: label → what it is called; a label that is not in it is its own name.
    Raises:
        ConfigError: none of the clips can be told.
    """
    told, rng = tellable(clips), np.random.default_rng(seed)
    order = rng.permutation(len(told))
    chosen = [(told[i], way) for i in order for way in WAYS][:num_clips]
    return [_row(clip, way, names, int(rng.integers(2**62))) for clip, way in chosen]


def _row(clip: TrainRow, way: str, names: Mapping[str, Sequence[str]], seed: int) -> DisorderRow:
    (other,) = (each for each in WAYS if each != way)
    shown = said(clip, names)
    return DisorderRow(
        set="clips-out-of-order",
        id=f"{clip.id}-{way.replace(' ', '-')}-{seed:016x}",
        modality=Modality.VIDEO,
        label=f"{meaning(clip)}, {way}",
        captions=tuple(f"{each}, {way}" for each in shown),
        wrong_captions=tuple(f"{each}, {other}" for each in shown),
        way=way,
        seed=seed,
        clip=clip,
    )
