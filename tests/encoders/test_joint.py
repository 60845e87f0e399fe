"""The joint encoders with tiny networks of random weights, loaded as people's are, against their libraries directly."""

import json
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch.nn import functional as F

from tests.encoders import tiny_joint
from tests.makers import corners, tone, write_clip, write_picture, write_tone
from unimma import media
from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import SequenceEncoder
from unimma.encoders.joint import text_spans, windows
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.loading import build_encoder, load_model
from unimma.types import Audio, Image, Text, Video

SENTENCE = "A dog barks at the falling rain."
FAMILIES = {
    "flava": (tiny_joint.write_flava, ("image", "text")),
    "embeddinggemma-2": (tiny_joint.write_embeddinggemma2, ("text", "image", "audio", "video")),
    "pe-av": (tiny_joint.write_pe_av, ("text", "image", "audio", "video")),
    "qwen3-vl": (tiny_joint.write_qwen3_vl, ("text", "image", "video")),
}
TOWERS = [(family, modality) for family, (_, own) in FAMILIES.items() for modality in own]
EVERY = pytest.mark.parametrize(("family", "modality"), TOWERS)
Folders = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A tiny checkpoint of each family, written when first asked for."""
    ensure_torch_extensions()
    written: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in written:
            written[family] = FAMILIES[family][0](tmp_path_factory.mktemp(family))
        return written[family]

    return folder


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Two real items of each modality, as the decoder gives them: of other lengths and proportions."""
    folder = tmp_path_factory.mktemp("media")
    files = {
        "image": [
            write_picture(folder / "wide.jpg", quality=95),
            write_picture(folder / "tall.png", corners(40, 72)),
        ],
        "audio": [
            write_tone(folder / "short.wav", rate_hz=16_000, seconds=0.7),
            write_tone(folder / "longer.wav", seconds=1.1, hz=900.0),
        ],
        "video": [
            write_clip(folder / "sounding.mp4", sound_hz=440.0, seconds=1.2),
            write_clip(folder / "silent.webm", "libvpx-vp9", seconds=0.6),
        ],
    }
    items: dict[str, list[Any]] = {kind: [media.decode(path) for path in paths] for kind, paths in files.items()}
    return items | {"text": [Text(SENTENCE), Text("People sing while the rain is falling, and a dog barks.")]}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_default_checkpoint_keeps_its_name_and_terms(family: str, folders: Folders, monkeypatch) -> None:
    factory = find(f"{family}-{FAMILIES[family][1][0]}")
    module = sys.modules[factory.__module__]
    made = module._load(str(folders(family)), None)
    monkeypatch.setattr(module, "_load", lambda checkpoint, revision: made)
    told = factory().info
    assert (told.weights, told.licence) == (factory.info.weights, factory.info.licence)


def _tower(folders: Folders, family: str, modality: str, **options: Any) -> Any:
    return find(f"{family}-{modality}")(checkpoint=str(folders(family)), **options)


def _rows(tower: Any, items: list[Any]) -> torch.Tensor:
    with torch.inference_mode():
        rows: torch.Tensor = tower.encode([tower.prepare(item) for item in items])
    return rows


@EVERY
def test_rows_are_unit_and_know_no_neighbour(
    folders: Folders, decoded: dict[str, list[Any]], family: str, modality: str
) -> None:
    tower = _tower(folders, family, modality)
    assert (str(tower.modality), tower.info.features) == (modality, tower.dim)
    both = _rows(tower, decoded[modality])
    alone = torch.cat([_rows(tower, [item]) for item in decoded[modality]])
    assert both.dtype == torch.float32 and both.shape == (2, tower.dim)
    assert torch.allclose(both.norm(dim=1), torch.ones(2), atol=1e-5)
    assert (both - alone).abs().max() < 1e-5
    assert (both[0] - both[1]).abs().max() > 1e-3


@EVERY
def test_tokens_have_their_times(folders: Folders, decoded: dict[str, list[Any]], family: str, modality: str) -> None:
    tower = _tower(folders, family, modality)
    assert isinstance(tower, SequenceEncoder)
    items = decoded[modality]
    with torch.inference_mode():
        tokens, times = tower.encode_sequence([tower.prepare(item) for item in items])
    assert tokens.shape == (*times.shape[:2], tower.token_dim) and tokens.isfinite().all()
    for item, own in zip(items, times, strict=True):
        own = own[~own.isnan().any(dim=1)]
        assert len(own) and (own[:, 1] >= own[:, 0]).all() and (own.diff(dim=0) >= 0).all()
        if isinstance(item, Text):
            assert own[0, 0] == 0 and own[-1, 1] == len(item.text)
        elif isinstance(item, Image):
            assert (own == 0).all()
        elif isinstance(item, Audio):
            assert own[0, 0] == 0 and abs(float(own[-1, 1]) - item.duration_s) < 0.06
        else:
            assert own[0, 0] == item.times[0] and own[-1, 1] == pytest.approx(item.times[-1])


