"""Encoders of clips with tiny networks of random weights, against calling transformers directly."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.encoders import tiny_vision
from tests.makers import write_clip
from unimma import media
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.registry import find
from unimma.encoders.sequences import merged, window_starts
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.types import Video

pytestmark = pytest.mark.usefixtures("no_network")


def in_order(states: Tensor) -> Tensor:
    """Patches of two frames at a time → the mean of each such moment."""
    return states.unflatten(1, (-1, 16)).mean(dim=2)


def videomae(model: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    states = model(pixel_values=pixels).last_hidden_state
    return states.mean(dim=1), in_order(states)


def timesformer(model: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    states = model(pixel_values=pixels).last_hidden_state
    frames = [states[:, 1 + frame :: pixels.shape[1]].mean(dim=1) for frame in range(pixels.shape[1])]
    return states[:, 0], torch.stack(frames, dim=1)


def vjepa2(model: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    states = model.get_vision_features(pixels)
    return states.mean(dim=1), in_order(states)


def xclip(model: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    pooled = F.normalize(model.get_video_features(pixels).pooler_output, dim=1)
    frames = model.visual_projection(model.vision_model(pixels.flatten(0, 1)).pooler_output)
    return pooled, model.mit(frames.unflatten(0, (-1, pixels.shape[1]))).last_hidden_state


@dataclass(frozen=True)
class Case:
    encoder: str
    network: str
    model: str
    processor: str
    num_frames: int
    step: int
    directly: Callable[[Any, Tensor], tuple[Tensor, Tensor]]


CASES = [
    Case("videomae", "videomae", "VideoMAEModel", "AutoVideoProcessor", 4, 2, videomae),
    Case("timesformer", "timesformer", "TimesformerModel", "AutoVideoProcessor", 4, 1, timesformer),
    Case("vjepa2", "vjepa2", "VJEPA2Model", "AutoVideoProcessor", 8, 2, vjepa2),
    Case("xclip-video", "xclip", "XCLIPModel", "AutoImageProcessor", 4, 1, xclip),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.network)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda name: tiny_vision.write(name, root / name))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """Decoded: 16 frames of two seconds."""
    decoded = media.decode(write_clip(tmp_path_factory.mktemp("clips") / "rising.mp4"))
    assert isinstance(decoded, Video) and len(decoded.frames) == 16
    return decoded


def first(clip: Video, count: int) -> Video:
    return Video(clip.frames[:count], clip.times[:count], float(clip.times[count]))


def pixels_of(case: Case, folder: Path, clip: Video) -> Tensor:
    """As the library's own processor makes them: float32 [1, num_frames, 3, height, width]."""
    import transformers

    processor = getattr(transformers, case.processor).from_pretrained(folder)
    made = processor(list(clip.frames.copy()), return_tensors="pt")
    (pixels,) = made.values()
    return pixels


