"""The tables of docs/encoders.md, from the registry and the presets: python -m docs.tables (--check only compares).

Encoders of installed plugins are left out.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unimma import catalogue
from unimma.encoders.registry import shipped

PAGE = Path(__file__).parent / "encoders.md"


def presets() -> str:
    """Markdown: a row for each model that has a name."""
    rows = [
        [
            f"`{each['name']}`",
            ", ".join(each["modalities"]),
            f"{each['size_mb']:,}",
            terms(each),
            each["languages"],
            each["says"],
        ]
        for each in catalogue.models()
    ]
    return table(["preset", "modalities", "MB", "licence", "languages", "what it is"], rows)


def encoders() -> str:
    """Markdown: a row for each encoder that ships."""
    known = {each["name"]: each for each in catalogue.encoders()}
    rows = [
        [
            f"`{name}`",
            known[name]["modality"],
            known[name]["features"] or "as the checkpoint",
            known[name]["input"],
            known[name]["weights"],
            terms(known[name]),
            known[name]["paper"],
            known[name]["verified"],
        ]
        for name in shipped()
    ]
    columns = ["name", "modality", "features", "input", "default weights", "licence", "paper", "verified"]
    return table(columns, rows)


def terms(each: dict[str, Any]) -> str:
    """A licence, marked where it has to be accepted."""
    return str(each["licence"]) if each["commercial"] else f"{each['licence']}; **not commercial**"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> int:
    """Exit status 1 where --check finds other tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail where the page has other tables")
    check = parser.parse_args().check
    before = after = PAGE.read_text(encoding="utf-8")
    for name, made in (("presets", presets()), ("encoders", encoders())):
        section = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        after = section.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", after)  # type: ignore[misc]
    if check and before != after:
        print(f"{PAGE.name} has other tables than the registry; run python -m docs.tables", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
