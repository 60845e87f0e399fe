"""The shelf of the library: what of it is looked at, in which order, and how an item is told."""

import html
import json
import re

import pytest

from tests.ui.conftest import toy_engine
from unimma.types import Item, Modality
from unimma.ui import shelf
from unimma.ui.shelf import View
from unimma.ui.visit import Visit


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    engine = toy_engine(tmp_path_factory.mktemp("shelf"))
    engine.start()
    assert engine.wait(60)
    yield engine.visits.of("one")
    engine.close()


def shown(visit: Visit, view: View) -> list[str]:
    page = str(shelf.shelf(visit, view))
    return [json.loads(html.unescape(data))["title"] for data in re.findall(r'data-item="([^"]*)"', page)]


def test_what_was_added_last_comes_first_and_the_other_way_round(visit):
    assert shown(visit, View())[0] == "<img src=x onerror=alert(1)>"
    assert shown(visit, View(descending=False)) == shown(visit, View())[::-1]


@pytest.mark.parametrize(
    ("order", "first"),
    [("title", "<img src=x onerror=alert(1)>"), ("length", "grey"), ("size", "grey")],
)
def test_each_order_begins_where_people_expect_it(visit, order, first):
    view = View().after({"set": "order", "value": order})
    assert shown(visit, view)[0] == first
    assert view.after({"set": "direction"}).descending is not view.descending


def test_words_narrow_titles_captions_and_texts_in_every_order(visit):
    assert set(shown(visit, View(words="red"))) == {"red wall", "a red wall"}
    assert shown(visit, View(words="wall red", order="title", descending=False)) == ["a red wall", "red wall"]
    assert shown(visit, View(words="wall", kind=Modality.TEXT)) == ["a red wall"]
    assert shown(visit, View(words="nowhere")) == []


def test_items_without_a_length_come_last_in_both_directions(visit):
    for words in ("", "grey"):
        for descending in (True, False):
            titles = shown(visit, View(words=words, order="length", descending=descending))
            assert titles[0] in ("grey", "hum", "whistle")


def test_kinds_and_facets_narrow_and_are_taken_back(visit):
    pictures = View().after({"set": "kind", "value": "image"})
    assert set(shown(visit, pictures)) == {"red wall", "green wall", "blue wall"}
    short = View().narrowed("length", "under 10 s")
    assert set(shown(visit, short)) == {"grey", "hum", "whistle"}
    assert short.narrowed("length", "") == View() == pictures.after({"set": "all"})


@pytest.mark.parametrize(
    "sent",
    [{}, {"set": "kind", "value": "smell"}, {"set": "order", "value": "colour"}, {"set": "offset", "value": "-3"},
     {"set": "offset", "value": "²"}, {"set": ["kind"], "value": None}],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(sent):
    assert View(kind=Modality.TEXT).after(sent) == View(kind=Modality.TEXT)
    assert View().narrowed("colour", "red") == View()


def test_pages_go_on_and_a_page_that_is_gone_falls_back_to_the_first(visit, monkeypatch):
    monkeypatch.setattr(shelf, "PAGE_SIZE", 5)
    all_titles = shown(visit, View())
    assert len(all_titles) == 5
    second = shown(visit, View(offset=5))
    assert len(second) == 5 and not set(second) & set(all_titles)
    assert "6–10 of 12" in str(shelf.shelf(visit, View(offset=5)))
    assert shown(visit, View(offset=500)) == all_titles
    assert [item.title for item in shelf.all_items(visit, View())][:10] == all_titles + second


def test_the_list_to_keep_holds_what_is_looked_at(visit):
    assert {item.title for item in shelf.all_items(visit, View(words="wall"))} == {
        "red wall", "green wall", "blue wall", "a red wall",
    }  # fmt: skip


def test_what_strangers_wrote_is_data_and_text(visit):
    page = str(shelf.shelf(visit, View()))
    assert "<img src=x" not in page and "&lt;img src=x" in page
    hostile = Item(
        Modality.IMAGE, '"><script>alert(1)</script>', id="1f", uri="media/gallery/1f", metadata={"caption": "'\">"}
    )
    assert "<script>" not in str(shelf.tile(hostile, can_change=True, is_own=True))


def test_how_much_there_is_is_said_in_items_and_bytes(visit):
    assert re.search(r"<h2[^>]*>12 items, [\d.]+ (kB|bytes)</h2>", str(shelf.shelf(visit, View())))
    assert "3 of 12 items, " in str(shelf.shelf(visit, View(kind=Modality.IMAGE)))
    assert "Nothing here is all of that" in str(shelf.shelf(visit, View(words="nowhere")))


@pytest.mark.parametrize(
    ("num_bytes", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (69_000_000, "69 MB"), (2.5e9, "2.5 GB")],
)
def test_sizes_are_told_for_people(num_bytes, told):
    assert shelf.size(int(num_bytes)) == told


def test_lengths_are_told_in_minutes_and_seconds():
    assert [shelf.length(seconds) for seconds in (0.4, 7.0, 61.0, 3_690.0)] == ["0:00", "0:07", "1:01", "61:30"]
