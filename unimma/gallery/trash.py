"""What was thrown away and can still be brought back: tables of its own, which no list, count or search looks into."""

from collections.abc import Iterable

from unimma.gallery.database import Database
from unimma.gallery.items import COLUMNS, LISTED, as_json

_TABLES = (  # of items, and of the trash; rows of the first pair are what the others hang on
    ("items", "trash", f"position, {COLUMNS}, likeness"),
    ("vectors", "trash_vectors", "fingerprint, id, vector"),
    ("sequences", "trash_sequences", "fingerprint, id, times, vectors"),
)


class Trash:
    """The thrown-away items of a store, with their vectors; their media stay in the gallery's folder until `empty`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, ids: Iterable[str]) -> tuple[list[str], int]:
        """Move items from the store into the trash: their ids, and the new generation."""
        return self._move(ids, [(there, here, columns) for there, here, columns in _TABLES])

    def take_out(self, ids: Iterable[str]) -> tuple[list[str], int]:
        """Move items back into their old places: their ids, and the new generation.

        What has been added again in the meantime stays in the store as it is, and leaves the trash.
        """
        with self._database.transaction() as db:
            listed = as_json(ids)
            db.execute(f"DELETE FROM trash WHERE id IN {LISTED} AND id IN (SELECT id FROM items)", [listed])
            return self._move(ids, [(here, there, columns) for there, here, columns in _TABLES])

    def empty(self, ids: Iterable[str] | None = None) -> tuple[list[str], list[str]]:
        """Forget these, or all: their ids, and the names of the media files that no item stands on any more."""
        with self._database.transaction() as db:
            chosen, parameters = ("1", []) if ids is None else (f"id IN {LISTED}", [as_json(ids)])
            gone = db.execute(f"SELECT id, media FROM trash WHERE {chosen}", parameters).fetchall()
            db.execute(f"DELETE FROM trash WHERE {chosen}", parameters)
            kept = db.execute(f"SELECT media FROM items WHERE media IN {LISTED}", [as_json(m for _, m in gone)])
            still = {name for (name,) in kept}
        return [item_id for item_id, _ in gone], [name for _, name in gone if name not in still]

    def num_bytes(self) -> int:
        """Of the media files that wait here."""
        return int(self._database.rows("SELECT coalesce(sum(num_bytes), 0) FROM trash")[0][0])

    def _move(self, ids: Iterable[str], tables: list[tuple[str, str, str]]) -> tuple[list[str], int]:
        source, target, _ = tables[0]
        with self._database.transaction() as db:
            rows = db.execute(f"SELECT id FROM {source} WHERE id IN {LISTED} ORDER BY position", [as_json(ids)])
            moved = [item_id for (item_id,) in rows]
            listed = [as_json(moved)]
            db.execute(f"DELETE FROM {target} WHERE id IN {LISTED}", listed)
            for from_, to, columns in tables:
                db.execute(f"INSERT INTO {to} ({columns}) SELECT {columns} FROM {from_} WHERE id IN {LISTED}", listed)
            db.execute(f"DELETE FROM {source} WHERE id IN {LISTED}", listed)
            return moved, self._database.next_generation()
