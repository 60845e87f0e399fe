import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.gallery.conftest import COLOURS, write_picture
from tests.toy import ToyModel
from unimma.gallery import starter
from unimma.gallery.starter import seed, starter_items
from unimma.media import decode, kind_of
from unimma.types import Item, Modality

FEW = [Item(Modality.TEXT, word, text=word, metadata={"source": "starter", "label": word}) for word in ("red", "low")]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(starter, "starter_items", lambda: list(FEW))


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A starter gallery of one drawn scene, in place of the one that ships."""
    folder = tmp_path / "assets" / "gallery"
    folder.mkdir(parents=True)
    write_picture(folder / "wall.webp", COLOURS["red"])
    entries = [
        {"scene": "a wall", "modality": "image", "title": "A wall", "file": "wall.webp"},
        {"scene": "a wall", "modality": "text", "title": "A red wall", "text": "The wall is red."},
    ]
    (folder / "items.json").write_text(json.dumps(entries))
    monkeypatch.setattr(starter, "assets_dir", lambda: tmp_path / "assets")


def test_drawn_scenes_come_first_then_real_media_each_with_a_sentence(assets):
    items = starter_items()
    assert items == starter_items()
    assert [(item.title, item.text) for item in items[:2]] == [("A wall", None), ("A red wall", "The wall is red.")]
    assert decode(Path(items[0].uri)).modality == "image"
    assert all(item.metadata["source"] == "starter" and item.metadata["label"] for item in items)
    media, sentences = items[2::2], items[3::2]
    assert [item.metadata["label"] for item in media] == [item.metadata["label"] for item in sentences]
    assert all(item.text for item in sentences)
    for item in media:
        assert kind_of(Path(item.uri)) == item.modality


def test_real_media_of_installed_packages_are_found():
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed")
    assert {"A pagoda above a lake", "An orange dahlia"} <= {item.title for item in starter_items()}


def test_packages_and_files_that_are_missing_make_it_only_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(starter, "assets_dir", lambda: tmp_path)
    monkeypatch.setattr(starter, "find_spec", lambda name: None)
    assert starter_items() == []


def test_a_new_gallery_is_seeded_once(open_gallery, few):
    gallery = open_gallery()
    seen: list[tuple[int, int]] = []
    assert len(seed(gallery, lambda *progress: seen.append(progress)).added) == 2
    assert seen[-1] == (2, 2)
    gallery.delete([gallery.list()[0].id])
    assert seed(gallery).added == ()
    assert gallery.count() == 1


def test_a_gallery_of_ones_own_is_left_as_it_is(open_gallery, few):
    gallery = open_gallery()
    gallery.add(["my own"])
    assert seed(gallery).added == ()
    assert gallery.count() == 1


def test_seeding_that_was_interrupted_goes_on(open_gallery, few):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    gallery = open_gallery()
    with pytest.raises(KeyboardInterrupt):
        seed(gallery, interrupt)
    gallery.close()
    again = open_gallery()
    seed(again)
    assert [item.title for item in again.list()] == ["red", "low"]
    again.delete([item.id for item in again.list()])
    assert seed(again).added == ()


def test_another_model_gets_vectors_of_the_starter_items_that_are_left(open_gallery, few):
    gallery = open_gallery()
    seed(gallery)
    gallery.add(["my own"])
    gallery.delete([gallery.list()[0].id])
    gallery.close()
    other = open_gallery(with_model=ToyModel(fingerprint="0123456789ab"))
    assert len(seed(other).added) == 1
    assert (other.count(), other.missing()) == (2, 1)
