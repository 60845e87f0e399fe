"""Which items of a gallery are near-duplicates of one another: re-encoded, resized, made louder."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from unimma.gallery.likeness import ALIKE_UP_TO, distances
from unimma.gallery.searchable import Searchable
from unimma.types import Modality

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Of sounds: cosine of embeddings, and by how much lengths may differ. `python -m benchmarks.likeness` measures it with
# the bundled model: a copy that is quieter or encoded anew lies above, another sound far below. A poor encoding lies
# below too: a copy shown twice is better than a sound that is hidden.
SAME_SOUND_FROM = 0.96
_LENGTH_S, _LENGTH_SHARE = 0.3, 0.05


class Copies:
    """Tells copies among some items of one modality: pictures and clips by their hash, sounds by their embedding.

    Texts have none: two sentences that say the same are two sentences.
    """

    def __init__(self, gallery: Searchable, modality: Modality, ids: Sequence[str]) -> None:
        self._hashes: npt.NDArray[np.uint8] | None = None
        self._same_sound: BoolArray | None = None
        if modality is Modality.AUDIO:
            self._same_sound = _same_sounds(gallery, ids)
        elif modality is not Modality.TEXT:
            found = gallery.likenesses(ids)
            self._known = np.array([item_id in found for item_id in ids], bool)
            self._hashes = _rows(found, ids)

    def of(self, row: int, others: IntArray) -> BoolArray:
        """Which of the others are copies of an item; all are given by their places in `ids`: bool [n]."""
        if self._same_sound is not None:
            return np.asarray(self._same_sound[row, others])
        if self._hashes is None or not self._known[row]:
            return np.zeros(len(others), bool)
        return np.asarray((distances(self._hashes[row], self._hashes[others]) <= ALIKE_UP_TO) & self._known[others])


def _rows(hashes: Mapping[str, bytes], ids: Sequence[str]) -> npt.NDArray[np.uint8] | None:
    """The hashes in the order of `ids`, uint8 [n, length], zeros where there is none; None for none at all."""
    if not hashes:
        return None
    none = bytes(len(next(iter(hashes.values()))))
    return np.frombuffer(b"".join(hashes.get(item_id, none) for item_id in ids), np.uint8).reshape(len(ids), -1)


def _same_sounds(gallery: Searchable, ids: Sequence[str]) -> BoolArray:
    """Which sounds are copies of which, bool [n, n]."""
    vectors = gallery.embeddings(ids)
    rows = [row for row, item_id in enumerate(ids) if item_id in vectors]
    same = np.zeros((len(ids), len(ids)), bool)
    if rows:
        matrix = np.stack([vectors[ids[row]] for row in rows])
        same[np.ix_(rows, rows)] = matrix @ matrix.T >= SAME_SOUND_FROM
    near = [row for row, others in enumerate(same) if others.sum() > 1]  # each is near to itself
    items = gallery.get_many(ids[row] for row in near)  # less what was deleted in the meantime
    lengths_s = np.full(len(ids), np.nan)
    for row in near:
        if ids[row] in items:
            lengths_s[row] = items[ids[row]].duration_s or 0.0
    slack_s = np.maximum(_LENGTH_S, _LENGTH_SHARE * lengths_s)
    return np.asarray(same & (np.abs(lengths_s[:, None] - lengths_s) <= slack_s[:, None]))
