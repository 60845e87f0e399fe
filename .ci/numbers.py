"""The measured numbers in README, from the model's own file: python .ci/numbers.py (add --check to only compare)."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
METRICS, README = ROOT / "assets" / "bundled" / "metrics.json", ROOT / "README.md"
SECTION = re.compile(r"(<!-- numbers: [^\n]*-->\n).*?(<!-- /numbers -->)", re.DOTALL)
BASELINES = {"conse": "ConSE", "ridge": "ridge"}


def table(metrics: dict[str, Any]) -> str:
    """Markdown: a row for each number that the model is judged by, with its interval, both baselines and the goal."""
    head = [f"| on {metrics['split']} | value | {' | '.join(BASELINES.values())} | goal |", "|---|---|---|---|---|"]
    return "\n".join(head + [row(metrics, entry) for entry in metrics["headline"]])


def row(metrics: dict[str, Any], entry: dict[str, Any]) -> str:
    """Title, value with interval and number of queries, the baselines' values, the goal; empty cells where none is."""
    stem, measure, is_cost = entry["set"], entry["measure"], entry["set"] == "cost"
    found = metrics["cost"][measure] if is_cost else metrics["sets"][stem][measure]
    value, low, high = (shown(found[key], is_cost) for key in ("value", "low", "high"))
    interval = f" ({low} to {high}; n {found['n']:,})" if low != high else ""
    others = [metrics["baselines"].get(name, {}).get("sets", {}).get(stem, {}).get(measure) for name in BASELINES]
    cells = [shown(other["value"], is_cost) if other else "" for other in others]
    goal = "" if entry["goal"] is None else ("≤ " if is_cost else "") + shown(entry["goal"], is_cost)
    title = entry["title"] + (" *" if entry["seen"] else "")
    return f"| {title} | **{value}**{interval} | {' | '.join(cells)} | {goal} |"


def shown(value: float, is_cost: bool) -> str:
    """A share in per cent, or megabytes and milliseconds as they are."""
    return f"{value:.0f}" if is_cost else f"{100 * value:.1f}"


def main() -> int:
    """Write README's section; with --check say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    numbers = table(json.loads(METRICS.read_text()))
    old = README.read_text()
    new, count = SECTION.subn(lambda found: f"{found[1]}{numbers}\n{found[2]}", old)
    if count != 1 or (args.check and new != old):
        print("README's numbers are not those of the model. Run: python .ci/numbers.py", file=sys.stderr)
        return 1
    if not args.check:
        README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
