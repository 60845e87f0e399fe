from pathlib import Path

import numpy as np
import pytest

from tests.toy import ToyModel
from unimma import settings
from unimma.errors import GalleryError
from unimma.gallery import Gallery
from unimma.gallery.index import CandidateIndex
from unimma.retrieval import search
from unimma.types import Modality

FINGERPRINT = ToyModel().fingerprint
SENTENCES = [f"{colour} {number}" for number in range(10) for colour in ("red", "green", "blue")]


@pytest.fixture(autouse=True)
def small_galleries_use_the_index(monkeypatch):
    monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 5)


def unit_rows(count: int, dim: int = 8) -> np.ndarray:
    rows = np.random.default_rng(count).standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def ids_in(folder: Path) -> set[str]:
    index = CandidateIndex(folder / "chroma")
    try:
        return set(index.nearest(FINGERPRINT, Modality.TEXT, ToyModel().embed(["red"])[0], 1000))
    finally:
        index.close()


def test_more_vectors_than_one_batch_takes(tmp_path):
    index, vectors = CandidateIndex(tmp_path / "chroma"), unit_rows(5_600)
    ids = [str(i) for i in range(5_600)]
    index.upsert("model", Modality.AUDIO, ids, vectors)
    assert index.count("model", Modality.AUDIO) == 5_600
    index.delete(ids[:5_500])
    assert index.count("model", Modality.AUDIO) == 100
    index.match("model", Modality.AUDIO, ids[:10], vectors[:10])
    assert set(index.nearest("model", Modality.AUDIO, vectors[3], 50)) == set(ids[:10])
    index.close()


def test_models_and_modalities_stay_apart(tmp_path):
    index, vectors = CandidateIndex(tmp_path / "chroma"), unit_rows(9)
    index.upsert("one", Modality.TEXT, ["a"], vectors[:1])
    index.upsert("one", Modality.IMAGE, ["b"], vectors[1:2])
    index.upsert("two", Modality.TEXT, ["c"], unit_rows(1, dim=5))
    assert index.nearest("one", Modality.TEXT, vectors[0], 9) == ["a"]
    assert index.nearest("one", Modality.IMAGE, vectors[0], 9) == ["b"]
    index.delete(["a", "c", "unknown"])
    assert [index.count(*place) for place in (("one", Modality.TEXT), ("two", Modality.TEXT))] == [0, 0]
    index.close()


def test_the_index_follows_what_is_added_and_deleted(open_gallery):
    gallery = open_gallery()
    added = gallery.add(SENTENCES).added
    gallery.delete(added[:7])
    gallery.close()
    assert ids_in(gallery.folder) == set(added[7:])


def test_without_a_model_deleting_reaches_the_index_too(open_gallery):
    gallery = open_gallery()
    added = gallery.add(SENTENCES).added
    gallery.close()
    bare = open_gallery(with_model=None)
    bare.delete(added[:7])
    bare.close()
    assert ids_in(gallery.folder) == set(added[7:])


def found(gallery: Gallery) -> list[tuple[str, float]]:
    return [(hit.item.title, hit.similarity) for hit in search(gallery, "red", k=10)]


def lose_the_folder(folder: Path) -> None:
    for path in sorted((folder / "chroma").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def damage_the_database(folder: Path) -> None:
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 1000)


def damage_the_graph(folder: Path) -> None:
    for path in (folder / "chroma").rglob("*.bin"):
        path.write_bytes(b"")


def lose_vectors(folder: Path) -> None:
    index = CandidateIndex(folder / "chroma")
    index.delete(
        sorted(ids_in_index := set(index.nearest(FINGERPRINT, Modality.TEXT, ToyModel().embed(["red"])[0], 9)))
    )
    assert ids_in_index
    index.close()


def swap_a_vector_for_one_of_no_item(folder: Path) -> None:
    index, query = CandidateIndex(folder / "chroma"), ToyModel().embed(["red"])
    index.delete(index.nearest(FINGERPRINT, Modality.TEXT, query[0], 1))
    index.upsert(FINGERPRINT, Modality.TEXT, ["nobody"], query)
    index.close()


@pytest.mark.parametrize("harm", [lose_the_folder, damage_the_database, damage_the_graph, lose_vectors])
def test_a_harmed_index_is_mended_on_opening_and_loses_nothing(open_gallery, harm):
    gallery = open_gallery()
    added = gallery.add(SENTENCES).added
    expected = found(gallery)
    gallery.close()
    harm(gallery.folder)
    for _ in range(2):
        again = open_gallery()
        assert found(again) == expected
        again.add([f"blue again {again.count()}"])
        again.close()
    assert ids_in(gallery.folder) >= set(added)


def test_strangers_in_the_index_are_never_shown(open_gallery):
    gallery = open_gallery()
    gallery.add(SENTENCES)
    gallery.close()
    swap_a_vector_for_one_of_no_item(gallery.folder)
    assert {hit.item.title for hit in search(open_gallery(), "red", k=9)} <= set(SENTENCES)


def test_where_the_index_fails_search_goes_on_exactly_and_the_next_opening_mends_it(open_gallery, monkeypatch, caplog):
    gallery = open_gallery()
    gallery.add(SENTENCES)
    expected = search(gallery, "red", k=10)

    def broken(self, *args):
        raise GalleryError("broken", "not broken", "Mend it.")

    with monkeypatch.context() as patch:
        patch.setattr(CandidateIndex, "nearest", broken)
        assert search(gallery, "red", k=10) == expected
    assert "every search is exact" in caplog.text
    gallery.add(["a late one"])
    assert gallery.delete([gallery.add(["short-lived"]).added[0]]) == 1
    gallery.close()
    again = open_gallery()
    again.close()
    assert len(ids_in(gallery.folder)) == len(SENTENCES) + 1
