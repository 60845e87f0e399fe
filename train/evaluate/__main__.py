"""python -m train.evaluate bundled --data FOLDER [--split val] [--json] [--output DIR]"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from train.evaluate import as_json, evaluate
from train.evaluate.measures import Measure
from unimma.errors import UnimmaError
from unimma.loading import load_model
from unimma.settings import cache_dir

_SHARES = ("zeroshot", "_r1", "_r5", "_r10", "_p10", "map")  # shown in per cent


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table (or, with --json, one object); with --output also write metrics.json there."""
    args = _parse(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        model = load_model(args.name)
        results = evaluate(model, args.data, args.split, args.cache)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    found = as_json(model, args.split, results)
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "metrics.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(found))
    else:
        Console().print(table(f"{model.name} {model.fingerprint}, split {args.split}", results))
    return 0


def table(title: str, results: dict[str, dict[str, Measure]]) -> Table:
    """One line a measure: value, 95 % interval, number of queries."""
    shown = Table("set", "measure", "value", "95 % interval", "n", title=title)
    for stem, measures in results.items():
        for name, m in measures.items():
            share = name.endswith(_SHARES) or name.startswith(_SHARES)
            value, low, high = (f"{100 * x:.1f} %" if share else f"{x:.2f}" for x in (m.value, m.low, m.high))
            shown.add_row(stem, name, value, f"{low} to {high}" if m.low != m.high else "", str(m.n))
    return shown


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description="Measure a model.")
    parser.add_argument("name", help="bundled, or a checkpoint folder")
    parser.add_argument("--data", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--split", default="val")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--output", type=Path, help="folder for metrics.json")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "train", help="folder of cached features")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