@EVERY
def test_gradients_reach_what_the_tower_uses_and_nothing_else(
    folders: Folders, decoded: dict[str, list[Any]], family: str, modality: str
) -> None:
    tower = _tower(folders, family, modality)
    tower.network.requires_grad_(True)
    try:
        rows = tower.encode([tower.prepare(item) for item in decoded[modality]])
        (rows * torch.linspace(-1, 1, rows.shape[1])).sum().backward()
        reached = {n for n, p in tower.network.named_parameters() if p.grad is not None and p.grad.any()}
    finally:
        tower.network.zero_grad(set_to_none=True)
        tower.network.requires_grad_(False)
    uses = getattr(tower, "uses", lambda name: True)
    assert reached and all(uses(name) for name in reached)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_checkpoint_is_loaded_once(folders: Folders, family: str) -> None:
    towers = [_tower(folders, family, modality) for modality in FAMILIES[family][1]]
    assert len({id(tower.network) for tower in towers}) == 1
    assert not towers[0].network.training and not any(p.requires_grad for p in towers[0].network.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_text_is_read_to_its_end(folders: Folders, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("embeddinggemma2", "qwen3_vl"):
        monkeypatch.setattr(f"unimma.encoders.{module}.MAX_TOKENS", 120)
    tower = _tower(folders, family, "text")
    long = " ".join([SENTENCE] * 12)
    changed = long[: -len("rain.")] + "snow."
    with torch.inference_mode():
        _, times = tower.encode_sequence([tower.prepare(Text(long))])
    assert times[0, -1, 1] == len(long) and (times[0].diff(dim=0) >= 0).all()
    assert len({name.partition("/")[0] for name in tower.prepare(Text(long))}) > 2  # pieces
    assert (_rows(tower, [Text(long)]) - _rows(tower, [Text(changed)])).abs().max() > 1e-6


@pytest.mark.parametrize("family", ["embeddinggemma-2", "pe-av"])
def test_a_long_sound_is_heard_to_its_end(folders: Folders, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unimma.encoders.embeddinggemma2.MAX_SOUND_S", 2.0)
    monkeypatch.setattr("unimma.encoders.pe_av.WINDOW_S", 2.0)
    tower = _tower(folders, family, "audio")
    waveform = tone(5.0, rate_hz=8_000, level=0.3)
    other = np.concatenate([waveform[:-4_000], tone(0.5, rate_hz=8_000, hz=1500.0)])
    prepared = [tower.prepare(Audio(wave, 8_000)) for wave in (waveform, other)]
    with torch.inference_mode():
        rows = tower.encode(prepared)
        _, times = tower.encode_sequence(prepared[:1])
    assert (rows[0] - rows[1]).abs().max() > 1e-6
    begins = times[0, :, 0]
    assert begins[0] == 0 and times[0, -1, 1] == pytest.approx(5.0, abs=0.06)
    assert (begins.diff() > 0).all() and begins.diff().max() < 0.09  # overlapping windows, each moment once


@EVERY
def test_the_shortest_items_are_taken(folders: Folders, family: str, modality: str) -> None:
    black = np.zeros((1, 1, 3), np.uint8)
    sample = Audio(np.zeros(1, np.float32), 44_100)
    least = {
        "text": Text("\u200b"),
        "image": Image(black),
        "audio": sample,
        "video": Video(black[None], np.zeros(1), 0.04, sample),
    }
    row = _rows(_tower(folders, family, modality), [least[modality]])
    assert row.isfinite().all() and row.norm() == pytest.approx(1, abs=1e-5)


def test_flava_is_transformers(folders: Folders, decoded: dict[str, list[Any]]) -> None:
    from transformers import FlavaForPreTraining, FlavaProcessor

    network: Any = FlavaForPreTraining.from_pretrained(folders("flava")).eval()
    processor: Any = FlavaProcessor.from_pretrained(folders("flava"))
    pictures = [PillowImage.fromarray(item.pixels) for item in decoded["image"]]
    inputs = processor(
        images=pictures,
        text=[SENTENCE, "A dog sings."],
        padding="max_length",
        max_length=24,
        truncation=True,
        return_codebook_pixels=True,
        return_image_mask=True,
        return_tensors="pt",
    )
    with torch.inference_mode():
        output = network.flava(
            **{k: v for k, v in inputs.items() if k in ("pixel_values", "input_ids", "attention_mask")}
        )
        image = network.flava.image_projection(output.image_embeddings[:, 0])
        text = network.flava.text_projection(output.text_embeddings[:, 0])
    ours = _rows(_tower(folders, "flava", "image"), decoded["image"])
    assert (ours - F.normalize(image, dim=1)).abs().max() < 1e-5
    ours = _rows(_tower(folders, "flava", "text"), [Text(SENTENCE), Text("A dog sings.")])
    assert (ours - F.normalize(text, dim=1)).abs().max() < 1e-5


@pytest.fixture(scope="module")
def gemma_library(folders: Folders) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folders("embeddinggemma-2")), device="cpu")


def _for_the_library(items: list[Any]) -> list[Any]:
    def value(item: Any) -> Any:
        if isinstance(item, Text):
            return item.text
        if isinstance(item, Image):
            return {"image": PillowImage.fromarray(item.pixels)}
        if isinstance(item, Audio):
            waveform = torch.tensor(item.waveform)
            from torchaudio.functional import resample

            return {"audio": {"array": resample(waveform, item.rate_hz, 16_000).numpy(), "sampling_rate": 16_000}}
        frames = torch.tensor(item.frames).permute(0, 3, 1, 2)
        return {"video": {"array": frames, "video_metadata": {"fps": 1.0, "total_num_frames": len(frames)}}}

    return [value(item) for item in items]


def _library_rows(library: Any, items: list[Any], **options: Any) -> torch.Tensor:
    kwargs = {"video": {"do_sample_frames": False}}
    rows = [
        library.encode([value], convert_to_tensor=True, processing_kwargs=kwargs, **options)[0]
        for value in _for_the_library(items)
    ]
    return F.normalize(torch.stack(rows), dim=1)


@pytest.mark.parametrize("modality", ["image", "audio", "video"])
def test_embeddinggemma_2_is_sentence_transformers(
    folders: Folders, decoded: dict[str, list[Any]], gemma_library: Any, modality: str
) -> None:
    ours = _rows(_tower(folders, "embeddinggemma-2", modality), decoded[modality])
    assert (ours - _library_rows(gemma_library, decoded[modality])).abs().max() < 1e-5


@pytest.mark.parametrize("prompt", ["query", "document"])
def test_embeddinggemma_2_reads_behind_the_prompts_of_its_checkpoint(
    folders: Folders, decoded: dict[str, list[Any]], gemma_library: Any, prompt: str
) -> None:
    ours = _rows(_tower(folders, "embeddinggemma-2", "text", prompt=prompt), decoded["text"])
    assert (ours - _library_rows(gemma_library, decoded["text"], prompt_name=prompt)).abs().max() < 1e-5
    with pytest.raises(ModelError, match="one of document, query"):
        _tower(folders, "embeddinggemma-2", "text", prompt="search")


def test_embeddinggemma_2_without_a_part_refuses_its_modality(folders: Folders, tmp_path: Path) -> None:
    folder = shutil.copytree(folders("embeddinggemma-2"), tmp_path / "deaf")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"audio_config": None}))
    assert find("embeddinggemma-2-text")(checkpoint=str(folder)).dim == 12
    with pytest.raises(ModelError, match="deaf without its audio part"):
        find("embeddinggemma-2-audio")(checkpoint=str(folder))


