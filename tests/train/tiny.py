"""A training that takes seconds: encoders of a few hundred weights, a folder of pictures, tones, clips, captions.

The encoders come to child processes as a plugin does, by an entry point (`write_plugin`).
"""

import hashlib
import io
import json
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from tests.makers import tone, write_clip
from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.types import Audio, Image, Modality, Text

COLOURS = {"dog": (150, 80, 30), "cat": (110, 110, 110), "bird": (40, 90, 220), "frog": (30, 170, 40)}
PITCHES_HZ = {"dog": 220.0, "cat": 440.0, "bird": 1_760.0, "frog": 110.0}
INFO = EncoderInfo(paper="none", licence="none", input="tiny", weights="made in the test")


class TinyNetwork(nn.Module):
    """A stem and three numbered layers; every instance starts with the same weights."""

    def __init__(self, num_inputs: int, dim: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.stem = nn.Linear(num_inputs, dim)
            self.layers = nn.ModuleList([nn.Linear(dim, dim) for _ in range(3)])
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x))
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return x


class _Tiny:
    """What the three share; the process ends by SIGKILL when as many batches as TINY_DIE_AT says were trained on."""

    num_inputs: int
    info = INFO

    def __init__(self, dim: int = 24) -> None:
        self.dim, self.left = dim, int(os.environ.get("TINY_DIE_AT", "0"))
        self.network: nn.Module = TinyNetwork(self.num_inputs, dim).eval().requires_grad_(False)

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        if torch.is_grad_enabled() and self.left:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        features: Tensor = self.network(torch.stack([item["x"] for item in batch]))
        return features


@register("tiny-image")
class TinyImages(_Tiny):
    """Pictures as the mean colours of their quarters."""

    modality, num_inputs = Modality.IMAGE, 12

    def prepare(self, item: Image) -> Prepared:
        small = PillowImage.fromarray(item.pixels).resize((2, 2), PillowImage.Resampling.BOX)
        return {"x": torch.from_numpy(np.asarray(small, np.float32).reshape(-1) / 255)}


@register("tiny-audio")
class TinySounds(_Tiny):
    """Sounds as their loudness in eleven octaves."""

    modality, num_inputs = Modality.AUDIO, 11

    def prepare(self, item: Audio) -> Prepared:
        power = np.abs(np.fft.rfft(item.waveform)) ** 2
        octave = np.log2(np.maximum(np.fft.rfftfreq(len(item.waveform), 1 / item.rate_hz), 1) / 20).clip(0, 10)
        sums = np.bincount(octave.astype(int), weights=power, minlength=11)
        return {"x": torch.from_numpy((sums / max(sums.sum(), 1e-9)).astype(np.float32))}


@register("tiny-text")
class TinyWords(_Tiny):
    """Sentences as bags of words, each at two places that its hash says."""

    modality, num_inputs = Modality.TEXT, 64
    loses_tokens = "tokens"

    def prepare(self, item: Text) -> Prepared:
        words = re.findall(r"\w+", item.text.lower())
        tokens = [byte % self.num_inputs for word in words for byte in hashlib.sha256(word.encode()).digest()[:2]]
        return {"tokens": torch.tensor(tokens, dtype=torch.int64)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        bags = [torch.bincount(item["tokens"], minlength=self.num_inputs).float() for item in batch]
        return super().encode([{"x": bag} for bag in bags])


def write_plugin(folder: Path) -> Path:
    """A folder that, on PYTHONPATH, makes the encoders known to any process as an installed plugin would."""
    info = folder / "tiny_encoders-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-encoders\nVersion: 1.0\n")
    entries = (("image", "TinyImages"), ("audio", "TinySounds"), ("text", "TinyWords"))
    lines = [f"tiny-{name} = tests.train.tiny:{factory}" for name, factory in entries]
    (info / "entry_points.txt").write_text("\n".join(["[unimma.encoders]", *lines, ""]))
    return folder


def write_open_clip(folder: Path) -> dict[str, str]:
    """A CLIP of random weights that open_clip loads from a folder: the options of its encoders."""
    ensure_torch_extensions()
    import open_clip

    towers = {"layers": 3, "width": 32}
    shape = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "head_width": 16, "patch_size": 16, **towers},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "heads": 2, **towers},
    }
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": shape, "preprocess_cfg": {}}))
    (folder / "tiny-to-train.json").write_text(json.dumps(shape))
    open_clip.add_model_config(folder / "tiny-to-train.json")
    weights = open_clip.create_model("tiny-to-train").state_dict()
    torch.save(weights, folder / "open_clip_pytorch_model.bin")
    return {"model": f"local-dir:{folder}", "pretrained": "none"}


def write_data(folder: Path) -> Path:
    """Pictures and tones of four animals, clips, and groups of captions; one picture and one tone are damaged.

    Of every five rows one is val.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels = list(COLOURS)
    pictures = [_row(i, "image", labels[i % 4], picture(labels[i % 4], i)) for i in range(40)]
    tones = [_row(i, "audio", labels[i % 4], _wave(labels[i % 4], i)) for i in range(25)]
    pictures[7]["media"] = tones[7]["media"] = b"cut off"
    clips = [_row(i, "video", labels[i % 2], clip(folder, i), captions=[f"a clip, number {i}"]) for i in range(6)]
    said = [
        _row(i, "text", None, None, captions=[f"a {label} {how}"], group=label)
        for i, (label, how) in enumerate((label, how) for label in labels for how in ("runs", "is running", "moves"))
    ]
    for stem, rows in (("pictures", pictures), ("tones", tones), ("clips", clips), ("captions", said)):
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), folder / f"{stem}.parquet")
    (folder / "labels.json").write_text(
        json.dumps({"pictures": {"dog": {"concept": None, "synonyms": ["hound"], "clear_name": "dog"}}})
    )
    return folder


_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "split", "modality")),
        ("media", pa.binary()),
        ("label", pa.string()),
        ("captions", pa.list_(pa.string())),
        ("group", pa.string()),
        ("concept", pa.string()),
    ]
)


def _row(number: int, modality: str, label: str | None, media: bytes | None, **more: Any) -> dict[str, Any]:
    split = "val" if number % 5 == 4 and modality != "text" else "train"
    row = {"id": f"{modality}-{number}", "split": split, "modality": modality, "media": media, "label": label}
    return row | {"captions": [], "group": str(number), "concept": None} | more


def picture(label: str, number: int) -> bytes:
    noise = np.random.default_rng(number).normal(0, 15, (16, 16, 3))
    pixels = np.clip(np.array(COLOURS[label]) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _wave(label: str, number: int) -> bytes:
    from scipy.io import wavfile

    waveform = tone(0.3, rate_hz=8_000, hz=PITCHES_HZ[label] * (1 + 0.01 * (number % 7)))
    buffer = io.BytesIO()
    wavfile.write(buffer, 8_000, (waveform * 32_767).astype(np.int16))
    return buffer.getvalue()


def clip(folder: Path, number: int) -> bytes:
    path = write_clip(folder / "clip.mp4", seconds=0.5, size=(32, 32), sound_hz=220.0 * (1 + number % 2))
    media = path.read_bytes()
    path.unlink()
    return media
