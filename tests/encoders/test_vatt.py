"""VATT's networks: equal to the original's outputs where these are at hand, and to definitions written out where not.

The outputs are read from `vatt` in the folder that UNIMMA_GOLDEN names, else in shared/golden beside the checkout:
random weights, inputs and what TensorFlow 2.15 made of them. Every size is read from there.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.encoders import tiny_vatt
from train.convert_vatt import published_config
from unimma.encoders.vatt import VATT, VATTClassifier
from unimma.encoders.vatt_checkpoint import to_checkpoint, variable_names
from unimma.encoders.vatt_layers import PositionTable, relative_buckets, spline_weights
from unimma.errors import ModelError
from unimma.types import Modality

GOLDEN = Path(os.environ.get("UNIMMA_GOLDEN") or Path(__file__).parents[2].parent / "shared" / "golden") / "vatt"
MODELS = sorted(path.parent for path in GOLDEN.glob("*/weights.npz"))
PUBLISHED = sorted(GOLDEN.glob("published_keys.*.json"))
TABLES = {kind: GOLDEN / kind / "io.safetensors" for kind in ("spline", "relative_position")}


def outputs(folder: Path, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What our network of a golden folder makes of the inputs, under the golden files' names."""
    config = json.loads((folder / "config.json").read_text())
    if "model_config" in config:
        (x,) = given.values()
        return VATTClassifier.from_npz(folder / "weights.npz", config)(x)
    network = VATT.from_npz(folder / "weights.npz", folder / "config.json")
    made, pooled = {}, dict(given)
    if len(config) > 2 and ("unified_backbone" in config or "text_backbone" in config):
        for name, x in given.items():
            features = getattr(network, name)(x)
            made |= {f"{name}.{key}": value for key, value in features.items()}
            pooled[name] = features["features_pooled"]
    return made | {f"head.{key}": value for key, value in network.head(**pooled).items()}


def tolerance(folder: Path, key: str, prefix: str) -> float:
    """1e-4; ten times that where the original's own spline, in float32, strays so far from the exact one."""
    config = json.loads((folder / "config.json").read_text())
    text_has_places = "unified_backbone" in config
    of_waves = "temporal_patch_stride" in config.get("model_config", {})
    strays = (
        of_waves
        or key.startswith(("audio.", "head.audio"))
        or (text_has_places and key.startswith(("text.", "head.text")))
    )
    return 1e-3 if prefix and strays else 1e-4


@pytest.mark.parametrize("prefix", ["", "resized."])
@pytest.mark.parametrize("folder", MODELS, ids=[folder.name for folder in MODELS])
def test_outputs_are_the_originals(folder: Path, prefix: str) -> None:
    stored = load_file(folder / "io.safetensors")
    given = {key.removeprefix(f"{prefix}in."): x for key, x in stored.items() if key.startswith(f"{prefix}in.")}
    expected = {key.removeprefix(f"{prefix}out."): x for key, x in stored.items() if key.startswith(f"{prefix}out.")}
    if not given:
        pytest.skip("no such inputs")
    with torch.inference_mode():
        made = outputs(folder, given)
    assert expected
    for key, value in expected.items():
        assert made[key].shape == value.shape, key
        assert (made[key].double() - value.double()).abs().max() <= tolerance(folder, key, prefix), key


@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
def test_names_and_shapes_are_those_of_the_published_checkpoints(path: Path) -> None:
    published = {name: tuple(shape) for name, shape in json.loads(path.read_text()).items()}
    config = published_config(published)
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    short = {re.sub(r"^model/(layer_with_weights-\d+/)?", "", n).removesuffix(ending): s for n, s in published.items()}
    with torch.device("meta"):
        network = (VATTClassifier if "model_config" in config else VATT).shaped(
            config, {name: torch.empty(shape) for name, shape in short.items()}
        )
    tensors = network.state_dict()
    ours = {n: tuple(to_checkpoint(n, tensors[own]).shape) for n, own in variable_names(network).items()}
    assert ours == short


def parsed(path: Path, ending: str) -> Iterator[tuple[str, list[int], dict[str, Tensor]]]:
    stored = load_file(path) if path.is_file() else {}
    for key in stored:
        if key.endswith(ending):
            yield key.removesuffix(ending), [int(number) for number in re.findall(r"\d+", key)], stored


