"""What galleries of format 2 know of an item, and what becomes of those of format 1."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.conftest import write_tone
from tests.toy import DIM
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Gallery
from unimma.retrieval import search
from unimma.types import Item, Modality, Span

BACK_TO_1 = """
DROP INDEX items_by_fact;
DROP TABLE sequences; DROP TABLE trash_vectors; DROP TABLE trash_sequences; DROP TABLE trash;
ALTER TABLE items DROP COLUMN added; ALTER TABLE items DROP COLUMN duration_s;
ALTER TABLE items DROP COLUMN num_bytes; ALTER TABLE items DROP COLUMN likeness;
UPDATE items SET metadata = '{"source": "starter", "scene": "a wall"}' WHERE title = 'a red wall';
UPDATE items SET metadata = '{"scene": "mine"}' WHERE title = 'a blue wall';
PRAGMA user_version = 1;
"""


def make_format_1(gallery: Gallery) -> None:
    gallery.close()
    database = sqlite3.connect(gallery.folder / "items.sqlite")
    database.executescript(BACK_TO_1)
    database.close()


def test_items_tell_when_they_came_how_long_and_how_large_they_are(open_gallery, files, tmp_path):
    gallery = open_gallery()
    stretch = Item(Modality.AUDIO, "", uri=str(write_tone(tmp_path / "t.wav", 300.0, 2.0)), span=Span(0.5, 1.5))
    gallery.add([files, "a sentence", stretch])
    items = gallery.list()
    assert all(len(item.added) == len("2026-11-23T17:05:00Z") and item.added.endswith("Z") for item in items)
    assert [item.added for item in items] == sorted(item.added for item in items)
    assert all(item.num_bytes == Path(item.uri).stat().st_size for item in items)
    assert gallery.num_bytes() == sum(path.stat().st_size for path in (gallery.folder / "media").iterdir())
    lengths = {item.modality: item.duration_s for item in items[:-1]}
    assert lengths[Modality.TEXT] is None and lengths[Modality.IMAGE] is None
    assert lengths[Modality.AUDIO] == pytest.approx(0.5, abs=0.05)
    assert lengths[Modality.VIDEO] == pytest.approx(1.0, abs=0.05)
    assert items[-1].duration_s == pytest.approx(1.0)


def test_pictures_and_clips_have_a_perceptual_hash(open_gallery, files):
    gallery = open_gallery()
    added = gallery.add([files, "a sentence"]).added
    hashes = gallery.likenesses(added)
    assert {gallery.get(item_id).modality for item_id in hashes} == {"image", "video"} and len(hashes) == 5


def test_long_sounds_have_moments_and_short_ones_have_none(open_gallery, tmp_path):
    gallery = open_gallery()
    long, short = write_tone(tmp_path / "long.wav", 300.0, 13.0), write_tone(tmp_path / "short.wav", 300.0, 12.0)
    added = gallery.add([long, short]).added
    ((item_id, (times, rows)),) = gallery.sequence(added).items()
    assert item_id == added[0]
    assert times.dtype == np.float64 and times.shape == (len(rows), 2) and times[-1].tolist() == [9.0, 13.0]
    assert rows.dtype == np.float32 and rows.shape == (6, DIM)
    gallery.delete(added)
    assert gallery.sequence(added) == {}


def test_a_gallery_of_format_1_is_brought_to_format_2_and_loses_nothing(open_gallery, files):
    gallery = open_gallery()
    gallery.add([files])
    before, hits = gallery.list(), [hit.item.id for hit in search(gallery, "red")]
    make_format_1(gallery)
    again = open_gallery()
    after = again.list()
    assert [(item.id, item.title, item.uri) for item in after] == [(item.id, item.title, item.uri) for item in before]
    assert [item.num_bytes for item in after] == [item.num_bytes for item in before]
    assert all(item.added.endswith("Z") for item in after)
    assert [hit.item.id for hit in search(again, "red")] == hits
    facts = {item.title: dict(item.metadata) for item in after}
    assert facts["a red wall"] == {"source": "starter", "label": "a wall"}
    assert facts["a blue wall"] == {"scene": "mine"}
    assert again.trash([after[0].id]) == 1 == again.restore([after[0].id])


def test_a_migration_that_fails_leaves_format_1(open_gallery):
    gallery = open_gallery()
    gallery.add(["red"])
    make_format_1(gallery)
    database = sqlite3.connect(gallery.folder / "items.sqlite")
    database.execute("CREATE TABLE trash (in_the_way)")
    database.commit()
    with pytest.raises(GalleryError):
        open_gallery()
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert "added" not in {row[1] for row in database.execute("PRAGMA table_info(items)")}
    database.execute("DROP TABLE trash")
    database.commit()
    database.close()
    assert open_gallery().count() == 1


def test_lists_are_sorted_as_asked(open_gallery, files):
    gallery = open_gallery()
    gallery.add([files, Item(Modality.TEXT, "Éclair", text="red"), Item(Modality.TEXT, "eager", text="blue")])

    def titles(**order: object) -> list[str]:
        return [item.title for item in gallery.list(**order)]

    assert titles(descending=True) == titles()[::-1]
    assert titles(order="title") == sorted(titles(), key=str.casefold)
    assert titles(order="title", descending=True, limit=2) == ["Éclair", "whistle"]
    by_size = [item.num_bytes for item in gallery.list(order="size")]
    assert by_size == sorted(by_size)
    shortest_first = [item.duration_s for item in gallery.list(order="length")]
    assert [s is None for s in shortest_first] == [False] * 4 + [True] * 5
    assert shortest_first[:4] == sorted(shortest_first[:4])
    longest = gallery.list(order="length", descending=True)
    assert longest[0].modality == "video" and longest[-1].duration_s is None
    with pytest.raises(ConfigError, match="the order 'beauty'"):
        gallery.list(order="beauty")
