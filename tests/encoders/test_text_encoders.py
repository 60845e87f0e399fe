"""Encoders that read, each with a tiny network of random weights, against calling its library directly."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import unimma
from tests.encoders import tiny_checkpoints as tiny
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.registry import find
from unimma.errors import ModelError
from unimma.types import Text

SENTENCE = "a dog barks at the rain"  # 18 letters
LONG = "the cat sleeps. " * 5 + "a volcano erupts!"


def bert(folder: Path, text: str) -> Tensor:
    from transformers import AutoModel, AutoTokenizer

    words = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    return AutoModel.from_pretrained(folder)(**words).last_hidden_state[0].mean(dim=0)


def llama(folder: Path, text: str) -> Tensor:
    """Of all tokens: [T, D]."""
    from transformers import AutoModel, AutoTokenizer

    words = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    states: Tensor = AutoModel.from_pretrained(folder)(**words).last_hidden_state[0]
    return states


def sentence_bert(folder: Path, text: str) -> Tensor:
    from sentence_transformers import SentenceTransformer

    return torch.from_numpy(SentenceTransformer(str(folder), device="cpu").encode(text))


def m_clip(folder: Path, text: str) -> Tensor:
    """What the authors' own class computes, as they publish it: github.com/FreddeFrallan/Multilingual-CLIP."""
    from transformers import AutoConfig, AutoTokenizer, XLMRobertaModel

    base = AutoConfig.from_pretrained(f"{folder}-base")
    network = torch.nn.ModuleDict(
        {"transformer": XLMRobertaModel(base), "LinearTransformation": torch.nn.Linear(16, 12)}
    ).eval()
    stored = torch.load(folder / "pytorch_model.bin")
    network.load_state_dict({name: stored[name] for name in network.state_dict()})
    words = AutoTokenizer.from_pretrained(folder, config=base)(["a", text], padding=True, return_tensors="pt")
    attended = words["attention_mask"][:, :, None]
    summed = (network["transformer"](**words).last_hidden_state * attended).sum(dim=1)
    return network["LinearTransformation"](summed / attended.sum(dim=1))[1]


def clap(folder: Path, text: str) -> Tensor:
    from transformers import AutoTokenizer, ClapModel

    words = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    return ClapModel.from_pretrained(folder).eval().get_text_features(**words).pooler_output[0]


# name → the encoder, its options, who writes its checkpoint, what the library makes of a text
CASES: dict[str, tuple[str, dict[str, Any], Callable[[Path], Path], Callable[[Path, str], Tensor]]] = {
    "bert": ("bert", {}, tiny.bert, bert),
    "mbert": ("mbert", {}, tiny.bert, bert),
    "llama-last": ("llama", {}, tiny.llama, lambda folder, text: llama(folder, text)[-1]),
    "llama-mean": ("llama", {"pooling": "mean"}, tiny.llama, lambda folder, text: llama(folder, text).mean(dim=0)),
    "sentence-bert": ("sentence-bert", {}, tiny.sentence_bert, sentence_bert),
    "m-clip": ("m-clip", {}, tiny.m_clip, m_clip),
    "clap-text": ("clap-text", {}, tiny.clap, clap),
}
UNIT = {"sentence-bert", "clap-text"}
pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("text")
    return {case: write(place / case) for case, (_, _, write, _) in CASES.items()}


@pytest.fixture(scope="module")
def encoders(folders: dict[str, Path]) -> dict[str, Any]:
    return {case: find(name)(str(folders[case]), **options) for case, (name, options, _, _) in CASES.items()}


each = pytest.mark.parametrize("case", CASES)


@each
@torch.inference_mode()
def test_features_are_the_librarys(case: str, encoders: dict[str, Any], folders: dict[str, Path], note: Path) -> None:
    encoder, theirs = encoders[case], CASES[case][3]
    words = media.decode(note)
    assert isinstance(words, Text)
    short = Text(words.text.lower()[:18])  # a whole of it is one piece to every tokenizer here
    expected = torch.stack([theirs(folders[case], short.text), theirs(folders[case], "rain")])
    ours = encoder.encode([encoder.prepare(short), encoder.prepare(Text("rain"))])
    assert ours.dtype == torch.float32 and ours.shape == (2, encoder.dim) == (2, encoder.info.features)
    assert (ours - expected).abs().max() < 1e-5
    assert (ours[0] - ours[1]).abs().max() > 1e-3


