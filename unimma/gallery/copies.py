"""Which items of a gallery are near-duplicates of one another: re-encoded, resized, made louder."""

from collections.abc import Sequence

import numpy as np

from unimma.gallery.likeness import ALIKE_UP_TO, distances
from unimma.gallery.searchable import Searchable
from unimma.types import Modality

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
        self._by_sound = modality is Modality.AUDIO
        by_sight = modality in (Modality.IMAGE, Modality.VIDEO)
        self._hashes = gallery.likenesses(ids) if by_sight else {}
        self._vectors = gallery.embeddings(ids) if self._by_sound else {}
        self._gallery = gallery

    def of(self, item_id: str, others: Sequence[str]) -> set[str]:
        """Those of the others that are copies of an item."""
        if self._by_sound:
            return self._same_sound(item_id, [other for other in others if other in self._vectors])
        if item_id not in self._hashes:
            return set()
        known = [other for other in others if other in self._hashes]
        far = distances(self._hashes[item_id], [self._hashes[other] for other in known])
        return {other for other, apart in zip(known, far, strict=True) if apart <= ALIKE_UP_TO}

    def _same_sound(self, item_id: str, others: Sequence[str]) -> set[str]:
        if item_id not in self._vectors or not others:
            return set()
        cosines = np.stack([self._vectors[other] for other in others]) @ self._vectors[item_id]
        near = [other for other, cosine in zip(others, cosines, strict=True) if cosine >= SAME_SOUND_FROM]
        if not near:
            return set()
        length_s = {each: item.duration_s or 0.0 for each, item in self._gallery.get_many([item_id, *near]).items()}
        mine = length_s.get(item_id, 0.0)
        slack_s = max(_LENGTH_S, _LENGTH_SHARE * mine)
        return {other for other in near if other in length_s and abs(length_s[other] - mine) <= slack_s}