@pytest.mark.parametrize("modality", ["text", "image", "audio", "video"])
def test_whatever_sentence_transformers_loads_is_sentence_transformers(
    folders: Folders, decoded: dict[str, list[Any]], gemma_library: Any, modality: str
) -> None:
    options = {"checkpoint": str(folders("embeddinggemma-2")), "modality": modality}
    tower: Any = find("sentence-transformers")(**options)
    ours = _rows(tower, decoded[modality])
    assert (ours - _library_rows(gemma_library, decoded[modality])).abs().max() < 1e-5
    with torch.inference_mode():
        tokens, times = tower.encode_sequence([tower.prepare(item) for item in decoded[modality]])
    assert tokens.shape == (2, 1, tower.dim) and times.shape == (2, 1, 2)


def test_a_long_text_goes_through_sentence_transformers_in_pieces(folders: Folders) -> None:
    tower: Any = find("sentence-transformers")(checkpoint=str(folders("flava")))  # which reads 24 tokens at once
    text = " ".join([SENTENCE] * 8)
    with torch.inference_mode():
        tokens, times = tower.encode_sequence([tower.prepare(Text(text))])
    assert tokens.shape[1] > 2 and times[0, 0, 0] == 0 and times[0, -1, 1] == len(text)
    assert (times[0, 1:, 0] == times[0, :-1, 1]).all()


