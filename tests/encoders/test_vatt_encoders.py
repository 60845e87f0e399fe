"""VATT's encoders on real media, with tiny networks of random weights, against calling these networks directly."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import unimma
from tests.encoders import tiny_vatt
from unimma import media
from unimma.encoders import vatt_front as front
from unimma.encoders.registry import find
from unimma.encoders.spectrogram import resample
from unimma.encoders.vatt import VATT, VATTClassifier
from unimma.errors import ModelError
from unimma.types import Audio, Modality, Text, Video

pytestmark = pytest.mark.usefixtures("no_network")
THREE = (Modality.VIDEO, Modality.AUDIO, Modality.TEXT)
LONG = "A dog barks at the falling rain, and -- well -- don't the cats mind? " * 3


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tiny_vatt.write_checkpoints(tmp_path_factory.mktemp("vatt"))


@pytest.fixture
def items(clip: Path, sound: Path) -> dict[Modality, Any]:
    return {Modality.VIDEO: media.decode(clip), Modality.AUDIO: media.decode(sound), Modality.TEXT: Text(LONG)}


def shorter(item: Any) -> Any:
    """An item that fits into one window."""
    if isinstance(item, Video):
        return Video(item.frames[:3], item.times[:3], 0.3)
    return Text("A dog!") if isinstance(item, Text) else Audio(item.waveform[:2000], item.rate_hz)


def windows_of(modality: Modality, item: Any, network: VATT) -> tuple[torch.Tensor, torch.Tensor]:
    """The windows of an item as the network takes them, cut by hand, and how long each is."""
    if isinstance(item, Text):
        length = (*network.native_sizes(Modality.TEXT), 16)[0]
        words = [w.strip(",.?!-").replace("'", "").lower() for w in item.text.split()]
        known = [tiny_vatt.WORDS.index(w) if w in tiny_vatt.WORDS else 3 for w in words if w]
        pieces = [known[i : i + length] for i in range(0, len(known), length)]
        lengths = torch.tensor([float(len(piece)) for piece in pieces])
        return torch.tensor([piece + [0] * (length - len(piece)) for piece in pieces]), lengths
    length, *sides = network.native_sizes(modality)
    if isinstance(item, Audio):
        x = resample(torch.tensor(item.waveform), item.rate_hz, 48_000)[:, None]
    else:
        x = front.crop_frames(item.frames, *sides).float() / 127.5 - 1
    x = x.repeat(math.ceil(length / len(x)), *[1] * (x.ndim - 1)) if len(x) < length else x
    starts = [*range(0, len(x) - length, length // 2), len(x) - length]
    return torch.stack([x[start : start + length] for start in starts]), torch.ones(len(starts))


@pytest.mark.parametrize("modality", THREE)
@pytest.mark.parametrize("name", ["tx", "ut"])
def test_embeddings_are_the_means_of_what_the_network_makes_of_windows(
    folders: dict[str, Path], items: dict[Modality, Any], name: str, modality: Modality
) -> None:
    common = find(f"vatt-{modality}")(str(folders[name]))
    alone = find(f"vatt-{modality}")(checkpoint=str(folders[name] / "weights.npz"), space="features")
    network = VATT.from_npz(folders[name] / "weights.npz", folders[name] / "config.json")
    x, lengths = windows_of(modality, items[modality], network)
    assert len(x) > 1
    with torch.inference_mode():
        both = [items[modality], shorter(items[modality])]
        ours, features = (e.encode([e.prepare(item) for item in both]) for e in (common, alone))
        pooled = network.features_of(modality, x)["features_pooled"]
        rows = network.bridge.common(modality, pooled)
        only = [e.encode([e.prepare(both[1])])[0] for e in (common, alone)]
    weights = (lengths / lengths.sum())[:, None]
    assert ours.shape == (2, common.dim) and features.shape == (2, alone.dim) and alone.dim == alone.token_dim
    assert torch.allclose(features[0], (pooled * weights).sum(dim=0), atol=1e-5)
    assert torch.allclose(ours[0], F.normalize((rows * weights).sum(dim=0), dim=0), atol=1e-5)
    assert torch.allclose(ours[1], only[0], atol=1e-5) and torch.allclose(features[1], only[1], atol=1e-5)


@pytest.mark.parametrize("modality", THREE)
@pytest.mark.parametrize("name", ["tx", "ut"])
def test_sequences_go_through_the_item_once(
    folders: dict[str, Path], items: dict[Modality, Any], name: str, modality: Modality
) -> None:
    encoder = find(f"vatt-{modality}")(str(folders[name]))
    item = items[modality]
    with torch.inference_mode():
        tokens, times = encoder.encode_sequence([encoder.prepare(i) for i in (shorter(item), item)])
    assert tokens.shape == (*times.shape[:2], encoder.token_dim) and tokens.dtype == times.dtype == torch.float32
    filled = ~times.isnan().any(dim=2)
    assert filled[1].all() and 0 < filled[0].sum() < len(filled[0]) and not filled[0][filled[0].sum() :].any()
    end = len(LONG.rstrip()) if isinstance(item, Text) else item.duration_s
    begins, ends = times[1].T
    assert begins[0] == 0 and ends[-1] == pytest.approx(end, abs=1e-3)
    assert (ends > begins).all() and (begins.diff() > 0).all() and (ends.diff() >= 0).all()
    if not isinstance(item, Text):  # words have white space between them
        assert torch.allclose(begins[1:], ends[:-1], atol=1e-3)


def test_a_words_token_stands_where_the_word_does(folders: dict[str, Path]) -> None:
    encoder = find("vatt-text")(str(folders["tx"]))
    with torch.inference_mode():
        tokens, times = encoder.encode_sequence([encoder.prepare(Text(LONG))])
    spans = [LONG[int(begin) : int(end)] for begin, end in times[0].tolist()]
    assert spans[:6] == ["A", "dog", "barks", "at", "the", "falling"] and "don't" in spans and "--" not in spans
    with torch.inference_mode():
        direct = encoder.network.text(encoder.prepare(Text(LONG))["words"][None, :16])["features"]
    assert torch.allclose(tokens[0, :16], direct[0], atol=1e-5)


@pytest.mark.parametrize("space", ["common", "features"])
@pytest.mark.parametrize("modality", THREE)
@pytest.mark.parametrize("name", ["tx", "ut"])
def test_gradients_reach_what_a_tower_uses_and_nothing_else(
    folders: dict[str, Path], items: dict[Modality, Any], name: str, modality: Modality, space: str
) -> None:
    encoder = find(f"vatt-{modality}")(str(folders[name]), space)
    try:
        encoder.network.requires_grad_(True)
        encoder.encode([encoder.prepare(shorter(items[modality]))]).square().sum().backward()
        reached = {key for key, parameter in encoder.network.named_parameters() if parameter.grad is not None}
    finally:
        encoder.network.zero_grad(set_to_none=True)
        encoder.network.requires_grad_(False)
    assert reached == {key for key, _ in encoder.network.named_parameters() if encoder.uses(key)}


def test_the_towers_of_a_checkpoint_share_one_network(folders: dict[str, Path]) -> None:
    towers = [find(f"vatt-{modality}")(str(folders["tx"])) for modality in THREE]
    assert towers[0].network is towers[1].network is towers[2].network
    assert len({tower.dim for tower in towers}) == 1
    assert not any(p.requires_grad for p in towers[0].network.parameters()) and not towers[0].network.training


def test_a_model_of_the_three_embeds_files(folders: dict[str, Path], tmp_path: Path, clip: Path, sound: Path) -> None:
    encoders = {str(m): {"name": f"vatt-{m}", "checkpoint": str(folders["ut"])} for m in THREE}
    head = {"kind": "none", "num_features": 10, "dim": 10}
    config = {"name": "v", "dim": 10, "encoders": encoders, "heads": {str(m): head for m in THREE}, "null": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    model = unimma.load_model(tmp_path)
    z = model.embed([clip, "a dog barks", sound])
    assert z.shape == (3, 10) and np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-5
    assert model.modalities == {"video", "audio", "text"} and len(model.fingerprint) == 12


@pytest.mark.parametrize(("name", "modality"), [("clips", "video"), ("waves", "audio"), ("spectra", "audio")])
def test_a_classifiers_features_are_an_encoder_too(
    folders: dict[str, Path], items: dict[Modality, Any], name: str, modality: str
) -> None:
    encoder = find(f"vatt-{modality}")(str(folders[name]), space="features")
    item = shorter(items[Modality(modality)])
    with torch.inference_mode():
        prepared = encoder.prepare(item)
        ours = encoder.encode([prepared])
        tokens, times = encoder.encode_sequence([prepared])
        x = front.repeated(prepared[encoder.track], encoder.length)[None]
        x = front.centred(x) if name == "clips" else x[..., None]
        x = front.log_mel(x[..., 0], 20)[..., None] if name == "spectra" else x
        network = VATTClassifier.from_npz(folders[name] / "weights.npz", folders[name] / "config.json")
        direct = network.features_of(Modality(modality), x)["features_pooled"]
    assert torch.allclose(ours, direct, atol=1e-5)
    assert tokens.shape[2] == encoder.token_dim and times[0, -1, 1] == pytest.approx(item.duration_s, abs=1e-3)


def test_the_environment_may_name_the_checkpoint(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIMMA_VATT_CHECKPOINT", str(folders["tx"]))
    encoder = find("vatt-audio")()
    assert encoder.info.weights == "tx/weights.npz" and encoder.info.features == encoder.dim == 10
    assert encoder.info.input == "48 kHz, one channel, any length; windows of 0.2 s that overlap by half"


def test_what_cannot_be_is_said_in_one_sentence(folders: dict[str, Path], tmp_path: Path) -> None:
    bare, small = tmp_path / "bare", tmp_path / "small"
    for folder in (bare, small):
        tiny_vatt.write_checkpoint(folder, tiny_vatt.SPECIFIC)
    (bare / front.VOCABULARY).unlink()
    (small / front.VOCABULARY).write_text("\n".join(["<pad>", "<unk>", *(f"w{i}" for i in range(30))]))
    unpadded = tiny_vatt.write_checkpoint(tmp_path / "unpadded", tiny_vatt.SPECIFIC)
    (unpadded / front.VOCABULARY).write_text("<unk>\n<pad>\n")
    damaged = tiny_vatt.write_checkpoint(tmp_path / "damaged", tiny_vatt.SPECIFIC)
    (damaged / "weights.npz").write_bytes(b"PK\x03\x04 and nothing more")
    swapped = tiny_vatt.write_checkpoint(tmp_path / "swapped", tiny_vatt.SPECIFIC)
    (swapped / "config.json").write_text(json.dumps(tiny_vatt.AGNOSTIC))
    for name, options, message in [
        ("vatt-video", {}, "without a checkpoint; .*UNIMMA_VATT_CHECKPOINT"),
        ("vatt-video", {"checkpoint": str(tmp_path / "nowhere")}, r"config\.json cannot be read"),
        ("vatt-video", {"checkpoint": str(damaged)}, r"weights\.npz cannot be read"),
        ("vatt-video", {"checkpoint": str(swapped)}, "does not fit its config"),
        ("vatt-text", {"checkpoint": str(bare)}, r"vocabulary howto100m_en\.txt of VATT cannot be read"),
        ("vatt-text", {"checkpoint": str(small)}, "numbers up to 31; expected less than the model's 20"),
        ("vatt-text", {"checkpoint": str(unpadded)}, "without <pad> = 0"),
        ("vatt-video", {"checkpoint": str(folders["clips"])}, "no common space"),
        ("vatt-audio", {"checkpoint": str(folders["clips"]), "space": "features"}, "audio for a classifier of video"),
        ("vatt-audio", {"checkpoint": str(folders["tx"]), "space": "joint"}, '"common" or "features"'),
    ]:
        with pytest.raises(ModelError, match=message) as caught:
            find(name)(**options)
        assert str(tmp_path) not in str(caught.value)


def test_words_are_numbered_by_line_or_by_their_own_number(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("\n".join(tiny_vatt.WORDS))
    (tmp_path / "numbers").write_text("\n".join(f"{i} {word}" for i, word in enumerate(tiny_vatt.WORDS)))
    for name in ("lines", "numbers"):
        words, offsets = front.Words(tmp_path / name, 20).read("A dog, DON'T ... zebra")
        assert words.tolist() == [4, 5, 11, 3] and offsets.tolist() == [[0, 1], [2, 6], [7, 12], [17, 22]]
    assert front.Words(tmp_path / "lines", 20).read("?!")[0].tolist() == [3]


def test_ticks_are_ten_a_second_or_as_many_as_there_are_frames() -> None:
    def clip(count: int, seconds: float) -> Video:
        times = (np.arange(count) + 0.5) * seconds / count
        return Video(np.zeros((count, 8, 8, 3), np.uint8), times, seconds)

    chosen, step_s = front.ticks(clip(60, 2.0))
    assert len(chosen) == 20 and step_s == pytest.approx(0.1) and (np.diff(chosen) == 3).all()
    chosen, step_s = front.ticks(clip(16, 60.0))
    assert chosen.tolist() == list(range(16)) and step_s == pytest.approx(3.75)


def test_frames_keep_their_shape_and_lose_their_edges() -> None:
    frames = np.zeros((1, 30, 80, 3), np.uint8)
    frames[:, :, 25:55] = 200
    middle = front.crop_frames(frames, 30, 30)
    assert middle.shape == (1, 30, 30, 3) and (middle == 200).all()
    halved = front.crop_frames(np.repeat(np.repeat(frames, 2, axis=1), 2, axis=2), 30, 30)
    assert (halved[:, :, 1:-1] == 200).all()
    assert front.centred(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_log_mel_is_its_definition() -> None:
    waveform = np.random.default_rng(0).standard_normal(5000) * np.linspace(0, 0.2, 5000)
    padded = np.concatenate([waveform, np.zeros(4096)])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    bins_hz = np.arange(1025) * 48_000 / 2048
    mel = 1127 * np.log(1 + bins_hz / 700)
    edges = np.linspace(1127 * np.log(1 + 80 / 700), 1127 * np.log(1 + 7600 / 700), 22)
    expected = np.zeros((5, 20))
    for step in range(5):
        magnitudes = np.abs(np.fft.rfft(padded[step * 1024 : step * 1024 + 2048] * hann))
        for band in range(20):
            low, top, high = edges[band : band + 3]
            weights = np.clip(np.minimum((mel - low) / (top - low), (high - mel) / (high - top)), 0, None)
            expected[step, band] = np.log(1 + 10_000 * (weights * magnitudes).sum())
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    ours = front.log_mel(torch.tensor(waveform, dtype=torch.float32)[None], 20)[0].numpy()
    assert np.abs(ours - expected).max() < 1e-4
    assert front.log_mel(torch.zeros(1, 3000), 20).abs().max() == 0  # silence