@every_case
def test_a_clip_of_one_window_is_the_librarys(case: Case, folders: Callable[[str], Path], clip: Video) -> None:
    import transformers

    encoder = find(case.encoder)(checkpoint=str(folders(case.network)))
    assert isinstance(encoder, SequenceEncoder)
    short = first(clip, case.num_frames)
    model = getattr(transformers, case.model).from_pretrained(folders(case.network)).eval()
    with torch.inference_mode():
        prepared = [encoder.prepare(short)]
        row, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        expected_row, expected_tokens = case.directly(model, pixels_of(case, folders(case.network), short))
    assert row.dtype == tokens.dtype == torch.float32
    assert row.shape == (1, encoder.dim) and tokens.shape == (1, case.num_frames // case.step, encoder.token_dim)
    assert (row - expected_row).abs().max() < 1e-5
    assert (tokens - expected_tokens).abs().max() < 1e-5
    edges = torch.tensor(clip.times[: case.num_frames + 1 : case.step]).float()
    assert torch.allclose(times[0], torch.stack([edges[:-1], edges[1:]], dim=1))
    assert encoder.info.features == encoder.dim
    assert encoder.info.input == f"windows of {case.num_frames} frames, 32 x 32 px, that overlap by half"


@every_case
def test_a_long_clip_is_seen_to_its_end_in_windows(case: Case, folders: Callable[[str], Path], clip: Video) -> None:
    import transformers

    encoder = find(case.encoder)(checkpoint=str(folders(case.network)))
    model = getattr(transformers, case.model).from_pretrained(folders(case.network)).eval()
    pixels = pixels_of(case, folders(case.network), clip)
    size, hop = case.num_frames, case.num_frames // 2
    windows = torch.cat([pixels[:, start : start + size] for start in range(0, 16 - size + 1, hop)])
    with torch.inference_mode():
        prepared = [encoder.prepare(clip)]
        row, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        rows, moments = case.directly(model, windows)
    expected = F.normalize(rows.mean(dim=0), dim=0) if case.network == "xclip" else rows.mean(dim=0)
    assert (row[0] - expected).abs().max() < 1e-5
    half = hop // case.step
    assert tokens.shape[1] == 16 // case.step and not times.isnan().any()
    assert (tokens[0, :half] - moments[0, :half]).abs().max() < 1e-5
    assert (tokens[0, half : 2 * half] - (moments[0, half:] + moments[1, :half]) / 2).abs().max() < 1e-5
    assert (tokens[0, -half:] - moments[-1, half:]).abs().max() < 1e-5
    assert times[0, 0, 0] == 0 and times[0, -1, 1] == pytest.approx(clip.duration_s)
    assert torch.equal(times[0, 1:, 0], times[0, :-1, 1])


@every_case
def test_a_clip_does_not_depend_on_its_neighbours(case: Case, folders: Callable[[str], Path], clip: Video) -> None:
    encoder = find(case.encoder)(checkpoint=str(folders(case.network)))
    clips = [first(clip, 1), first(clip, 3), clip, first(clip, 11)]
    with torch.inference_mode():
        prepared = [encoder.prepare(item) for item in clips]
        rows, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
        for i, item in enumerate(prepared):
            own, own_times = encoder.encode_sequence([item])
            assert (rows[i] - encoder.encode([item])[0]).abs().max() < 1e-5
            assert (tokens[i, : len(own[0])] - own[0]).abs().max() < 1e-5
            assert torch.equal(times[i, : len(own[0])], own_times[0]) and times[i, len(own[0]) :].isnan().all()
            assert own_times[0, 0, 0] == 0 and own_times[0, -1, 1] == pytest.approx(clips[i].duration_s)
    assert rows.isfinite().all()


@every_case
def test_gradients_reach_the_last_layer(case: Case, folders: Callable[[str], Path], clip: Video) -> None:
    encoder = deepcopy(find(case.encoder)(checkpoint=str(folders(case.network))))  # others hold the same network
    trained = trained_parameters(encoder, "last:1")
    for parameter in trained.values():
        parameter.requires_grad_(True)
    (encoder.encode([encoder.prepare(clip)]) * torch.linspace(-1, 1, encoder.dim)).sum().backward()
    moved = [name for name, tensor in trained.items() if tensor.grad is not None and tensor.grad.abs().sum() > 0]
    assert len(moved) > len(trained) / 2


def test_the_clip_is_left_as_it_is(folders: Callable[[str], Path], clip: Video) -> None:
    before = clip.frames.copy()
    encoder = find("videomae")(checkpoint=str(folders("videomae")))
    encoder.prepare(clip)["pixels"].zero_()
    assert np.array_equal(clip.frames, before)


def test_windows_leave_nothing_out_and_overlap_by_half() -> None:
    assert window_starts(3, 8) == [0] == window_starts(8, 8)
    assert window_starts(16, 8) == [0, 4, 8]
    assert window_starts(17, 8) == [0, 4, 8, 9]
    assert window_starts(22, 8, 2) == [0, 4, 8, 12, 14]
    assert window_starts(12, 6, 2) == [0, 2, 4, 6]
    assert window_starts(5, 1) == [0, 1, 2, 3, 4]


def test_overlapping_windows_become_the_mean_of_each_moment() -> None:
    windows = [torch.full((3, 2), value) for value in (1.0, 2.0, 6.0)]
    assert merged(windows, [0, 2, 3])[:, 0].tolist() == [1.0, 1.0, 1.5, 4.0, 4.0, 6.0]


@pytest.mark.parametrize("name", ["videomae", "timesformer", "vjepa2", "xclip-video"])
def test_another_architecture_and_a_damaged_folder_are_refused(
    name: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="vit"):
        find(name)(checkpoint=str(folders("vit")))
    network = next(case.network for case in CASES if case.encoder == name)
    for lacking in ("model.safetensors", "config.json", "preprocessor_config.json"):
        copy = tmp_path / f"without-{lacking}"
        copy.mkdir()
        for path in folders(network).iterdir():
            if not path.name.endswith(lacking):
                (copy / path.name).write_bytes(path.read_bytes())
        with pytest.raises(ModelError, match=copy.name):
            find(name)(checkpoint=str(copy))


def test_a_timesformer_without_attention_over_time_is_refused(tmp_path: Path) -> None:
    import transformers

    config = transformers.TimesformerConfig(**tiny_vision.LAYERS | tiny_vision.PICTURE, attention_type="space_only")
    transformers.TimesformerModel(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="sees every frame on its own"):
        find("timesformer")(checkpoint=str(tmp_path))
