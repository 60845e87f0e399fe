"""Several galleries read as one: a visitor's own beside the host's."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError
from unimma.gallery.embedder import Embedder
from unimma.gallery.exact import Background
from unimma.gallery.facets import Facets
from unimma.gallery.gallery import Gallery
from unimma.gallery.items import Moments
from unimma.gallery.where import Where
from unimma.types import Item, Modality

FloatArray = npt.NDArray[np.float32]
Ids = list[str]  # inside the class, `list` is the method
Items = list[Item]
Nearest = list[tuple[str, float]]
T = TypeVar("T")


class Union:
    """Galleries of one model, to be looked at and searched like one; what it gives out is what `Gallery` would.

    An item that several hold is there once, as the first of them has it; only `facets` counts it in each. Nothing is
    kept here, so a change of a gallery shows at once, and closing stays with whoever opened them.

    Args:
        galleries: at least one, all opened with the same model.
    Raises:
        GalleryError: none, or two models, or one that was opened without.
    """

    def __init__(self, galleries: Sequence[Gallery]) -> None:
        self._galleries = tuple(galleries)
        models = {gallery.model.fingerprint: gallery.model.name for gallery in self._galleries}
        if len(models) != 1:
            came = f"galleries of {len(models)} models ({', '.join(models.values()) or 'none at all'})"
            raise GalleryError(came, "one or more galleries of one model", "Open them with the same model.")

    @property
    def model(self) -> Embedder:
        return self._galleries[0].model

    # look

    def get(self, item_id: str) -> Item:
        """One item.

        Raises:
            GalleryError: there is none of this id.
        """
        found = self.get_many([item_id])
        return found[item_id] if found else self._galleries[0].get(item_id)

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id."""
        wanted = list(ids)
        return self._first(lambda gallery: gallery.get_many(wanted))

    def list(
        self,
        modality: Modality | None = None,
        where: Where | None = None,
        offset: int = 0,
        limit: int = 50,
        *,
        order: str = "added",
        descending: bool = False,
    ) -> Items:
        """A page of the items that match: all of the first gallery in their order, then all of the next.

        Raises:
            ConfigError: as `Gallery.list`.
        """
        if offset < 0 or limit < 0:
            raise ConfigError(f"a page from {offset} of {limit} items", "no negative number", "Begin at 0.")
        page: Items = []
        for gallery, twins in self._with_twins():
            missing = limit - len(page)
            found = gallery.list(
                modality, where, *_stretch(offset, missing, len(twins)), order=order, descending=descending
            )
            if twins:
                found = [item for item in found if item.id not in twins][offset : offset + missing]
            page += found
            offset = max(0, offset - _count(gallery, twins, modality, where))
        return page

    def ids(self, modality: Modality | None = None, where: Where | None = None) -> Ids:
        """The ids of the items that match, in the order of `list`."""
        return [
            item_id
            for gallery, twins in self._with_twins()
            for item_id in gallery.ids(modality, where)
            if item_id not in twins
        ]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        return sum(_count(gallery, twins, modality, where) for gallery, twins in self._with_twins())

    def facets(self, where: Where | None = None, modality: Modality | None = None) -> Facets:
        """What the matching items can be narrowed by, with counts summed over the galleries, falling."""
        summed: Facets = {}
        for gallery in self._galleries:
            for key, counts in gallery.facets(where, modality).items():
                into = summed.setdefault(key, {})
                for value, count in counts.items():
                    into[value] = into.get(value, 0) + count
        return {key: dict(sorted(counts.items(), key=lambda pair: -pair[1])) for key, counts in summed.items()}

    def containing(self, phrases: Iterable[str], modality: Modality | None = None, where: Where | None = None) -> Ids:
        """Ids of matching items in whose title, caption or text each phrase stands."""
        wanted = list(phrases)
        return [
            item_id
            for gallery, twins in self._with_twins()
            for item_id in gallery.containing(wanted, modality, where)
            if item_id not in twins
        ]

    def likenesses(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Perceptual hashes of the pictures and clips among `ids`."""
        wanted = list(ids)
        return self._first(lambda gallery: gallery.likenesses(wanted))

    def sequence(self, ids: Iterable[str]) -> dict[str, Moments]:
        """Windows of the long sounds and clips among `ids`, as `Gallery.sequence` gives them."""
        wanted = list(ids)
        return self._first(lambda gallery: gallery.sequence(wanted))

    def missing(self) -> int:
        """How many items have no vector of this model, and so cannot be found."""
        return sum(gallery.missing() for gallery in self._galleries)

    # find

    def has_findable(self) -> bool:
        """Whether any item has a vector of this model."""
        return any(gallery.has_findable() for gallery in self._galleries)

    def background(self, query: FloatArray, modality: Modality) -> Background:
        """Mean and spread of the cosines of `query` float32 [dim] with all items of a modality, each counted once."""
        parts = [gallery.background(query, modality) for gallery in self._galleries]
        twice = np.array([cosine for twins in self._twins_of(query, modality) for cosine in twins.values()])
        num_items = sum(part.num_items for part in parts) - len(twice)
        if not num_items:
            return Background(0, 0.0, 0.0)
        mean = (sum(part.num_items * part.mean for part in parts) - float(twice.sum())) / num_items
        squares = sum(part.num_items * (part.std**2 + part.mean**2) for part in parts) - float((twice**2).sum())
        return Background(num_items, mean, max(squares / num_items - mean**2, 0.0) ** 0.5)

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]:
        """The vectors, float32 [dim], of those of `ids` that have one."""
        wanted = list(ids)
        return self._first(lambda gallery: gallery.embeddings(wanted))

    def nearest(
        self,
        query: FloatArray,
        k: int,
        modality: Modality,
        where: Where | None = None,
        among: Collection[str] | None = None,
    ) -> Nearest:
        """Ids and cosines of the `k` items of a modality that are nearest to `query`, best first."""
        found: Nearest = []
        for gallery, twins in zip(self._galleries, self._twins_of(query, modality), strict=True):
            nearest = gallery.nearest(query, k + len(twins), modality, where, among)
            found += [(item_id, cosine) for item_id, cosine in nearest if item_id not in twins][:k]
        return sorted(found, key=lambda pair: -pair[1])[:k]

    # how

    def _first(self, asked: Callable[[Gallery], dict[str, T]]) -> dict[str, T]:
        """What each gallery answers, the first one's word before the others'."""
        answers: dict[str, T] = {}
        for gallery in self._galleries:
            answers = asked(gallery) | answers
        return answers

    def _with_twins(self) -> Iterable[tuple[Gallery, Collection[str]]]:
        """Each gallery, and the ids in it that an earlier one has."""
        earlier: Ids = []
        for gallery in self._galleries:
            yield gallery, set(gallery.get_many(earlier)) if earlier else set()
            if gallery is not self._galleries[-1]:
                earlier += gallery.ids()

    def _twins_of(self, query: FloatArray, modality: Modality) -> Sequence[dict[str, float]]:
        """For each gallery, the items of a modality in it that an earlier one has, and their cosines."""
        twins: Sequence[dict[str, float]] = [{} for _ in self._galleries]
        earlier: Ids = []
        for gallery, found in zip(self._galleries, twins, strict=True):
            if earlier:
                found.update(gallery.nearest(query, len(earlier), modality, None, earlier))
            if gallery is not self._galleries[-1]:
                earlier += gallery.ids(modality)
        return twins


def _stretch(offset: int, limit: int, num_twins: int) -> tuple[int, int]:
    """Offset and limit to ask for; from the beginning where twins have to be taken out of it first."""
    return (0, offset + limit + num_twins) if num_twins else (offset, limit)


def _count(gallery: Gallery, twins: Collection[str], modality: Modality | None, where: Where | None) -> int:
    return gallery.count(modality, where) - (len(set(gallery.ids(modality, where)).intersection(twins)) if twins else 0)