@pytest.mark.skipif(not TABLES["spline"].is_file(), reason="no golden files")
def test_the_spline_is_the_originals_but_exact() -> None:
    for name, (num_rows, num_positions), stored in parsed(TABLES["spline"], ".in"):
        table = PositionTable(num_rows, stored[f"{name}.in"].shape[1])
        table.embeddings.data = stored[f"{name}.in"].double()
        assert torch.allclose(table(num_positions), stored[f"{name}.natural_cubic_float64"].double(), atol=1e-5, rtol=0)


@pytest.mark.skipif(not TABLES["relative_position"].is_file(), reason="no golden files")
def test_buckets_of_distances_are_the_originals() -> None:
    for name, (num_buckets, max_distance, length), stored in parsed(TABLES["relative_position"], ""):
        assert torch.equal(relative_buckets(length, num_buckets, max_distance), stored[name].long())


@pytest.mark.parametrize(("num_rows", "num_positions"), [(2, 3), (4, 5), (9, 13), (14, 10), (20, 27), (60, 47)])
def test_the_spline_is_the_polyharmonic_one(num_rows: int, num_positions: int) -> None:
    """Sums of |distance|³ and a straight line, solved as they are defined."""
    points, wanted = np.arange(num_rows) / num_rows, np.arange(num_positions) / num_positions
    line = np.stack([points, np.ones(num_rows)], axis=1)
    cubes = np.abs(points[:, None] - points[None]) ** 3
    system = np.block([[cubes, line], [line.T, np.zeros((2, 2))]])
    solved = np.linalg.solve(system, np.concatenate([np.eye(num_rows), np.zeros((2, num_rows))]))
    basis = np.concatenate(
        [np.abs(wanted[:, None] - points[None]) ** 3, wanted[:, None], np.ones((num_positions, 1))], axis=1
    )
    assert np.abs(basis @ solved - spline_weights(num_rows, num_positions)).max() < 1e-8


def test_one_row_is_everywhere_and_a_fitting_table_is_read_as_it_is() -> None:
    assert (spline_weights(1, 4) == 1).all()
    table = PositionTable(5, 3)
    assert table(5) is table.embeddings


def test_buckets_by_hand() -> None:
    buckets = relative_buckets(40, num_buckets=8, max_distance=16)
    assert buckets[0, :4].tolist() == [0, 5, 6, 6]  # itself; ahead: one, two, three
    assert buckets[3, :4].tolist() == [2, 2, 1, 0]  # behind
    assert buckets[0, 39] == 7 and buckets[39, 0] == 3  # beyond the maximum


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tiny_vatt.write_checkpoints(tmp_path_factory.mktemp("vatt"))


@pytest.mark.parametrize("name", ["tx", "ut"])
def test_padding_does_not_touch_what_is_read(folders: dict[str, Path], name: str) -> None:
    network = VATT.from_npz(folders[name] / "weights.npz", folders[name] / "config.json")
    ids = torch.tensor([[5, 6, 0, 0, 0]])
    with torch.inference_mode():
        before = network.text(ids)
        after = network.text(torch.tensor([[5, 6, 0, 0, 7]]))  # a word where there was padding
    assert before["attention_mask"].tolist() == [[1, 1, 0, 0, 0]]
    assert not torch.allclose(before["features_pooled"], after["features_pooled"])
    if name == "tx":  # distances alone count: more padding changes nothing
        longer = network.text(torch.tensor([[5, 6, 0, 0, 0, 0, 0, 0]]))
        assert torch.allclose(before["features"], longer["features"][:, :5], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape"), [("clips", (4, 4, 16, 24, 3)), ("waves", (4, 9600, 1)), ("spectra", (4, 12, 20, 1))]
)
def test_classifiers_average_an_items_clips(folders: dict[str, Path], name: str, shape: tuple[int, ...]) -> None:
    network = VATTClassifier.from_npz(folders[name] / "weights.npz", folders[name] / "config.json")
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        out = network(x)
        logits = network._ops["cls"](out["features_pooled"])
    expected = torch.stack([logits[:2].mean(dim=0), logits[2:].mean(dim=0)])
    assert torch.allclose(out["logits"], expected, atol=1e-6)
    chances = expected.softmax(dim=1) if name == "clips" else expected.sigmoid()
    assert torch.allclose(out["probabilities"], chances, atol=1e-6)
    with pytest.raises(ModelError, match="a batch of 3 clips"):
        network(x[:3])


