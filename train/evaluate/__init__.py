"""Measure a model on a folder of Parquet files: zero-shot where rows have labels, retrieval by their captions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from train.evaluate.baselines import baseline_spaces
from train.evaluate.cost import cost
from train.evaluate.headline import headline
from train.evaluate.measures import Measure
from train.evaluate.on_sets import SetResult, measure_set, sound_and_photo
from train.evaluate.spaces import ModelSpace, SetSplit, Space, Texts, read_sets
from unimma.model import UniMMA
from unimma.types import Modality

log = logging.getLogger(__name__)
MeasuredSets = dict[str, dict[str, Measure]]  # set, or "cross" → measure → number


@dataclass
class Evaluation:
    """What came out.

    Attributes:
        sets: the model's measures by set; "cross" for those across sets.
        baselines: the same of each baseline, by its name.
        cost: size and times.
        details: by set, what the plots are drawn from.
        threads: how many the times were measured with.
    """

    sets: MeasuredSets
    baselines: dict[str, MeasuredSets]
    cost: dict[str, Measure]
    details: dict[str, SetResult] = field(repr=False)
    threads: int


def evaluate(model: UniMMA, folder: Path, split: str, cache: Path, *, with_baselines: bool = True) -> Evaluation:
    """Measure the model, what it costs, and the baselines; sets without rows that say something are left out."""
    splits = read_sets(folder, split, model.modalities - {Modality.TEXT})
    # Beside training's own, which a run at the same time may be writing.
    texts = Texts(model.towers[Modality.TEXT].encoder, cache / "evaluate")
    texts([said for one in splits for said in (*one.captions(), *(said for own in one.prompts() for said in own))])
    details, cross = _measure(ModelSpace(model, texts, cache), splits)
    compared = {}
    for name, space in baseline_spaces(model, folder, texts, cache) if with_baselines and splits else ():
        log.info("baseline %s", name)
        compared[name] = _numbers(*_measure(space, [one for one in splits if one.modality in space.modalities]))
    return Evaluation(_numbers(details, cross), compared, cost(model), details, torch.get_num_threads())


def _measure(space: Space, splits: Sequence[SetSplit]) -> tuple[dict[str, SetResult], dict[str, Measure]]:
    found = {}
    for one in splits:
        log.info("%s: %d rows", one.stem, len(one.rows))
        result = measure_set(space, one)
        if result is not None:
            found[one.stem] = result
    return found, sound_and_photo(splits, found)


def _numbers(details: dict[str, SetResult], cross: dict[str, Measure]) -> MeasuredSets:
    return {stem: found.measures for stem, found in details.items()} | ({"cross": cross} if cross else {})


def as_json(model: UniMMA, split: str, found: Evaluation) -> dict[str, Any]:
    """The one object that `--json` prints and metrics.json holds."""
    measured = {"sets": _plain(found.sets), "cost": {name: each.as_json() for name, each in found.cost.items()}}
    return {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "split": split,
        "sets": measured["sets"],
        "baselines": {name: {"sets": _plain(measured)} for name, measured in found.baselines.items()},
        "cost": measured["cost"],
        "threads": found.threads,
        "headline": headline(measured["sets"] | {"cost": measured["cost"]}),
    }


def _plain(measured: MeasuredSets) -> dict[str, Any]:
    return {stem: {name: m.as_json() for name, m in measures.items()} for stem, measures in measured.items()}
