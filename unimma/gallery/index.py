"""Chroma over the vectors of a gallery: quick candidates from many items. Nothing in it is the truth.

One collection a model fingerprint and modality, so that vectors of two models never mix and a modality filter costs
nothing (a `where` of Chroma costs more than exact search). Only ids and vectors are stored. The files below it hold
pickles: they are made here, and never taken over from somebody else.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from unimma.errors import GalleryError
from unimma.types import Modality

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

FloatArray = npt.NDArray[np.float32]

# Chroma's own defaults but for the space, which would be l2, and a wider search (benchmarks/search_switch.py).
# They are fixed when a collection is made: a later change takes effect only after the collection is built anew.
_HNSW: "CreateHNSWConfiguration" = {"space": "cosine", "ef_construction": 100, "max_neighbors": 16, "ef_search": 200}
_MAX_BATCH = 5_000  # Chroma refuses more than 5461 rows at once


class CandidateIndex:
    """An approximate index in `folder`, for one process at a time.

    Raises:
        GalleryError: (every call) Chroma cannot do it; `wipe` the folder and fill it anew.
    """

    def __init__(self, folder: Path) -> None:
        with _chroma_errors():
            import chromadb  # takes about a second
            from chromadb.config import Settings

            _check_readable(folder / "chroma.sqlite3")
            client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
            self._client = cast("Client", client)  # declared as an interface that cannot be closed

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()

    def count(self, fingerprint: str, modality: Modality) -> int:
        """How many vectors there are."""
        with _chroma_errors():
            return self._collection(fingerprint, modality).count()

    def upsert(self, fingerprint: str, modality: Modality, ids: Sequence[str], vectors: FloatArray) -> None:
        """Store unit vectors, float32 [n, dim], under their ids."""
        with _chroma_errors():
            collection = self._collection(fingerprint, modality)
            for start in range(0, len(ids), _MAX_BATCH):
                end = start + _MAX_BATCH
                collection.upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])

    def delete(self, ids: Sequence[str]) -> None:
        """Forget these ids, whatever their model and modality; unknown ones are passed over."""
        with _chroma_errors():
            for known in self._client.list_collections():
                collection = self._client.get_collection(known.name, embedding_function=None)
                for start in range(0, len(ids), _MAX_BATCH):
                    collection.delete(ids=list(ids[start : start + _MAX_BATCH]))

    def drop_other_models(self, fingerprint: str) -> None:
        """Forget the vectors of every model but this one."""
        with _chroma_errors():
            for known in self._client.list_collections():
                if not known.name.startswith(f"{fingerprint}-"):
                    self._client.delete_collection(known.name)

    def match(self, fingerprint: str, modality: Modality, ids: Sequence[str], vectors: FloatArray) -> None:
        """Make the index hold exactly these ids: what is missing comes in, what is too much goes.

        The vectors of ids that are there already are right: an id stands for a content and the fingerprint for a model.
        """
        with _chroma_errors():
            collection = self._collection(fingerprint, modality)
            there = set(collection.get(include=[])["ids"])
            surplus = sorted(there.difference(ids))
            for start in range(0, len(surplus), _MAX_BATCH):
                collection.delete(ids=surplus[start : start + _MAX_BATCH])
        missing = [row for row, item_id in enumerate(ids) if item_id not in there]
        self.upsert(fingerprint, modality, [ids[row] for row in missing], vectors[missing])

    def nearest(self, fingerprint: str, modality: Modality, query: FloatArray, num_results: int) -> list[str]:
        """Ids of about the nearest vectors to `query` float32 [dim], finite; all of them where there are fewer."""
        with _chroma_errors():
            collection = self._collection(fingerprint, modality)
            found = collection.query(query_embeddings=query[np.newaxis], n_results=num_results, include=[])
            return found["ids"][0]

    def _collection(self, fingerprint: str, modality: Modality) -> "Collection":
        # embedding_function=None, or Chroma attaches a model that it would download
        return self._client.get_or_create_collection(
            f"{fingerprint}-{modality}", embedding_function=None, configuration={"hnsw": _HNSW}
        )


def wipe(folder: Path) -> None:
    """Delete the whole index, which has to be closed."""
    shutil.rmtree(folder, ignore_errors=True)


def _check_readable(database: Path) -> None:
    """Find a damaged file before Chroma opens it, since that would leave a client behind that never works again."""
    if database.exists():
        connection = sqlite3.connect(database)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        finally:
            connection.close()


@contextmanager
def _chroma_errors() -> Iterator[None]:
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, sqlite3.DatabaseError, ValueError) as error:
        came = f"the search index does not answer ({type(error).__name__})"
        raise GalleryError(came, "a working index", "Open the gallery again: the index is made anew.") from error
