"""What a model card says of a model and of what it was trained on."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.train.test_evaluate import row as made_row
from train.card import model_card
from train.config import DataConfig, DistillConfig, TrainConfig
from train.evaluate.headline import headline
from train.evaluate.measures import Measure
from unimma.loading import load_model
from unimma.model import UniMMA


@pytest.fixture(scope="module")
def model() -> UniMMA:
    return load_model("bundled")


def test_the_card_tells_parts_data_licences_limits_and_use(model: UniMMA, tmp_path: Path) -> None:
    terms = ["CC BY 4.0", "CC BY 4.0", "MIT|X11", None, "a", "b", "c"]
    rows = [made_row(i, "red car", "train") | {"license": each} for i, each in enumerate(terms)]
    rows += [made_row(9, "red car", "val") | {"license": "of val alone"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "colours.parquet")
    config = TrainConfig(data=DataConfig(folder=tmp_path, max_rows={"colours": 5}), distill=DistillConfig())
    card = model_card(model, config, {})
    for section in ("Intended use", "Parts", "Training", "Data", "Numbers", "Limits", "Licences"):
        assert f"# {section}\n" in card
    assert f"Fingerprint `{model.fingerprint}`" in card and "text, pictures, sounds and clips" in card
    assert "| colours | 5 | CC BY 4.0; MIT/X11; not stated; a; others |" in card
    assert "of val alone" not in card and "Not measured." in card and "100,000 windows" in card
    assert str(tmp_path) not in card


def test_without_data_nothing_is_said_of_sets(model: UniMMA) -> None:
    card = model_card(model, replace(TrainConfig(), distill=None), {})
    assert "### Data" not in card and "train split" not in card and "YAMNet on" not in card


def test_the_numbers_come_with_intervals_and_baselines_and_without_our_goals(model: UniMMA) -> None:
    sets = {"flowers": {"zeroshot_top1": Measure(0.712, 0.632, 0.792, 125).as_json()}}
    metrics = {
        "model": "m",
        "fingerprint": "f",
        "split": "val",
        "sets": sets,
        "baselines": {"ridge": {"sets": {"flowers": {"zeroshot_top1": Measure(0.6, 0.5, 0.7, 125).as_json()}}}},
        "cost": {},
        "threads": 2,
        "headline": headline(sets),
    }
    card = model_card(model, TrainConfig(), metrics)
    assert "| flowers, top-1 | 71.2 | 63.2 – 79.2 |  | 60.0 | 125 |" in card and "goal" not in card
