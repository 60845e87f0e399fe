"""What search asks of a gallery, so that one gallery and several read as one are searched alike."""

from collections.abc import Collection, Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unimma.gallery.embedder import Embedder
from unimma.gallery.exact import Background
from unimma.gallery.items import Moments
from unimma.gallery.where import Where
from unimma.types import Item, Modality

FloatArray = npt.NDArray[np.float32]


class Searchable(Protocol):
    """The part of `unimma.gallery.Gallery` that search uses; the methods say there what they do."""

    @property
    def model(self) -> Embedder: ...

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]: ...

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int: ...

    def missing(self) -> int: ...

    def has_findable(self) -> bool: ...

    def background(self, query: FloatArray, modality: Modality) -> Background: ...

    def nearest(
        self,
        query: FloatArray,
        k: int,
        modality: Modality,
        where: Where | None = None,
        among: Collection[str] | None = None,
    ) -> list[tuple[str, float]]: ...

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]: ...

    def containing(
        self, phrases: Iterable[str], modality: Modality | None = None, where: Where | None = None
    ) -> list[str]: ...

    def likenesses(self, ids: Iterable[str]) -> dict[str, bytes]: ...

    def sequence(self, ids: Iterable[str]) -> dict[str, Moments]: ...
