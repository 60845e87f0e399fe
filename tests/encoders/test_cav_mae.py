"""CAV-MAE against the original's outputs, where the folder with them is there, and against second sources, always.

The folder is named by UNIMMA_GOLDEN; it holds small random checkpoints with the original's names, inputs and outputs.
"""

import json
import os
import pickle
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from tests.encoders.tiny_cav_mae import TINY, shaken
from tests.makers import corners
from unimma.compat import ensure_torch_extensions
from unimma.encoders.cav_mae import CAVMAE, CAVMAEConfig, CAVMAEFinetuned, log_mel
from unimma.encoders.cav_mae_branches import Block
from unimma.encoders.cav_mae_front_end import fit_length, image_input, normalise_fbank
from unimma.encoders.cav_mae_pretraining import (
    contrastive_loss,
    mask_by_noise,
    patchify,
    reconstruction_loss,
    sincos_positions,
    unpatchify,
)
from unimma.errors import ModelError

ROOT = Path(__file__).parents[2]
GOLDEN = Path(os.environ.get("UNIMMA_GOLDEN") or ROOT.parent / "shared" / "golden")
MODES = ("multimodal", "audioonly", "videoonly", "missingaudioonly", "missingvideoonly")


def found(pattern: str) -> list[Any]:
    """The golden files of that name; a test of none of them is skipped."""
    return [pytest.param(path, id=str(path.relative_to(GOLDEN))) for path in sorted(GOLDEN.rglob(pattern))]


