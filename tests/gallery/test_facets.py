"""Chips with counts, filters by time and length, and words in quotation marks."""

import sqlite3
from datetime import UTC, datetime

import pytest

from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.gallery.facets import added_choices, choice, facets
from unimma.gallery.items import ItemStore
from unimma.types import Item, Modality

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
ADDED = ["2026-11-25T00:00:00Z", "2026-11-24T23:59:59Z", "2026-11-22T10:00:00Z", "2026-10-31T23:59:59Z"]
LENGTHS = [9.99, 10.0, 60.0, 60.01]


@pytest.fixture
def gallery(tmp_path):
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as opened:
        for number in range(4):
            label = {"label": "rain"} if number < 3 else {"label": "sun", "source": "mine"}
            opened.add([f"sentence {number}"], metadata={"source": "starter", "count": 3} | label)
        with sqlite3.connect(opened.folder / "items.sqlite") as database:
            for number, (added, length_s) in enumerate(zip(ADDED, LENGTHS, strict=True)):
                values = (added, length_s, f"sentence {number}")
                database.execute("UPDATE items SET added = ?, duration_s = ? WHERE title = ?", values)
        database.close()
        yield opened


def titles(gallery, where) -> list[str]:
    return [item.title.removeprefix("sentence ") for item in gallery.list(where=where)]


def test_counts_fall_and_leave_out_what_would_leave_nothing(gallery):
    found = gallery.facets()
    assert found["modality"] == {"text": 4}
    assert list(found["source"].items()) == [("starter", 3), ("mine", 1)]
    assert list(found["label"].items()) == [("rain", 3), ("sun", 1)]
    assert found["length"] == {"10 to 60 s": 2, "over a minute": 1, "under 10 s": 1}
    assert list(gallery.facets(where={"label": "sun"})) == ["modality", "source", "label", "added", "length"]
    assert gallery.facets(where={"label": "sun"})["source"] == {"mine": 1}
    assert gallery.facets(modality=Modality.IMAGE) == {key: {} for key in found}


def test_every_count_is_what_its_filter_lets_through(gallery):
    store = ItemStore(gallery.folder / "items.sqlite")
    for where in (None, {"source": "starter"}):
        for facet, counts in facets(store, where, None, NOW).items():
            for value, count in counts.items():
                if facet != "modality":
                    assert gallery.count(where=(where or {}) | choice(facet, value, NOW)) == count
    store.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("today", "0"), ("this week", "01"), ("this month", "012"), ("earlier", "3")],
)
def test_times_are_days_weeks_from_monday_and_months(gallery, name, expected):
    assert titles(gallery, added_choices(NOW)[name]) == list(expected)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"added": {"gte": "2026-11-24"}}, "01"),
        ({"added": {"lte": "2026-11-24"}}, "123"),
        ({"added": {"gt": "2026-11-24"}}, "0"),
        ({"added": {"lt": "2026-11-24"}}, "23"),
        ({"added": "2026-11"}, "012"),
        ({"added": "2026-11-22T10:00:00Z"}, "2"),
        ({"added": {"gte": "2026-11-22", "lte": "2026-11-24"}}, "12"),
        ({"added": {"gte": 5}}, ""),
        ({"duration_s": {"lte": 10}}, "01"),
        ({"duration_s": {"gt": 10, "lt": 60.01}}, "2"),
        ({"duration_s": 60}, "2"),
        ({"duration_s": {"gte": "1"}}, ""),
        ({"duration_s": {"lte": 100}, "label": "sun"}, "3"),
    ],
)
def test_time_and_length_are_filtered_by_the_item_itself(gallery, where, expected):
    gallery.update(gallery.list()[0].id, metadata={"added": "1066", "duration_s": 7, "label": "rain"})
    assert titles(gallery, where) == list(expected)


@pytest.fixture
def words(tmp_path):
    with Gallery.open(tmp_path / "words", ToyModel(), index=False) as opened:
        opened.add(
            [
                Item(Modality.TEXT, "The Old Bridge", text="red", metadata={"caption": "over the river"}),
                Item(Modality.TEXT, "bridges", text="An old\n  bridge, and a CAFE\u0301"),
                Item(Modality.TEXT, "Straße 7.5%", text="blue", metadata={"caption": 3}),
            ]
        )
        yield opened


@pytest.mark.parametrize(
    ("phrases", "expected"),
    [
        (["old bridge"], "01"),
        (["  OLD   bridge "], "01"),
        (["bridge"], "01"),
        (["bridges"], "1"),
        (["rid"], ""),
        (["river", "Old"], "0"),
        (["river bridge"], ""),
        (["café"], "1"),
        (["strasse"], "2"),
        (["7.5%"], "2"),
        (["7x5%"], ""),
        (["%"], "2"),
        (["'; DROP TABLE items; --"], ""),
        (["", " "], "012"),
    ],
)
def test_words_in_quotation_marks_are_found_as_they_stand(words, phrases, expected):
    ids = [item.id for item in words.list()]
    assert words.containing(phrases) == [ids[int(number)] for number in expected]


def test_phrases_and_filters_hold_together(words):
    assert words.containing(["bridge"], where={"caption": "over the river"}) == [words.list()[0].id]
    assert words.containing(["bridge"], Modality.IMAGE) == []
