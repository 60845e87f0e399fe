"""Short runs that differ in one thing each, measured alike: what a loss, a teacher, a view or a layer is worth.

python -m train.ablate --config train/ablations.toml --set data.folder=FOLDER --output runs/ablations

The file names the config that all start from, what makes a run short, and the variants. A variant that was measured
before is not run again; `ablations.md` in --output is the table, in the order of the file.
"""

import argparse
import json
import logging
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from train.align import align
from train.config import read_config
from train.evaluate import as_json, evaluate
from train.evaluate.report import pipes, shown
from train.shapes import STRICT
from unimma.encoders.base import fingerprint
from unimma.errors import ConfigError, UnimmaError
from unimma.settings import cache_dir

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Variant:
    """One line of the table.

    Attributes:
        group: what it is about, such as "losses".
        name: what it does differently, in words.
        set: overrides of the base config, "section.key=value".
    """

    group: str
    name: str
    set: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ablations:
    """The file.

    Attributes:
        base: the config that all start from, beside this file.
        set: what makes each run short.
        columns: heading → set and measure, as `metrics.json` names them.
        variants: the first is what the others are compared with.
    """

    base: str
    set: tuple[str, ...]
    columns: dict[str, tuple[str, str]]
    variants: tuple[Variant, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Run and measure what is not yet measured, then write the table."""
    args = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        ablations = read_ablations(args.config)
        measured = {}
        for number, variant in enumerate(ablations.variants, 1):
            log.info("%d of %d: %s, %s", number, len(ablations.variants), variant.group, variant.name)
            overrides = [*ablations.set, *variant.set, *args.set]
            measured[variant] = _measured(args.config.parent / ablations.base, overrides, args.cache, args.output)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    table = pipes(["group", "run", *ablations.columns], table_rows(ablations, measured))
    (args.output / "ablations.md").write_text(table + "\n", encoding="utf-8")
    print(table)
    return 0


def read_ablations(path: Path) -> Ablations:
    """The file of variants.

    Raises:
        ConfigError: no such file, no TOML, or an unknown key.
    """
    try:
        return TypeAdapter(Ablations).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        came = f"{path.name} cannot be read ({str(error).splitlines()[0]})"
        raise ConfigError(came, "base, set, columns and variants", "See train/ablations.toml.") from error


def table_rows(
    ablations: Ablations, measured: Mapping[Variant, Mapping[str, Mapping[str, Any]]]
) -> Iterator[Sequence[str]]:
    """A line for each variant: group (on its first line alone), name and values; "" where a run has no such measure."""
    group = ""
    for variant, sets in measured.items():
        found = [(measure, sets.get(stem, {}).get(measure)) for stem, measure in ablations.columns.values()]
        values = [shown(measure, each["value"]) if each else "" for measure, each in found]
        yield [variant.group if variant.group != group else "", variant.name, *values]
        group = variant.group


def _measured(base: Path, overrides: Sequence[str], cache: Path, output: Path) -> Mapping[str, Mapping[str, Any]]:
    """The measures of one run by set, from its file where it was finished before."""
    config = read_config(base, overrides)
    if config.data.folder is None:
        raise ConfigError("no data.folder", "a folder of Parquet files to measure on", "Add --set data.folder=FOLDER.")
    path = output / f"{fingerprint(repr(config))}.json"
    if not path.is_file():
        model, _ = align(config, cache, output / path.stem)
        found = as_json(model, "val", evaluate(model, config.data.folder, "val", cache, with_baselines=False))
        path.write_text(json.dumps({"set": list(overrides), **found}, indent=2) + "\n", encoding="utf-8")
    sets: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["sets"]
    return sets


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="TOML file of variants")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for every run")
    parser.add_argument("--output", type=Path, required=True, help="folder for the numbers and the table")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "train", help="of features and unfinished work")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
