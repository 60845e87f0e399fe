"""UniMMA models in MTEB, the Massive Text Embedding Benchmark with its tasks on pictures, sounds and clips.

import mteb
from unimma.integrations.mteb import MtebEncoder
mteb.evaluate(MtebEncoder("bundled"), mteb.get_tasks(["Flickr30kI2TRetrieval"]))
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unimma.compat import ensure_torch_extensions

ensure_torch_extensions()  # before mteb brings transformers along, which imports them

from mteb.models import ModelMeta  # noqa: E402
from mteb.models.abs_encoder import AbsEncoder  # noqa: E402
from mteb.models.model_meta import ScoringFunction  # noqa: E402

from unimma.catalogue import BUNDLED  # noqa: E402
from unimma.errors import ModelError  # noqa: E402
from unimma.loading import load_model  # noqa: E402
from unimma.settings import NUM_FRAMES  # noqa: E402
from unimma.types import Audio, Decoded, Image, Modality, Text, Video  # noqa: E402

FloatArray = npt.NDArray[np.float32]


class Model(Protocol):
    """What is needed of `unimma.UniMMA`."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def modalities(self) -> frozenset[Modality]: ...

    def embed(self, items: Sequence[Decoded]) -> FloatArray: ...


class MtebEncoder(AbsEncoder):
    """A model with the surface that `mteb.evaluate` asks for.

    Args:
        model_name: what `unimma.load_model` takes, or a model that is loaded already.
        revision: of a model on the Hugging Face Hub, 40 digits; the same as "user/repo@revision".
        device: such as "cuda"; None: where the model is.

    Raises:
        ModelError: no such model.
    """

    def __init__(
        self, model_name: str | Model = BUNDLED, revision: str | None = None, *, device: str | None = None, **_: Any
    ) -> None:
        if isinstance(model_name, str):
            loaded = load_model(f"{model_name}@{revision}" if revision else model_name)
            self.model: Model = loaded.to(device) if device else loaded
        else:
            self.model = model_name
        self.mteb_model_meta = _meta(self.model)

    def encode(self, inputs: Any, **_: Any) -> FloatArray:
        """Unit rows, float32 [n, dim], in the order of the inputs.

        Args:
            inputs: batches of columns: "text", "image" (PIL), "audio" ({"array", "sampling_rate"}), "video" (a decoder
                of torchcodec, or frames [T, 3, H, W]); an input of several columns is the mean of what they embed to,
                but a clip and its sound are one.

        Prompts and instructions of MTEB are not used: the model has learned none.
        """
        # Only texts may be joined to tensors by a loader; the other columns stay lists, whatever their sizes.
        inputs.collate_fn = _columns
        batches = [self._encode_batch(batch) for batch in inputs]
        return np.concatenate(batches) if batches else np.zeros((0, self.model.dim), np.float32)

    def _encode_batch(self, batch: Mapping[str, Sequence[Any]]) -> FloatArray:
        columns = decoded_columns(batch)
        if not columns:
            known = ", ".join(sorted(self.model.modalities))
            raise ModelError(f"columns {', '.join(batch)}", f"one at least of {known}", "Choose other tasks.")
        total = np.sum([self.model.embed(items) for items in columns], axis=0)
        unit: FloatArray = (total / np.linalg.norm(total, axis=1, keepdims=True)).astype(np.float32)
        return unit


def decoded_columns(batch: Mapping[str, Sequence[Any]]) -> list[list[Decoded]]:
    """MTEB's columns as decoded media, a list a column."""
    columns: list[list[Decoded]] = []
    if "text" in batch:
        columns.append([Text(said.strip() or "-") for said in batch["text"]])  # an empty text has no embedding
    if "image" in batch:
        columns.append([Image(np.asarray(picture.convert("RGB"))) for picture in batch["image"]])
    sounds = [_sound(item) for item in batch["audio"]] if "audio" in batch else []
    if "video" in batch:
        heard: Sequence[Audio | None] = sounds or [None] * len(batch["video"])
        columns.append([_clip(item, sound) for item, sound in zip(batch["video"], heard, strict=True)])
    elif sounds:
        columns.append(list(sounds))
    return columns


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _sound(item: Any) -> Audio:
    waveform = np.asarray(item["array"], np.float32)
    mono = waveform.mean(axis=0) if waveform.ndim > 1 else waveform  # [channels, n]
    return Audio(mono, int(item["sampling_rate"]))


def _clip(item: Any, sound: Audio | None) -> Video:
    if hasattr(item, "get_frames_at"):
        count = item.metadata.num_frames
        shown = min(NUM_FRAMES, count)  # at the middles of as many stretches, as when we decode ourselves
        chosen = ((np.arange(shown) + 0.5) * count / shown).astype(int)
        frames = item.get_frames_at(chosen.tolist()).data
        duration_s = float(item.metadata.duration_seconds)
        times = chosen / count * duration_s
    else:  # frames alone: nothing tells how long they lasted
        frames, duration_s = item, float(len(item))
        times = np.arange(len(item), dtype=np.float64)
    pixels = np.ascontiguousarray(np.asarray(frames).transpose(0, 2, 3, 1)).astype(np.uint8)
    return Video(pixels, times, duration_s, sound)


def _meta(model: Model) -> ModelMeta:
    return ModelMeta.create_empty(
        {
            "name": f"unimma/{model.name}",
            "revision": model.fingerprint,
            "languages": ["eng-Latn"],
            "embed_dim": model.dim,
            "framework": ["PyTorch"],
            "open_weights": True,
            "similarity_fn_name": ScoringFunction.COSINE,
            "use_instructions": False,
            "modalities": sorted(str(modality) for modality in model.modalities),
        }
    )
