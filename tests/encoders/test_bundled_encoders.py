"""The bundled model's encoders against second sources: timm, sentence-transformers, the original's own procedure."""

from itertools import accumulate

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.aisfx import AisfxEncoder
from unimma.encoders.base import fingerprint
from unimma.encoders.efficientnet_lite import _STAGES, _WEIGHTS, EfficientNetLite2Encoder
from unimma.encoders.joined import FramesAndSound
from unimma.encoders.minilm import _WEIGHTS as MINILM_WEIGHTS
from unimma.encoders.minilm import MiniLMEncoder
from unimma.encoders.weights import locate
from unimma.encoders.yamnet_student import LogMelWindows, YamnetStudentEncoder
from unimma.heads import HeadConfig, build_head
from unimma.model import Tower
from unimma.types import Audio, Image, Text

RATE_HZ = 44_100


def noise(seconds: float, seed: int = 0) -> Audio:
    """Noise that swells and fades, so that no two seconds are alike."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    waveform = (rng.normal(size=len(t)) * (0.2 + 0.15 * np.sin(t))).astype(np.float32)
    waveform.setflags(write=False)
    return Audio(waveform, RATE_HZ)


@pytest.fixture(scope="module")
def aisfx() -> AisfxEncoder:
    return AisfxEncoder()


@pytest.fixture(scope="module")
def efficientnet() -> EfficientNetLite2Encoder:
    return EfficientNetLite2Encoder()


@pytest.fixture(scope="module")
def minilm() -> MiniLMEncoder:
    return MiniLMEncoder()


def test_efficientnet_is_timms_network(efficientnet: EfficientNetLite2Encoder) -> None:
    ensure_torch_extensions()
    import timm

    theirs = timm.create_model("tf_efficientnet_lite2", pretrained=False).eval()
    theirs.load_state_dict(_timm_names(torch.load(locate(_WEIGHTS), weights_only=True)))
    pixels = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        x = (pixels.float() - 127) / 128
        last = theirs.forward_features(x)
        pooled, logits = theirs.forward_head(last, pre_logits=True), theirs(x)
        places = [theirs.classifier(last[:, :, row, column]) for row in range(7) for column in range(7)]
        stem = theirs.bn1(theirs.conv_stem(x))
        stages = [*accumulate(theirs.blocks, lambda maps, stage: stage(maps), initial=stem)][2:]
    ours = efficientnet.encode([{"pixels": picture} for picture in pixels])
    tapped = [
        taken for m in stages for taken in (m.mean(dim=(2, 3)), m.amax(dim=(2, 3)), m.std(dim=(2, 3), unbiased=False))
    ]
    expected = torch.cat([pooled, *tapped, torch.stack(places).amax(dim=0), logits], dim=1)
    assert (ours - expected).abs().max().item() < 2e-3


def _timm_names(checkpoint: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    places = [f"{stage}.{block}" for stage, (count, _) in enumerate(_STAGES) for block in range(count)]
    renamed = {}
    for name, tensor in checkpoint.items():
        parts = name.split(".")
        if parts[0] == "_blocks":
            short = parts[1] == "0"  # the only block without an expansion: timm numbers its norms from 1 all the same
            layer = {
                "_expand_conv": "conv_pw",
                "_bn0": "bn1",
                "_depthwise_conv": "conv_dw",
                "_bn1": "bn1" if short else "bn2",
                "_project_conv": "conv_pw" if short else "conv_pwl",
                "_bn2": "bn2" if short else "bn3",
            }[parts[2]]
            renamed[f"blocks.{places[int(parts[1])]}.{layer}.{parts[-1]}"] = tensor
        else:
            top = {
                "_conv_stem": "conv_stem",
                "_bn0": "bn1",
                "_conv_head": "conv_head",
                "_bn1": "bn2",
                "_fc": "classifier",
            }
            renamed[f"{top[parts[0]]}.{parts[-1]}"] = tensor
    return renamed


def test_a_picture_is_seen_whole(efficientnet: EfficientNetLite2Encoder) -> None:
    wide = np.zeros((100, 400, 3), np.uint8)
    wide[:, :20] = 255  # what a centre crop would cut away
    prepared = efficientnet.prepare(Image(wide))["pixels"]
    assert prepared.shape == (3, 192, 192)
    assert prepared[:, :, :8].float().mean().item() > 250


def test_minilm_is_sentence_transformers_model(minilm: MiniLMEncoder) -> None:
    ensure_torch_extensions()
    from sentence_transformers import SentenceTransformer

    said = ["a dog barks", "Rain falls on a tin roof while somebody hums an old song.", "stock market"]
    theirs = SentenceTransformer(str(locate(MINILM_WEIGHTS).parent), device="cpu").encode(
        said, normalize_embeddings=True
    )
    ours = minilm.encode([minilm.prepare(Text(sentence)) for sentence in said])
    assert np.abs(ours.numpy() - theirs).max() < 1e-5


def test_a_long_text_is_read_to_its_end(minilm: MiniLMEncoder) -> None:
    start = "The cat sleeps. " * 100
    one, other = (minilm.encode([minilm.prepare(Text(start + end))])[0] for end in ("", "Volcano eruption! " * 100))
    assert (one @ other).item() < 0.9


def test_aisfx_gives_nearly_what_block_by_block_gives(aisfx: AisfxEncoder) -> None:
    """The original's procedure: cut the spectrogram into 100 frames every 50, run each, then mean and maximum."""
    audio = noise(5.0)
    mel = torch.log10(1e4 * aisfx.mel(aisfx.prepare(audio)["waveform"]) + 1) / 9.457798957824707
    starts = range(0, int(np.ceil((len(mel) - 100) / 50)) * 50 + 1, 50)
    blocks = [F.pad(mel[start : start + 100], (0, 0, 0, 100 - len(mel[start : start + 100]))) for start in starts]
    with torch.inference_mode():
        features = aisfx.network(torch.stack(blocks)[:, None]).amax(dim=2)
    expected = torch.cat([features.mean(dim=0), features.amax(dim=0)])
    ours = aisfx.encode([aisfx.prepare(audio)])[0]
    assert F.cosine_similarity(ours, expected, dim=0).item() > 0.9