def test_what_sentence_transformers_does_not_take_is_refused(folders: Folders) -> None:
    any_model = find("sentence-transformers")
    with pytest.raises(ModelError, match="one of text, image, audio, video"):
        any_model(checkpoint=str(folders("embeddinggemma-2")), modality="smell")
    with pytest.raises(ModelError, match="one of query, document"):
        any_model(checkpoint=str(folders("embeddinggemma-2")), prompt="search")


def test_qwen3_vl_is_transformers(folders: Folders, decoded: dict[str, list[Any]]) -> None:
    from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

    folder = folders("qwen3-vl")
    network: Any = Qwen3VLForConditionalGeneration.from_pretrained(folder).eval()
    processor: Any = Qwen3VLProcessor.from_pretrained(folder)

    def last(content: str, **media_inputs: Any) -> torch.Tensor:
        chat = f"<|im_start|>system\nFind it.<|im_end|>\n<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n"
        inputs = processor(text=[chat], return_tensors="pt", **media_inputs)
        with torch.inference_mode():
            states = network(**inputs, output_hidden_states=True).hidden_states[-1]
        return F.normalize(states[:, -1], dim=1)

    text, image, video = decoded["text"][0], decoded["image"][0], decoded["video"][0]
    picture, frames = PillowImage.fromarray(image.pixels), [PillowImage.fromarray(frame) for frame in video.frames]
    size = {"shortest_edge": 4 * 8 * 8, "longest_edge": 1800 * 8 * 8}
    metadata = {"total_num_frames": len(frames), "fps": 10.0, "frames_indices": (video.times * 10).round().tolist()}
    wanted = {
        "text": last(text.text),
        "image": last("<|vision_start|><|image_pad|><|vision_end|>", images=[picture], images_kwargs={"size": size}),
        "video": last(
            "<|vision_start|><|video_pad|><|vision_end|>",
            videos=[frames],
            videos_kwargs={
                "do_sample_frames": False,
                "video_metadata": [metadata],
                "size": {"shortest_edge": 8 * 8 * 4, "longest_edge": 20 * 768 * 8 * 8},
            },
        ),
    }
    for modality, rows in wanted.items():
        tower = _tower(folders, "qwen3-vl", modality, instruction="Find it.")
        assert (_rows(tower, decoded[modality][:1]) - rows).abs().max() < 1e-5, modality


@pytest.fixture(scope="module")
def pe_av_heads(folders: Folders, decoded: dict[str, list[Any]]) -> dict[str, torch.Tensor]:
    """What PE-AV's own forward makes of a text, a clip and its sound: every head's vector, of unit length."""
    from safetensors.torch import load_file
    from transformers import PeAudioVideoConfig, PeAudioVideoModel, PeAudioVideoProcessor

    # Not from_pretrained: with timm 1.0.31 it fails on every checkpoint.
    network: Any = PeAudioVideoModel(PeAudioVideoConfig.from_pretrained(folders("pe-av"))).eval()
    weights = load_file(folders("pe-av") / "model.safetensors")
    assert not network.load_state_dict(weights, strict=False).unexpected_keys
    processor: Any = PeAudioVideoProcessor.from_pretrained(folders("pe-av"))
    clip = decoded["video"][0]
    from torchaudio.functional import resample

    sound = resample(torch.tensor(clip.sound.waveform), clip.sound.rate_hz, 48_000)
    sound = F.pad(sound, (0, max(0, round(clip.duration_s * 48_000) - len(sound)))).numpy()
    frames = torch.tensor(clip.frames).permute(0, 3, 1, 2)
    with torch.inference_mode():
        output = network(
            **processor.tokenizer([SENTENCE], return_tensors="pt"),
            input_values=processor.feature_extractor(sound, sampling_rate=48_000, return_tensors="pt")["input_values"],
            **processor.video_processor([frames], do_sample_frames=False, return_tensors="pt"),
        )
    names = ("audio", "video", "audio_video", "text_audio", "text_video", "text_audio_video")
    return {name: F.normalize(output[f"{name}_embeds"], dim=1)[0] for name in names}


