"""Another model: items get its vectors from the media that are kept, and decoding may happen elsewhere."""

import logging
import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.conftest import write_tone
from tests.toy import ToyModel
from unimma.errors import GalleryError, MediaError
from unimma.gallery import Gallery
from unimma.gallery.index import CandidateIndex
from unimma.gallery.sources import prepare
from unimma.retrieval import search
from unimma.settings import Limits
from unimma.types import Item, Modality, Span


class Turned(ToyModel):
    """Another model: the same as the toy, with all axes in reverse."""

    def __init__(self) -> None:
        super().__init__("turned", "0123456789ab")

    def embed(self, items):
        return super().embed(items)[:, ::-1].copy()


@pytest.fixture
def filled(open_gallery, files, tmp_path):
    """A closed gallery of the toy model, with one item of every kind and a stretch of a sound."""
    gallery = open_gallery()
    long = write_tone(tmp_path / "long.wav", 300.0, 14.0)
    gallery.add([files, "a red wall", long, Item(Modality.AUDIO, "a part", uri=str(long), span=Span(1.0, 3.0))])
    gallery.close()
    for path in files.iterdir():
        path.unlink()
    return gallery.folder


def fingerprints(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "items.sqlite") as database:
        tables = ("vectors", "sequences", "models")
        found = {row[0] for table in tables for row in database.execute(f"SELECT fingerprint FROM {table}")}
    database.close()
    return found


def test_every_item_gets_a_vector_of_the_new_model_and_the_old_ones_go(filled, caplog):
    with caplog.at_level(logging.WARNING), Gallery.open(filled, Turned()) as gallery:
        assert "`python -m unimma reembed`" in caplog.text
        before, seen = gallery.list(), []
        report = gallery.reembed(lambda *progress: seen.append(progress))
        assert report.added == tuple(item.id for item in before) and not report.refused
        assert seen[-1] == (10, 10)
        assert gallery.list() == before and gallery.missing() == 0
        assert fingerprints(filled) == {Turned().fingerprint}
        moments = gallery.sequence(report.added)
        assert [gallery.get(item_id).title for item_id in moments] == ["long"]
        hits = [(hit.item.title, hit.rank) for hit in search(gallery, "red", k=20)]
        expected = {item.id: Turned().embed([Path(item.uri)])[0] for item in before if item.span is None}
        rows = gallery.embeddings(expected)
        assert all(np.array_equal(rows[item_id], row) for item_id, row in expected.items())
    with Gallery.open(filled, ToyModel()) as gallery:
        assert gallery.missing() == 10
        gallery.reembed()
        assert [(hit.item.title, hit.rank) for hit in search(gallery, "red", k=20)] == hits
    index = CandidateIndex(filled / "chroma")
    assert index.count(Turned().fingerprint, Modality.IMAGE) == 0
    index.close()


def test_it_goes_on_where_it_was_interrupted_and_keeps_the_old_vectors_until_all_are_new(filled):
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with Gallery.open(filled, ToyModel()) as gallery:
        gallery.add([f"sentence {number}" for number in range(30)])
        hits = search(gallery, "red", k=50)
    with Gallery.open(filled, Turned()) as gallery:
        with pytest.raises(InterruptedError):
            gallery.reembed(stop)
        assert 0 < gallery.missing() < 40
        assert fingerprints(filled) == {Turned().fingerprint, ToyModel().fingerprint}
    with Gallery.open(filled, ToyModel()) as gallery:
        assert search(gallery, "red", k=50) == hits
    with Gallery.open(filled, Turned()) as gallery:
        missing = gallery.missing()
        assert len(gallery.reembed().added) == missing
        order = [item.id for item in gallery.list(limit=100)]
        equal = [hit.item.id for hit in search(gallery, Turned().embed(["nothing at all"])[0], k=50, ranking="raw")]
        assert sorted(equal) == sorted(order)


def test_what_the_new_model_does_not_know_is_refused_and_keeps_its_old_vectors(filled):
    class Deaf(Turned):
        def __init__(self) -> None:
            super().__init__()
            self.modalities = frozenset(Modality) - {Modality.AUDIO}

    with Gallery.open(filled, Deaf()) as gallery:
        report = gallery.reembed()
        assert len(report.added) == 6 and gallery.missing() == 4
        assert {name for name, _ in report.refused} == {"hum", "whistle", "long", "a part"}
        assert fingerprints(filled) == {Turned().fingerprint, ToyModel().fingerprint}
    with Gallery.open(filled, ToyModel()) as gallery:
        assert gallery.missing() == 0


def test_media_that_are_lost_are_refused(filled):
    with Gallery.open(filled, Turned()) as gallery:
        lost = gallery.list(Modality.IMAGE)[0]
        Path(lost.uri).unlink()
        report = gallery.reembed()
        assert [name for name, _ in report.refused] == [lost.title]
        assert str(filled) not in report.refused[0][1]


def test_without_a_model_nothing_is_embedded_again(filled):
    with Gallery.open(filled, None) as gallery, pytest.raises(GalleryError, match="without a model"):
        gallery.reembed()


# decoding elsewhere


def test_decoding_may_happen_in_another_process(tmp_path, files):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        call = lambda function, *args: pool.submit(function, *args).result()  # noqa: E731
        with (
            Gallery.open(tmp_path / "elsewhere", ToyModel(), index=False, call=call) as there,
            Gallery.open(tmp_path / "here", ToyModel(), index=False) as here,
        ):
            assert there.add([files, "red"]).added == here.add([files, "red"]).added
            assert [replace(item, uri="", added="") for item in there.list()] == [
                replace(item, uri="", added="") for item in here.list()
            ]


def test_a_child_that_dies_costs_its_file_alone_and_leaves_nothing_behind(tmp_path, files):
    def call(function, *args):
        if function is prepare and args[0].name == "hum.wav":
            stem = args[4]
            (tmp_path / "gallery" / "staging" / f".{stem}-12ab.part").write_bytes(b"half of it")
            raise MediaError("hum.wav: not read", "a file that can be read", "Leave it out.")
        return function(*args)

    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False, call=call) as gallery:
        report = gallery.add([files])
        assert [name for name, _ in report.refused] == ["hum.wav"]
        assert len(report.added) == 6
        assert not list((gallery.folder / "staging").iterdir())


def test_adding_can_be_ended_with_a_report_of_what_came_in(tmp_path):
    asked = iter([True] * 20 + [False] * 20)
    with Gallery.open(tmp_path / "gallery", ToyModel(), limits=Limits(), index=False) as gallery:
        report = gallery.add([f"sentence {number}" for number in range(40)], go_on=lambda: next(asked))
        assert len(report.added) == gallery.count() == 20
