"""The engine behind the page, without any page."""

import threading

import pytest

from tests.toy import ToyModel
from tests.ui.conftest import toy_engine
from unimma.errors import GalleryError, ModelError
from unimma.gallery import Gallery
from unimma.types import Modality
from unimma.ui.engine import Engine, filler


@pytest.fixture
def engine(tmp_path):
    engine = toy_engine(tmp_path)
    engine.start()
    assert engine.wait(60)
    yield engine
    engine.close()


def test_progress_can_be_seen_while_the_gallery_is_on_its_way(tmp_path):
    told, go_on = threading.Event(), threading.Event()

    def load(say):
        say("Indexing the starter gallery: 3 of 9", 3, 9)
        told.set()
        go_on.wait()
        model = ToyModel()
        return model, Gallery.open(tmp_path / "gallery", model)

    engine = Engine(load)
    engine.start()
    told.wait()
    status = engine.status
    assert (status.state, status.done, status.total) == ("loading", 3, 9)
    assert not engine.wait(0)
    with pytest.raises(GalleryError, match="still being opened"):
        engine.counts()
    go_on.set()
    assert engine.wait(60) and engine.status.state == "ready"
    engine.close()


def test_what_is_there_can_be_searched_while_the_gallery_fills(tmp_path):
    first_in, go_on = threading.Event(), threading.Event()

    def load(say):
        model = ToyModel()
        return model, Gallery.open(tmp_path / "gallery", model)

    def fill(gallery, say):
        say("Indexing: 0 of 2", 0, 2)
        gallery.add(["a red wall"])
        say("Indexing: 1 of 2", 1, 2)
        first_in.set()
        go_on.wait()
        gallery.add(["a blue door"])

    engine = Engine(load, fill)
    engine.start()
    first_in.wait()
    assert engine.wait(60)
    assert (engine.status.state, engine.status.done, engine.status.total) == ("filling", 1, 2)
    assert [hit.item.text for hit in engine.search("red", 5, list(Modality))] == ["a red wall"]
    go_on.set()
    engine.close()


def test_a_hosts_own_folder_comes_in_at_the_start_and_once(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "note.txt").write_text("a green meadow")
    (tmp_path / "own" / "page.html").write_text("<p>not media</p>")

    def load(say):
        model = ToyModel()
        gallery = Gallery.open(tmp_path / "gallery", model)
        gallery.add(["a red wall"])  # not new: the starter gallery stays out
        return model, gallery

    for _ in range(2):
        filled = threading.Event()

        def fill(gallery, say, filled=filled):
            filler(tmp_path / "own")(gallery, say)
            filled.set()

        engine = Engine(load, fill)
        engine.start()
        assert filled.wait(60)
        assert sorted(item.text for item in engine.shelf(Modality.TEXT, 0, 50)) == ["a green meadow", "a red wall"]
        engine.close()


def test_a_start_that_failed_says_why_to_everyone_who_waits():
    def load(say):
        raise ModelError("model 'nope'", "a known one", "Choose another.")

    engine = Engine(load)
    engine.start()
    with pytest.raises(ModelError, match="nope"):
        engine.wait(60)
    assert engine.status.state == "failed" and "Choose another." in engine.status.message


def test_an_unexpected_failure_gives_nothing_away():
    def load(say):
        raise RuntimeError("/secret/path is broken")

    engine = Engine(load)
    engine.start()
    with pytest.raises(GalleryError):
        engine.wait(60)
    assert "secret" not in engine.status.message


def test_an_item_that_asks_is_not_its_own_answer(engine):
    item = next(item for item in engine.shelf(Modality.TEXT, 0, 50) if item.text == "a red wall")
    hits = engine.search(item.text, 3, list(Modality), leave_out=item.id)
    assert len(hits) == 3 and item.id not in {hit.item.id for hit in hits}
    assert [hit.rank for hit in hits] == [1, 2, 3]


def test_the_shelf_shows_what_was_added_last_first(engine):
    new = engine.add(["the newest sentence"], lambda done, total: None).added[0]
    assert engine.shelf(None, 0, 5)[0].id == new
    everything = [item.id for start in range(0, 14, 5) for item in engine.shelf(None, start, 5)]
    assert len(everything) == len(set(everything)) == sum(engine.counts().values()) == 13


def test_examples_and_sentences_come_from_the_gallery(engine):
    assert {item.modality for item in engine.examples(Modality.AUDIO, 6)} == {Modality.AUDIO}
    assert len(engine.examples(Modality.IMAGE, 2)) == 2
    assert "a red wall" in engine.sentences(6)


def test_without_texts_the_titles_are_offered(engine):
    engine.delete([item.id for item in engine.shelf(Modality.TEXT, 0, 50)])
    assert "hum" in engine.sentences(6)
