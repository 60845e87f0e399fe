"""Sentences that are nearly right of a row, and wrong: what its medium is to be told from."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from train.data.disorder import DisorderRow
from train.data.motion import MotionRow
from train.features import AnyRow
from unimma.augment import COLOURS, NUMBERS, change_one_word

_WORD = re.compile(r"\w+")
_ARTICLES = {"a", "an", "the"}


class Foils:
    """Makes them, always the same ones of a sentence.

    Args:
        kinds: what the rows of a modality show; what is of one kind is not of another.
        names: label → what it is called; a kind that is not in it is its own name.
        count: of each sentence at most; 0: there are none at all.
    """

    def __init__(self, kinds: Iterable[str], names: Mapping[str, Sequence[str]], count: int) -> None:
        things = sorted({names.get(kind, (kind,))[0] for kind in kinds if kind})
        self._alternatives, self._count = (COLOURS, NUMBERS, things), count
        self._known: dict[str, list[str]] = {}  # a label's sentences come with each of its rows

    def of(self, row: AnyRow, fitting: Sequence[str]) -> list[str]:
        """What a made clip says against itself (another motion, another order), and what fits with one word changed.

        Among them may be sentences that fit the row in other words.
        """
        if not self._count:
            return []
        own = row.wrong_captions if isinstance(row, MotionRow | DisorderRow) else ()
        return [*own, *(foil for sentence in fitting for foil in self._one_word_changed(sentence))]

    def _one_word_changed(self, sentence: str) -> list[str]:
        if sentence not in self._known:
            rng = np.random.default_rng([*sentence.encode()])
            changed = (change_one_word(sentence, rng, self._alternatives) for _ in range(self._count))
            self._known[sentence] = [foil for foil in changed if foil and _is_another(sentence, foil)]
        return self._known[sentence]


def _is_another(sentence: str, foil: str) -> bool:
    """Whether each says something that the other does not: a "barking dog" in place of a "dog" may be right."""
    own, other = ({*_WORD.findall(said.lower())} - _ARTICLES for said in (sentence, foil))
    return not own <= other and not other <= own
