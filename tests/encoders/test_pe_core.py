"""PE-Core with its smallest network, cut to a width of 24 and of random weights, against calling open_clip directly."""

import time
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage
from torch.nn import functional as F

from tests.encoders import tiny_vision
from tests.makers import corners, write_picture
from unimma import media
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.types import Image, Text

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vision.write("pe-core", tmp_path_factory.mktemp("checkpoints") / "pe-core")


def test_pictures_are_seen_as_open_clip_sees_them(folder: Path, tmp_path: Path) -> None:
    import open_clip

    encoder = find("pe-core-image")(checkpoint=str(folder))
    written = [write_picture(tmp_path / f"{i}.png", corners(*size)) for i, size in enumerate([(64, 48), (30, 90)])]
    pictures = [media.decode(path) for path in written]
    assert all(isinstance(item, Image) for item in pictures)
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    pixels = torch.stack([transform(PillowImage.fromarray(item.pixels)) for item in pictures])
    with torch.inference_mode():
        prepared = [encoder.prepare(item) for item in pictures]
        rows, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        assert (rows - network.eval().encode_image(pixels, normalize=True)).abs().max() < 1e-5
        assert (tokens - network.visual.trunk.forward_features(pixels)[:, 1:]).abs().max() < 1e-5
        assert (rows[1:] - encoder.encode(prepared[1:])).abs().max() < 1e-5
    assert tokens.shape == (2, 24 * 24, encoder.token_dim) and (times == 0).all()
    assert encoder.info.input == "384 x 384 px" and encoder.info.features == encoder.dim == 24


def test_sentences_are_read_as_open_clip_reads_them_and_long_ones_whole(folder: Path) -> None:
    import open_clip

    encoder = find("pe-core-text")(checkpoint=str(folder))
    network, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    inside = tiny_vision.CONTEXT - 2
    long = "one two three four five six seven eight nine ten eleven twelve thirteen"
    pieces = [" ".join(long.split()[:inside]), " ".join(long.split()[inside:])]
    assert len(tokenize.encode(long)) == 13
    with torch.inference_mode():
        one, two, short = network.eval().encode_text(tokenize([*pieces, "a dog barks"]), normalize=True)
        rows = encoder.encode([encoder.prepare(Text(words)) for words in (long, "a dog barks")])
        assert (rows[1] - short).abs().max() < 1e-5
        assert (rows[0] - F.normalize(inside * one + (13 - inside) * two, dim=0)).abs().max() < 1e-5
        assert (rows[1:] - encoder.encode([encoder.prepare(Text("a dog barks"))])).abs().max() < 1e-5
        assert encoder.encode([encoder.prepare(Text(" "))]).isfinite().all()
    assert encoder.info.input == f"pieces of {tiny_vision.CONTEXT} tokens"


def test_both_towers_are_one_network_and_each_trains_its_own(folder: Path) -> None:
    image, text = (find(f"pe-core-{kind}")(checkpoint=str(folder)) for kind in ("image", "text"))
    assert image.network is text.network
    assert not set(trained_parameters(image, "all")) & set(trained_parameters(text, "all"))
    text = deepcopy(text)  # others hold the same network
    trained = trained_parameters(text, "last:1")
    for parameter in trained.values():
        parameter.requires_grad_(True)
    (text.encode([text.prepare(Text("a dog barks"))]) * torch.linspace(-1, 1, 24)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in trained.values())


def test_a_damaged_folder_is_told_of(folder: Path, tmp_path: Path) -> None:
    for name in ("open_clip_config.json", "open_clip_model.safetensors"):
        for what in (None, b"{"):
            copy = tmp_path / f"{name}-{what is None}"
            copy.mkdir()
            for path in folder.iterdir():
                (copy / path.name).write_bytes(path.read_bytes())
            (copy / name).unlink() if what is None else (copy / name).write_bytes(what)
            with pytest.raises(ModelError, match=copy.name):
                find("pe-core-image")(checkpoint=str(copy))


def test_another_model_and_no_network_are_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the Hub's client waits before it tries again
    with pytest.raises(ModelError, match=r"(?i)network"):
        find("pe-core-image")(checkpoint="somebody/nothing-of-ours")
    with pytest.raises(ModelError, match=r"vit without open_clip_config\.json"):
        find("pe-core-text")(checkpoint=str(tiny_vision.write("vit", tmp_path / "vit")))
