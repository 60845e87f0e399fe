"""Where models compute."""

import pytest
import torch

import unimma
from unimma.devices import find_device
from unimma.errors import ConfigError


@pytest.mark.parametrize(
    ("cuda", "mps", "zero_gpu", "best"),
    [
        (False, False, "", "cpu"),
        (True, False, "", "cuda"),
        (True, True, "", "cuda"),
        (False, True, "", "mps"),
        (True, False, "true", "cpu"),  # lent by the call
    ],
)
def test_auto_is_the_best_that_there_is(monkeypatch, cuda: bool, mps: bool, zero_gpu: str, best: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setenv("SPACES_ZERO_GPU", zero_gpu)
    there, asked = torch.empty, list[str]()
    monkeypatch.setattr(torch, "empty", lambda size, device: asked.append(device) or there(size))
    find_device()
    assert asked == [best]


@pytest.mark.parametrize("name", ["cuda:99", "nothing-of-the-kind"])
def test_a_device_that_is_not_there_is_named(monkeypatch, name: str) -> None:
    with pytest.raises(ConfigError, match=f"the device {name!r}"):
        find_device(name)
    monkeypatch.setenv("UNIMMA_DEVICE", name)
    with pytest.raises(ConfigError, match=f"the device {name!r}"):
        unimma.load_model("bundled")


def test_a_model_computes_where_it_is_told_to() -> None:
    model = unimma.load_model("bundled", device="cpu")
    assert {p.device.type for tower in model.towers.values() for p in tower.parameters()} == {"cpu"}
