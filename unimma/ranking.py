"""From cosines to a fair list over modalities: calibrated scores and the order of hits. Numbers in, numbers out.

Cosines of different modalities cannot be compared as they are: in a joint space, the cosine of a sentence with a wrong
sentence is often higher than with the right picture. What can be compared is how far an item stands out among its own
kind, so the score of an item is the share of the items of its modality that it would beat if their cosines with this
query were normally distributed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from unimma.types import Modality, Span

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ONE_BY_CHANCE_IN = 20  # questions: how seldom the farthest of unrelated items may pass for likely
_LINE_FROM = 3.0  # the lowest line, for the side of the gallery
_LESS, _ALONE = 1.0, 2.0  # by how much lower that for unrelated pairs is, and by how much higher it is enough alone
PRIOR_WEIGHT = 20.0  # the model's stored values count as much as this many items of the gallery
Null = tuple[float, float]  # mean and standard deviation of the cosine of unrelated pairs
_MIN_STD = 1e-6


@dataclass(frozen=True)
class Candidate:
    """An item that may become a hit.

    Attributes:
        similarity: cosine of query and item, in [-1, 1].
        deviation: how many standard deviations the cosine lies above the mean of its modality.
        likely: what `is_likely` says of it.
        exact: whether it holds the quoted words of the query, so that it comes before all that do not.
    """

    id: str
    modality: Modality
    similarity: float
    deviation: float
    likely: bool = False
    exact: bool = False

    @property
    def score(self) -> float:
        """`deviation` through the normal distribution function: in [0, 1], 0.5 for a middling item of its modality."""
        return 0.5 * math.erfc(-self.deviation / math.sqrt(2.0))


def deviation(similarity: float, num_items: int, mean: float, std: float, null: Null | None) -> float:
    """How many standard deviations `similarity` lies above what is usual for this query and modality.

    Mean and variance of the gallery are shrunk towards the model's: weighted by the number of items and by
    `PRIOR_WEIGHT`, so that a gallery of one item is judged by the model's experience and one of thousands by itself.

    Args:
        similarity: cosine of query and item.
        num_items, mean, std: of the query's cosines over all items of the modality in the gallery.
        null: stored with the model; None: never measured, the gallery alone counts.
    """
    prior_mean, prior_std = null or (mean, std)
    total = num_items + PRIOR_WEIGHT
    usual = (num_items * mean + PRIOR_WEIGHT * prior_mean) / total
    variance = (num_items * std**2 + PRIOR_WEIGHT * prior_std**2) / total
    return (similarity - usual) / max(math.sqrt(variance), _MIN_STD)


def is_likely(similarity: float, deviation: float, num_items: int, null: Null | None) -> bool:
    """Whether an item stands out far enough to be called a likely match; the others are weaker ones.

    It has to stand out twice: among the gallery's items of its modality (`deviation`), and from what the model measured
    between unrelated pairs, or nonsense would have likely matches as soon as a gallery is large. The line for the
    former, in standard deviations, is what the farthest of `num_items` unrelated items reaches in one question of
    `ONE_BY_CHANCE_IN` if they are normally distributed: 3.0 up to 37 items, 4.4 for 10,000. For the latter it is one
    lower: what was measured is wider than chance, since much of it is about neighbouring things (dogs and cats).
    Standing out from unrelated pairs by two more is enough alone, since in a gallery full of dogs no dog stands out.

    `python -m benchmarks.likely` measures it with the bundled model. It fails where something absent is near to what is
    there (a violin where there is a saxophone), and where the model hardly knows the words (a surf, a gale): these
    matches are called weaker ones. It is a line and no probability: of what lies above it, most is right, not all.

    Args:
        similarity: cosine of query and item.
        deviation: as the function of this name gives it.
        num_items: how many items of the modality there are.
        null: stored with the model; None: never measured. Standing out in the gallery is enough then, and below
            `PRIOR_WEIGHT` items there is no telling: all are called likely.
    """
    line = max(_LINE_FROM, NormalDist().inv_cdf(1.0 - 1.0 / (ONE_BY_CHANCE_IN * max(num_items, 1))))
    if null is None:
        return num_items < PRIOR_WEIGHT or deviation >= line
    beyond = (similarity - null[0]) / max(null[1], _MIN_STD)
    return beyond >= line + _ALONE or min(beyond + _LESS, deviation) >= line


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


@dataclass(frozen=True)
class Stack:
    """The best of some near-duplicates, and the others below it, best first."""

    best: Candidate
    others: tuple[Candidate, ...] = ()


def stacked(candidates: Sequence[Candidate], copies: Callable[[int, IntArray], BoolArray]) -> list[Stack]:
    """Near-duplicates gathered below the first of them; the order of the first ones is kept.

    What joins is a copy of the first one itself, not of another one that joined: a row of slow changes is no stack.

    Args:
        copies: of a row and other rows [n] of `candidates`, which of these are its near-duplicates, bool [n].
    """
    found: list[Stack] = []
    left = np.arange(len(candidates))
    while len(left):
        best, left = int(left[0]), left[1:]
        same = copies(best, left)
        found.append(Stack(candidates[best], tuple(candidates[row] for row in left[same])))
        left = left[~same]
    return found


def best_stretch(similarities: npt.NDArray[np.floating], times: npt.NDArray[np.float64]) -> Span | None:
    """Where in a long item the match lies: its best window, and the windows around it that are nearly as good.

    Nearly as good: at most a quarter of the way down from the best to the mean of all windows.

    Args:
        similarities: cosine of query and each window, [T], in the order of time.
        times: start and end of each window, [T, 2], in seconds.
    Returns:
        None where that is all of the item, or there are no windows.
    """
    if not len(similarities):
        return None
    best = int(np.argmax(similarities))
    line = similarities[best] - (similarities[best] - similarities.mean()) / 4
    first = last = best
    while first > 0 and similarities[first - 1] >= line:
        first -= 1
    while last < len(similarities) - 1 and similarities[last + 1] >= line:
        last += 1
    whole = first == 0 and last == len(similarities) - 1
    return None if whole else Span(float(times[first, 0]), float(times[last, 1]))