def test_every_pair_meets_in_the_heads_that_pe_av_trained_for_it(
    folders: Folders, decoded: dict[str, list[Any]], pe_av_heads: dict[str, torch.Tensor]
) -> None:
    clip = decoded["video"][0]
    padded = np.pad(clip.sound.waveform, (0, max(0, round(clip.duration_s * 44_100) - len(clip.sound.waveform))))
    sound = Audio(padded, clip.sound.rate_hz)
    silent = Video(clip.frames, clip.times, clip.duration_s)
    text = _rows(_tower(folders, "pe-av", "text"), [Text(SENTENCE)])[0]
    heard = _rows(_tower(folders, "pe-av", "audio"), [sound])[0]
    both, seen = _rows(_tower(folders, "pe-av", "video"), [clip, silent])
    h = pe_av_heads
    expected = {
        "text, sound": (text @ heard, h["text_audio"] @ h["audio"] / 15**0.5),
        "text, frames": (text @ seen, h["text_video"] @ h["video"] / 15**0.5),
        "text, clip": (text @ both, h["text_audio_video"] @ h["audio_video"] / 15**0.5),
        "sound, frames": (heard @ seen, h["audio"] @ h["video"] * 0.8),
        "sound, clip": (heard @ both, h["audio"] @ h["video"] * 0.8),
        "frames, clip": (seen @ both, torch.tensor(0.8)),
    }
    for pair, (ours, theirs) in expected.items():
        assert float(ours) == pytest.approx(float(theirs), abs=1e-5), pair


def test_a_picture_is_a_clip_of_one_frame(folders: Folders, decoded: dict[str, list[Any]]) -> None:
    picture = decoded["image"][0]
    clip = Video(picture.pixels[None], np.zeros(1), 0.0)
    ours = _rows(_tower(folders, "pe-av", "image"), [picture])
    assert (ours - _rows(_tower(folders, "pe-av", "video"), [clip])).abs().max() < 1e-6


def test_a_checkpoint_of_four_frames_looks_at_four(tmp_path: Path, decoded: dict[str, list[Any]]) -> None:
    folder = tiny_joint.write_pe_av(tmp_path / "four", num_frames=4)
    for modality in ("image", "video"):
        tower: Any = find(f"pe-av-{modality}")(checkpoint=str(folder))
        prepared = tower.prepare(decoded[modality][0])
        assert prepared["0/inputs/pixel_values_videos"].shape[1] == 4
        with torch.inference_mode():
            _, times = tower.encode_sequence([prepared])
        assert times.isfinite().all()


