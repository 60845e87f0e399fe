"""What a visitor may choose beside the query: as the page sends it, and as the page shows it."""

import json
import re

import pytest

from unimma.types import Modality
from unimma.ui import filters
from unimma.ui.filters import Choices

EVIL = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>"""
COUNTS = {
    "modality": {"image": 40, "audio": 20, "video": 10},
    "source": {"starter": 60, "upload": 10},
    "label": {f"label {n}": 30 - n for n in range(11)},
    "added": {"today": 10, "this week": 70, "this month": 70},
    "length": {"under 10 s": 25, "over a minute": 5},
}


def shown(choices=None, counts=COUNTS) -> str:
    return str(filters.bar("text", choices or Choices(), counts))


def test_choices_come_as_json_or_decoded():
    sent = {"kinds": ["image", "text"], "chosen": {"source": "upload"}, "count": 24, "view": "columns"}
    choices = Choices.of(sent)
    assert choices == Choices((Modality.TEXT, Modality.IMAGE), {"source": "upload"}, 24, True)
    assert Choices.of(json.dumps(sent)) == choices


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "{",
        "[1]",
        3,
        {"kinds": "image", "chosen": ["source"], "count": "12", "view": {}},
        {"chosen": {"colour": "red"}, "count": True},
    ],
)
def test_choices_that_make_no_sense_are_as_if_they_were_not_there(sent):
    assert Choices.of(sent) == Choices()


def test_choices_stay_within_bounds():
    assert Choices.of({"count": 10**9}).num_hits == filters.MAX_HITS
    assert Choices.of({"count": -1}).num_hits == filters.MIN_HITS
    assert Choices.of({"kinds": ["image", "smell", 3]}).kinds == (Modality.IMAGE,)
    assert Choices.of({"kinds": []}).kinds == ()
    assert len(Choices.of({"chosen": {"label": "x" * 10_000}}).chosen["label"]) <= 200


def test_chosen_values_become_a_filter_of_the_gallery():
    assert Choices().where is None
    where = Choices(chosen={"source": "upload", "length": "under 10 s", "label": EVIL}).where
    assert where == {"source": "upload", "duration_s": {"lt": 10.0}, "label": EVIL}
    assert set(Choices(chosen={"added": "today"}).where) == {"added"}
    assert Choices(chosen={"added": "the day after tomorrow", "length": EVIL}).where is None


def test_every_kind_has_its_count_and_can_be_unticked():
    bar = shown(Choices(kinds=(Modality.IMAGE,)))
    assert re.findall(r'<input type="checkbox" name="(\w+)"( checked)?>', bar) == [
        ("text", ""), ("image", " checked"), ("audio", ""), ("video", "")
    ]  # fmt: skip
    assert re.findall(r'class="count">(\d+)', bar)[:4] == ["0", "40", "20", "10"]


def test_only_what_narrows_is_offered():
    values = re.findall(r'data-act="narrow" data-facet="added" data-value="([^"]+)"', shown())
    assert values == ["today"]  # all 70 came this week
    assert "narrow" not in re.findall(r'data-act="(\w+)"', shown(counts={"source": {"starter": 0}}))


def test_many_labels_are_folded():
    bar = shown()
    assert "3 more" in bar
    assert len(re.findall(r'data-facet="label" data-value=', bar)) == 11


def test_a_chosen_value_is_a_chip_that_can_be_removed():
    bar = shown(Choices(chosen={"source": "upload", "label": EVIL}))
    assert re.findall(r'data-act="widen" data-facet="(\w+)"', bar) == ["source", "label"]
    assert 'data-act="narrow" data-facet="source"' not in bar
    assert "Source: uploads" in bar
    assert "<script" not in bar and "<img" not in bar


def test_the_shape_of_the_answer_is_shown_as_it_was_chosen():
    bar = shown(Choices(columns=True, num_hits=24))
    assert 'value="columns" checked' in bar and 'value="list" checked' not in bar
    assert re.search(r'type="number"[^>]*value="24"', bar)
