"""Encoders that listen, each with a tiny network of random weights, against calling its library directly."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import unimma
from tests.encoders import tiny_checkpoints as tiny
from tests.makers import tone
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.listening import window_starts
from unimma.encoders.registry import find
from unimma.encoders.spectrogram import resample
from unimma.errors import ModelError
from unimma.types import Audio

pytestmark = pytest.mark.usefixtures("no_network")


def hubert(folder: Path, waveform: Tensor) -> Tensor:
    from transformers import AutoFeatureExtractor, HubertModel

    values = AutoFeatureExtractor.from_pretrained(folder)(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
    return HubertModel.from_pretrained(folder).eval()(**values).last_hidden_state[0].mean(dim=0)


def whisper(folder: Path, waveform: Tensor) -> Tensor:
    """Of the frames that hear something, 20 ms each; the rest of its window is filling."""
    from transformers import AutoFeatureExtractor, WhisperModel

    values = AutoFeatureExtractor.from_pretrained(folder)(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
    frames: Tensor = WhisperModel.from_pretrained(folder).eval().encoder(**values).last_hidden_state[0]
    return frames[: -(-len(waveform) // 320)].mean(dim=0)


def ast(folder: Path, waveform: Tensor) -> Tensor:
    from transformers import ASTModel, AutoFeatureExtractor

    values = AutoFeatureExtractor.from_pretrained(folder)(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
    return ASTModel.from_pretrained(folder).eval()(**values).pooler_output[0]


def clap(folder: Path, waveform: Tensor) -> Tensor:
    from transformers import AutoFeatureExtractor, ClapModel

    values = AutoFeatureExtractor.from_pretrained(folder)(waveform.numpy(), sampling_rate=48_000, return_tensors="pt")
    values["is_longer"] = torch.zeros(1, 1, dtype=torch.bool)  # of a fused one the library sets it by chance
    return ClapModel.from_pretrained(folder).eval().get_audio_features(**values).pooler_output[0]


def fused(folder: Path) -> Path:
    return tiny.clap(folder, fused=True)


def raw(folder: Path) -> Path:
    return tiny.hubert(folder, normalised=False)


# name → the encoder, its options, its rate, seconds of its window and from frame to frame, who writes its checkpoint,
# what the library makes of a waveform
Case = tuple[str, dict[str, Any], int, float, float, Callable[[Path], Path], Callable[[Path, Tensor], Tensor]]
CASES: dict[str, Case] = {
    "hubert": ("hubert", {"window_s": 1.0}, 16_000, 1.0, 0.01, tiny.hubert, hubert),
    "hubert-raw": ("hubert", {"window_s": 1.0}, 16_000, 1.0, 0.01, raw, hubert),
    "whisper": ("whisper", {}, 16_000, 2.0, 0.02, tiny.whisper, whisper),
    "ast": ("ast", {}, 16_000, 0.655, 0.1, tiny.ast, ast),
    "clap-audio": ("clap-audio", {}, 48_000, 1.0, 1 / 32, tiny.clap, clap),
    "clap-fused": ("clap-audio", {}, 48_000, 1.0, 1 / 32, fused, clap),
}
each = pytest.mark.parametrize("case", CASES)


def noise(seconds: float, seed: int = 0) -> Audio:
    """Noise over a tone, no two stretches alike."""
    waveform = tone(seconds, hz=300.0 + 90 * seed, level=0.2)
    return Audio(waveform + np.random.default_rng(seed).normal(0, 0.05, len(waveform)).astype(np.float32), 44_100)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("sound")
    return {case: write(place / case) for case, (_, _, _, _, _, write, _) in CASES.items()}


@pytest.fixture(scope="module")
def encoders(folders: dict[str, Path]) -> dict[str, Any]:
    return {case: find(name)(str(folders[case]), **options) for case, (name, options, *_) in CASES.items()}


@each
@torch.inference_mode()
def test_features_are_the_librarys(case: str, encoders: dict[str, Any], folders: dict[str, Path], sound: Path) -> None:
    encoder, (_, _, rate_hz, _, _, _, theirs) = encoders[case], CASES[case]
    heard = media.decode(sound)
    assert isinstance(heard, Audio)
    half = Audio(heard.waveform[:20_000], heard.rate_hz)
    items = [half, noise(0.3)]
    expected = torch.stack(
        [theirs(folders[case], resample(torch.tensor(i.waveform), i.rate_hz, rate_hz)) for i in items]
    )
    ours = encoder.encode([encoder.prepare(item) for item in items])
    assert ours.dtype == torch.float32 and ours.shape == (2, encoder.dim) == (2, encoder.info.features)
    assert (ours - expected).abs().max() < 1e-5
    assert (ours[0] - ours[1]).abs().max() > 1e-3


@each
@torch.inference_mode()
def test_neighbours_do_not_matter(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    batch = [encoder.prepare(noise(seconds, i)) for i, seconds in enumerate((0.3, 4.1, 1e-4, 0.7))]
    together, alone = encoder.encode(batch), torch.cat([encoder.encode([item]) for item in batch])
    assert (together - alone).abs().max() < 1e-5 and not together.isnan().any()


@each
@torch.inference_mode()
def test_a_long_sound_is_heard_to_its_end(case: str, encoders: dict[str, Any]) -> None:
    encoder, window_s = encoders[case], CASES[case][3]
    one, other = noise(5.0), noise(5.0)
    other.waveform[-int(0.2 * 44_100) :] = noise(0.2, seed=9).waveform  # a part of the last window
    item = encoder.prepare(one)
    assert len(item["inputs"]) >= 5 / window_s
    assert (encoder.encode([item]) - encoder.encode([encoder.prepare(other)])).abs().max() > 1e-5
    if case.startswith("clap"):
        assert encoder.encode([item]).norm().item() == pytest.approx(1)


@each
@torch.inference_mode()
def test_frames_lie_in_time(case: str, encoders: dict[str, Any]) -> None:
    encoder, step_s = encoders[case], CASES[case][4]
    assert isinstance(encoder, SequenceEncoder)
    batch = [encoder.prepare(noise(seconds)) for seconds in (0.4, 3.0)]
    tokens, times = encoder.encode_sequence(batch)
    assert tokens.shape == (2, times.shape[1], encoder.token_dim) and tokens.dtype == times.dtype == torch.float32
    for seconds, own in zip((0.4, 3.0), times, strict=True):
        own = own[~own.isnan().any(dim=1)]
        assert own[0, 0] == 0 and own.max() <= seconds + 1e-4
        assert seconds - own[-1, 1] < 2.5 * step_s
        starts = own[:, 0].diff()
        assert (starts > 0).all() and starts.median().item() == pytest.approx(step_s, abs=1e-3)
        assert len(own) == pytest.approx(seconds / step_s, rel=0.2, abs=3)
    short, _ = encoder.encode_sequence(batch[:1])
    assert (tokens[0, : short.shape[1]] - short[0]).abs().max() < 1e-5


@torch.inference_mode()
def test_a_frame_of_a_long_sound_is_that_of_its_window(encoders: dict[str, Any], folders: dict[str, Path]) -> None:
    """Whisper hears two seconds at a time: the first's frames up to the middle of what it shares with the second."""
    from transformers import AutoFeatureExtractor, WhisperModel

    waveform = resample(torch.tensor(noise(3.6).waveform), 44_100, 16_000)
    starts = window_starts(len(waveform), 32_000)
    assert starts == [0, 25_600]
    extractor = AutoFeatureExtractor.from_pretrained(folders["whisper"])
    network = WhisperModel.from_pretrained(folders["whisper"]).eval()
    windows = [waveform[start : start + 32_000].numpy() for start in starts]
    frames = network.encoder(**extractor(windows, sampling_rate=16_000, return_tensors="pt")).last_hidden_state
    ours, times = encoders["whisper"].encode_sequence([encoders["whisper"].prepare(noise(3.6))])
    border = (32_000 + 25_600) // 2 // 320
    assert (ours[0, :border] - frames[0, :border]).abs().max() < 1e-5
    assert (ours[0, border] - frames[1, border - 80]).abs().max() < 1e-5
    assert times[0, border].tolist() == pytest.approx([1.8, 1.82])
    assert ours.shape[1] == 180


