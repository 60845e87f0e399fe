"""Variants of a run, measured alike."""

from pathlib import Path

import pytest

from tests.train import tiny
from tests.train.test_align import TINY
from train import ablate
from train.ablate import Ablations, Variant, main, read_ablations, table_rows
from train.config import read_config

SHIPPED = Path(__file__).parent.parent.parent / "train" / "ablations.toml"
VARIANTS = """
base = "tiny.toml"
set = ["optim.steps=2", "optim.evaluate_every=0"]
[columns]
"pictures" = ["pictures", "zeroshot_top1"]
"tones" = ["tones", "zeroshot_top1"]
"nothing" = ["elsewhere", "zeroshot_top1"]
[[variants]]
group = "as it is"
name = "the run"
[[variants]]
group = "losses"
name = "no sound against picture"
set = ["loss.audio_image.info_nce=0"]
"""


def test_every_variant_that_ships_is_a_run_that_differs_from_the_first() -> None:
    ablations = read_ablations(SHIPPED)
    base = SHIPPED.parent / ablations.base
    configs = [read_config(base, [*ablations.set, *variant.set]) for variant in ablations.variants]
    assert len({repr(config) for config in configs}) == len(configs) > 10
    assert ablations.variants[0].set == ()


def test_runs_are_measured_once_and_stand_in_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "variants.toml").write_text(VARIANTS)
    folder = tiny.write_data(tmp_path / "data")
    options = ["--set", f"data.folder={folder}", "--output", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main(["--config", str(tmp_path / "variants.toml"), *options]) == 0
    table = (tmp_path / "out" / "ablations.md").read_text().splitlines()
    assert table[0] == "| group | run | pictures | tones | nothing |"
    first, second = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:])
    assert first[:2] == ["as it is", "the run"] and second[:2] == ["losses", "no sound against picture"]
    assert all(0 <= float(cell) <= 100 for cell in (*first[2:4], *second[2:4]))
    assert first[4] == second[4] == ""  # no such set
    assert "\n".join(table) in capsys.readouterr().out
    monkeypatch.setattr(ablate, "align", None)  # nothing could be trained
    assert main(["--config", str(tmp_path / "variants.toml"), *options]) == 0


def test_a_group_stands_on_its_first_line_alone() -> None:
    runs = [Variant(group="losses", name="one"), Variant(group="losses", name="two"), Variant(group="text", name="one")]
    ablations = Ablations(base="", set=(), columns={"pictures": ("pictures", "zeroshot_top1")}, variants=tuple(runs))
    measured = {run: {"pictures": {"zeroshot_top1": {"value": 0.1 * i}}} for i, run in enumerate(runs)}
    assert list(table_rows(ablations, measured)) == [
        ["losses", "one", "0.0"],
        ["", "two", "10.0"],
        ["text", "one", "20.0"],
    ]


def test_a_file_that_is_none_and_a_run_without_data_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "variants.toml").write_text("runs = 3")
    assert main(["--config", str(tmp_path / "variants.toml"), "--output", str(tmp_path / "out")]) == 2
    assert "variants.toml cannot be read" in capsys.readouterr().err
    assert main(["--config", str(SHIPPED), "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "no data.folder" in said and said.count("\n") == 1
