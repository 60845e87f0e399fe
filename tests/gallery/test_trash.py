"""Throwing away and bringing back; deleting, so that nothing is left."""

import random
import string
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.conftest import write_picture
from tests.toy import ToyModel
from unimma import settings
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Gallery
from unimma.retrieval import search
from unimma.types import Item, Modality


def found(gallery: Gallery) -> list[tuple[str, float, str]]:
    return [(hit.item.id, hit.similarity, hit.item.title) for hit in search(gallery, "red", k=50)]


def media(gallery: Gallery) -> set[str]:
    return {path.stem for path in (gallery.folder / "media").iterdir()}


@pytest.fixture(params=[False, True], ids=["exact", "through the index"])
def gallery(request, open_gallery, files, monkeypatch):
    monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 0 if request.param else 1000)
    opened = open_gallery()
    opened.add([files, "red", "a red wall", "blue and red"])
    return opened


def test_what_is_thrown_away_is_hidden_from_everything_and_comes_back_as_it_was(gallery):
    items, hits, facets = gallery.list(), found(gallery), gallery.facets()
    thrown = [item.id for item in items[2:9:3]]
    assert gallery.trash([*thrown, "nothing"]) == 3
    assert gallery.trash(thrown) == 0
    assert not set(thrown) & ({item.id for item in gallery.list()} | {hit[0] for hit in found(gallery)})
    assert (gallery.count(), sum(gallery.facets()["modality"].values())) == (7, 7)
    assert gallery.get_many(thrown) == gallery.likenesses(thrown) == {}
    with pytest.raises(GalleryError):
        gallery.get(thrown[0])
    assert media(gallery) == {item.id for item in items}
    assert gallery.num_bytes() == sum(item.num_bytes for item in items)
    assert gallery.restore([*thrown, "nothing"]) == 3
    assert gallery.restore(thrown) == 0
    assert (gallery.list(), found(gallery), gallery.facets()) == (items, hits, facets)


def test_purging_and_opening_delete_what_was_thrown_away(gallery, open_gallery):
    first, second, *others = [item.id for item in gallery.list()]
    gallery.trash([first])
    assert gallery.purge() == 1 and gallery.purge() == 0
    assert gallery.restore([first]) == 0
    gallery.trash([second])
    gallery.close()
    again = open_gallery()
    assert again.restore([second]) == 0
    assert [item.id for item in again.list()] == others
    assert media(again) == set(others)


def test_what_is_added_again_leaves_the_trash_and_purging_spares_its_media(gallery, files):
    (item,) = [item for item in gallery.list() if item.title == "hum"]
    gallery.trash([item.id])
    assert gallery.add([files / "hum.wav"], metadata={"new": True}).added == (item.id,)
    assert gallery.restore([item.id]) == 0
    assert gallery.get(item.id).metadata == {"new": True}
    gallery.trash([item.id])
    gallery.add([files / "hum.wav"])
    assert gallery.purge() == 1
    assert Path(gallery.get(item.id).uri).is_file()


def test_deleting_reaches_into_the_trash(gallery):
    first, second, *_ = [item.id for item in gallery.list()]
    gallery.trash([first])
    assert gallery.delete([first, second]) == 2
    assert gallery.restore([first]) == 0
    assert not {first, second} & media(gallery)


def test_without_a_model_the_trash_works_as_well(gallery, open_gallery):
    hits, first = found(gallery), gallery.list()[0].id
    gallery.close()
    bare = open_gallery(with_model=None)
    assert bare.trash([first]) == 1 and bare.count() == 9
    assert bare.restore([first]) == 1
    bare.close()
    assert found(open_gallery()) == hits


def test_one_id_in_place_of_a_list_is_said(gallery):
    for act in (gallery.trash, gallery.restore, gallery.delete):
        with pytest.raises(ConfigError, match="a list of ids"):
            act(gallery.list()[0].id)


# deleted means gone


def mark(seed: int) -> str:
    return "".join(random.Random(seed).choices(string.ascii_lowercase, k=40))


def marked_items(folder: Path) -> list[Item]:
    picture = write_picture(folder / "noise.png", (90, 120, 150), seed=7)
    facts = {"caption": mark(1), mark(2): "x", "label": mark(3)}
    return [
        Item(Modality.IMAGE, mark(4), uri=str(picture), metadata=facts),
        *(Item(Modality.TEXT, f"{mark(5)} {n}", text=f"{mark(6)} {n} " * 300, metadata=facts) for n in range(40)),
    ]


