"""The truth of a gallery: items, and their vectors by model fingerprint, in one SQLite file."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError
from unimma.gallery.database import Database
from unimma.gallery.phrases import Holds
from unimma.gallery.where import Where, to_sql
from unimma.types import Item, Metadata, Modality, Span

FloatArray = npt.NDArray[np.float32]
Moments = tuple[npt.NDArray[np.float64], FloatArray]  # [T, 2] start and end in seconds; [T, dim] unit rows

_READ = "id, modality, title, media, text, span_start, span_end, metadata, thumbnail, added, duration_s, num_bytes"
COLUMNS = f"{_READ}, likeness"
LISTED = "(SELECT value FROM json_each(?))"  # any number of ids in one parameter
_ORDERS = {  # what a list is sorted by; {} is where DESC goes, and the order of addition settles what is equal
    "added": "items.position {}",
    "title": "casefold(title) {}, items.position",
    "length": "duration_s IS NULL, duration_s {}, items.position",
    "size": "num_bytes {}, items.position",
}


@dataclass(frozen=True)
class Record:
    """An item with what a model made of it.

    Attributes:
        item: its `uri` is the name of its media file.
        vector: float32 [dim], unit length.
        moments: windows of a long sound or clip; None for the others.
        likeness: perceptual hash; None where there is none.
    """

    item: Item
    vector: FloatArray
    moments: Moments | None = None
    likeness: bytes | None = None


class ItemStore(Database):
    """Items and vectors, safe to use from several threads. An item's `uri` is here the name of its media file."""

    # what is written

    def insert(self, records: Iterable[Record], fingerprint: str, model: str) -> int:
        """Add items that are new, and the vector of each, in one transaction: the new generation.

        Of an item that is there, only length and perceptual hash are filled in, where it lacked them.
        """
        with self.transaction() as db:
            for record in records:
                item = record.item
                span = (item.span.start, item.span.end) if item.span else (None, None)
                values = [item.id, item.modality, item.title, item.uri, item.text, *span, _json(item.metadata)]
                values += [item.thumbnail, item.added, item.duration_s, item.num_bytes, record.likeness]
                db.execute(
                    f"INSERT INTO items ({COLUMNS}) VALUES ({', '.join('?' * len(values))}) ON CONFLICT (id) DO UPDATE "
                    "SET duration_s = coalesce(duration_s, excluded.duration_s), "
                    "likeness = coalesce(likeness, excluded.likeness)",
                    values,
                )
                vector = np.ascontiguousarray(record.vector, "<f4").tobytes()
                db.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (fingerprint, item.id, vector))
                if record.moments is not None:
                    times, rows = record.moments
                    blobs = (np.ascontiguousarray(times, "<f8").tobytes(), np.ascontiguousarray(rows, "<f4").tobytes())
                    db.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?, ?, ?)", (fingerprint, item.id, *blobs))
            db.execute("INSERT OR REPLACE INTO models VALUES (?, ?)", (fingerprint, model))
            return self.next_generation()

    def update(self, item_id: str, title: str | None, metadata: Metadata | None) -> bool:
        """Change what people gave to an item; False where there is no such item."""
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE items SET title = coalesce(?, title), metadata = coalesce(?, metadata) WHERE id = ?",
                (title, None if metadata is None else _json(metadata), item_id),
            )
            return changed.rowcount > 0

    def delete(self, ids: Iterable[str]) -> tuple[list[Item], int]:
        """Delete items and their vectors of all models: what they were, and the new generation."""
        with self.transaction() as db:
            gone = list(self.get_many(ids).values())
            db.execute(f"DELETE FROM items WHERE id IN {LISTED}", (as_json(item.id for item in gone),))
            return gone, self.next_generation()

    def drop_other_models(self, fingerprint: str) -> int:
        """Delete the vectors of every model but this one, those in the trash too: the new generation."""
        with self.transaction() as db:
            for table in ("vectors", "sequences", "trash_vectors", "trash_sequences", "models"):
                db.execute(f"DELETE FROM {table} WHERE fingerprint <> ?", (fingerprint,))
            db.execute("DELETE FROM state WHERE name LIKE 'indexed %' AND name <> ?", (f"indexed {fingerprint}",))
            return self.next_generation()

    # what is read

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id, in the order of addition."""
        rows = self.rows(f"SELECT {_READ} FROM items WHERE id IN {LISTED} ORDER BY position", [as_json(ids)])
        return {item.id: item for item in map(_item, rows)}

    def page(
        self, modality: Modality | None, where: Where | None, offset: int, limit: int, order: str, descending: bool
    ) -> list[Item]:
        """Some of the items that match.

        Raises:
            ConfigError: an order that there is not.
        """
        if order not in _ORDERS:
            raise ConfigError(f"the order {order!r}", f"one of {sorted(_ORDERS)}", "Leave it out for that of addition.")
        clause, parameters = matching(modality, where)
        by = _ORDERS[order].format("DESC" if descending else "ASC")
        query = f"SELECT {_READ} FROM items WHERE {clause} ORDER BY {by} LIMIT ? OFFSET ?"
        with self._lock:
            self._db.create_function("casefold", 1, str.casefold, deterministic=True)
            return [_item(row) for row in self.rows(query, [*parameters, limit, offset])]

    def ids(self, modality: Modality | None = None, where: Where | None = None) -> list[str]:
        """The ids that match, in the order of addition."""
        clause, parameters = matching(modality, where)
        return [row[0] for row in self.rows(f"SELECT id FROM items WHERE {clause} ORDER BY position", parameters)]

    def holding(self, holds: Holds, modality: Modality | None, where: Where | None) -> list[str]:
        """The ids of matching items whose title, caption and text `holds` says yes to, in the order of addition."""
        clause, parameters = matching(modality, where)
        fields = "title, json_extract(metadata, '$.caption'), text"
        query = f"SELECT id FROM items WHERE {clause} AND holds({fields}) ORDER BY position"
        with self._lock:
            self._db.create_function("holds", 3, holds)
            return [row[0] for row in self.rows(query, parameters)]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        clause, parameters = matching(modality, where)
        return int(self.rows(f"SELECT count(*) FROM items WHERE {clause}", parameters)[0][0])

    def num_bytes(self) -> int:
        """Of all media files that items stand on."""
        return int(self.rows("SELECT coalesce(sum(num_bytes), 0) FROM items")[0][0])

    def media_files(self) -> set[str]:
        """Names of the media files that items stand on."""
        return {row[0] for row in self.rows("SELECT media FROM items")}

    def likenesses(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Perceptual hashes of those among `ids` that have one."""
        query = f"SELECT id, likeness FROM items WHERE id IN {LISTED} AND likeness IS NOT NULL"
        return dict(self.rows(query, [as_json(ids)]))

    def has_vector(self, item_id: str, fingerprint: str) -> bool:
        """Whether the item is there with a vector of this model."""
        return bool(self.rows("SELECT 1 FROM vectors WHERE fingerprint = ? AND id = ?", [fingerprint, item_id]))

    def has_vectors(self, fingerprint: str) -> bool:
        """Whether any item has a vector of this model."""
        return bool(self.rows("SELECT 1 FROM vectors WHERE fingerprint = ? LIMIT 1", [fingerprint]))

    def vectors(self, fingerprint: str, modality: Modality, dim: int) -> tuple[list[str], FloatArray]:
        """Ids and vectors, float32 [n, dim], of one model and modality, in the order of addition.

        Raises:
            GalleryError: a stored vector has another length.
        """
        rows = self.rows(
            "SELECT items.id, vector FROM items JOIN vectors USING (id) "
            "WHERE fingerprint = ? AND modality = ? ORDER BY position",
            [fingerprint, modality],
        )
        if any(len(blob) != 4 * dim for _, blob in rows):
            came = f"vectors of model {fingerprint} that are not {dim} numbers long"
            raise GalleryError(came, "the model that made them", "Open this gallery with that model, or start anew.")
        flat = np.frombuffer(b"".join(blob for _, blob in rows), "<f4")
        return [row[0] for row in rows], flat.reshape(len(rows), dim).astype(np.float32)

    def vectors_of(self, ids: Iterable[str], fingerprint: str) -> dict[str, FloatArray]:
        """Vectors, float32 [dim], of those among `ids` that have one of this model."""
        query = f"SELECT id, vector FROM vectors WHERE fingerprint = ? AND id IN {LISTED}"
        found = self.rows(query, [fingerprint, as_json(ids)])
        return {item_id: np.frombuffer(blob, "<f4").astype(np.float32) for item_id, blob in found}

    def moments(self, ids: Iterable[str], fingerprint: str) -> dict[str, Moments]:
        """Windows of those among `ids` that are long sounds or clips."""
        query = f"SELECT id, times, vectors FROM sequences WHERE fingerprint = ? AND id IN {LISTED}"
        found = {}
        for item_id, times, rows in self.rows(query, [fingerprint, as_json(ids)]):
            spans = np.frombuffer(times, "<f8").reshape(-1, 2).astype(np.float64)
            found[item_id] = (spans, np.frombuffer(rows, "<f4").reshape(len(spans), -1).astype(np.float32))
        return found

    def without_vector(self, fingerprint: str) -> list[str]:
        """Ids of the items that have no vector of this model, in the order of addition."""
        query = "SELECT id FROM items WHERE id NOT IN (SELECT id FROM vectors WHERE fingerprint = ?) ORDER BY position"
        return [row[0] for row in self.rows(query, [fingerprint])]

    def models(self) -> dict[str, str]:
        """Names by fingerprint of the models that vectors are kept of."""
        rows = self.rows("SELECT fingerprint, name FROM models WHERE fingerprint IN (SELECT fingerprint FROM vectors)")
        return dict(rows)


def as_json(ids: Iterable[str]) -> str:
    """The value of the parameter in `LISTED`."""
    return json.dumps(list(ids))


def matching(modality: Modality | None, where: Where | None) -> tuple[str, Sequence[object]]:
    """A condition on table `items` and its parameters."""
    clause, parameters = to_sql(where)
    if modality is None:
        return clause, [*parameters]
    return f"modality = ? AND {clause}", [modality, *parameters]


def _json(metadata: Metadata) -> str:
    return json.dumps(dict(metadata), ensure_ascii=False)


def _item(row: tuple[Any, ...]) -> Item:
    item_id, modality, title, media, text, start, end, metadata, thumbnail, added, duration_s, num_bytes = row
    return Item(
        id=item_id,
        modality=Modality(modality),
        title=title,
        uri=media,
        text=text,
        span=None if start is None else Span(start, end),
        metadata=json.loads(metadata),
        thumbnail=thumbnail,
        added=added,
        duration_s=duration_s,
        num_bytes=num_bytes,
    )
