"""The registry: shipped encoders by name, duplicates refused, unknown names answered with the nearest."""

import pytest

from unimma.encoders import registry
from unimma.errors import ModelError


def test_every_shipped_name_finds_an_encoder_class() -> None:
    for name in registry.names():
        factory = registry.find(name)
        assert {"modality", "prepare", "encode"} <= set(dir(factory))


def test_a_name_is_given_once() -> None:
    taken = registry.find("minilm")
    assert registry.register("minilm")(taken) is taken  # importing a module twice is no second encoder
    with pytest.raises(ModelError, match="second encoder named 'minilm'"):
        registry.register("minilm")(lambda: None)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="one of minilm"):
        registry.find("mini-lm")
