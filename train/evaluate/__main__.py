"""python -m train.evaluate bundled --data FOLDER [--split val] [--json] [--output DIR]"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from train.evaluate import as_json, evaluate
from train.evaluate.report import markdown, table
from unimma.errors import UnimmaError
from unimma.loading import load_model
from unimma.settings import cache_dir

TABLE_COLUMNS = 100  # where the output is no terminal, which knows its own width


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table (or, with --json, one object); with --output write metrics.json, metrics.md and plots, too."""
    args = _parse(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        model = load_model(args.name, device="cpu")
        found = evaluate(model, args.data, args.split, args.cache, with_baselines=not args.no_baselines)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    metrics = as_json(model, args.split, found)
    if args.output:
        from train.evaluate.plots import draw_all

        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        (args.output / "metrics.md").write_text(markdown(metrics), encoding="utf-8")
        draw_all(metrics, found.details, args.output)
    if args.json:
        print(json.dumps(metrics))
    else:
        console = Console()
        Console(width=None if console.is_terminal else TABLE_COLUMNS).print(table(metrics))
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description="Measure a model.")
    parser.add_argument("name", help="bundled, a preset, a checkpoint folder, or user/repo@revision")
    parser.add_argument("--data", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--split", default="val")
    parser.add_argument("--no-baselines", action="store_true", help="without ConSE and ridge regression")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--output", type=Path, help="folder for metrics.json, metrics.md and plots")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "train", help="folder of cached features")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