def test_a_sound_of_one_block_is_exactly_the_originals(aisfx: AisfxEncoder) -> None:
    audio = noise(1.0)
    mel = torch.log10(1e4 * aisfx.mel(aisfx.prepare(audio)["waveform"]) + 1) / 9.457798957824707
    with torch.inference_mode():
        block = aisfx.network(F.pad(mel, (0, 0, 0, 100 - len(mel)))[None, None]).amax(dim=2)[0]
    assert torch.allclose(aisfx.encode([aisfx.prepare(audio)])[0], torch.cat([block, block]), atol=1e-5)


def test_loudness_changes_nothing_for_aisfx(aisfx: AisfxEncoder) -> None:
    loud = noise(1.5)
    quiet = Audio(loud.waveform * np.float32(0.01), RATE_HZ)
    one, other = aisfx.encode([aisfx.prepare(loud), aisfx.prepare(quiet)])
    assert F.cosine_similarity(one, other, dim=0).item() > 0.9999


def test_sounds_of_any_length_do_not_depend_on_their_neighbours(aisfx: AisfxEncoder) -> None:
    student = YamnetStudentEncoder()
    sounds = [noise(seconds, seed=i) for i, seconds in enumerate((0.05, 1.0, 4.0, 40.0))]
    for encoder in (aisfx, student):
        prepared = [encoder.prepare(sound) for sound in sounds]
        together = encoder.encode(prepared)
        alone = torch.cat([encoder.encode([item]) for item in prepared])
        assert together.shape == (4, encoder.dim)
        assert torch.isfinite(together).all()
        assert (together - alone).abs().max().item() < 1e-4


def test_silence_gives_finite_features(aisfx: AisfxEncoder) -> None:
    silence = Audio(np.zeros(RATE_HZ, np.float32), RATE_HZ)
    assert torch.isfinite(aisfx.encode([aisfx.prepare(silence)])).all()


def test_log_mel_windows_cover_a_sound_by_halves() -> None:
    windows = LogMelWindows()
    assert windows(torch.zeros(1_000)).shape == (1, 96, 64)
    two_seconds = windows(torch.sin(torch.arange(32_000) * 2 * torch.pi * 1_000 / 16_000))
    assert two_seconds.shape == (3, 96, 64)
    loudest = two_seconds[1].mean(dim=0).argmax().item()
    bands_hz = 700 * (10 ** (np.linspace(*(2595 * np.log10(1 + np.array([125, 7500]) / 700)), 66) / 2595) - 1)
    assert bands_hz[loudest] < 1_000 < bands_hz[loudest + 2]


def test_encoders_leave_what_they_are_given_as_it_is(
    efficientnet: EfficientNetLite2Encoder, aisfx: AisfxEncoder
) -> None:
    pixels = np.full((50, 60, 3), 7, np.uint8)
    pixels.setflags(write=False)
    efficientnet.encode([efficientnet.prepare(Image(pixels))])
    aisfx.encode([aisfx.prepare(noise(0.5))])  # its waveform is read-only too
    assert (pixels == 7).all()


def test_a_clip_encoders_fingerprint_changes_with_the_heads_below_it() -> None:
    config = HeadConfig(kind="none", num_features=4, dim=4)
    towers = [Tower(YamnetStudentEncoder(), build_head(config)) for _ in range(2)]
    clips = FramesAndSound(towers[0], towers[1], width=4, num_frames=2)
    before = fingerprint(clips)
    assert fingerprint(clips) == before
    with torch.no_grad():
        next(towers[1].encoder.network.parameters()).add_(1.0)
    assert fingerprint(clips) != before
