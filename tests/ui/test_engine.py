"""The engine behind the page, without any page."""

import threading
import time

import pytest

from tests.toy import ToyModel
from tests.ui.conftest import toy_engine
from unimma.errors import GalleryError, ModelError
from unimma.gallery import Gallery
from unimma.types import Modality
from unimma.ui.engine import Engine, filler
from unimma.ui.visit import Library


@pytest.fixture
def engine(tmp_path):
    engine = toy_engine(tmp_path)
    engine.start()
    assert engine.wait(60)
    yield engine
    engine.close()


def test_progress_can_be_seen_while_the_gallery_is_on_its_way(tmp_path):
    told, go_on = threading.Event(), threading.Event()

    def load(say, call):
        say("Indexing the starter gallery: 3 of 9", 3, 9)
        told.set()
        assert go_on.wait(60)
        model = ToyModel()
        return model, Gallery.open(tmp_path / "gallery", model)

    engine = Engine(load)
    engine.start()
    assert told.wait(60)
    status = engine.status
    assert (status.state, status.done, status.total) == ("loading", 3, 9)
    assert not engine.wait(0)
    with pytest.raises(GalleryError, match="still being opened"):
        engine.host.counts()
    go_on.set()
    assert engine.wait(60) and engine.status.state == "ready"
    engine.close()


def test_what_is_there_can_be_searched_while_the_gallery_fills(tmp_path):
    first_in, go_on = threading.Event(), threading.Event()

    def load(say, call):
        model = ToyModel()
        return model, Gallery.open(tmp_path / "gallery", model)

    def fill(gallery, say):
        say("Indexing: 0 of 2", 0, 2)
        gallery.add(["a red wall"])
        say("Indexing: 1 of 2", 1, 2)
        first_in.set()
        assert go_on.wait(60)
        gallery.add(["a blue door"])

    engine = Engine(load, fill)
    engine.start()
    assert first_in.wait(60)
    assert engine.wait(60)
    assert (engine.status.state, engine.status.done, engine.status.total) == ("filling", 1, 2)
    assert [hit.item.text for hit in engine.host.search("red", 5, list(Modality))] == ["a red wall"]
    go_on.set()
    engine.close()


def test_a_hosts_own_folder_comes_in_at_the_start_and_once(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "note.txt").write_text("a green meadow")
    (tmp_path / "own" / "page.html").write_text("<p>not media</p>")

    def load(say, call):
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
        assert sorted(item.text for item in engine.host.shelf(Modality.TEXT, 0, 50)) == ["a green meadow", "a red wall"]
        engine.close()


def test_a_start_that_failed_says_why_to_everyone_who_waits():
    def load(say, call):
        raise ModelError("model 'nope'", "a known one", "Choose another.")

    engine = Engine(load)
    engine.start()
    with pytest.raises(ModelError, match="nope"):
        engine.wait(60)
    assert engine.status.state == "failed" and "Choose another." in engine.status.message


def test_an_unexpected_failure_gives_nothing_away():
    def load(say, call):
        raise RuntimeError("/secret/path is broken")

    engine = Engine(load)
    engine.start()
    with pytest.raises(GalleryError):
        engine.wait(60)
    assert "secret" not in engine.status.message


def test_an_item_that_asks_is_not_its_own_answer(engine):
    item = next(item for item in engine.host.shelf(Modality.TEXT, 0, 50) if item.text == "a red wall")
    hits = engine.host.search(item.text, 3, list(Modality), leave_out=item.id)
    assert len(hits) == 3 and item.id not in {hit.item.id for hit in hits}
    assert [hit.rank for hit in hits] == [1, 2, 3]


def test_the_shelf_shows_what_was_added_last_first(engine):
    job = engine.host.add(["the newest sentence"])
    assert job.wait(60)
    (new,) = job.added
    assert engine.host.shelf(None, 0, 5)[0].id == new
    everything = [item.id for start in range(0, 14, 5) for item in engine.host.shelf(None, start, 5)]
    assert len(everything) == len(set(everything)) == sum(engine.host.counts().values()) == 13


def test_examples_and_sentences_come_from_the_gallery(engine):
    assert {item.modality for item in engine.host.examples(Modality.AUDIO, 6)} == {Modality.AUDIO}
    assert len(engine.host.examples(Modality.IMAGE, 2)) == 2
    assert "a red wall" in engine.host.sentences(6)


def test_without_texts_the_titles_are_offered(engine):
    engine.host.delete([item.id for item in engine.host.shelf(Modality.TEXT, 0, 50)])
    assert "hum" in engine.host.sentences(6)


def test_items_of_another_model_are_embedded_again_on_request(tmp_path):
    with Gallery.open(tmp_path / "gallery", ToyModel()) as gallery:
        gallery.add(["a red wall", "a blue door"])

    def load(say, call):
        model = ToyModel("other", "0123456789ab")
        return model, Gallery.open(tmp_path / "gallery", model, call=call)

    engine = Engine(load)
    engine.start()
    assert settle(engine) and engine.missing() == 2
    engine.reembed()
    assert settle(engine) and engine.missing() == 0
    assert engine.host.search("a red wall", 1, list(Modality))[0].item.text == "a red wall"
    engine.close()


def test_where_nobody_can_be_asked_items_of_another_model_are_embedded_again_at_the_start(tmp_path):
    with Gallery.open(tmp_path / "gallery", ToyModel()) as gallery:
        gallery.add(["a red wall"])

    def load(say, call):
        model = ToyModel("other", "0123456789ab")
        return model, Gallery.open(tmp_path / "gallery", model, call=call)

    engine = Engine(load, library=Library.PRIVATE)
    engine.start()
    assert settle(engine) and engine.missing() == 0 and engine.gallery.missing() == 0
    engine.close()


def settle(engine: Engine) -> bool:
    """Wait until the engine is ready."""
    deadline = time.monotonic() + 60
    while engine.status.state != "ready" and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return engine.status.state == "ready"
