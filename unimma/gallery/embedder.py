"""What a gallery asks of a model, so that any object with this surface can stand in for one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unimma.types import Decoded, Modality


class Embedder(Protocol):
    """The part of `unimma.model.UniMMA` that galleries and search use."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Short hash of weights and preprocessing; vectors of two fingerprints never mix."""
        ...

    @property
    def dim(self) -> int:
        """Width of the shared space."""
        ...

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it can embed."""
        ...

    def embed(self, items: Sequence[str | Path | bytes | Decoded], /) -> npt.NDArray[np.float32]:
        """float32 [n, dim], rows of unit length."""
        ...

    def embed_sequence(
        self, item: str | Path | bytes | Decoded, /
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Windows of an item: float32 [T, dim], unit rows; float64 [T, 2], start and end of each, seconds."""
        ...

    def null_similarity(self, query: Modality, gallery: Modality, /) -> tuple[float, float] | None:
        """Mean and standard deviation of the cosine of unrelated pairs; None where that was never measured."""
        ...
