"""Two pictures or two sounds in one as a source of media: joined when asked for, the same for the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from train.data.rows import TrainRow, another, meaning, said, tellable
from unimma.augment import PICTURE_PAIRINGS, SOUND_PAIRINGS
from unimma.errors import ConfigError
from unimma.types import Audio, Image, Modality

NUM_CAPTIONS = 6  # of one pair: other names and other words for the same


@dataclass(frozen=True)
class PairRow:
    """Two rows in one; the fields of `train.data.parquet.Row` that training reads.

    Attributes:
        label: both labels in the order of the alphabet: pairs of the same two things mean the same.
        captions: sentences that tell both, and in which order where there is one.
        pairing: a name of `unimma.augment.PICTURE_PAIRINGS` or `SOUND_PAIRINGS`.
    """

    set: str
    id: str
    modality: Modality
    label: str
    captions: tuple[str, ...]
    pairing: str
    seed: int
    first: TrainRow = field(repr=False)
    second: TrainRow = field(repr=False)

    def decode(self) -> Image | Audio:
        """Decode both and join them.

        Raises:
            MediaError: one of them cannot be decoded.
        """
        first, second, rng = self.first.decode(), self.second.decode(), np.random.default_rng(self.seed)
        if isinstance(first, Image) and isinstance(second, Image):
            return PICTURE_PAIRINGS[self.pairing].join(first, second, rng)
        assert isinstance(first, Audio) and isinstance(second, Audio)  # `pair_rows` takes one modality
        return SOUND_PAIRINGS[self.pairing].join(first, second, rng)


def pair_rows(
    rows: Sequence[TrainRow], num_pairs: int, *, names: Mapping[str, Sequence[str]], seed: int
) -> list[PairRow]:
    """Pairs of rows that differ in label, in every pairing equally often; rows without label and caption are left out.

    Args:
        rows: pictures alone, or sounds alone.
        names: label → what it is called; a label that is not in it is its own name.
    Raises:
        ConfigError: there are no two rows that can be told apart.
    """
    told, rng = tellable(rows), np.random.default_rng(seed)
    if len({meaning(row) for row in told}) < 2:
        raise ConfigError("rows that all show the same", "two things at least", "Choose other sets to make pairs of.")
    pairings = sorted(PICTURE_PAIRINGS if told[0].modality is Modality.IMAGE else SOUND_PAIRINGS)
    pairs = []
    for i in range(num_pairs):
        first = told[int(rng.integers(len(told)))]
        pairs.append(_row(pairings[i % len(pairings)], first, another(first, told, rng), names, rng))
    return pairs


def _row(
    pairing: str, first: TrainRow, second: TrainRow, names: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> PairRow:
    words, other_words = said(first, names), said(second, names)
    say = (PICTURE_PAIRINGS[pairing] if first.modality is Modality.IMAGE else SOUND_PAIRINGS[pairing]).say
    captions = [say(str(rng.choice(words)), str(rng.choice(other_words)), rng) for _ in range(NUM_CAPTIONS)]
    seed = int(rng.integers(2**62))
    return PairRow(
        set=f"{first.modality}-pairs",
        id=f"{first.id}-{pairing.replace(' ', '-')}-{second.id}-{seed:016x}",
        modality=first.modality,
        label=" and ".join(sorted((meaning(first), meaning(second)))),
        captions=tuple(dict.fromkeys(captions)),
        pairing=pairing,
        seed=seed,
        first=first,
        second=second,
    )
