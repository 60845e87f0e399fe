"""Visitors: what each may see and change, what it costs, and what is left when they have gone."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.makers import write_picture
from tests.ui.conftest import COLOURS, even, toy_engine
from unimma.errors import GalleryError, MediaError
from unimma.settings import Quotas
from unimma.types import Modality
from unimma.ui.engine import Engine
from unimma.ui.visit import IDLE_AFTER_S, LEFT_AFTER_S, Library, Visit


@pytest.fixture
def open_engine(tmp_path, monkeypatch):
    engines = []
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))

    def open_(library: Library, quotas: Quotas | None = None) -> Engine:
        engine = toy_engine(tmp_path / f"app {len(engines)}", library, quotas)
        (tmp_path / f"app {len(engines)}").mkdir()
        engines.append(engine)
        engine.start()
        assert engine.wait(60)
        return engine

    yield open_
    for engine in engines:
        engine.close()


def add(visit: Visit, *sources: str | Path) -> list[str]:
    job = visit.add(sources)
    assert job.wait(60) and job.state == "done"
    return job.added


def upload(folder: Path, colour: str) -> Path:
    """A picture in a folder of its own, as Gradio keeps each upload."""
    (folder / "uploads" / colour).mkdir(parents=True)
    return write_picture(folder / "uploads" / colour / "a.png", even(COLOURS[colour]))


def texts(visit: Visit, query: str) -> set[str | None]:
    return {hit.item.text for hit in visit.search(query, 50, [Modality.TEXT])}


def test_in_a_private_library_each_finds_their_own_and_the_hosts(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    one, two = engine.visits.of("one"), engine.visits.of("two")
    (mine,) = add(one, "a red secret of mine")
    assert "a red secret of mine" in texts(one, "red") and "a red wall" in texts(one, "red")
    assert "a red secret of mine" not in texts(two, "red") and "a red wall" in texts(two, "red")
    assert one.counts()[Modality.TEXT] == two.counts()[Modality.TEXT] + 1
    for look in (two.find, two.content):
        with pytest.raises(GalleryError):
            look(mine)
    for change in (two.delete, two.trash):
        with pytest.raises(GalleryError):
            change([mine])
    with pytest.raises(GalleryError):
        two.update(mine, title="theirs", caption="")
    assert one.may_change(mine) and not two.may_change(mine)


def test_the_hosts_items_can_be_changed_by_no_private_visitor(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    item = visit.shelf(Modality.TEXT, 0, 1)[0]
    add(visit, "something of mine")
    for change in (visit.delete, visit.trash):
        with pytest.raises(GalleryError):
            change([item.id])
    assert not visit.may_change(item.id) and engine.gallery.get_many([item.id])


def test_a_visit_that_is_over_leaves_no_file(open_engine, tmp_path):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    uploads = [upload(tmp_path, name) for name in ("red", "blue")]
    add(visit, uploads[0])
    visit.decode(uploads[1])
    root = engine._root.path
    assert list(root.rglob("*.webp"))
    engine.visits.leave("one")
    assert engine.visits.sweep(time.monotonic()) == 0  # the page may just be loaded anew
    assert engine.visits.sweep(time.monotonic() + LEFT_AFTER_S + 1) == 1
    assert not [path for path in root.rglob("*") if path.is_file()] and not any(path.exists() for path in uploads)
    assert len(engine.visits) == 0


def test_a_page_that_is_loaded_anew_comes_back_to_its_visit(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.enter("one", "")
    add(visit, "a red secret of mine")
    engine.visits.leave("one")
    again = engine.visits.enter("two", visit.key)
    assert again is visit and engine.visits.sweep(time.monotonic() + LEFT_AFTER_S + 1) == 0
    assert engine.visits.enter("three", "a key of nobody") is not visit


def test_a_visit_without_a_sign_of_life_ends(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    add(visit, "a red secret of mine")
    assert engine.visits.sweep(visit.meter.seen + IDLE_AFTER_S - 1) == 0
    assert engine.visits.sweep(visit.meter.seen + IDLE_AFTER_S + 1) == 1
    assert engine.visits.of("one") is not visit


def test_everything_can_be_deleted_at_once(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    add(visit, "a red secret of mine", "another one")
    assert visit.forget() == 2 and "a red secret of mine" not in texts(visit, "red")
    assert add(visit, "a red secret of mine")  # and the visit goes on


def test_in_a_shared_library_everybody_finds_and_changes_everything(open_engine):
    engine = open_engine(Library.SHARED)
    one, two = engine.visits.of("one"), engine.visits.of("two")
    (item,) = add(one, "a red thing for all")
    assert "a red thing for all" in texts(two, "red")
    assert two.update(item, title="Ours", caption="held by both").metadata["caption"] == "held by both"
    engine.visits.leave("one")
    engine.visits.sweep(time.monotonic() + LEFT_AFTER_S + 1)
    assert "a red thing for all" in texts(two, "red")  # stays when its visitor has left
    other = add(two, "a blue thing for all")
    assert two.forget() == 1 and not engine.gallery.get_many(other) and engine.gallery.get_many([item])


def test_a_read_only_library_takes_nothing_and_gives_everything(open_engine):
    engine = open_engine(Library.READ_ONLY, Quotas())
    visit = engine.visits.of("one")
    assert "a red wall" in texts(visit, "red")
    item = visit.shelf(None, 0, 1)[0]
    for change in (lambda: visit.add(["a sentence"]), lambda: visit.delete([item.id]), lambda: visit.purge()):
        with pytest.raises(GalleryError, match="read-only"):
            change()
    assert engine.host.delete([item.id]) == 1  # the host may


def test_what_was_hidden_comes_back_until_it_is_purged(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    ids = add(visit, "a red secret of mine", "a red tale of mine")
    assert visit.trash(ids) == 2 and not texts(visit, "red") & {"a red secret of mine", "a red tale of mine"}
    assert visit.restore(ids[:1]) == 1 and "a red secret of mine" in texts(visit, "red")
    assert visit.purge() == 1 and visit.restore(ids[1:]) == 0


def test_the_number_of_items_of_a_visitor_is_bounded_and_the_rest_is_listed(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas(max_visitor_items=20))
    visit = engine.visits.of("one")
    job = visit.add([f"sentence {number}" for number in range(40)])
    assert job.wait(60) and job.state == "failed" and "20 items" in job.failure
    assert len(job.added) == 20 and len(job.refused) == 20
    assert job.refused[0] == ("sentence 20", job.failure) and (job.done, job.total) == (40, 40)


def test_the_bytes_of_a_visitor_are_bounded(open_engine, tmp_path):
    engine = open_engine(Library.PRIVATE, Quotas(max_visitor_bytes=1))
    visit = engine.visits.of("one")
    add(visit, upload(tmp_path, "red"))
    job = visit.add([upload(tmp_path, "blue")])
    assert job.wait(60) and job.state == "failed" and "MB" in job.refused[0][1]


def test_the_time_of_a_visitor_is_bounded_and_no_other_pays(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas(max_visitor_seconds=1e-9))
    one, two = engine.visits.of("one"), engine.visits.of("two")
    texts(one, "red")
    with pytest.raises(MediaError, match="seconds of computing"):
        texts(one, "red")
    assert texts(two, "red")


def test_there_are_only_so_many_visits_at_once(open_engine):
    engine = open_engine(Library.PRIVATE, Quotas(max_visits=2))
    engine.visits.of("one"), engine.visits.of("two")
    with pytest.raises(GalleryError, match="2 visitors"):
        engine.visits.of("three")
    engine.visits.leave("one")
    engine.visits.sweep(time.monotonic() + LEFT_AFTER_S + 1)
    assert engine.visits.of("three")


def test_an_adding_can_be_paused_resumed_and_stopped_without_loss(open_engine, monkeypatch):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    add(visit, "the first one")
    seen, go_on = threading.Event(), threading.Event()
    embed = engine.model.embed

    def slow(items):
        seen.set()
        go_on.wait()
        return embed(items)

    monkeypatch.setattr(engine.model, "embed", slow)
    job = visit.add([f"sentence {number}" for number in range(48)])
    assert seen.wait(60)
    with pytest.raises(MediaError, match="still going on"):
        visit.add(["another"])
    job.pause()
    go_on.set()
    assert not job.wait(0.2) and job.state == "paused"
    job.resume()
    job.stop()
    assert job.wait(60) and job.state == "stopped"
    assert 0 < len(job.added) < 48 and len(job.added) + len(job.refused) == 48
    assert set(job.added) <= {item.id for item in visit.shelf(Modality.TEXT, 0, 100)}


def test_addings_of_many_stand_in_line_and_each_is_told_its_place(open_engine, monkeypatch):
    engine = open_engine(Library.PRIVATE, Quotas())
    go_on = threading.Event()
    embed = engine.model.embed
    monkeypatch.setattr(engine.model, "embed", lambda items: go_on.wait() and embed(items))
    jobs = [engine.visits.of(f"visitor {number}").add(["a sentence"]) for number in range(12)]
    deadline = time.monotonic() + 60
    while sum(job.state == "waiting" and job.place > 0 for job in jobs) < 11 - engine._line._at_once + 1:
        assert not jobs[-1].wait(0.01) and time.monotonic() < deadline
    places = sorted(job.place for job in jobs)
    assert places[0] == 0 and places[-1] == 11
    go_on.set()
    assert all(job.wait(60) and job.state == "done" for job in jobs)


def test_what_a_killed_app_left_of_visits_is_deleted_by_the_next(open_engine, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIMMA_DATA_DIR", str(tmp_path / "data"))
    left = tmp_path / "data" / "visits" / "abc"
    (left / "media").mkdir(parents=True)
    (left / "media" / "private.webp").write_bytes(b"x")
    left.with_suffix(".lock").touch()
    running = open_engine(Library.PRIVATE)
    assert not left.exists() and not left.with_suffix(".lock").exists()
    open_engine(Library.PRIVATE)
    assert running._root.path.exists()  # that of an app that runs is left alone


def test_a_file_that_is_no_upload_is_never_deleted(open_engine, tmp_path):
    engine = open_engine(Library.SHARED)
    (tmp_path / "mine").mkdir()
    own = write_picture(tmp_path / "mine" / "a.png", even(COLOURS["red"]))
    visit = engine.visits.of("one")
    add(visit, own)
    visit.decode(own)
    visit.forget()
    assert own.exists()


def test_copies_of_an_item_are_found_with_it_and_the_item_is_not(open_engine, tmp_path):
    engine = open_engine(Library.PRIVATE, Quotas())
    visit = engine.visits.of("one")
    (tmp_path / "uploads").mkdir()
    rows = np.linspace(0, 255, 240).astype(np.uint8)
    pixels = np.stack(
        [np.tile(rows, (180, 1)), np.tile(rows[:180, None], (1, 240)), np.full((180, 240), 90, np.uint8)], 2
    )
    files = [write_picture(tmp_path / "uploads" / f"copy.{ending}", pixels) for ending in ("png", "jpg", "webp")]
    one, *others = add(visit, *files)
    hits = visit.search(visit.content(one), 5, [Modality.IMAGE], leave_out=one)
    assert {hits[0].item.id, *(item.id for item in hits[0].alike)} == set(others)
    assert all(one not in {hit.item.id, *(item.id for item in hit.alike)} for hit in hits)
