from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers import write_picture, write_tone
from tests.toy import ToyModel
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Gallery
from unimma.gallery.union import Union
from unimma.retrieval import search
from unimma.types import Hit, Item, Modality

WORDS = ("red", "green", "blue", "low", "high", "dog", "cat", "rain")


def text(words: str, **metadata: str) -> Item:
    return Item(Modality.TEXT, words, text=words, metadata=metadata)


@pytest.fixture
def made(tmp_path: Path):
    """Makes galleries of the toy model that are closed in the end."""
    opened: list[Gallery] = []

    def make(items: Sequence[Item | Path | str] = (), model: ToyModel | None = None) -> Gallery:
        gallery = Gallery.open(tmp_path / f"gallery {len(opened)}", model or ToyModel(), index=False)
        opened.append(gallery)
        gallery.add(items)
        return gallery

    yield make
    for gallery in opened:
        gallery.close()


def seen(hits: Sequence[Hit]) -> list[tuple[str, int, float, float, bool, bool, list[str]]]:
    """What does not depend on where an item is kept."""
    return [
        (h.item.id, h.rank, pytest.approx(h.score, abs=1e-9), h.similarity, h.exact, h.likely, [a.id for a in h.alike])
        for h in hits
    ]


sentences = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), max_size=12)


@settings(max_examples=25, deadline=None)
@given(
    sentences, sentences, sentences, st.sampled_from(["red dog", '"rain"', 'a "low cat" in blue']), st.integers(1, 9)
)
def test_a_union_answers_like_one_gallery_with_all_that_is_in_them(tmp_path_factory, a, b, c, query, k):
    folder = tmp_path_factory.mktemp("galleries")
    model = ToyModel()
    with (
        Gallery.open(folder / "a", model, index=False) as first,
        Gallery.open(folder / "b", model, index=False) as second,
        Gallery.open(folder / "c", model, index=False) as third,
        Gallery.open(folder / "one", model, index=False) as one,
    ):
        for gallery, some in ((first, a), (second, b), (third, c)):
            gallery.add([text(words, mark=words[0]) for words in some])
            one.add([text(words, mark=words[0]) for words in some])
        union = Union([first, second, third])
        for where in (None, {"mark": "r"}, {"mark": ["g", "l"]}):
            assert seen(search(union, query, k, where=where)) == seen(search(one, query, k, where=where))
            assert union.ids(None, where) == one.ids(None, where)
            assert union.count(None, where) == one.count(None, where)
            for offset in range(0, 12, 3):
                page = [item.id for item in union.list(None, where, offset, 4)]
                assert page == [item.id for item in one.list(None, where, offset, 4)]
            assert union.containing(["dog"], None, where) == one.containing(["dog"], None, where)
        vector = model.embed(["red"])[0]
        of_union, of_one = union.background(vector, Modality.TEXT), one.background(vector, Modality.TEXT)
        assert of_union.num_items == of_one.num_items
        assert (of_union.mean, of_union.std) == pytest.approx((of_one.mean, of_one.std), abs=1e-6)


def test_an_item_in_both_is_there_once_as_the_first_has_it(made):
    own, host = made([text("red dog")]), made([text("green"), text("red dog"), text("blue")])
    (item_id,) = own.ids()
    own.update(item_id, title="mine")
    union = Union([own, host])
    assert union.get(item_id).title == "mine"
    assert [item.title for item in union.list()] == ["mine", "green", "blue"]
    assert [hit.item.title for hit in search(union, "red dog")] == ["mine", "green", "blue"]
    assert union.count() == 3


def test_what_the_first_one_says_of_an_item_decides_filters(made):
    own, host = made([text("red", mark="own")]), made([text("red", mark="host"), text("green", mark="host")])
    union = Union([own, host])
    assert [hit.item.title for hit in search(union, "red", where={"mark": "host"})] == ["green"]
    assert [item.title for item in union.list(where={"mark": "host"})] == ["green"]
    assert union.count(where={"mark": "host"}) == 1


def test_media_of_both_are_found_and_stack_across_them(made, tmp_path):
    one = write_picture(tmp_path / "one.png")
    other = write_picture(tmp_path / "other.jpg", quality=60)
    own, host = made([one, write_tone(tmp_path / "a.wav")]), made([other, "red"])
    union = Union([own, host])
    hits = search(union, one)
    assert [hit.item.id for hit in hits if hit.item.modality is Modality.IMAGE] == own.ids(Modality.IMAGE)
    assert [item.id for item in hits[0].alike] == host.ids(Modality.IMAGE)
    assert Path(hits[0].item.uri).is_file() and Path(hits[0].alike[0].uri).is_file()
    assert set(union.likenesses(union.ids())) == {*own.ids(Modality.IMAGE), *host.ids(Modality.IMAGE)}


def test_facets_are_summed(made):
    union = Union([made([text("red", label="a"), text("low", label="b")]), made([text("green", label="b")])])
    facets = union.facets()
    assert facets["label"] == {"b": 2, "a": 1}
    assert list(facets["label"]) == ["b", "a"]
    assert facets["modality"] == {"text": 3}


def test_a_change_shows_at_once(made):
    own, host = made(), made(["red"])
    union = Union([own, host])
    assert union.has_findable() and union.missing() == 0
    own.add(["green"])
    assert [item.title for item in union.list()] == ["green", "red"]
    host.delete(host.ids())
    assert [hit.item.title for hit in search(union, "red")] == ["green"]


def test_an_empty_union_has_no_answer_and_no_spread(made):
    union = Union([made(), made()])
    assert search(union, "red") == []
    assert union.background(np.eye(union.model.dim, dtype=np.float32)[0], Modality.TEXT).num_items == 0


def test_two_models_or_no_gallery_are_refused(made):
    with pytest.raises(GalleryError, match="2 models"):
        Union([made(), made(model=ToyModel("other", "0123456789ab"))])
    with pytest.raises(GalleryError, match="none at all"):
        Union([])


def test_unknown_ids_and_negative_pages_are_refused(made):
    union = Union([made(["red"])])
    with pytest.raises(GalleryError, match="no item"):
        union.get("nothing")
    with pytest.raises(ConfigError):
        union.list(offset=-1)