def test_inputs_of_another_shape_are_refused(folders: dict[str, Path]) -> None:
    network = VATT.from_npz(folders["tx"] / "weights.npz", folders["tx"] / "config.json")
    for x, message in [
        (torch.zeros(1, 4, 16, 24), "an input of shape"),
        (torch.zeros(1, 4, 16, 24, 1), "the last of 3"),
        (torch.zeros(1, 1, 16, 24, 3), "one patch"),
    ]:
        with pytest.raises(ModelError, match=message):
            network.video(x)


def test_a_checkpoint_that_does_not_fit_its_config_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    weights = folders["tx"] / "weights.npz"
    wider = json.loads(json.dumps(tiny_vatt.SPECIFIC))
    wider["video_backbone"]["d_ff"] = 24
    other = json.loads(json.dumps(tiny_vatt.SPECIFIC))
    other["audio_backbone"]["activation"] = "swish"
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "torn.npz").write_bytes(weights.read_bytes()[:2000])
    (tmp_path / "text.npz").write_text("not an archive")
    np.savez(tmp_path / "empty.npz", other=np.zeros(2))
    np.savez(tmp_path / "objects.npz", **{"model/x/.ATTRIBUTES/VARIABLE_VALUE": np.array([{}, None])})
    for path, config, message in [
        (weights, tiny_vatt.AGNOSTIC, "does not fit its config"),
        (weights, wider, "does not fit its config at .*/mlp/wi"),
        (weights, other, "activation = 'swish'"),
        (weights, {"model_arch": "tx_fac"}, "head_config"),
        (weights, tmp_path / "list.json", "holds no names"),
        (weights, tmp_path / "none.json", r"none\.json cannot be read"),
        (tmp_path / "none.npz", tiny_vatt.SPECIFIC, r"none\.npz cannot be read"),
        (tmp_path / "torn.npz", tiny_vatt.SPECIFIC, "cannot be read"),
        (tmp_path / "text.npz", tiny_vatt.SPECIFIC, "cannot be read"),
        (tmp_path / "objects.npz", tiny_vatt.SPECIFIC, "cannot be read"),
        (tmp_path / "empty.npz", tiny_vatt.SPECIFIC, "no model in"),
    ]:
        with pytest.raises(ModelError, match=message) as caught:
            VATT.from_npz(path, config)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["tx", "ut"])
def test_the_common_space_holds_the_originals_comparisons(folders: dict[str, Path], name: str) -> None:
    network = VATT.from_npz(folders[name] / "weights.npz", folders[name] / "config.json")
    draw = torch.Generator().manual_seed(2)
    widths = {m: network.backbone(m).width for m in (Modality.VIDEO, Modality.AUDIO, Modality.TEXT)}
    pooled = {modality: torch.randn(5, width, generator=draw) for modality, width in widths.items()}
    with torch.inference_mode():
        video, audio, text = (network.bridge.common(modality, x) for modality, x in pooled.items())
        out = network.head(**pooled)
        coarse_audio = network.bridge.va_to_vat(out["audio_tovid"])
    cosine = torch.nn.functional.cosine_similarity
    fine, coarse = cosine(out["video_toaud"], out["audio_tovid"]), cosine(out["video_totxt"], coarse_audio)
    assert torch.allclose((video * audio).sum(dim=1), (fine + coarse) / 2, atol=1e-5)
    read = cosine(out["video_totxt"], out["text_tovid"])
    assert torch.allclose((video * text).sum(dim=1), read * 0.5**0.5, atol=1e-5)
    for rows in (video, audio, text):
        assert torch.allclose(rows.norm(dim=1), torch.ones(5), atol=1e-5)
    assert set(network.head(text=pooled[Modality.TEXT])) == {"text_tovid"}
