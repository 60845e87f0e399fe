"""The truth of a gallery: items, and their vectors by model fingerprint, in one SQLite file.

What a commit has acknowledged survives the end of the process (WAL) and of the power (synchronous=FULL).
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unimma.errors import GalleryError
from unimma.gallery.where import Where, to_sql
from unimma.types import Item, Metadata, Modality, Span

FORMAT = 1
_SCHEMA = """
CREATE TABLE items (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    modality TEXT NOT NULL,
    title TEXT NOT NULL,
    media TEXT NOT NULL,
    text TEXT,
    span_start REAL,
    span_end REAL,
    metadata TEXT NOT NULL,
    thumbnail BLOB
);
CREATE INDEX items_by_modality ON items (modality, position);
CREATE TABLE vectors (
    fingerprint TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    PRIMARY KEY (fingerprint, id)
) WITHOUT ROWID;
CREATE INDEX vectors_by_item ON vectors (id);
CREATE TABLE models (fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO state VALUES ('generation', 0);
"""
_COLUMNS = "items.id, modality, title, media, text, span_start, span_end, metadata, thumbnail"


class ItemStore:
    """Items and vectors, safe to use from several threads. An item's `uri` is here the name of its media file.

    Every change of items or vectors raises `generation` by one in the same transaction. `indexed` holds the generation
    that the index over the vectors of a fingerprint has caught up with.

    Raises:
        GalleryError: the file is damaged or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise GalleryError(f"{path.name} ({error})", "a gallery's database", "Restore it from a copy.") from error
        except GalleryError:
            self._db.close()
            raise

    def close(self) -> None:
        """Write what the log holds into the main file and let go of it."""
        with self._lock:
            self._db.close()

    # what is written

    def insert(self, items: Sequence[Item], vectors: npt.NDArray[np.float32], fingerprint: str, model: str) -> int:
        """Add items that are new, and the vector of each, float32 [n, dim], in one transaction: the new generation."""
        with self._transaction():
            for item, vector in zip(items, vectors, strict=True):
                span = (item.span.start, item.span.end) if item.span else (None, None)
                metadata = json.dumps(dict(item.metadata), ensure_ascii=False)
                self._db.execute(
                    "INSERT OR IGNORE INTO items (id, modality, title, media, text, span_start, span_end, metadata, "
                    "thumbnail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (item.id, item.modality, item.title, item.uri, item.text, *span, metadata, item.thumbnail),
                )
                blob = np.ascontiguousarray(vector, "<f4").tobytes()
                self._db.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (fingerprint, item.id, blob))
            self._db.execute("INSERT OR REPLACE INTO models VALUES (?, ?)", (fingerprint, model))
            return self._next_generation()

    def update(self, item_id: str, title: str | None, metadata: Metadata | None) -> bool:
        """Change what people gave to an item; False where there is no such item."""
        facts = None if metadata is None else json.dumps(dict(metadata), ensure_ascii=False)
        with self._transaction():
            changed = self._db.execute(
                "UPDATE items SET title = coalesce(?, title), metadata = coalesce(?, metadata) WHERE id = ?",
                (title, facts, item_id),
            )
            return changed.rowcount > 0

    def delete(self, ids: Iterable[str]) -> tuple[list[Item], int]:
        """Delete items and their vectors of all models: what they were, and the new generation."""
        with self._transaction():
            gone = list(self.get_many(ids).values())
            self._db.execute(f"DELETE FROM items WHERE id IN {_LISTED}", (_listed(item.id for item in gone),))
            return gone, self._next_generation()

    def set_indexed(self, fingerprint: str, generation: int) -> None:
        """The index over this fingerprint's vectors has caught up with `generation`."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (f"indexed {fingerprint}", generation))

    # what is read

    def generation(self) -> int:
        """How often items or vectors have changed."""
        return self._state("generation")

    def indexed(self, fingerprint: str) -> int:
        """The generation that the index has caught up with; -1 where there was never one."""
        return self._state(f"indexed {fingerprint}")

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id, in the order of addition."""
        rows = self._all(f"SELECT {_COLUMNS} FROM items WHERE id IN {_LISTED} ORDER BY position", [_listed(ids)])
        return {item.id: item for item in map(_item, rows)}

    def page(self, modality: Modality | None, where: Where | None, offset: int, limit: int) -> list[Item]:
        """Some of the items that match, in the order of addition."""
        clause, parameters = _matching(modality, where)
        query = f"SELECT {_COLUMNS} FROM items WHERE {clause} ORDER BY position LIMIT ? OFFSET ?"
        return [_item(row) for row in self._all(query, [*parameters, limit, offset])]

    def ids(self, modality: Modality | None = None, where: Where | None = None) -> list[str]:
        """The ids that match, in the order of addition."""
        clause, parameters = _matching(modality, where)
        return [row[0] for row in self._all(f"SELECT id FROM items WHERE {clause} ORDER BY position", parameters)]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        clause, parameters = _matching(modality, where)
        return int(self._all(f"SELECT count(*) FROM items WHERE {clause}", parameters)[0][0])

    def media_files(self) -> set[str]:
        """Names of the media files that items stand on."""
        return {row[0] for row in self._all("SELECT media FROM items", [])}

    def has_vector(self, item_id: str, fingerprint: str) -> bool:
        """Whether the item is there with a vector of this model."""
        return bool(self._all("SELECT 1 FROM vectors WHERE fingerprint = ? AND id = ?", [fingerprint, item_id]))

    def has_vectors(self, fingerprint: str) -> bool:
        """Whether any item has a vector of this model."""
        return bool(self._all("SELECT 1 FROM vectors WHERE fingerprint = ? LIMIT 1", [fingerprint]))

    def vectors(self, fingerprint: str, modality: Modality, dim: int) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Ids and vectors, float32 [n, dim], of one model and modality, in the order of addition.

        Raises:
            GalleryError: a stored vector has another length.
        """
        rows = self._all(
            "SELECT items.id, vector FROM items JOIN vectors USING (id) "
            "WHERE fingerprint = ? AND modality = ? ORDER BY position",
            [fingerprint, modality],
        )
        if any(len(blob) != 4 * dim for _, blob in rows):
            came = f"vectors of model {fingerprint} that are not {dim} numbers long"
            raise GalleryError(came, "the model that made them", "Open this gallery with that model, or start anew.")
        flat = np.frombuffer(b"".join(blob for _, blob in rows), "<f4")
        return [row[0] for row in rows], flat.reshape(len(rows), dim).astype(np.float32)

    def without_vector(self, fingerprint: str) -> int:
        """How many items have no vector of this model."""
        found = self._all(
            "SELECT count(*) FROM items WHERE id NOT IN (SELECT id FROM vectors WHERE fingerprint = ?)", [fingerprint]
        )
        return int(found[0][0])

    def models(self) -> dict[str, str]:
        """Names by fingerprint of the models that vectors are kept of."""
        rows = self._all("SELECT fingerprint, name FROM models WHERE fingerprint IN (SELECT fingerprint FROM vectors)")
        return dict(rows)

    # how

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif version != FORMAT:
            came = f"a gallery of format {version}"
            raise GalleryError(came, f"format {FORMAT}", "Open it with the version of UniMMA that made it.")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):  # the disk is full, or no longer writable
                    came = f"a change that cannot be stored ({error})"
                    raise GalleryError(came, "room and the right to write", "Make room, then try again.") from error
                raise

    def _next_generation(self) -> int:
        self._db.execute("UPDATE state SET value = value + 1 WHERE name = 'generation'")
        return self._state("generation")

    def _state(self, name: str) -> int:
        rows = self._all("SELECT value FROM state WHERE name = ?", [name])
        return int(rows[0][0]) if rows else -1

    def _all(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, parameters).fetchall()


_LISTED = "(SELECT value FROM json_each(?))"  # any number of ids in one parameter


def _listed(ids: Iterable[str]) -> str:
    return json.dumps(list(ids))


def _matching(modality: Modality | None, where: Where | None) -> tuple[str, list[object]]:
    clause, parameters = to_sql(where)
    if modality is None:
        return clause, [*parameters]
    return f"modality = ? AND {clause}", [modality, *parameters]


def _item(row: tuple[Any, ...]) -> Item:
    item_id, modality, title, media, text, start, end, metadata, thumbnail = row
    return Item(
        id=item_id,
        modality=Modality(modality),
        title=title,
        uri=media,
        text=text,
        span=None if start is None else Span(start, end),
        metadata=json.loads(metadata),
        thumbnail=thumbnail,
    )
