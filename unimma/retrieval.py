"""The core: a query of any modality in, ranked hits of every modality out. App, command line and API all call this."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma import ranking as order
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Embedder, Gallery
from unimma.gallery.where import Where
from unimma.media import decode
from unimma.settings import MAX_HITS
from unimma.types import Decoded, Hit, Modality

FloatArray = npt.NDArray[np.float32]
Query = str | Path | bytes | Decoded | npt.NDArray[np.floating]

_ORDERS = {"calibrated": order.fair, "raw": order.raw}


def search(
    gallery: Gallery,
    query: Query,
    k: int = 10,
    modalities: Collection[Modality | str] | None = None,
    where: Where | None = None,
    ranking: str = "calibrated",
) -> list[Hit]:
    """The items of a gallery that fit a query best.

    Args:
        query: a sentence (str), a file (Path or its bytes), decoded media, or a unit vector, floating [dim], of the
            gallery's model. A vector has no modality, so its scores are shrunk towards the mean of the model's stored
            values over all modalities that could have been asked with.
        k: how many hits at most, 1 to `settings.MAX_HITS`.
        modalities: only items of these; None for all.
        where: only items with this metadata (`unimma.gallery.where` shows the forms). It filters; the scores stay
            those that the items have without it.
        ranking: "calibrated" sorts by score and gives every modality present a place among the hits, as far as `k`
            goes round (`unimma.ranking.fair`); "raw" sorts by similarity alone.
    Returns:
        Hits, best first, ranks from 1; none for an empty gallery, or one without anything that `where` lets through.
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
    vector, asked = _embedded(gallery.model, query)
    _check_findable(gallery)
    candidates = [
        candidate for modality in wanted for candidate in _candidates(gallery, vector, asked, k, modality, where)
    ]
    chosen = _ORDERS[ranking](candidates, k)
    items = gallery.get_many(candidate.id for candidate in chosen)
    there = [candidate for candidate in chosen if candidate.id in items]  # less what was deleted in the meantime
    return [
        Hit(items[found.id], rank, found.score, found.similarity, items[found.id].span)
        for rank, found in enumerate(there, start=1)
    ]


def _candidates(
    gallery: Gallery,
    vector: FloatArray,
    asked: Sequence[Modality],
    k: int,
    modality: Modality,
    where: Where | None,
) -> list[order.Candidate]:
    nearest = gallery.nearest(vector, k, modality, where)
    if not nearest:
        return []
    usual = gallery.background(vector, modality)
    null = _null(gallery.model, asked, modality)
    return [
        order.Candidate(
            item_id, modality, cosine, order.deviation(cosine, usual.num_items, usual.mean, usual.std, null)
        )
        for item_id, cosine in nearest
    ]


def _embedded(model: Embedder, query: Query) -> tuple[FloatArray, list[Modality]]:
    """The query as float32 [dim], unit length, and the modalities that it may have come from."""
    if isinstance(query, np.ndarray):
        length = float(np.linalg.norm(query.astype(np.float64))) if query.shape == (model.dim,) else 0.0
        if not abs(length - 1.0) < 1e-3:  # so written that NaN is refused
            came, expected = (
                f"a vector of shape {query.shape} and length {length:.3g}",
                f"{model.dim} numbers, length 1",
            )
            raise ConfigError(came, expected, "Embed the query with the gallery's model.")
        return (query / length).astype(np.float32), sorted(model.modalities)
    decoded = decode(query)
    return model.embed([decoded])[0], [decoded.modality]


def _null(model: Embedder, asked: Sequence[Modality], modality: Modality) -> tuple[float, float]:
    values = [model.null_similarity(each, modality) for each in asked]
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


def _check_findable(gallery: Gallery) -> None:
    if gallery.has_findable() or not gallery.missing():
        return
    came = f"{gallery.count()} items, none with a vector of model {gallery.model.name} ({gallery.model.fingerprint})"
    raise GalleryError(came, "items added with this model", "Add them again, or choose the model they were added with.")
