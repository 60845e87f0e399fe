"""Speech as a sentence: what a tiny Whisper of random weights writes down, read by a tiny text encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.encoders import tiny_checkpoints as tiny
from tests.makers import tone
from unimma import media
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.types import Audio, Text

pytestmark = pytest.mark.usefixtures("no_network")


def hum(seconds: float, seed: int = 0) -> Audio:
    waveform = tone(seconds, hz=200.0 + 100 * seed, level=0.3, rate_hz=16_000)
    return Audio(waveform + np.random.default_rng(seed).normal(0, 0.05, len(waveform)).astype(np.float32), 16_000)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("transcript")
    return {"whisper": tiny.whisper(place / "whisper"), "bert": tiny.bert(place / "bert")}


@pytest.fixture(scope="module")
def encoder(folders: dict[str, Path]) -> Any:
    text = {"name": "bert", "checkpoint": str(folders["bert"])}
    return find("whisper-transcript")(str(folders["whisper"]), text=text)


def library(folder: Path, audio: Audio) -> str:
    """Its own transcription of a sound, long or short."""
    from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

    network = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    longer = {"truncation": False, "padding": "longest"} if audio.duration_s > 2 else {}
    values = WhisperFeatureExtractor.from_pretrained(folder)(
        audio.waveform, sampling_rate=16_000, return_tensors="pt", **longer
    )
    tokens = network.generate(values.input_features, return_timestamps=True)
    return str(AutoTokenizer.from_pretrained(folder).decode(tokens[0], skip_special_tokens=True))


@pytest.fixture
def talkative(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One that is never in doubt whether somebody speaks: of random weights it always is."""
    monkeypatch.setattr("unimma.encoders.whisper._GUESS", -1e9)
    return encoder


@pytest.mark.parametrize("seconds", [0.5, 2.0, 5.3])
@torch.inference_mode()
def test_it_reads_what_the_library_writes(seconds: float, talkative: Any, folders: dict[str, Path]) -> None:
    audio = hum(seconds)
    (pieces,) = talkative.transcribe([talkative.prepare(audio)])
    written = library(folders["whisper"], audio)
    assert written and "".join(words for words, _ in pieces).replace(" ", "") == written.replace(" ", "")
    sentence = " ".join(words for words, _ in pieces)
    expected = talkative.text.encode([talkative.text.prepare(Text(sentence))])
    assert (talkative.encode([talkative.prepare(audio)]) - expected).abs().max() < 1e-5


@torch.inference_mode()
def test_the_pieces_lie_in_time_and_neighbours_do_not_matter(talkative: Any, sound: Path) -> None:
    heard = media.decode(sound)
    batch = [talkative.prepare(item) for item in (heard, hum(5.3), hum(0.01, seed=3))]
    together, alone = talkative.encode(batch), torch.cat([talkative.encode([item]) for item in batch])
    assert together.shape == (3, talkative.dim) and (together - alone).abs().max() < 1e-5
    tokens, times = talkative.encode_sequence(batch)
    assert tokens.shape == (3, times.shape[1], talkative.token_dim)
    own = times[1][~times[1].isnan().any(dim=1)]
    assert len(own) > 1 and own.max() <= 5.31 and (own[:, 1] >= own[:, 0]).all() and (own[:, 0].diff() >= 0).all()


@torch.inference_mode()
def test_where_nobody_speaks_the_text_is_empty(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unimma.encoders.whisper._GUESS", 1.0)
    monkeypatch.setattr("unimma.encoders.whisper._NO_SPEECH", -1.0)
    item = encoder.prepare(hum(3.0))
    assert encoder.transcribe([item]) == [[]]
    empty = encoder.text.encode([encoder.text.prepare(Text(""))])
    assert torch.equal(encoder.encode([item]), empty)
    tokens, times = encoder.encode_sequence([item])
    assert torch.equal(tokens[0], empty) and times.tolist() == [[[0.0, 3.0]]]


def test_a_gradient_reaches_the_text_encoder_alone(encoder: Any) -> None:
    trained = trained_parameters(encoder, "all")
    assert trained and all(name.startswith("text.") for name in trained)
    parameter = next(iter(trained.values())).requires_grad_(True)
    encoder.encode([encoder.prepare(hum(0.5))])[0, :3].sum().backward()
    assert parameter.grad is not None and parameter.grad.abs().sum() > 0
    parameter.requires_grad_(False).grad = None


def test_it_says_what_it_is_made_of(encoder: Any, folders: dict[str, Path]) -> None:
    assert encoder.info.weights == "whisper; bert" and "Devlin" in encoder.info.paper and encoder.info.features == 16
    with pytest.raises(ModelError, match="an encoder of audio"):
        find("whisper-transcript")(str(folders["whisper"]), text={"name": "yamnet-student"})
    with pytest.raises(ModelError, match="encoder 'berd'"):
        find("whisper-transcript")(str(folders["whisper"]), text="berd")
