"""Image encoders with tiny networks of random weights, against calling transformers directly."""

import json
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional as F

from tests.encoders import tiny_vision
from tests.makers import corners, write_picture
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.types import Image

pytestmark = pytest.mark.usefixtures("no_network")


@dataclass(frozen=True)
class Case:
    """What the library's own outputs say that an encoder gives."""

    encoder: str
    network: str
    model: str
    rows: Callable[[Any, Any], Tensor]
    patches: Callable[[Any, Any], Tensor]


def plain(encoder: str, network: str, model: str, prefix: int) -> Case:
    def rows(model: Any, inputs: Any) -> Tensor:
        return model(**inputs).last_hidden_state[:, 0]

    def patches(model: Any, inputs: Any) -> Tensor:
        return model(**inputs).last_hidden_state[:, prefix:]

    return Case(encoder, network, model, rows, patches)


def joint(encoder: str, network: str, model: str, prefix: int) -> Case:
    def rows(model: Any, inputs: Any) -> Tensor:
        return F.normalize(model.get_image_features(**inputs).pooler_output, dim=1)

    def patches(model: Any, inputs: Any) -> Tensor:
        return model.vision_model(**inputs).last_hidden_state[:, prefix:]

    return Case(encoder, network, model, rows, patches)


CASES = [
    joint("clip-image", "clip", "CLIPModel", 1),
    joint("siglip2-image", "siglip", "SiglipModel", 0),
    plain("dinov2", "dinov2", "Dinov2Model", 1),
    plain("dinov2", "dinov2-registers", "Dinov2WithRegistersModel", 4),
    plain("dinov3", "dinov3", "DINOv3ViTModel", 5),
    plain("dinov3", "dinov3-convnext", "DINOv3ConvNextModel", 1),
    plain("vit", "vit", "ViTModel", 1),
]
OTHERS = [("siglip2-image", "siglip-naflex")]
ALL = [(case.encoder, case.network) for case in CASES] + OTHERS


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda name: tiny_vision.write(name, root / name))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Decoded: one wide, one high."""
    root = tmp_path_factory.mktemp("pictures")
    written = [write_picture(root / f"{i}.png", corners(*size)) for i, size in enumerate([(64, 48), (30, 90)])]
    decoded = [media.decode(path) for path in written]
    assert all(isinstance(item, Image) for item in decoded)
    return decoded


def directly(case: Case, folder: Path, pictures: list[Image]) -> tuple[Tensor, Tensor]:
    import transformers

    model = getattr(transformers, case.model).from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    inputs = processor(images=[PillowImage.fromarray(item.pixels) for item in pictures], return_tensors="pt")
    with torch.inference_mode():
        return case.rows(model, inputs), case.patches(model, inputs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.network)
def test_features_and_patches_are_the_librarys(
    case: Case, folders: Callable[[str], Path], pictures: list[Image]
) -> None:
    encoder = find(case.encoder)(checkpoint=str(folders(case.network)))
    assert isinstance(encoder, SequenceEncoder)
    with torch.inference_mode():
        prepared = [encoder.prepare(item) for item in pictures]
        rows, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
    expected_rows, expected_tokens = directly(case, folders(case.network), pictures)
    assert rows.shape == (2, encoder.dim) and tokens.shape[2] == encoder.token_dim
    assert rows.dtype == tokens.dtype == torch.float32
    assert (rows - expected_rows).abs().max() < 1e-5
    assert (tokens - expected_tokens).abs().max() < 1e-5
    assert times.shape == (*tokens.shape[:2], 2) and (times == 0).all()
    assert encoder.info.features == encoder.dim and encoder.info.weights == case.network
    assert encoder.info.licence == "as the checkpoint states"


def test_siglip_sees_pictures_in_their_own_shape(folders: Callable[[str], Path], pictures: list[Image]) -> None:
    import transformers

    folder = folders("siglip-naflex")
    encoder = find("siglip2-image")(checkpoint=str(folder))
    model = transformers.Siglip2Model.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    inputs = processor(images=[PillowImage.fromarray(item.pixels) for item in pictures], return_tensors="pt")
    with torch.inference_mode():
        prepared = [encoder.prepare(item) for item in pictures]
        rows, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        expected = model.get_image_features(**inputs)
    assert (rows - F.normalize(expected.pooler_output, dim=1)).abs().max() < 1e-5
    counts = inputs["pixel_attention_mask"].sum(dim=1)
    assert counts.tolist() == [(~own[:, 0].isnan()).sum() for own in times]
    for own, states, count in zip(tokens, expected.last_hidden_state, counts, strict=True):
        assert (own[:count] - states[:count]).abs().max() < 1e-5


@pytest.mark.parametrize(("name", "network"), ALL, ids=lambda part: part)
def test_a_row_does_not_depend_on_its_neighbours_and_gradients_flow(
    name: str, network: str, folders: Callable[[str], Path], pictures: list[Image]
) -> None:
    encoder = deepcopy(find(name)(checkpoint=str(folders(network))))  # others hold the same network
    prepared = [encoder.prepare(item) for item in pictures]
    with torch.inference_mode():
        assert (encoder.encode(prepared)[1:] - encoder.encode(prepared[1:])).abs().max() < 1e-5
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())
    trained = trained_parameters(encoder, "last:1")
    assert 0 < len(trained) < len(list(encoder.network.parameters()))
    for parameter in trained.values():
        parameter.requires_grad_(True)
    weights = torch.linspace(-1, 1, encoder.dim)
    (encoder.encode(prepared[:1]) * weights).sum().backward()
    moved = [key for key, parameter in trained.items() if parameter.grad is not None and parameter.grad.abs().sum() > 0]
    assert len(moved) > len(trained) / 2


def test_both_towers_are_one_network(folders: Callable[[str], Path]) -> None:
    for family, network in [("clip", "clip"), ("siglip2", "siglip")]:
        image, text = (find(f"{family}-{kind}")(checkpoint=str(folders(network))) for kind in ("image", "text"))
        assert image.network is text.network
        names = [name for name, _ in image.network.named_parameters()]
        assert any(map(image.uses, names)) and any(map(text.uses, names))
        assert not any(image.uses(name) and text.uses(name) for name in names)
        assert all(image.uses(name) or text.uses(name) for name in names if not name.startswith("logit_"))


def broken(folder: Path, copy: Path, how: str) -> Path:
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    weights = copy / "model.safetensors"
    if how == "no weights":
        weights.unlink()
    elif how == "half of the weights":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif how == "a tensor too few":
        from safetensors.torch import load_file, save_file

        kept = load_file(weights)
        del kept[next(name for name in kept if "layer" in name)]
        save_file(kept, weights, metadata={"format": "pt"})
    elif how == "no processor":
        (copy / "preprocessor_config.json").unlink()
    elif how == "no config":
        (copy / "config.json").unlink()
    elif how == "no JSON":
        (copy / "config.json").write_text("{")
    else:
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))
    return copy


HOW = ["no weights", "half of the weights", "a tensor too few", "no processor", "no config", "no JSON", "other widths"]


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_folder_is_told_of_in_one_sentence(how: str, folders: Callable[[str], Path], tmp_path: Path) -> None:
    folder = broken(folders("vit"), tmp_path / "mine", how)
    with pytest.raises(ModelError, match="mine") as told:
        find("vit")(checkpoint=str(folder))
    assert str(tmp_path) not in str(told.value) and told.value.todo.endswith(".")


@pytest.mark.parametrize("name", ["clip-image", "siglip2-image", "dinov2", "dinov3"])
def test_another_architecture_is_refused(name: str, folders: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="vit"):
        find(name)(checkpoint=str(folders("vit")))


@pytest.mark.parametrize("name", ["clip-image", "vit"])
def test_without_a_network_the_next_step_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the Hub's client waits before it tries again
    with pytest.raises(ModelError, match=r"(?i)network"):
        find(name)(checkpoint="somebody/nothing-of-ours")
