"""Lists to keep: what is in them, and that no spreadsheet runs it."""

import csv
import io
import json

import pytest

from unimma.types import Item, Modality
from unimma.ui.listing import defused, library_csv, library_json, refused_csv

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
    '=HYPERLINK("http://a","b")',
)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_h28_a_cell_that_a_spreadsheet_would_run_is_defused(formula):
    assert defused(formula) == f"'{formula}"
    header, row = rows(refused_csv([(formula, formula)]))
    assert header == ["name", "reason"] and row == [f"'{formula}"] * 2
    item = Item(
        Modality.TEXT, formula, text=formula, metadata={"caption": formula, "label": formula, "source": formula}
    )
    columns, facts = rows(library_csv([item]))
    told = dict(zip(columns, facts, strict=True))
    assert {told[name] for name in ("title", "text", "caption", "label", "source")} == {f"'{formula}"}


def test_h28_json_tells_words_as_they_are_since_nothing_runs_them():
    item = Item(Modality.IMAGE, "=1+1", metadata={"caption": "@a", "year": 1999})
    (told,) = json.loads(library_json([item]))
    assert told["title"] == "=1+1" and told["metadata"] == {"caption": "@a", "year": 1999}


def test_numbers_and_ordinary_words_stay_as_they_are():
    assert [defused(cell) for cell in ("rain", "1-2", -3, 0.5, None, "")] == ["rain", "1-2", "-3", "0.5", "", ""]


def test_a_list_holds_commas_quotes_and_line_ends():
    (_, row) = rows(refused_csv([('a, "b".png', "one\ntwo")]))
    assert row == ['a, "b".png', "one\ntwo"]


def test_the_library_is_listed_one_line_an_item():
    item = Item(Modality.AUDIO, "hum", id="1f", added="2026-11-23T17:05:00Z", duration_s=1.5, num_bytes=640)
    columns, *facts = rows(library_csv([item, item]))
    assert len(facts) == 2
    told = dict(zip(columns, facts[0], strict=True))
    assert (told["title"], told["modality"], told["id"]) == ("hum", "audio", "1f")
    assert (told["added"], told["duration_s"], told["num_bytes"]) == ("2026-11-23T17:05:00Z", "1.5", "640")
