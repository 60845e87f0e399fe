"""From cosines to a fair list over modalities: calibrated scores and the order of hits. Numbers in, numbers out.

Cosines of different modalities cannot be compared as they are: in a joint space, the cosine of a sentence with a wrong
sentence is often higher than with the right picture. What can be compared is how far an item stands out among its own
kind, so the score of an item is the share of the items of its modality that it would beat if their cosines with this
query were normally distributed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unimma.types import Modality

PRIOR_WEIGHT = 20.0  # the model's stored values count as much as this many items of the gallery
_MIN_STD = 1e-6


@dataclass(frozen=True)
class Candidate:
    """An item that may become a hit.

    Attributes:
        similarity: cosine of query and item, in [-1, 1].
        deviation: how many standard deviations the cosine lies above the mean of its modality.
    """

    id: str
    modality: Modality
    similarity: float
    deviation: float

    @property
    def score(self) -> float:
        """`deviation` through the normal distribution function: in [0, 1], 0.5 for a middling item of its modality."""
        return 0.5 * math.erfc(-self.deviation / math.sqrt(2.0))


def deviation(similarity: float, num_items: int, mean: float, std: float, null: tuple[float, float]) -> float:
    """How many standard deviations `similarity` lies above what is usual for this query and modality.

    Mean and variance of the gallery are shrunk towards the model's: weighted by the number of items and by
    `PRIOR_WEIGHT`, so that a gallery of one item is judged by the model's experience and one of thousands by itself.

    Args:
        similarity: cosine of query and item.
        num_items, mean, std: of the query's cosines over all items of the modality in the gallery.
        null: mean and standard deviation of the cosine of unrelated pairs, stored with the model.
    """
    total = num_items + PRIOR_WEIGHT
    usual = (num_items * mean + PRIOR_WEIGHT * null[0]) / total
    variance = (num_items * std**2 + PRIOR_WEIGHT * null[1] ** 2) / total
    return (similarity - usual) / max(math.sqrt(variance), _MIN_STD)


def fair(candidates: Sequence[Candidate], k: int) -> list[Candidate]:
    """The first `k` by score, among them the best of every modality that is present, as far as `k` goes round.

    Scores alone do not promise each modality a place: eight sentences that all fit may stand out further than the
    best picture. So the best candidate of each modality is taken first, the places left go to the highest scores, and
    what was chosen is then sorted by score. Where `k` is smaller than the number of modalities, the best of each
    compete by score. It follows that a shorter list need not be the beginning of a longer one.
    """
    ranked = sorted(candidates, key=lambda candidate: -candidate.deviation)  # finer than the score, which ends at 1.0
    best = {candidate.modality: candidate for candidate in reversed(ranked)}
    first = [candidate for candidate in ranked if candidate is best[candidate.modality]]
    rest = [candidate for candidate in ranked if candidate is not best[candidate.modality]]
    chosen = (first + rest)[:k]
    return sorted(chosen, key=lambda candidate: -candidate.deviation)


def raw(candidates: Sequence[Candidate], k: int) -> list[Candidate]:
    """The first `k` by cosine, whatever their modality: shows the gap between modalities as it is."""
    return sorted(candidates, key=lambda candidate: -candidate.similarity)[:k]