def traces(gallery: Gallery, vectors: list[bytes], pictures: list[bytes]) -> dict[str, list[str]]:
    """Which files below the folder hold any of what was deleted."""
    words = {f"words {seed}": mark(seed).encode() for seed in range(1, 7)}
    middles = {f"picture {n}": each[len(each) // 2 :][:60] for n, each in enumerate(pictures)}
    wanted = words | middles | {f"vector {n}": each for n, each in enumerate(vectors)}
    left: dict[str, list[str]] = {}
    for path in gallery.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            held = [name for name, needle in wanted.items() if needle in content]
            if held:
                left[str(path.relative_to(gallery.folder))] = held
    return left


@pytest.mark.parametrize("way", ["delete", "trash and purge", "trash and open again"])
def test_h34_what_is_deleted_is_in_no_file_below_the_gallery(open_gallery, files, tmp_path, way):
    gallery = open_gallery()
    kept = gallery.add([files, *(f"sentence {number}" for number in range(60))]).added
    gone = gallery.add(marked_items(tmp_path)).added
    gallery.add([f"a later sentence {number}" for number in range(60)])
    pictures = [gallery.get(gone[0]).thumbnail, Path(gallery.get(gone[0]).uri).read_bytes()]
    vectors = [row.tobytes() for row in gallery.embeddings(gone).values()]
    assert all(len(row) == 4 * gallery.model.dim for row in vectors)
    before = traces(gallery, vectors, pictures)
    assert {name for names in before.values() for name in names} >= {f"words {seed}" for seed in range(1, 7)}
    assert any("vector 0" in names for names in before.values())
    assert any("picture 0" in names for names in before.values())

    gallery.update(gone[1], title="another title")
    if way == "delete":
        assert gallery.delete(gone) == len(gone)
    elif way == "trash and purge":
        gallery.trash(gone)
        assert gallery.purge() == len(gone)
    else:
        gallery.trash(gone)
        gallery.close()
        gallery = open_gallery()
    after = traces(gallery, vectors, pictures)
    assert {path for path in after if not path.startswith("chroma")} == set()
    assert not {item.id for item in gallery.list(limit=1000)} & set(gone)
    gallery.compact()
    assert traces(gallery, vectors, pictures) == {}
    assert {hit[0] for hit in found(gallery)} <= {item.id for item in gallery.list(limit=1000)}
    assert set(kept) <= {item.id for item in gallery.list(limit=1000)}
    gallery.close()
    assert traces(gallery, vectors, pictures) == {}
    assert {item.id for item in open_gallery().list(limit=1000)}.isdisjoint(gone)


def test_h34_in_a_large_gallery_the_database_itself_is_clean_after_compacting(open_gallery, tmp_path, monkeypatch):
    monkeypatch.setattr("unimma.gallery.database._QUICK_BYTES", 0)
    gallery = open_gallery()
    gallery.add([f"sentence {number}" for number in range(60)])
    gone = gallery.add(marked_items(tmp_path)).added
    pictures = [gallery.get(gone[0]).thumbnail, Path(gallery.get(gone[0]).uri).read_bytes()]
    vectors = [row.tobytes() for row in gallery.embeddings(gone).values()]
    gallery.delete(gone)
    left = traces(gallery, vectors, pictures)
    assert {path for path in left if not path.startswith("chroma")} <= {"items.sqlite"}
    gallery.compact()
    assert traces(gallery, vectors, pictures) == {}


def test_h34_without_a_model_compacting_leaves_no_trace_either(open_gallery, tmp_path):
    gallery = open_gallery()
    gallery.add(["red", "blue"])
    gone = gallery.add(marked_items(tmp_path)).added
    vectors = [row.tobytes() for row in gallery.embeddings(gone).values()]
    gallery.close()
    bare = open_gallery(with_model=None)
    bare.delete(gone)
    bare.compact()
    assert traces(bare, vectors, []) == {}
    bare.close()
    assert [hit[2] for hit in found(open_gallery())] == ["red", "blue"]


def test_compacting_makes_the_folder_smaller_and_changes_no_answer(open_gallery, monkeypatch):
    monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 0)
    monkeypatch.setattr("unimma.gallery.database._QUICK_BYTES", 0)
    gallery = open_gallery()
    added = gallery.add([f"red sentence {number} " * 20 for number in range(200)]).added
    gallery.delete(added[:150])
    hits, before = found(gallery), (gallery.folder / "items.sqlite").stat().st_size
    gallery.compact()
    assert (gallery.folder / "items.sqlite").stat().st_size < 0.7 * before
    assert found(gallery) == hits
    gallery.add(["red again"])
    hits = found(gallery)
    assert "red again" in {hit[2] for hit in hits}
    gallery.close()
    assert found(open_gallery()) == hits
    assert list((gallery.folder / "chroma").glob("*/data_level0.bin"))


def test_rebuilding_makes_the_index_anew(open_gallery, monkeypatch):
    monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 0)
    gallery = open_gallery()
    gallery.add([f"red {number}" for number in range(30)])
    hits = found(gallery)
    gallery.rebuild()
    assert found(gallery) == hits
    gallery.close()
    for path in (gallery.folder / "chroma").rglob("*.bin"):
        path.write_bytes(b"")
    bare = open_gallery(with_model=None)
    bare.rebuild()
    bare.close()
    assert not list((gallery.folder).glob("chroma/*"))
    assert found(open_gallery()) == hits


def test_without_an_index_nothing_but_the_store_is_made(tmp_path, files):
    with Gallery.open(tmp_path / "small", ToyModel(), index=False) as gallery:
        added = gallery.add([files, "red"]).added
        gallery.delete(added[:1])
        expected = found(gallery)
        gallery.compact()
        assert not (gallery.folder / "chroma").exists()
        assert found(gallery) == expected
    with Gallery.open(tmp_path / "small", ToyModel()) as gallery:
        assert (gallery.folder / "chroma").exists()
        rows = gallery.embeddings(added)
    with Gallery.open(tmp_path / "small", ToyModel(), index=False) as gallery:
        gallery.delete(added[1:2])
        gallery.compact()
        assert not (gallery.folder / "chroma").exists()
        assert np.array_equal(gallery.embeddings(added)[added[2]], rows[added[2]])
