"""The numbers as people read them: headline, table, Markdown, plots, model card."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from rich.console import Console

from tests.train.test_on_sets import row
from train.evaluate.headline import headline, measure_name
from train.evaluate.measures import Measure
from train.evaluate.on_sets import Classified, SetResult
from train.evaluate.plots import draw_all, most_confused
from train.evaluate.report import markdown, shown, table
from train.evaluate.spaces import Embedded, unit
from unimma.types import Modality


def number(value: float, n: int = 100) -> dict[str, float]:
    return Measure(value, value - 0.05, value + 0.05, n).as_json()


@pytest.fixture
def metrics() -> dict[str, object]:
    sets = {
        "tiny-imagenet": {"zeroshot_top1": number(0.523, 3200), "zeroshot_top5": number(0.7)},
        "own": {"zeroshot_top1": number(0.8), "text_to_image_r1": number(0.25), "text_to_image_r5": number(0.5)},
    }
    cost = {"checkpoint_mb": Measure(14.876, 14.876, 14.876, 1).as_json(), "image_ms": number(31.0, 21)}
    return {
        "model": "made",
        "fingerprint": "0" * 12,
        "split": "val",
        "sets": sets,
        "baselines": {"conse": {"sets": {"tiny-imagenet": {"zeroshot_top1": number(0.407)}}}},
        "cost": cost,
        "threads": 2,
        "headline": headline(sets | {"cost": cost}),
    }


def test_the_headline_has_the_goals_in_their_order_and_what_says_most_of_other_sets(metrics) -> None:
    found = [(entry["set"], entry["measure"], entry["goal"], entry["seen"]) for entry in metrics["headline"]]
    assert found == [
        ("tiny-imagenet", "zeroshot_top1", 0.61, True),
        ("tiny-imagenet", "zeroshot_top5", 0.83, True),
        ("cost", "checkpoint_mb", 40.0, False),
        ("cost", "image_ms", 40.0, False),
        ("own", "zeroshot_top1", None, False),
        ("own", "text_to_image_r1", None, False),
    ]


def test_the_table_fits_100_columns_and_says_what_was_seen_before(metrics) -> None:
    console = Console(width=100, record=True)
    console.print(table(metrics))
    printed = console.export_text()
    line = next(line for line in printed.splitlines() if line.strip().startswith("Tiny-ImageNet, top-1 *"))
    assert line.split() == ["Tiny-ImageNet,", "top-1", "*", "52.3", "47.3", "–", "57.3", "40.7", "61.0", "3,200"]
    assert "not unseen" in printed and "ConSE (Norouzi" in printed and "≤ 40" in printed and "14.9" in printed


def test_markdown_holds_every_measure_with_its_interval(metrics) -> None:
    text = markdown(metrics)
    assert "| own | zero-shot top-1 | 80.0 | 75.0 – 85.0 |" in text
    assert "|  | text → image R@5 | 50.0 |" in text
    assert "| checkpoint, MB | 14.9 |  |" in text


@pytest.mark.parametrize(
    ("measure", "value", "read"),
    [
        ("zeroshot_top1_4khz", 0.8451, "84.5"),
        ("median_rank", 3.5, "3.5"),
        ("gap", 0.213, "0.21"),
        ("audio_10s_ms", 1142.2, "1142"),
        ("image_ms", 31.27, "31.3"),
    ],
)
def test_values_are_read_in_their_units(measure: str, value: float, read: str) -> None:
    assert shown(measure, value) == read


def test_measures_are_named_in_words() -> None:
    assert measure_name("text_to_image_r10") == "text → image R@10"
    assert measure_name("zeroshot_top1_4khz") == "zero-shot top-1 below 4 kHz"


def test_the_classes_with_the_most_mistakes_between_them_are_shown() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    predicted = np.array([0, 0, 3, 3, 2, 4, 3, 1, 4, 4])
    assert most_confused(Classified("abcde", truth, predicted), 2) == [1, 3]
    assert most_confused(Classified("abcde", truth, predicted), 3) == [0, 1, 3]  # filled up: the next pair has no room
    assert most_confused(Classified("abcde", truth, predicted), 4) == [1, 2, 3, 4]


def test_the_plots_are_pictures_with_something_on_them(metrics, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [row(i, Modality.IMAGE, "abc"[i % 3]) for i in range(30)]
    truth = np.arange(30) % 3
    result = SetResult(
        {},
        Embedded(rows, unit(rng.normal(size=(30, 8)))),
        unit(rng.normal(size=(12, 8))),
        Classified(["a", "b", "c"], truth, np.where(rng.random(30) < 0.3, 0, truth)),
        {
            "text_to_image": rng.integers(1, 30, 12).astype(float),
            "image_to_text": rng.integers(1, 12, 30).astype(float),
        },
        {"text_to_image": 30, "image_to_text": 12},
    )
    paths = draw_all(metrics, {"own": result}, tmp_path)
    assert {path.name for path in paths} == {"zero-shot.png", "recall.png", "space.png", "confusion-own.png"}
    for path in paths:
        pixels = np.asarray(PillowImage.open(path).convert("RGB"))
        assert min(pixels.shape[:2]) >= 300
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


def test_a_classifier_with_few_rows_a_class_gets_no_confusion_matrix(metrics, tmp_path: Path) -> None:
    rows = [row(i, Modality.IMAGE, str(i)) for i in range(6)]
    z = unit(np.random.default_rng(0).normal(size=(6, 8)))
    once = SetResult({}, Embedded(rows, z), z, Classified([str(i) for i in range(6)], np.arange(6), np.zeros(6, int)))
    assert {path.name for path in draw_all(metrics, {"own": once}, tmp_path)} == {"zero-shot.png", "space.png"}