def test_a_long_clip_is_heard_window_by_window(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unimma.encoders.pe_av.WINDOW_S", 1.5)
    tower = _tower(folders, "pe-av", "video")
    frames = np.random.default_rng(0).integers(0, 256, (5, 20, 30, 3), dtype=np.uint8)
    times = np.linspace(0, 3.5, 5)
    clip = Video(frames, times, 3.5, Audio(tone(2.0, rate_hz=8_000), 8_000))
    prepared = tower.prepare(clip)
    with torch.inference_mode():
        _, own = tower.encode_sequence([prepared])
    assert "2/weight" in prepared and "3/weight" not in prepared
    assert own[0, :, 0].tolist() == pytest.approx(times.tolist())  # the sound ends before: what is seen then counts too


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_that_lacks_or_damages_a_file_is_refused(folders: Folders, tmp_path: Path, family: str) -> None:
    harm = [
        ("model.safetensors", None, "expected"),
        ("model.safetensors", b"\x00" * 64, "expected"),
        ("config.json", None, "expected"),
        ("config.json", b"{", "expected"),
        ("config.json", b'{"model_type": "bert"}', "bert; expected"),
        ("tokenizer.json", None, "expected"),
        ("tokenizer.json", b"{", "expected"),
        ("processor_config.json", None, "expected"),
        ("processor_config.json", b"{", "expected"),
    ]
    for number, (name, content, message) in enumerate(harm):
        folder = shutil.copytree(folders(family), tmp_path / f"{family}-{number}")
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        with pytest.raises(ModelError, match=message) as caught:
            find(f"{family}-image")(checkpoint=str(folder))
        assert str(tmp_path) not in str(caught.value)


def test_weights_that_are_not_there_are_missed(folders: Folders, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders("flava"), tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    del weights["flava.image_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"partial lacks 1 .* image_projection\.weight"):
        find("flava-text")(checkpoint=str(folder))


def test_qwen3_vl_wants_its_chat(folders: Folders, tmp_path: Path) -> None:
    folder = shutil.copytree(folders("qwen3-vl"), tmp_path / "mute")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="mute without a chat template"):
        find("qwen3-vl-text")(checkpoint=str(folder))


def test_sentence_transformers_too_refuses_a_damaged_folder(folders: Folders, tmp_path: Path) -> None:
    for number, (name, content) in enumerate([("model.safetensors", b"\x00" * 64), ("modules.json", b"{")]):
        folder = shutil.copytree(folders("embeddinggemma-2"), tmp_path / str(number))
        (folder / name).write_bytes(content)
        with pytest.raises(ModelError, match="expected"):
            find("sentence-transformers")(checkpoint=str(folder))
    with pytest.raises(ModelError, match="nowhere"):
        find("sentence-transformers")(checkpoint=str(tmp_path / "nowhere"))


@EVERY
def test_threads_prepare_what_one_would(
    folders: Folders, decoded: dict[str, list[Any]], family: str, modality: str
) -> None:
    tower = _tower(folders, family, modality)
    wanted = [tower.prepare(item) for item in decoded[modality]] * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tower.prepare, decoded[modality] * 4))
    for own, other in zip(wanted, found, strict=True):
        assert own.keys() == other.keys() and all(torch.equal(own[name], other[name]) for name in own)


def test_a_model_of_one_network_embeds_everything(
    folders: Folders, decoded: dict[str, list[Any]], tmp_path: Path
) -> None:
    checkpoint, kinds = str(folders("pe-av")), FAMILIES["pe-av"][1]
    head = {"kind": "none", "num_features": 80, "dim": 80}
    config = {
        "name": "tiny",
        "dim": 80,
        "encoders": {kind: {"name": f"pe-av-{kind}", "checkpoint": checkpoint} for kind in kinds},
        "heads": dict.fromkeys(kinds, head),
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")  # no tensors of its own
    model = load_model(str(tmp_path))
    rows = model.embed([decoded[kind][0] for kind in kinds])
    for kind, row in zip(kinds, rows, strict=True):
        assert np.abs(row - _rows(_tower(folders, "pe-av", kind), decoded[kind][:1])[0].numpy()).max() < 1e-6


@EVERY
def test_a_training_changes_a_copy(folders: Folders, family: str, modality: str) -> None:
    options = {"name": f"{family}-{modality}", "checkpoint": str(folders(family))}
    trained = build_encoder({**options, "trained": "last:1"}, 12, {})
    assert trained.network is not _tower(folders, family, modality).network
    chosen = trained_parameters(trained, "last:1")
    assert 0 < len(chosen) < len(trained_parameters(trained, "all"))


@pytest.mark.parametrize("name", ["flava-text", "embeddinggemma-2-audio", "pe-av-video", "qwen3-vl-image"])
def test_without_a_network_the_error_says_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the Hub's client would try again, and wait in between
    with pytest.raises(ModelError, match="nobody/has-this"):
        find(name)(checkpoint="nobody/has-this")


def test_windows_cover_everything_and_share_a_tenth() -> None:
    assert [(w.start, w.end) for w in windows(30.0, 30.0)] == [(0.0, 30.0)]
    found = windows(100.0, 30.0)
    assert found[0].start == 0 and found[-1].end == 100 and all(w.end - w.start == pytest.approx(30) for w in found)
    assert all(a.end - b.start >= 3 - 1e-9 and a.high == b.low for a, b in pairwise(found))


def test_a_text_is_cut_between_words(folders: Folders) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folders("pe-av"))
    text = "the rain " * 30 + "x" * 50
    spans = text_spans(tokenizer, text, 20)
    assert [start for start, _ in spans[1:]] == [end for _, end in spans[:-1]] and spans[-1][1] == len(text)
    assert all(end - start <= 20 for start, end in spans)
    assert all(text[start] == " " or text[start - 1] == " " for start, _ in spans if 0 < start < 260)
