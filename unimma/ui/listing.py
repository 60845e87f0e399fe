"""Lists to keep, as text: what was refused and why, and what the library holds. Nothing in them runs anywhere.

A spreadsheet takes a cell that begins with one of `=+-@` for a formula, and runs it; titles and names of files are what
strangers wrote. Such a cell gets an apostrophe in front, as OWASP's page on CSV injection advises.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence

from unimma.types import Item

# Their wide forms are formulas too where spreadsheets are Japanese; tab and line ends are what hides the sign behind.
_RUN_BY_SPREADSHEETS = tuple("=+-@\t\r\n＝＋－＠")
_COLUMNS = ("title", "modality", "caption", "source", "label", "added", "duration_s", "num_bytes", "text", "id")


def refused_csv(refused: Iterable[tuple[str, str]]) -> str:
    """Name and reason of each source that was refused."""
    return _as_csv(("name", "reason"), refused)


def library_csv(items: Iterable[Item]) -> str:
    """One line an item; metadata other than caption, source and label are left out."""
    return _as_csv(_COLUMNS, ([_facts(item)[column] for column in _COLUMNS] for item in items))


def library_json(items: Iterable[Item]) -> str:
    """A list of objects with the columns of `library_csv` and all metadata."""
    listed = [_facts(item) | {"metadata": dict(item.metadata)} for item in items]
    return json.dumps(listed, ensure_ascii=False, indent=1)


def defused(cell: object) -> str:
    """The text of a cell that no spreadsheet takes for a formula."""
    text = "" if cell is None else str(cell)
    is_formula = text.lstrip(" ").startswith(_RUN_BY_SPREADSHEETS)
    return f"'{text}" if is_formula and not isinstance(cell, int | float) else text


def _as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    made = io.StringIO(newline="")
    made.write("\ufeff")  # else spreadsheets take it for the code page of the machine
    writer = csv.writer(made, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return made.getvalue()


def _facts(item: Item) -> dict[str, object]:
    about = {key: item.metadata.get(key) for key in ("caption", "source", "label")}
    return {
        "title": item.title,
        "modality": item.modality.value,
        **about,
        "added": item.added,
        "duration_s": item.duration_s,
        "num_bytes": item.num_bytes,
        "text": item.text,
        "id": item.id,
    }
