"""The SQLite file of a gallery: its tables, its transactions, and a counter of its changes.

What a commit has acknowledged survives the end of the process (WAL) and of the power (synchronous=FULL). What is
deleted is overwritten with zeros (secure_delete), but SQLite leaves copies where it has moved rows together: only
writing the file anew takes them out.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unimma.errors import GalleryError

FORMAT = 2
_QUICK_BYTES = 16_000_000  # written anew in a fifth of a second: a thousand items or so
_ITEMS = """
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
    thumbnail BLOB,
    added TEXT NOT NULL DEFAULT '',
    duration_s REAL,
    num_bytes INTEGER NOT NULL DEFAULT 0,
    likeness BLOB
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
_SINCE_2 = """
CREATE INDEX items_by_fact ON items (modality, added, duration_s, metadata);
CREATE TABLE sequences (
    fingerprint TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    times BLOB NOT NULL,
    vectors BLOB NOT NULL,
    PRIMARY KEY (fingerprint, id)
);
CREATE INDEX sequences_by_item ON sequences (id);
CREATE TABLE trash (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    modality TEXT NOT NULL,
    title TEXT NOT NULL,
    media TEXT NOT NULL,
    text TEXT,
    span_start REAL,
    span_end REAL,
    metadata TEXT NOT NULL,
    thumbnail BLOB,
    added TEXT NOT NULL,
    duration_s REAL,
    num_bytes INTEGER NOT NULL,
    likeness BLOB
);
CREATE TABLE trash_vectors (
    fingerprint TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES trash (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    PRIMARY KEY (fingerprint, id)
) WITHOUT ROWID;
CREATE INDEX trash_vectors_by_item ON trash_vectors (id);
CREATE TABLE trash_sequences (
    fingerprint TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES trash (id) ON DELETE CASCADE,
    times BLOB NOT NULL,
    vectors BLOB NOT NULL,
    PRIMARY KEY (fingerprint, id)
);
CREATE INDEX trash_sequences_by_item ON trash_sequences (id);
"""
_FROM_1 = """
ALTER TABLE items ADD COLUMN added TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN duration_s REAL;
ALTER TABLE items ADD COLUMN num_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN likeness BLOB;
UPDATE items SET metadata = json_set(json_remove(metadata, '$.scene'), '$.label', json_extract(metadata, '$.scene'))
    WHERE json_extract(metadata, '$.source') = 'starter' AND json_extract(metadata, '$.scene') IS NOT NULL;
"""


class Database:
    """A connection that several threads may use, one at a time.

    Every change of items or vectors raises `generation` by one in the same transaction. `indexed` holds the generation
    that the index over the vectors of a fingerprint has caught up with.

    Raises:
        GalleryError: the file is damaged or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._prepare(path)
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

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what the block does, or nothing; inside another one, a part of that.

        Raises:
            GalleryError: the disk is full, or no longer writable.
        """
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise _not_stored(error) from error
                raise

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows that answer a query."""
        with self._lock:
            return self._db.execute(query, parameters).fetchall()

    def generation(self) -> int:
        """How often items or vectors have changed."""
        return self._state("generation")

    def next_generation(self) -> int:
        """Counts one more change, inside the transaction that makes it: the new generation."""
        with self._lock:
            self._db.execute("UPDATE state SET value = value + 1 WHERE name = 'generation'")
        return self.generation()

    def indexed(self, fingerprint: str) -> int:
        """The generation that the index has caught up with; -1 where there was never one."""
        return self._state(f"indexed {fingerprint}")

    def set_indexed(self, fingerprint: str, generation: int) -> None:
        """The index over this fingerprint's vectors has caught up with `generation`."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (f"indexed {fingerprint}", generation))

    def forget_index(self) -> None:
        """No index has caught up with anything: each is made anew when its model next opens the gallery."""
        with self.transaction() as db:
            db.execute("DELETE FROM state WHERE name LIKE 'indexed %'")

    def truncate_log(self) -> None:
        """Empty the log, so that what was deleted is not read in it."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def erase_deleted(self) -> None:
        """Take what was deleted out of the files: at once where that is quick, else as far as the log goes."""
        if self.num_file_bytes() <= _QUICK_BYTES:
            with suppress(GalleryError):  # a full disk; it is deleted all the same
                self.compact()
        self.truncate_log()

    def num_file_bytes(self) -> int:
        """How large the main file is."""
        ((num_pages,),), ((page_bytes,),) = self.rows("PRAGMA page_count"), self.rows("PRAGMA page_size")
        return int(num_pages * page_bytes)

    def compact(self) -> None:
        """Write the whole file anew: no larger than what it holds, and without a trace of what it held.

        Raises:
            GalleryError: there is no room for a second copy while it is made.
        """
        with self._lock:
            try:
                self._db.execute("VACUUM")
            except sqlite3.OperationalError as error:
                raise _not_stored(error) from error
            self.truncate_log()

    def _prepare(self, path: Path) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN; {_ITEMS} {_SINCE_2} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif version == 1:
            self._migrate(path.parent / "media")
        elif version != FORMAT:
            came = f"a gallery of format {version}"
            raise GalleryError(came, f"format {FORMAT}", "Open it with the version of UniMMA that made it.")

    def _migrate(self, media: Path) -> None:
        """From format 1, which noted neither when an item came in nor how large it is: its media file knows both."""
        with self.transaction() as db:
            for statement in f"{_FROM_1} {_SINCE_2}".split(";\n"):
                db.execute(statement)
            for item_id, name in db.execute("SELECT id, media FROM items").fetchall():
                facts = (media / name).stat() if (media / name).is_file() else None
                seconds, num_bytes = (facts.st_mtime, facts.st_size) if facts else (datetime.now(UTC).timestamp(), 0)
                db.execute(
                    "UPDATE items SET added = ?, num_bytes = ? WHERE id = ?",
                    (iso_utc(datetime.fromtimestamp(seconds, UTC)), num_bytes, item_id),
                )
            db.execute(f"PRAGMA user_version = {FORMAT}")

    def _state(self, name: str) -> int:
        rows = self.rows("SELECT value FROM state WHERE name = ?", [name])
        return int(rows[0][0]) if rows else -1


def iso_utc(moment: datetime) -> str:
    """A moment with its zone, as galleries note it: "2026-11-23T17:05:00Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _not_stored(error: sqlite3.OperationalError) -> GalleryError:
    came = f"a change that cannot be stored ({error})"
    return GalleryError(came, "room and the right to write", "Make room, then try again.")