def far(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item()


def read(weights: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a golden checkpoint was made with, and its inputs and outputs."""
    stem = weights.name.partition(".")[0]
    return json.loads(weights.with_name(f"{stem}.json").read_text()), load_file(
        weights.with_name(f"{stem}.safetensors")
    )


def pretrained(weights: Path) -> tuple[CAVMAE, dict[str, Any], dict[str, Tensor]]:
    sizes, io = read(weights)
    return CAVMAE.from_checkpoint(weights, sizes["num_heads"], sizes["decoder_num_heads"]), sizes, io


def check_retrieval(audio: Tensor, image: Tensor, io: Mapping[str, Tensor]) -> None:
    assert far(audio, io["feat.audio"]) < 1e-4 and far(image, io["feat.video"]) < 1e-4
    heard, seen = F.normalize(audio.mean(dim=1), dim=1), F.normalize(image.mean(dim=1), dim=1)
    assert far(heard, io["retrieval.audio"]) < 1e-4 and far(seen, io["retrieval.video"]) < 1e-4
    assert far(heard @ seen.T, io["retrieval.similarity"]) < 1e-4


@pytest.mark.parametrize("weights", found("pretrain*.pth"))
@torch.inference_mode()
def test_features_are_the_originals(weights: Path) -> None:
    network, sizes, io = pretrained(weights)
    assert network.config.num_own_blocks == sizes["modality_specific_depth"]
    check_retrieval(*network.features(io["audio"], io["image"]), io)


@pytest.mark.parametrize("weights", found("pretrain*.pth"))
@torch.inference_mode()
def test_what_is_masked_is_rebuilt_as_the_original_does(weights: Path) -> None:
    network, sizes, io = pretrained(weights)
    masks = [mask_by_noise(io[f"mask.noise_{way}"], sizes[f"mask_ratio_{way}"]) for way in "av"]
    for mask, way in zip(masks, "av", strict=True):
        assert torch.equal(mask.restore, io[f"mask.ids_restore_{way}"])
        assert torch.equal(mask.removed, io[f"mask.mask_{way}"])
    encoding = network.encode_masked(io["audio"], io["image"], *masks)
    assert far(encoding.latent, io["masked.latent"]) < 1e-4
    assert far(encoding.latent_audio, io["masked.latent_audio"]) < 1e-4
    assert far(encoding.latent_image, io["masked.latent_video"]) < 1e-4
    heard, seen = network.decode(encoding)
    assert far(heard, io["masked.pred_audio"]) < 1e-4 and far(seen, io["masked.pred_video"]) < 1e-4
    config = network.config
    assert far(unpatchify(heard[:1], config.audio_grid, config.patch), io["masked.recon_audio"]) < 1e-4
    assert far(unpatchify(seen[:1], config.image_grid, config.patch), io["masked.recon_video"]) < 1e-4
    for both_ways, name in ((False, "single"), (True, "bidirectional")):
        pooled = encoding.latent_audio.mean(dim=1), encoding.latent_image.mean(dim=1)
        loss, accuracy = contrastive_loss(*pooled, both_ways=both_ways)
        assert far(loss, io[f"contrastive.{name}_nce"]) < 1e-4
        assert far(accuracy, io[f"contrastive.{name}_acc"]) < 1e-4


@pytest.mark.parametrize("norm_pix", [True, False])
@pytest.mark.parametrize("weights", found("pretrain*.pth"))
@torch.inference_mode()
def test_losses_are_the_originals(weights: Path, norm_pix: bool) -> None:
    network, sizes, io = pretrained(weights)
    losses = network(
        io["audio"],
        io["image"],
        noise_audio=io["mask.noise_a"],
        noise_image=io["mask.noise_v"],
        mask_ratio_audio=sizes["mask_ratio_a"],
        mask_ratio_image=sizes["mask_ratio_v"],
        reconstruction_weight=sizes["mae_loss_weight"],
        contrastive_weight=sizes["contrast_loss_weight"],
        norm_pix=norm_pix,
    )
    theirs = {key.split(".")[1]: value for key, value in io.items() if key.startswith("norm" if norm_pix else "raw")}
    assert far(losses.total, theirs["loss"]) < 1e-4
    assert far(losses.reconstruction, theirs["loss_mae"]) < 1e-4
    assert far(losses.audio, theirs["loss_mae_a"]) < 1e-4
    assert far(losses.image, theirs["loss_mae_v"]) < 1e-4
    assert far(losses.contrastive, theirs["loss_c"]) < 1e-4
    assert far(losses.accuracy, theirs["c_acc"]) < 1e-4


@pytest.mark.parametrize("weights", found("ft*.pth"))
@torch.inference_mode()
def test_every_mode_of_a_fine_tuned_network_is_the_originals(weights: Path) -> None:
    sizes, io = read(weights)
    network = CAVMAEFinetuned.from_checkpoint(weights, num_heads=sizes["num_heads"])
    assert network.config.num_classes == sizes["label_dim"]
    for mode in MODES:
        audio, image = None if "video" in mode else io["audio"], None if "audio" in mode else io["image"]
        assert far(network(audio, image, mode=mode), io[f"logits.{mode}"]) < 1e-4
    check_retrieval(*network.features(io["audio"], io["image"]), io)
    branches = CAVMAE.from_checkpoint(weights, num_heads=sizes["num_heads"])
    check_retrieval(*branches.features(io["audio"], io["image"]), io)


@pytest.mark.parametrize("weights", found("ft*.pth"))
@torch.inference_mode()
def test_a_network_that_only_hears_is_the_originals(weights: Path, tmp_path: Path) -> None:
    sizes, io = read(weights)
    state = torch.load(weights, weights_only=True)
    path = tmp_path / "hears.pth"
    torch.save({name: tensor for name, tensor in state.items() if not _SEES.search(name)}, path)
    network = CAVMAEFinetuned.from_checkpoint(path, num_heads=sizes["num_heads"])
    assert far(network.audio_features(io["audio"]), io["feat.audio"]) < 1e-4
    for mode in ("audioonly", "missingaudioonly"):
        assert far(network(io["audio"], None, mode), io[f"logits.{mode}"]) < 1e-4
    for mode in ("videoonly", "missingvideoonly", "multimodal"):
        with pytest.raises(ModelError, match="only hears"):
            network(io["audio"], io["image"], mode)


_SEES = re.compile(r"^(module\.)?(patch_embed_v|pos_embed_v|modality_v|blocks_v|norm_v)\b")


@pytest.mark.parametrize("table", found("sincos.safetensors"))
def test_positions_are_the_originals(table: Path) -> None:
    for key, theirs in load_file(table).items():
        width, rows, columns = (int(number) for number in re.findall(r"\d+", key))
        assert far(sincos_positions(width, rows, columns), theirs) < 1e-6


@pytest.mark.parametrize("table", found("published_keys.CAVMAE*.json"))
def test_names_and_shapes_are_those_of_the_published_files(table: Path) -> None:
    shapes = {name.removeprefix("module."): tuple(shape) for name, shape in json.loads(table.read_text()).items()}
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    network = (CAVMAEFinetuned if "mlp_head.1.bias" in state else CAVMAE).from_state(state)
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == shapes
    if isinstance(network, CAVMAE):
        assert network.config == CAVMAEConfig()


@pytest.mark.parametrize("file", found("frontend_audio.safetensors"))
def test_the_filterbank_is_the_originals(file: Path) -> None:
    sizes, io = read(file)
    pcm = log_mel(io["waveform_pcm16"][0].float() / 32_768)
    for ours in (log_mel(io["waveform"][0]), pcm):
        assert far(ours, io["fbank"]) < 1e-3 and far(ours, io["fbank_float64"]) < 1e-3
        for name in ("padded", "cut"):
            fitted = normalise_fbank(fit_length(ours, sizes[f"target_length_{name}"]), sizes["mean"], sizes["std"])
            assert far(fitted, io[f"input_{name}"]) < 2.5e-4


@pytest.mark.parametrize("file", found("frontend_image.safetensors"))
def test_the_picture_is_the_originals(file: Path) -> None:
    sizes, io = read(file)
    for case in sizes["cases"]:
        ours = image_input(io[f"{case}.image_uint8_hwc"].numpy(), sizes["im_res"])
        assert far(ours, io[f"{case}.input"]) < 1e-5


# From here on nothing is needed but this repository.


def inputs(config: CAVMAEConfig = TINY, count: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    side = config.image_side_px
    fbank = torch.randn(count, config.num_frames, 128, generator=drawn)
    return fbank, torch.randn(count, config.num_channels, side, side, generator=drawn)


def test_a_checkpoint_comes_back_with_and_without_its_prefix(tmp_path: Path) -> None:
    written = shaken(CAVMAE(TINY))
    torch.save({f"module.{name}": tensor for name, tensor in written.state_dict().items()}, tmp_path / "module.pth")
    torch.save({name: tensor.half() for name, tensor in written.state_dict().items()}, tmp_path / "half.pth")
    expected = written.features(*inputs())
    for name, tolerance in (("module", 1e-6), ("half", 1e-1)):
        network = CAVMAE.from_checkpoint(str(tmp_path / f"{name}.pth"), num_heads=2, decoder_num_heads=4)
        assert network.config == TINY and not network.training
        assert all(tensor.dtype == torch.float32 for tensor in network.state_dict().values())
        for ours, theirs in zip(network.features(*inputs()), expected, strict=True):
            assert far(ours, theirs) < tolerance


def test_a_block_is_that_of_timms_vision_transformer() -> None:
    ensure_torch_extensions()
    from timm.models.vision_transformer import Block as TheirBlock

    block = shaken(Block(24, 2, 96))
    x = torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(2))
    for way in ("", "_a", "_v"):
        theirs = TheirBlock(24, 2, qkv_bias=True, norm_layer=nn.LayerNorm).eval()
        state = {name: tensor for name, tensor in block.state_dict().items() if not name.startswith("norm")}
        for norm in ("norm1", "norm2"):
            state |= {f"{norm}.{key}": tensor for key, tensor in block.get_submodule(norm + way).state_dict().items()}
        theirs.load_state_dict(state)
        assert far(block(x, way), theirs(x)) < 1e-5


def test_the_filterbank_is_torchaudios() -> None:
    ensure_torch_extensions()
    from torchaudio.compliance import kaldi

    rng = np.random.default_rng(3)
    for count in (400, 559, 560, 16_000, 33_333):
        waveform = (rng.normal(size=count) * np.linspace(0, 0.5, count) + 0.1).astype(np.float32)
        waveform.setflags(write=False)
        theirs = kaldi.fbank(
            torch.tensor(waveform - waveform.mean())[None],
            htk_compat=True,
            sample_frequency=16_000,
            use_energy=False,
            window_type="hanning",
            num_mel_bins=128,
            dither=0.0,
            frame_shift=10,
        )
        assert far(log_mel(waveform), theirs) < 1e-3
    assert log_mel(waveform[:399]).shape == (0, 128)
    with pytest.raises(ModelError, match="one channel"):
        log_mel(waveform[None])


def test_a_long_sound_has_the_filterbank_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    waveform = torch.randn(40_000, generator=torch.Generator().manual_seed(4))
    whole = log_mel(waveform)
    monkeypatch.setattr("unimma.encoders.cav_mae_front_end._FRAMES_AT_ONCE", 100)
    assert torch.allclose(log_mel(waveform), whole, atol=1e-5)


@pytest.mark.parametrize("size", [(135, 201), (181, 130), (40, 57), (64, 64), (1, 3)])
def test_the_picture_is_torchvisions(size: tuple[int, int]) -> None:
    ensure_torch_extensions()
    from PIL import Image as PillowImage
    from torchvision import transforms

    theirs = transforms.Compose(
        [
            transforms.Resize(64, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(64),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    pixels = np.random.default_rng(5).integers(0, 256, (*size, 3), dtype=np.uint8)
    pixels.setflags(write=False)
    assert far(image_input(pixels, 64), theirs(PillowImage.fromarray(pixels))) < 1e-5


def test_of_a_very_long_picture_the_middle_is_seen_without_making_it_longer() -> None:
    stripe = np.zeros((2, 400_000, 3), np.uint8)
    stripe[:, 199_000:201_000] = 255  # as 224 rows, it would be 44,800,000 pixels wide
    assert image_input(stripe, 224).amin() > 2


def test_positions_are_waves_of_column_and_row() -> None:
    table = sincos_positions(8, 2, 3)
    row, column = 1, 2
    angles = np.array([1.0, 0.01])
    expected = [np.sin(column * angles), np.cos(column * angles), np.sin(row * angles), np.cos(row * angles)]
    assert np.abs(table[row * 3 + column].numpy() - np.concatenate(expected)).max() < 1e-6


def test_a_mask_keeps_the_smallest_noise_in_its_order() -> None:
    mask = mask_by_noise(torch.tensor([[0.9, 0.1, 0.5, 0.3]]), 0.5)
    assert mask.keep.tolist() == [[1, 3]]
    assert mask.removed.tolist() == [[1, 0, 1, 0]]
    assert mask.restore.tolist() == [[3, 0, 2, 1]]


def test_patches_lie_pixel_by_pixel_and_go_back() -> None:
    image = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).reshape(2, 3, 4, 6)
    patches = patchify(image, 2)
    assert patches.shape == (2, 6, 12)
    assert patches[1, 4].tolist() == image[1, :, 2:4, 2:4].permute(1, 2, 0).flatten().tolist()
    assert torch.equal(unpatchify(patches, (2, 3), 2), image)


def test_losses_are_their_definitions() -> None:
    drawn = torch.Generator().manual_seed(6)
    audio, image = torch.randn(4, 5, generator=drawn), torch.randn(4, 5, generator=drawn)
    exponents = torch.exp(F.cosine_similarity(audio[:, None], image[None], dim=2) / 0.05)
    to_audio = -sum(torch.log(exponents[i, i] / exponents[:, i].sum()) for i in range(4)) / 4
    to_image = -sum(torch.log(exponents[i, i] / exponents[i].sum()) for i in range(4)) / 4
    assert contrastive_loss(audio, image)[0].item() == pytest.approx(to_audio.item(), rel=1e-4)
    both, _ = contrastive_loss(audio, image, both_ways=True)
    assert both.item() == pytest.approx((to_audio + to_image).item() / 2, rel=1e-4)
    assert contrastive_loss(audio, audio)[1].item() == 1
    target = torch.randn(1, 2, 6, generator=drawn)
    removed = torch.tensor([[0.0, 1.0]])
    one = (target[0, 1] - target[0, 1].mean()) / target[0, 1].std()
    perfect = torch.stack([torch.full((6,), 9.0), one])[None]
    assert reconstruction_loss(target, perfect, removed, norm_pix=True).item() < 1e-6
    assert reconstruction_loss(target, target + 2, removed, norm_pix=False).item() == pytest.approx(4)


def test_pretraining_learns_from_what_it_is_shown() -> None:
    torch.manual_seed(7)
    network = CAVMAE(TINY)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        step = network(*inputs(), contrastive_weight=0.1)
        optimiser.zero_grad()
        step.total.backward()
        optimiser.step()
        losses.append(step.total.item())
    idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert losses[-1] < losses[0]
    # Each block has norms for three ways and most go one. Of the shared ones, each modality alone goes the last.
    assert idle and all(re.search(r"norm[12]_[av]\.", name) for name in idle)
    assert not any(name.startswith("blocks_u.1.") for name in idle)


def test_a_pretrained_network_starts_a_fine_tuning(tmp_path: Path) -> None:
    pretrained = shaken(CAVMAE(TINY))
    torch.save(pretrained.state_dict(), tmp_path / "pretrained.pth")
    with pytest.raises(ModelError, match=r"pretrained.pth has no classifier.*from_pretrained"):
        CAVMAEFinetuned.from_checkpoint(tmp_path / "pretrained.pth", num_heads=2)
    network = CAVMAEFinetuned.from_pretrained(tmp_path / "pretrained.pth", num_classes=5, num_heads=2)
    for ours, theirs in zip(network.features(*inputs()), pretrained.features(*inputs()), strict=True):
        assert far(ours, theirs) < 1e-6
    fbank, image = inputs()
    F.cross_entropy(network(fbank, image), torch.tensor([0, 1, 4])).backward()
    assert network.mlp_head[1].weight.grad.abs().sum() > 0
    torch.save(network.state_dict(), tmp_path / "finetuned.pth")
    again = CAVMAEFinetuned.from_checkpoint(tmp_path / "finetuned.pth", num_heads=2)
    assert far(again(fbank, None, "audioonly"), network(fbank, None, "audioonly")) < 1e-6
    with pytest.raises(ModelError, match="without a decoder"):
        CAVMAE.from_checkpoint(tmp_path / "finetuned.pth", num_heads=2)(fbank, image)


def test_inputs_that_a_network_cannot_take_are_refused() -> None:
    network, (fbank, image) = CAVMAEFinetuned(replace(TINY, num_classes=4)), inputs()
    for wrong in (fbank[:, :48], fbank[:, :, :64]):
        with pytest.raises(ModelError, match=r"expected \[B, 64, 128\]"):
            network.audio_features(wrong)
    with pytest.raises(ModelError, match=r"expected \[B, 3, 32, 32\]"):
        network.image_features(image[:, :, :16])
    for given, mode in (((None, image), "audioonly"), ((fbank, None), "multimodal"), ((fbank, image), "both")):
        with pytest.raises(ModelError, match=f"in the mode '{mode}'.*missingvideoonly"):
            network(*given, mode)
    with pytest.raises(ModelError, match="3 heads for a decoder of width 16"):
        network = CAVMAE.from_state(CAVMAE(TINY).state_dict(), num_heads=2, decoder_num_heads=3)
        network(fbank, image)


class _Ill:
    """Runs a command where a file is read without care."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


def _spoilt(kind: str, path: Path) -> None:
    state = dict(CAVMAE(TINY).state_dict())
    match kind:
        case "text":
            path.write_text("not weights at all")
        case "empty":
            path.write_bytes(b"")
        case "cut":
            torch.save(state, path)
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        case "code":
            path.write_bytes(pickle.dumps({"module.pos_embed_a": _Ill()}, protocol=2))
        case "list":
            torch.save([torch.zeros(3)], path)
        case "nested":
            torch.save({"model": state}, path)
        case "empty dict":
            torch.save({}, path)
        case "foreign":
            torch.save(nn.TransformerEncoderLayer(8, 2).state_dict(), path)
        case "missing":
            del state["blocks_u.0.norm1_a.weight"]
            torch.save(state, path)
        case "more":
            torch.save(state | {"blocks_a.77.norm1.weight": torch.zeros(24)}, path)
        case "shape":
            torch.save(state | {"norm_v.bias": torch.zeros(23)}, path)
        case "integers":
            torch.save(state | {"norm_v.bias": torch.zeros(24, dtype=torch.int64)}, path)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("absent", "no file 'net.pth'"),
        ("text", "cannot be read"),
        ("empty", "cannot be read"),
        ("cut", "cannot be read"),
        ("code", "cannot be read"),
        ("list", "something else than weights"),
        ("nested", "something else than weights"),
        ("integers", "something else than weights"),
        ("empty dict", "another network"),
        ("foreign", "another network"),
        ("missing", r"does not fit at blocks_u\.0\.norm1_a\.weight"),
        ("more", r"does not fit at blocks_a\."),
        ("shape", r"does not fit at norm_v\.bias"),
    ],
)
def test_damaged_and_foreign_files_are_refused_with_the_next_step(
    kind: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _spoilt(kind, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=told) as caught:
        CAVMAE.from_checkpoint(tmp_path / "net.pth", num_heads=2)
    assert "Fetch it from github.com/YuanGongND/cav-mae." in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_number_of_heads_that_cannot_be_is_refused() -> None:
    with pytest.raises(ModelError, match="7 heads for the state dict, whose width is 24"):
        CAVMAE.from_state(CAVMAE(TINY).state_dict(), num_heads=7)


def test_a_picture_of_colours_keeps_its_corners() -> None:
    seen = image_input(corners(64, 64), 32)
    assert seen[0, 4, 4] > seen[1, 4, 4] and seen[2, -4, 4] > seen[0, -4, 4]  # red above, blue below
