"""CAV-MAE's encoders, from a tiny checkpoint of random weights: real media in, what the network itself gives out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.encoders.tiny_cav_mae import TINY, shaken
from tests.makers import write_tone
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.cav_mae import CAVMAE, CAVMAEFinetuned, log_mel
from unimma.encoders.cav_mae_front_end import fit_length, image_input, normalise_fbank
from unimma.encoders.registry import find
from unimma.encoders.spectrogram import resample
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.loading import build_model
from unimma.model import ModelConfig
from unimma.types import Audio, Image, Modality

pytestmark = pytest.mark.usefixtures("no_network")
NAMES = ("cav-mae-audio", "cav-mae-image")
HOP_S = 0.16  # a patch of 16 frames
WINDOW_S = 0.64  # what the tiny network hears


@pytest.fixture(scope="module")
def network() -> CAVMAE:
    torch.manual_seed(0)
    return shaken(CAVMAE(TINY)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def checkpoint(network: CAVMAE, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cav-mae") / "tiny.pth"
    torch.save({f"module.{name}": tensor for name, tensor in network.state_dict().items()}, path)
    return str(path)


def noise(seconds: float, seed: int = 0, rate_hz: int = 16_000) -> Audio:
    waveform = (np.random.default_rng(seed).normal(size=round(seconds * rate_hz)) * 0.2).astype(np.float32)
    waveform.setflags(write=False)
    return Audio(waveform, rate_hz)


def windows(audio: Audio) -> torch.Tensor:
    """A sound's filterbank [frames, 128], as the network's owner would make it."""
    return log_mel(resample(torch.tensor(audio.waveform), audio.rate_hz, 16_000))


def hear(network: CAVMAE, fbank: torch.Tensor) -> torch.Tensor:
    return network.audio_features(normalise_fbank(fit_length(fbank, TINY.num_frames))[None])[0]


def test_real_media_have_the_features_of_the_network_itself(
    network: CAVMAE, checkpoint: str, tmp_path: Path, picture: Path
) -> None:
    sound = media.decode(write_tone(tmp_path / "tone.flac", "flac", rate_hz=44_100, seconds=0.5))
    seen = media.decode(picture)
    assert isinstance(sound, Audio) and isinstance(seen, Image)
    audio, image = (find(name)(checkpoint=checkpoint, num_heads=2) for name in NAMES)
    heard = F.normalize(hear(network, windows(sound)).mean(dim=0), dim=0)
    assert (audio.encode([audio.prepare(sound)])[0] - heard).abs().max() < 1e-5
    pixels = image_input(seen.pixels, TINY.image_side_px)[None]
    shown = F.normalize(network.image_features(pixels).mean(dim=1), dim=1)
    assert (image.encode([image.prepare(seen)]) - shown).abs().max() < 1e-5
    assert audio.dim == image.dim == TINY.width
    assert isinstance(audio, SequenceEncoder) and isinstance(image, SequenceEncoder)


@torch.inference_mode()
def test_features_do_not_depend_on_neighbours(checkpoint: str) -> None:
    encoder = find("cav-mae-audio")(checkpoint=checkpoint, num_heads=2)
    prepared = [encoder.prepare(noise(seconds, seed=i)) for i, seconds in enumerate((0.001, 3.0, 0.5, 0.7))]
    together, alone = encoder.encode(prepared), torch.cat([encoder.encode([item]) for item in prepared])
    assert together.dtype == torch.float32 and torch.isfinite(together).all()
    assert (together - alone).abs().max() < 1e-5
    assert torch.allclose(together.norm(dim=1), torch.ones(4))
    tokens, times = encoder.encode_sequence(prepared)
    for item, own, when in zip(prepared, tokens, times, strict=True):
        (one,), (lone,) = encoder.encode_sequence([item])
        assert (own[: len(one)] - one).abs().max() < 1e-5
        assert torch.equal(when[: len(lone)], lone) and when[len(lone) :].isnan().all()


@torch.inference_mode()
def test_a_long_sound_is_heard_to_its_end_in_windows(network: CAVMAE, checkpoint: str) -> None:
    encoder = find("cav-mae-audio")(checkpoint=checkpoint, num_heads=2)
    sound = noise(1.375)  # 136 frames, so 9 columns of 16, the last one half filled up
    fbank = windows(sound)
    assert len(fbank) == 136
    starts = [0, 2, 4, 5]  # columns: half a window on, and the last so that the end is in
    heard = [hear(network, fbank[start * 16 : start * 16 + 64]) for start in starts]
    rows = torch.stack([F.normalize(own.mean(dim=0), dim=0) for own in heard])
    prepared = encoder.prepare(sound)
    assert (encoder.encode([prepared])[0] - F.normalize(rows.mean(dim=0), dim=0)).abs().max() < 1e-5
    (tokens,), (times,) = encoder.encode_sequence([prepared])
    for column in range(9):
        inside = [
            own.unflatten(0, (8, 4)).mean(dim=0)[column - start]
            for start, own in zip(starts, heard, strict=True)
            if start <= column < start + 4
        ]
        assert (tokens[column] - torch.stack(inside).mean(dim=0)).abs().max() < 1e-5
    assert tokens.shape == (9, TINY.width)
    assert times[:-1, 1].tolist() == times[1:, 0].tolist()
    assert times[:, 0].tolist() == pytest.approx([HOP_S * column for column in range(9)])
    assert times[-1, 1].item() == pytest.approx(sound.duration_s)


@torch.inference_mode()
def test_what_happens_late_in_a_long_sound_counts(checkpoint: str) -> None:
    encoder = find("cav-mae-audio")(checkpoint=checkpoint, num_heads=2)
    quiet = np.zeros(5 * 16_000, np.float32)
    late = quiet.copy()
    late[-8_000:] = noise(0.5).waveform
    one, other = encoder.encode([encoder.prepare(Audio(waveform, 16_000)) for waveform in (quiet, late)])
    assert (one - other).abs().max() > 1e-3


@torch.inference_mode()
def test_a_short_sound_has_no_tokens_of_what_was_filled_up(checkpoint: str) -> None:
    encoder = find("cav-mae-audio")(checkpoint=checkpoint, num_heads=2)
    sounds = [encoder.prepare(noise(seconds)) for seconds in (0.001, 0.2, WINDOW_S)]
    _, times = encoder.encode_sequence(sounds)
    assert (~times[:, :, 0].isnan()).sum(dim=1).tolist() == [1, 2, 4]
    assert times[0, 0].tolist() == pytest.approx([0, 0.001])


def test_a_pictures_patches_lie_at_no_time(network: CAVMAE, checkpoint: str) -> None:
    encoder = find("cav-mae-image")(checkpoint=checkpoint, num_heads=2)
    pixels = np.random.default_rng(1).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    tokens, times = encoder.encode_sequence([encoder.prepare(Image(pixels))])
    assert (tokens - network.image_features(image_input(pixels, 32)[None])).abs().max() < 1e-5
    assert times.shape == (1, 4, 2) and not times.any()


def test_both_branches_are_one_network_and_each_knows_its_own_part(checkpoint: str) -> None:
    audio, image = (find(name)(checkpoint=checkpoint, num_heads=2) for name in NAMES)
    assert audio.network is image.network
    assert not any(name.startswith("decoder") for name, _ in audio.network.named_parameters())
    names = {name: set(trained_parameters(encoder, "all")) for name, encoder in zip(NAMES, (audio, image), strict=True)}
    shared = names["cav-mae-audio"] & names["cav-mae-image"]
    assert shared and all(name.startswith("blocks_u.") and ".norm" not in name for name in shared)
    last = {name.partition(".")[0] for name in trained_parameters(audio, "last:1")}
    assert last == {"blocks_a", "blocks_u", "norm_a"}


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_reaches_all_that_can_be_trained(name: str, checkpoint: str) -> None:
    config = ModelConfig(
        name="t",
        dim=TINY.width,
        encoders={Modality(name.rpartition("-")[2]): _spec(name, checkpoint) | {"trained": "all"}},
        heads={Modality(name.rpartition("-")[2]): _HEAD},
    )
    ((_, tower),) = build_model(config, accept_license=True).towers.items()
    item = noise(1.0) if tower.encoder.modality is Modality.AUDIO else Image(np.full((9, 9, 3), 90, np.uint8))
    trained = trained_parameters(tower.encoder, "all")
    for parameter in trained.values():
        parameter.requires_grad_(True)
    tower.encoder.encode([tower.encoder.prepare(item)])[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in trained.values())
    assert sum(parameter.grad.abs().sum() for parameter in trained.values() if parameter.grad is not None) > 0


_HEAD = HeadConfig(kind="none", num_features=TINY.width, dim=TINY.width)


def _spec(name: str, checkpoint: str) -> dict[str, object]:
    return {"name": name, "checkpoint": checkpoint, "num_heads": 2}


def test_a_model_of_both_branches_embeds_sounds_and_pictures(checkpoint: str, sound: Path, picture: Path) -> None:
    config = ModelConfig(
        name="cav-mae",
        dim=TINY.width,
        encoders={Modality(name.rpartition("-")[2]): _spec(name, checkpoint) for name in NAMES},
        heads={Modality.AUDIO: _HEAD, Modality.IMAGE: _HEAD},
    )
    model = build_model(config, accept_license=True)
    rows = model.embed([sound, picture])
    assert rows.shape == (2, TINY.width) and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert model.fingerprint == build_model(config, accept_license=True).fingerprint


def test_the_environment_may_name_the_checkpoint(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNIMMA_CAV_MAE_CHECKPOINT", raising=False)
    with pytest.raises(ModelError, match=r"without a checkpoint.*set UNIMMA_CAV_MAE_CHECKPOINT to its path"):
        find("cav-mae-audio")(num_heads=2)
    monkeypatch.setenv("UNIMMA_CAV_MAE_CHECKPOINT", checkpoint)
    encoder = find("cav-mae-audio")(num_heads=2)
    assert encoder.info.weights == "tiny.pth" and not encoder.info.commercial
    assert encoder.info.features == TINY.width and "0.64 s" in encoder.info.input


def test_a_network_that_only_hears_hears(checkpoint: str, network: CAVMAE, tmp_path: Path) -> None:
    state = CAVMAEFinetuned.from_pretrained(checkpoint, num_classes=3, num_heads=2).state_dict()
    sees = ("patch_embed_v", "pos_embed_v", "modality_v", "blocks_v", "norm_v.")
    path = tmp_path / "hears.pth"
    torch.save({name: tensor for name, tensor in state.items() if not name.startswith(sees)}, path)
    audio, whole = (find("cav-mae-audio")(checkpoint=str(p), num_heads=2) for p in (path, checkpoint))
    prepared = audio.prepare(noise(0.5))
    assert torch.allclose(audio.encode([prepared]), whole.encode([prepared]), atol=1e-6)
    with pytest.raises(ModelError, match=r"hears\.pth, a CAV-MAE that only hears"):
        find("cav-mae-image")(checkpoint=str(path), num_heads=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_one_clear_error(name: str, checkpoint: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pth"
    broken.write_bytes(Path(checkpoint).read_bytes()[:-500])
    with pytest.raises(ModelError, match=r"broken\.pth cannot be read"):
        find(name)(checkpoint=str(broken), num_heads=2)
    with pytest.raises(ModelError, match=r"no file 'gone\.pth'"):
        find(name)(checkpoint=str(tmp_path / "gone.pth"))
    with pytest.raises(ModelError, match=r"5 heads for tiny\.pth"):
        find(name)(checkpoint=checkpoint, num_heads=5)
