"""Evaluation on a made-up Parquet folder whose right answers are known."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as PillowImage

from train.data.parquet import label_names, read, sets
from train.evaluate.__main__ import main
from train.evaluate.cost import REPEATS
from unimma.errors import ConfigError
from unimma.settings import assets_dir
from unimma.types import Image

COLOURS = {"red car": (220, 20, 20), "green field": (20, 190, 20), "blue sky": (60, 120, 240)}


def row(number: int, label: str, split: str) -> dict[str, object]:
    rng = np.random.default_rng(number)
    pixels = np.clip(np.array(COLOURS[label]) + rng.normal(0, 20, (48, 48, 3)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "PNG")
    return {
        "id": f"{label}-{number}",
        "split": split,
        "modality": "image",
        "media": buffer.getvalue(),
        "format": "image/png",
        "label": label,
        "captions": [f"picture {number} of a {label}"],
        "group": str(number),
        "concept": None,
        "source": "made here",
        "license": "none",
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    labels = list(COLOURS)
    rows = [row(i, labels[i % 3], "val" if i < 9 else "train") for i in range(15)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "colours.parquet", row_group_size=4)
    (folder / "labels.json").write_text(
        json.dumps({"colours": {"blue sky": {"concept": None, "synonyms": ["heaven"], "clear_name": "clear blue sky"}}})
    )
    return folder


@pytest.fixture(autouse=True)
def one_timing_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for modality in REPEATS:
        monkeypatch.setitem(REPEATS, modality, 1)


def test_rows_come_back_by_split_and_decode(folder: Path) -> None:
    assert sets(folder) == ["colours"]
    rows = list(read(folder, "colours", "val"))
    assert len(rows) == 9
    picture = rows[0].decode()
    assert isinstance(picture, Image)
    assert picture.pixels.shape == (48, 48, 3)
    assert all(each.media is None for each in read(folder, "colours", with_media=False))
    assert label_names(folder, "colours")["blue sky"] == ("clear blue sky", "heaven")


def test_a_folder_without_sets_or_a_set_without_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \.parquet file"):
        sets(tmp_path)
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "bad.parquet")
    with pytest.raises(ConfigError, match=r"bad\.parquet lacks .*captions"):
        list(read(tmp_path, "bad"))


def test_evaluate_prints_one_object_in_the_documented_shape(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["bundled", "--data", str(folder), "--json", "--output", str(tmp_path / "out"), "--cache", str(tmp_path)]
    assert main(args) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(printed) == {"model", "fingerprint", "split", "sets", "baselines", "cost", "threads", "headline"}
    measures = printed["sets"]["colours"]
    assert {"zeroshot_top1", "text_to_image_r1", "image_to_text_r10", "median_rank", "map", "gap", "hubness"} <= set(
        measures
    )
    for measure in (*measures.values(), *printed["cost"].values()):
        assert set(measure) == {"value", "low", "high", "n"}
        assert measure["low"] <= measure["value"] <= measure["high"]
    assert measures["zeroshot_top1"]["n"] == 9
    assert measures["image_to_text_r10"]["value"] == 1.0  # nine sentences in all
    assert set(printed["cost"]) == {"checkpoint_mb", "image_ms", "audio_10s_ms", "video_10s_ms"}
    stored = assets_dir() / "bundled" / "model.safetensors"
    assert printed["cost"]["checkpoint_mb"]["value"] == pytest.approx(stored.stat().st_size / 1e6, rel=0.01)
    # No class names in the folder: no ConSE. Six train rows are enough for a regression that tells three colours apart.
    assert set(printed["baselines"]) == {"ridge"}
    ridge = printed["baselines"]["ridge"]["sets"]["colours"]
    assert set(ridge) == set(measures)
    assert ridge["zeroshot_top1"]["value"] > 0.8
    assert "| colours, zero-shot top-1 |" in (tmp_path / "out" / "metrics.md").read_text()
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"zero-shot.png", "recall.png", "space.png"}


def test_evaluate_prints_a_table_and_leaves_baselines_out_on_request(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundled", "--data", str(folder), "--cache", str(tmp_path), "--no-baselines"]) == 0
    printed = capsys.readouterr().out
    assert "colours, zero-shot top-1" in printed and "image → text R@5" in printed
    assert max(len(line) for line in printed.splitlines()) <= 100
    assert "ridge regression" not in printed


def test_a_wrong_name_or_folder_exits_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere", "--data", str(tmp_path)]) == 2
    assert main(["bundled", "--data", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