@each
@torch.inference_mode()
def test_neighbours_do_not_matter(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    batch = [encoder.prepare(Text(text)) for text in ("rain", LONG, SENTENCE, "a", "")]
    together, alone = encoder.encode(batch), torch.cat([encoder.encode([item]) for item in batch])
    assert (together - alone).abs().max() < 1e-5
    assert not together.isnan().any()
    if case in UNIT:
        assert torch.allclose(together.norm(dim=1), torch.ones(5), atol=1e-5)


@each
@torch.inference_mode()
def test_a_long_text_is_read_to_its_end(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    item, other = encoder.prepare(Text(LONG)), encoder.prepare(Text(LONG[:-8] + "sleeps!!"))
    assert len(item["lengths"]) > 1 and item["lengths"].max() <= encoder.pieces.most
    assert (encoder.encode([item]) - encoder.encode([other])).abs().max() > 1e-4
    _, times = encoder.encode_sequence([item])
    read = torch.zeros(len(LONG), dtype=torch.bool)
    for start, end in times[0].int().tolist():
        read[start:end] = True
    assert all(seen or letter == " " for letter, seen in zip(LONG, read, strict=True))


@each
@torch.inference_mode()
def test_pieces_weigh_as_much_as_they_hold(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    item = encoder.prepare(Text(LONG))
    each_alone = [
        encoder.encode([{"tokens": tokens, "lengths": torch.tensor([len(tokens)])}])[0]
        for tokens in item["tokens"].split(item["lengths"].tolist())
    ]
    weighed = sum(len_ * row for len_, row in zip(item["lengths"], each_alone, strict=True)) / item["lengths"].sum()
    weighed = weighed / weighed.norm() if case in UNIT else weighed
    assert (encoder.encode([item])[0] - weighed).abs().max() < 1e-5


@each
@torch.inference_mode()
def test_every_letter_has_a_state_and_a_place(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    assert isinstance(encoder, SequenceEncoder)
    tokens, times = encoder.encode_sequence([encoder.prepare(Text(text)) for text in ("dog", "a dog", "")])
    assert tokens.shape == (3, times.shape[1], encoder.token_dim) and tokens.dtype == times.dtype == torch.float32
    places = [tuple(map(int, place)) for place in times[0] if not place.isnan().any()]
    assert places[-3:] == [(0, 1), (1, 2), (2, 3)]
    assert (2, 3) in [tuple(map(int, place)) for place in times[1] if not place.isnan().any()]
    alone, _ = encoder.encode_sequence([encoder.prepare(Text("dog"))])
    assert (tokens[0, : alone.shape[1]] - alone[0]).abs().max() < 1e-5
    assert (~times[2].isnan().any(dim=1)).any()  # even an empty text has one


@each
def test_a_gradient_flows(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    uses = getattr(encoder, "uses", lambda name: True)
    own = [
        parameter
        for name, parameter in encoder.network.named_parameters()
        if uses(name)
        and parameter.ndim > 1
        and "0.model.pooler" not in name  # which Sentence-BERT has and asks nothing
    ]
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())
    first, last = own[0].requires_grad_(True), own[-1].requires_grad_(True)
    encoder.encode([encoder.prepare(Text(SENTENCE))])[0, :3].sum().backward()
    assert first.grad is not None and first.grad.abs().sum() > 0
    assert last.grad is not None and last.grad.abs().sum() > 0
    for parameter in (first, last):
        parameter.requires_grad_(False).grad = None


@each
def test_a_checkpoint_may_name_it(case: str, folders: dict[str, Path], tmp_path: Path) -> None:
    name, options, _, _ = CASES[case]
    dim = 12 if case in ("m-clip", "clap-text") else 16
    config = {"name": "t", "dim": dim, "null": {}}
    config["encoders"] = {"text": {"name": name, "checkpoint": str(folders[case]), **options}}
    config["heads"] = {"text": {"kind": "none", "num_features": dim, "dim": dim}}
    model = tiny.model_folder(tmp_path, config)
    assert unimma.load_model(model).embed([SENTENCE, "rain"]).shape == (2, dim)


@each
@pytest.mark.parametrize("harm", ["weights-gone", "weights-cut", "config-gone", "config-cut", "words-cut", "other"])
def test_harm_is_told_in_one_sentence(case: str, harm: str, folders: dict[str, Path], tmp_path: Path) -> None:
    name, options, _, _ = CASES[case]
    broken = tmp_path / "broken"
    shutil.copytree(folders[case], broken)
    tiny.harm(broken, harm)
    with pytest.raises(ModelError) as caught:
        find(name)(str(broken), **options)
    assert "broken" in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_a_prompt_is_read_and_has_no_place(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = tiny.sentence_bert(tmp_path / "prompted", normalised=False)
    network = SentenceTransformer(str(folder), device="cpu")
    network.prompts, network.default_prompt_name = {"said": "query: "}, "said"
    network.save_pretrained(str(folder))
    encoder = find("sentence-bert")(str(folder))
    item = encoder.prepare(Text("a dog"))
    with torch.inference_mode():
        expected = SentenceTransformer(str(folder), device="cpu").encode("a dog")
        assert (encoder.encode([item])[0] - torch.from_numpy(expected)).abs().max() < 1e-5
    _, times = encoder.encode_sequence([item])
    assert times[0].tolist() == [[0, 1], [2, 3], [3, 4], [4, 5]]
    assert not encoder.unit


def test_m_clip_may_come_as_safetensors(tmp_path: Path, encoders: dict[str, Any]) -> None:
    encoder = find("m-clip")(str(tiny.m_clip(tmp_path / "safe", pickled=False)))
    item = encoder.prepare(Text(SENTENCE))
    assert torch.equal(encoder.encode([item]), encoders["m-clip"].encode([item]))


def test_llama_reads_no_more_at_once_than_it_is_told(folders: dict[str, Path]) -> None:
    encoder = find("llama")(str(folders["llama-last"]), max_tokens=10)
    assert encoder.prepare(Text("a" * 30))["lengths"].tolist() == [10, 10, 10, 4]  # nine letters and the first token
    with pytest.raises(ModelError, match="2 tokens or more"):
        find("llama")(str(folders["llama-last"]), max_tokens=1)
    with pytest.raises(ModelError, match="mean or last"):
        find("llama")(str(folders["llama-last"]), pooling="max")


def test_both_towers_of_clap_hold_one_network(folders: dict[str, Path], encoders: dict[str, Any]) -> None:
    other = find("clap-audio")(str(folders["clap-text"]))
    assert other.network is encoders["clap-text"].network
    names = [name for name, _ in other.network.named_parameters()]
    owners = [(other.uses(name), encoders["clap-text"].uses(name)) for name in names]
    assert owners.count((True, True)) == 0 and owners.count((False, False)) == 2  # the two scales of the loss
