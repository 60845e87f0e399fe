"""The core: a query of any modality in, ranked hits of every modality out. App, command line and API all call this."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma import ranking as order
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Embedder
from unimma.gallery.copies import Copies
from unimma.gallery.phrases import quoted
from unimma.gallery.searchable import Searchable
from unimma.gallery.where import Where
from unimma.media import decode
from unimma.settings import MAX_HITS
from unimma.types import Decoded, Hit, Item, Modality, Span, Text

FloatArray = npt.NDArray[np.float32]
Query = str | Path | bytes | Decoded | npt.NDArray[np.floating]

_ORDERS = {"calibrated": order.fair, "raw": order.raw}
_TO_SPARE = 50  # candidates looked at beyond those asked for, at first: copies among them leave places free


def search(
    gallery: Searchable,
    query: Query,
    k: int = 10,
    modalities: Collection[Modality | str] | None = None,
    where: Where | None = None,
    ranking: str = "calibrated",
    *,
    stack: bool = True,
) -> list[Hit]:
    """The items of a gallery that fit a query best.

    Words that a sentence puts in quotation marks ("…", “…”, „…“, «…») are asked for exactly: the items whose title,
    caption or text hold all of them come first, and the sentence as a whole puts them in order.

    Args:
        gallery: a `unimma.Gallery`, or several as one (`unimma.gallery.union.Union`).
        query: a sentence (str), a file (Path or its bytes), decoded media, or a unit vector, floating [dim], of the
            gallery's model. A vector has no modality, so its scores are shrunk towards the mean of the model's stored
            values over all modalities that could have been asked with.
        k: how many hits at most, 1 to `settings.MAX_HITS`.
        modalities: only items of these; None for all.
        where: only items with this metadata (`unimma.gallery.where` shows the forms). It filters; the scores stay
            those that the items have without it.
        ranking: "calibrated" sorts by score and gives every modality present a place among the hits, as far as `k`
            goes round (`unimma.ranking.fair`); "raw" sorts by similarity alone.
        stack: whether near-duplicates (`unimma.gallery.copies`) share one hit: the best of them, with those of the
            others that would have been found too in `Hit.alike`.
    Returns:
        Hits, best first, ranks from 1; none for an empty gallery, or one without anything that `where` lets through.
        A hit in a long sound or clip names the stretch that fits best.
    Raises:
        MediaError: a query that cannot be decoded.
        ModelError: a query of a modality that the model does not know.
        GalleryError: items are there, but none has a vector of the gallery's model.
        ConfigError: an argument that makes no sense.
    """
    wanted = _checked_modalities(modalities)
    if not isinstance(k, int) or not 1 <= k <= MAX_HITS:
        raise ConfigError(f"k = {k!r}", f"a whole number from 1 to {MAX_HITS}", "Ask for fewer, or page by modality.")
    if ranking not in _ORDERS:
        raise ConfigError(f"the ranking {ranking!r}", f"one of {sorted(_ORDERS)}", "Leave it out for calibrated.")
    asked = _asked(gallery.model, query)
    _check_findable(gallery)
    only = wanted[0] if len(wanted) == 1 else None
    holding = gallery.containing(asked.phrases, only, where) if asked.phrases else []
    stacks = [
        found for modality in wanted for found in _stacks(gallery, asked, k, modality, where, holding, stack=stack)
    ]
    return _hits(gallery, asked.vector, _chosen(stacks, k, ranking))


@dataclass(frozen=True)
class _Asked:
    """A query, embedded.

    Attributes:
        vector: float32 [dim], unit length.
        modalities: that it may have come from.
        phrases: what it put in quotation marks.
    """

    vector: FloatArray
    modalities: Sequence[Modality]
    phrases: tuple[str, ...] = ()


def _asked(model: Embedder, query: Query) -> _Asked:
    if isinstance(query, np.ndarray):
        return _Asked(_checked_vector(model, query), sorted(model.modalities))
    decoded = decode(query)
    if isinstance(query, str | Text) and isinstance(decoded, Text):
        sentence, phrases = quoted(decoded.text)
        return _Asked(model.embed([replace(decoded, text=sentence)])[0], [Modality.TEXT], phrases)
    return _Asked(model.embed([decoded])[0], [decoded.modality])


def _checked_vector(model: Embedder, query: npt.NDArray[np.floating]) -> FloatArray:
    length = float(np.linalg.norm(query.astype(np.float64))) if query.shape == (model.dim,) else 0.0
    if not abs(length - 1.0) < 1e-3:  # so written that NaN is refused
        came = f"a vector of shape {query.shape} and length {length:.3g}"
        raise ConfigError(came, f"{model.dim} numbers, length 1", "Embed the query with the gallery's model.")
    return (query / length).astype(np.float32)


def _stacks(
    gallery: Searchable,
    asked: _Asked,
    k: int,
    modality: Modality,
    where: Where | None,
    holding: Collection[str],
    *,
    stack: bool,
) -> list[order.Stack]:
    """Of one modality: those that hold the phrases first, then by similarity; `k` stacks where there are so many."""
    num = k + min(k, _TO_SPARE) if stack else k
    while True:
        exact = gallery.nearest(asked.vector, num, modality, where, holding) if holding else []
        nearest = gallery.nearest(asked.vector, num, modality, where)
        candidates = _candidates(gallery, asked, modality, exact, nearest)
        if not stack:
            return [order.Stack(candidate) for candidate in candidates]
        copies = Copies(gallery, modality, [candidate.id for candidate in candidates])
        stacks = order.stacked(candidates, copies.of)
        if len(stacks) >= k or max(len(exact), len(nearest)) < num:
            return stacks
        num *= 2


def _candidates(
    gallery: Searchable,
    asked: _Asked,
    modality: Modality,
    exact: Sequence[tuple[str, float]],
    nearest: Sequence[tuple[str, float]],
) -> list[order.Candidate]:
    holding = {item_id for item_id, _ in exact}
    found = [*exact, *(pair for pair in nearest if pair[0] not in holding)]
    if not found:
        return []
    usual = gallery.background(asked.vector, modality)
    null = _null(gallery.model, asked.modalities, modality)
    candidates = []
    for item_id, cosine in found:
        deviation = order.deviation(cosine, usual.num_items, usual.mean, usual.std, null)
        is_exact = item_id in holding
        likely = is_exact or order.is_likely(cosine, deviation, usual.num_items, null)
        candidates.append(order.Candidate(item_id, modality, cosine, deviation, likely, is_exact))
    return candidates


def _chosen(stacks: Sequence[order.Stack], k: int, ranking: str) -> list[order.Stack]:
    """The first `k`: those that hold the phrases, then the others, each in the order asked for."""
    of = {stack.best.id: stack for stack in stacks}
    exact = _ORDERS[ranking]([stack.best for stack in stacks if stack.best.exact], k)
    rest = _ORDERS[ranking]([stack.best for stack in stacks if not stack.best.exact], k - len(exact))
    return [of[candidate.id] for candidate in [*exact, *rest]]


def _hits(gallery: Searchable, vector: FloatArray, chosen: Sequence[order.Stack]) -> list[Hit]:
    wanted = [candidate.id for stack in chosen for candidate in (stack.best, *stack.others)]
    items = gallery.get_many(wanted)
    there = [stack for stack in chosen if stack.best.id in items]  # less what was deleted in the meantime
    moments = gallery.sequence(
        [stack.best.id for stack in there if stack.best.modality in (Modality.AUDIO, Modality.VIDEO)]
    )
    hits = []
    for rank, stack in enumerate(there, start=1):
        found = stack.best
        item = items[found.id]
        span = item.span
        if found.id in moments:
            times, rows = moments[found.id]
            span = _within(item, order.best_stretch(rows @ vector, times))
        alike = tuple(items[other.id] for other in stack.others if other.id in items)
        hits.append(Hit(item, rank, found.score, found.similarity, span, alike, exact=found.exact, likely=found.likely))
    return hits


def _within(item: Item, stretch: Span | None) -> Span | None:
    """A stretch of an item in the time of its file, of which the item may itself be a stretch."""
    if stretch is None or item.span is None:
        return stretch or item.span
    return Span(item.span.start + stretch.start, min(item.span.start + stretch.end, item.span.end))


def _null(model: Embedder, asked: Sequence[Modality], modality: Modality) -> order.Null | None:
    values = [null for each in asked if (null := model.null_similarity(each, modality)) is not None]
    if len(values) < len(asked):
        return None
    return sum(mean for mean, _ in values) / len(values), sum(std for _, std in values) / len(values)


def _checked_modalities(modalities: Collection[Modality | str] | None) -> list[Modality]:
    if modalities is None:
        return list(Modality)
    names = [modalities] if isinstance(modalities, str) else list(modalities)
    unknown = [name for name in names if name not in list(Modality)]
    if unknown or not names:
        came = f"the modalities {', '.join(map(str, unknown)) or 'none at all'}"
        raise ConfigError(came, f"some of {', '.join(Modality)}", "Leave them out for all.")
    return [modality for modality in Modality if modality in names]


def _check_findable(gallery: Searchable) -> None:
    if gallery.has_findable() or not gallery.missing():
        return
    came = f"{gallery.count()} items, none with a vector of model {gallery.model.name} ({gallery.model.fingerprint})"
    raise GalleryError(came, "items added with this model", "Add them again, or choose the model they were added with.")
