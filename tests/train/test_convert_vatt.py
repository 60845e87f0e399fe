"""Converting VATT's TensorFlow checkpoints: what is taken, and what a published config is read from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.encoders import tiny_vatt
from train import convert_vatt
from unimma.encoders.vatt import VATT

GOLDEN = Path(os.environ.get("UNIMMA_GOLDEN") or Path(__file__).parents[2].parent / "shared" / "golden") / "vatt"
CHECKPOINTS = sorted(path.parent for path in GOLDEN.glob("*/ckpt/checkpoint"))


class Reader:
    """What TensorFlow's reader of a checkpoint answers, from an .npz."""

    def __init__(self, path: Path) -> None:
        self.arrays = dict(np.load(path))

    def get_variable_to_shape_map(self) -> Mapping[str, list[int]]:
        return {name: list(array.shape) for name, array in self.arrays.items()}

    def get_tensor(self, name: str) -> Any:
        return self.arrays[name]


def test_the_models_variables_are_taken_and_nothing_else(tmp_path: Path) -> None:
    source = tiny_vatt.write_checkpoint(tmp_path / "source", tiny_vatt.SPECIFIC)
    reader = Reader(source / "weights.npz")
    arrays = convert_vatt.variables(reader)
    assert 0 < len(arrays) < len(reader.arrays)
    assert not any(".OPTIMIZER_SLOT" in name or not name.startswith("model/") for name in arrays)
    convert_vatt.write(tmp_path / "made", arrays, tiny_vatt.SPECIFIC)
    before, after = (
        VATT.from_npz(folder / "weights.npz", folder / "config.json").state_dict()
        for folder in (source, tmp_path / "made")
    )
    assert before.keys() == after.keys() and all(before[name].equal(after[name]) for name in before)
    reader.arrays = {"save_counter": np.ones(1)}
    with pytest.raises(ValueError, match="no variables named model/"):
        convert_vatt.variables(reader)


def test_a_model_that_was_not_published_needs_its_own_config() -> None:
    with pytest.raises(ValueError, match="none of the published models"):
        convert_vatt.published_config({"model/x/.ATTRIBUTES/VARIABLE_VALUE": (2, 3)})


@pytest.mark.parametrize("config", [tiny_vatt.OF_CLIPS, tiny_vatt.OF_SPECTRA, tiny_vatt.SPECIFIC, tiny_vatt.AGNOSTIC])
def test_sizes_are_read_from_the_shapes(config: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_vatt.write_checkpoint(tmp_path, config)
    shapes = {name: array.shape for name, array in convert_vatt.variables(Reader(folder / "weights.npz")).items()}
    read = convert_vatt.published_config(shapes)
    assumed = {"num_heads", "d_kv", "max_relative_distance", "num_test_samples"}  # the same in all published ones
    for part, options in config.items():
        for name, value in options.items() if part.endswith(("backbone", "model_config")) else ():
            if name in assumed or (name == "d_post_proj" and not options.get("post_projection", True)):
                continue
            assert read[part].get(name, value) == value, name
            assert name in read[part], name


@pytest.mark.parametrize("folder", CHECKPOINTS, ids=[folder.name for folder in CHECKPOINTS])
def test_a_checkpoint_becomes_the_npz(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="it has an environment of its own")
    assert convert_vatt.main([str(folder / "ckpt"), str(tmp_path), "--config", str(folder / "config.json")]) == 0
    made, expected = np.load(tmp_path / "weights.npz"), np.load(folder / "weights.npz")
    assert sorted(made.files) == sorted(expected.files)
    assert all(np.array_equal(made[name], expected[name]) for name in made.files)
    assert json.loads((tmp_path / "config.json").read_text()) == json.loads((folder / "config.json").read_text())
