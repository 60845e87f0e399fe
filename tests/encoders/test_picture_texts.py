"""Text towers beside image and video encoders, with tiny networks of random weights, against transformers itself."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.encoders import tiny_vision
from tests.encoders.tiny_vision import CONTEXT
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.types import Text

pytestmark = pytest.mark.usefixtures("no_network")

CASES = [
    ("clip-text", "clip", "CLIPModel"),
    ("siglip2-text", "siglip", "SiglipModel"),
    ("siglip2-text", "siglip-naflex", "Siglip2Model"),
    ("xclip-text", "xclip", "XCLIPModel"),
]
every_case = pytest.mark.parametrize(("name", "network", "model"), CASES, ids=lambda part: part)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda name: tiny_vision.write(name, root / name))


@every_case
def test_short_texts_are_the_librarys(
    name: str, network: str, model: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    import transformers

    (tmp_path / "note.txt").write_text("Rain", encoding="utf-8")
    texts = [media.decode(tmp_path / "note.txt"), Text("a Dog is"), Text("x")]
    folder = folders(network)
    encoder = find(name)(checkpoint=str(folder))
    assert isinstance(encoder, SequenceEncoder)
    theirs = getattr(transformers, model).from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    fill = {"padding": "max_length", "max_length": CONTEXT} if network.startswith("siglip") else {"padding": True}
    words = [item.text.lower() for item in texts]
    with torch.inference_mode():
        expected = theirs.get_text_features(**tokenizer(words, return_tensors="pt", **fill))
        prepared = [encoder.prepare(item) for item in texts]
        rows, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        alone = torch.cat([encoder.encode([item]) for item in prepared])
    assert rows.shape == (3, encoder.dim) and rows.dtype == torch.float32
    assert (rows - F.normalize(expected.pooler_output, dim=1)).abs().max() < 1e-5
    assert (rows - alone).abs().max() < 1e-5
    start = 0 if network.startswith("siglip") else 1  # of special tokens before the text
    for own, offsets, states, text in zip(tokens, times, expected.last_hidden_state, texts, strict=True):
        count = len(text.text)
        assert offsets[:count].tolist() == [[i, i + 1] for i in range(count)] and offsets[count:].isnan().all()
        assert (own[:count] - states[start : start + count]).abs().max() < 1e-5
    assert encoder.info.input == f"pieces of {CONTEXT} tokens"


@every_case
def test_a_long_text_is_read_to_its_end(name: str, network: str, model: str, folders: Callable[[str], Path]) -> None:
    encoder = find(name)(checkpoint=str(folders(network)))
    start = "the cat sleeps on and on "
    with torch.inference_mode():
        prepared = [encoder.prepare(Text(text)) for text in (start, start + "volcano", start + "volcanx")]
        rows = encoder.encode(prepared)
        _, times = encoder.encode_sequence(prepared[1:2])
    assert (rows[0] - rows[1]).abs().max() > 1e-4 and (rows[1] - rows[2]).abs().max() > 1e-4
    assert times[0].tolist() == [[i, i + 1] for i in range(len(start) + 7)]
    assert torch.allclose(rows.norm(dim=1), torch.ones(3))


@every_case
def test_a_text_of_nothing_but_space_and_gradients(
    name: str, network: str, model: str, folders: Callable[[str], Path]
) -> None:
    encoder = deepcopy(find(name)(checkpoint=str(folders(network))))  # others hold the same network
    trained = trained_parameters(encoder, "last:1")
    for parameter in trained.values():
        parameter.requires_grad_(True)
    rows = encoder.encode([encoder.prepare(Text(" ")), encoder.prepare(Text("dog"))])
    (rows * torch.linspace(-1, 1, encoder.dim)).sum().backward()
    moved = [key for key, tensor in trained.items() if tensor.grad is not None and tensor.grad.abs().sum() > 0]
    assert rows.isfinite().all() and len(moved) > len(trained) / 2


def test_siglip_fills_and_masks_as_its_tokenizer_says(tmp_path: Path) -> None:
    import transformers

    tiny_vision.write("siglip-naflex", tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path, padding_side="left")
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.padding_side == "left"
    encoder = find("siglip2-text")(checkpoint=str(tmp_path))
    theirs = transformers.Siglip2Model.from_pretrained(tmp_path).eval()
    inputs = tokenizer(["rain", "a dog"], padding="max_length", max_length=CONTEXT, return_tensors="pt")
    assert "attention_mask" in inputs
    with torch.inference_mode():
        prepared = [encoder.prepare(Text(words)) for words in ("rain", "a dog")]
        expected = theirs.get_text_features(**inputs)
        assert (encoder.encode(prepared) - F.normalize(expected.pooler_output, dim=1)).abs().max() < 1e-5
        tokens, _ = encoder.encode_sequence(prepared)
    assert (tokens[0, :4] - expected.last_hidden_state[0, -5:-1]).abs().max() < 1e-5


@pytest.mark.parametrize(("name", "network", "model"), [CASES[0], CASES[1], CASES[3]])
def test_a_folder_without_a_tokenizer_is_told_of(
    name: str, network: str, model: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    copy = tmp_path / "mine"
    copy.mkdir()
    for path in folders(network).iterdir():
        if not path.name.startswith("tokenizer"):
            (copy / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModelError, match="mine"):
        find(name)(checkpoint=str(copy))
