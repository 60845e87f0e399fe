"""What can be asked of a gallery: its items, what they can be narrowed by, and the nearest of them to a query."""

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError
from unimma.gallery.embedder import Embedder
from unimma.gallery.exact import Background
from unimma.gallery.facets import Facets, facets
from unimma.gallery.items import Moments
from unimma.gallery.keeping import Keeper, without_model
from unimma.gallery.phrases import holder
from unimma.gallery.vectors import GalleryVectors
from unimma.gallery.where import Where
from unimma.types import Item, Modality

FloatArray = npt.NDArray[np.float32]
Ids = list[str]  # inside the class, `list` is the method
Items = list[Item]
Nearest = list[tuple[str, float]]


class Reading:
    """The part of a gallery that changes nothing; safe to use from several threads, also while it changes."""

    def __init__(self, keeper: Keeper, model: Embedder | None) -> None:
        self._keeper, self._model = keeper, model
        self._store = keeper.store

    @property
    def model(self) -> Embedder:
        """The model that embeds what is added and searched.

        Raises:
            GalleryError: it was opened without one.
        """
        if self._model is None:
            raise without_model()
        return self._model

    # look

    def get(self, item_id: str) -> Item:
        """One item.

        Raises:
            GalleryError: there is none of this id.
        """
        found = self.get_many([item_id])
        if not found:
            raise unknown(item_id)
        return found[item_id]

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id."""
        return {item_id: self._located(item) for item_id, item in self._store.get_many(ids).items()}

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
        """A page of the items that match.

        Args:
            order: "added", "title", "length" (of sounds and clips; the others come last) or "size".
        Raises:
            ConfigError: a filter that is none of the forms in `unimma.gallery.where`, a negative page, no such order.
        """
        if offset < 0 or limit < 0:
            raise ConfigError(f"a page from {offset} of {limit} items", "no negative number", "Begin at 0.")
        return [self._located(item) for item in self._store.page(modality, where, offset, limit, order, descending)]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        return self._store.count(modality, where)

    def ids(self, modality: Modality | None = None, where: Where | None = None) -> Ids:
        """The ids of the items that match, in the order of addition."""
        return self._store.ids(modality, where)

    def facets(self, where: Where | None = None, modality: Modality | None = None) -> Facets:
        """What the matching items can be narrowed by, with counts: see `unimma.gallery.facets.facets`."""
        return facets(self._store, where, modality)

    def containing(self, phrases: Iterable[str], modality: Modality | None = None, where: Where | None = None) -> Ids:
        """Ids of matching items in whose title, caption or text each phrase stands, as whole words in whatever case."""
        return self._store.holding(holder(phrases), modality, where)

    def likenesses(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Perceptual hashes of the pictures and clips among `ids`, for `unimma.gallery.likeness.is_alike`."""
        return self._store.likenesses(ids)

    def sequence(self, ids: Iterable[str]) -> dict[str, Moments]:
        """Windows of the long sounds and clips among `ids`: [T, 2] start and end in seconds, and [T, dim] unit rows."""
        return self._store.moments(ids, self.model.fingerprint)

    def num_bytes(self) -> int:
        """What the kept media take on disk, those in the trash as well."""
        return self._store.num_bytes() + self._keeper.trash.num_bytes()

    def missing(self) -> int:
        """How many items have no vector of this model, and so cannot be found."""
        return len(self._store.without_vector(self.model.fingerprint))

    def is_new(self) -> bool:
        """Whether nothing has ever been added."""
        return self._store.generation() == 0

    # find

    def has_findable(self) -> bool:
        """Whether any item has a vector of this model."""
        return self._store.has_vectors(self.model.fingerprint)

    def background(self, query: FloatArray, modality: Modality) -> Background:
        """Mean and spread of the cosines of `query` float32 [dim] with all items of a modality."""
        return self._of_model().background(query, modality)

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]:
        """The vectors, float32 [dim], of those of `ids` that have one of this model."""
        return self._of_model().embeddings(ids)

    def nearest(
        self,
        query: FloatArray,
        k: int,
        modality: Modality,
        where: Where | None = None,
        among: Collection[str] | None = None,
    ) -> Nearest:
        """Ids and cosines of the `k` items of a modality that are nearest to `query`, best first.

        Exact up to `settings.EXACT_SEARCH_UP_TO` items, and with a filter; above, Chroma names several times as many
        candidates as asked for, and their cosines are computed. Equal cosines stay in the order of addition.

        Args:
            query: float32 [dim], unit length.
            among: only those of these ids; None for all.
        """
        if where:
            matching = self._store.ids(modality, where)
            among = matching if among is None else set(matching).intersection(among)
        return self._of_model().nearest(query, k, modality, among)

    # how

    def _of_model(self) -> GalleryVectors:
        if self._keeper.vectors is None:
            raise without_model()
        return self._keeper.vectors

    def _located(self, item: Item) -> Item:
        return replace(item, uri=str(self._keeper.files.folder / item.uri))


def unknown(item_id: str) -> GalleryError:
    """What is said of an id that there is not."""
    return GalleryError(f"no item {item_id!r}", "the id of an item in this gallery", "List the gallery to see its ids.")
