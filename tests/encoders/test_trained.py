"""Encoders that are trained: which parameters that means, and that a checkpoint brings them back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import unimma
from unimma.encoders import registry
from unimma.encoders.base import Encoder, EncoderInfo
from unimma.encoders.joined import JoinedEncoder
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.loading import build_model
from unimma.model import ModelConfig
from unimma.types import Image, Modality


class Layered(nn.Module):
    """A stem, three numbered layers with two linear ones each, and an end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)) for _ in range(3)])
        self.end = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.end(x)


SHARED = Layered().requires_grad_(False)


@registry.register("layered-for-tests")
class LayeredEncoder:
    """Pictures → what their mean colour becomes; all encoders of this name hold one network, as a cache would."""

    modality = Modality.IMAGE
    dim = 4
    info = EncoderInfo(paper="none", licence="none", input="mean colour", weights="made here")

    def __init__(self) -> None:
        self.network: nn.Module = SHARED

    def prepare(self, item: Image) -> dict[str, torch.Tensor]:
        return {"colour": torch.from_numpy(item.pixels.mean(axis=(0, 1), dtype=np.float32) / 255)}

    def encode(self, batch: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        return self.network(torch.stack([item["colour"] for item in batch]))


class NameOfOne(LayeredEncoder):
    @staticmethod
    def uses(name: str) -> bool:
        return name.startswith("stem.")


def config(**more: object) -> ModelConfig:
    return ModelConfig(
        name="t",
        dim=4,
        encoders={Modality.IMAGE: {"name": "layered-for-tests", **more}},
        heads={Modality.IMAGE: HeadConfig(kind="none", num_features=4, dim=4)},
    )


def test_the_last_layers_and_what_is_behind_them() -> None:
    encoder: Encoder = LayeredEncoder()
    assert set(trained_parameters(encoder, "all")) == set(dict(SHARED.named_parameters()))
    last = trained_parameters(encoder, "last:2")
    assert {name.split(".")[0] + name.split(".")[1] for name in last} == {"layers1", "layers2", "endweight", "endbias"}
    assert len(trained_parameters(encoder, "last:99")) == 14  # all layers and the end, not the stem
    assert set(trained_parameters(NameOfOne(), "all")) == {"stem.weight", "stem.bias"}
    joined = JoinedEncoder({"one": LayeredEncoder(), "two": NameOfOne()})
    assert {name.partition(".")[0] for name in trained_parameters(joined, "all")} == {"one", "two"}


def test_the_shipped_encoders_have_rows_of_layers() -> None:
    names = list(trained_parameters(registry.find("minilm")(), "last:1"))
    assert all(name.startswith("encoder.layer.5.") for name in names)
    names = list(trained_parameters(registry.find("efficientnet-lite2")(), "last:1"))
    assert {name.split(".")[0] for name in names} == {"blocks", "head", "classifier"}
    names = list(trained_parameters(registry.find("aisfx")(), "last:2"))
    assert {name.split(".")[0] for name in names} == {"conv_block3", "conv_block4"}


@pytest.mark.parametrize("extent", ["last:0", "some", "last:-1", "frozen"])
def test_another_extent_is_refused(extent: str) -> None:
    with pytest.raises(ModelError, match='"all" or "last:N"'):
        trained_parameters(LayeredEncoder(), extent)


def test_an_encoder_without_numbered_layers_has_no_last_ones() -> None:
    with pytest.raises(ModelError, match="without numbered layers"):
        trained_parameters(NameOfOne(), "last:1")


@pytest.mark.parametrize("extent", ["all", "last:1"])
def test_a_trained_encoder_comes_back_from_its_checkpoint_and_nobody_else_is_changed(
    tmp_path: Path, extent: str
) -> None:
    pristine = build_model(config())
    model = build_model(config(trained=extent))
    picture = Image(np.full((4, 4, 3), (200, 30, 90), np.uint8))
    before = model.embed(picture)
    with torch.no_grad():
        for parameter in trained_parameters(model.towers[Modality.IMAGE].encoder, extent).values():
            parameter.add_(0.3)
    model = unimma.UniMMA(model.config, model.towers)
    assert not np.allclose(model.embed(picture), before)
    model.save_pretrained(tmp_path)
    again = unimma.load_model(tmp_path)
    assert np.array_equal(again.embed(picture), model.embed(picture))
    assert again.fingerprint == model.fingerprint != pristine.fingerprint
    assert np.array_equal(pristine.embed(picture), before)  # made of the same shared network


def test_weights_that_no_package_carries_travel_with_an_encoder_that_stands_alone(tmp_path: Path) -> None:
    alone = ModelConfig(
        name="t",
        dim=4,
        encoders={Modality.AUDIO: {"name": "yamnet-student"}},
        heads={Modality.AUDIO: HeadConfig(kind="mlp", num_features=1545, dim=4, hidden=4)},
    )
    model = build_model(alone)
    model.save_pretrained(tmp_path)
    assert unimma.load_model(tmp_path).fingerprint == model.fingerprint


def test_gradients_reach_the_shipped_encoders() -> None:
    encoder = registry.find("efficientnet-lite2")()
    trained = trained_parameters(encoder, "last:1")
    for parameter in trained.values():
        parameter.requires_grad_(True)
    encoder.encode([encoder.prepare(Image(np.full((9, 9, 3), 90, np.uint8)))]).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in trained.values())