@pytest.mark.parametrize("num_samples", [1, 99, 100, 101, 183, 184, 999, 12_345])
def test_windows_cover_a_sound_and_overlap(num_samples: int) -> None:
    starts = window_starts(num_samples, 100)
    assert starts[0] == 0 and starts[-1] == max(0, num_samples - 100)
    assert all(0 < b - a <= 85 for a, b in pairwise(starts))


@each
def test_a_gradient_flows(case: str, encoders: dict[str, Any]) -> None:
    encoder = encoders[case]
    uses = getattr(encoder, "uses", lambda name: True)
    names = ("fusion_model", "mel_conv2d", "masked_spec")  # of sounds that are cut by chance, and of training
    own = [
        parameter
        for name, parameter in encoder.network.named_parameters()
        if uses(name) and parameter.ndim > 1 and not any(part in name for part in names)
    ]
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())
    first, last = own[0].requires_grad_(True), own[-1].requires_grad_(True)
    encoder.encode([encoder.prepare(noise(0.5))])[0, :3].sum().backward()
    assert first.grad is not None and first.grad.abs().sum() > 0
    assert last.grad is not None and last.grad.abs().sum() > 0
    for parameter in (first, last):
        parameter.requires_grad_(False).grad = None


@each
def test_a_checkpoint_may_name_it(case: str, folders: dict[str, Path], tmp_path: Path, sound: Path) -> None:
    name, options, *_ = CASES[case]
    dim = 12 if case.startswith("clap") else 16
    config = {"name": "t", "dim": dim, "null": {}}
    config["encoders"] = {"audio": {"name": name, "checkpoint": str(folders[case]), **options}}
    config["heads"] = {"audio": {"kind": "none", "num_features": dim, "dim": dim}}
    model = tiny.model_folder(tmp_path, config)
    assert unimma.load_model(model).embed([sound, noise(0.2)]).shape == (2, dim)


@each
@pytest.mark.parametrize("harm", ["weights-gone", "weights-cut", "config-gone", "config-cut", "front-cut", "other"])
def test_harm_is_told_in_one_sentence(case: str, harm: str, folders: dict[str, Path], tmp_path: Path) -> None:
    name, options, *_ = CASES[case]
    broken = tmp_path / "broken"
    shutil.copytree(folders[case], broken)
    tiny.harm(broken, harm)
    with pytest.raises(ModelError) as caught:
        find(name)(str(broken), **options)
    assert "broken" in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_too_short_a_window_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="1 second or more"):
        find("hubert")(str(folders["hubert"]), window_s=0.1)
