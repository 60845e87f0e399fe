"""UniMMA: one encoder and one head per modality, all into one space; embed anything, save, and tell versions apart."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from unimma import media
from unimma.encoders.base import Encoder, Prepared, SequenceEncoder, fingerprint
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.types import Decoded, Image, Modality, Text, Video
from unimma.windows import windows

Query = str | Path | bytes | Decoded
Compute = Callable[[Modality, Sequence[Prepared]], npt.NDArray[np.float32]]
BATCH_ITEMS = 32  # what is encoded at once, and held prepared for the next time: bounds the memory of a long list
MOST_OBLONG = 16  # times the shorter side: what the encoders are shown of a picture or frame
READERS = min(8, os.cpu_count() or 1)  # threads that decode and prepare; each holds one decoded item


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What a checkpoint's config.json says.

    Attributes:
        name: of the model, for people.
        dim: width of the shared space.
        encoders: modality → how its encoder is made, as `unimma.loading.build_encoder` reads it.
        heads: modality → the shape of its head.
        null: "query modality → gallery modality" → mean and standard deviation of the cosine of unrelated pairs.
    """

    name: str
    dim: int
    encoders: Mapping[Modality, Mapping[str, Any]]
    heads: Mapping[Modality, HeadConfig]
    null: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Tower(nn.Module):
    """One modality's way into the shared space: its encoder, then its head.

    Raises:
        ModelError: the head attends over tokens, and the encoder gives none.
    """

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self._sequences: SequenceEncoder | None = None
        if getattr(head, "takes_sequence", False):
            if not isinstance(encoder, SequenceEncoder):
                came = f"a bridge head on an encoder of {encoder.modality} that gives no sequence"
                raise ModelError(came, "an encoder with encode_sequence", "Choose another head.")
            self._sequences = encoder

    def forward(self, batch: Sequence[Prepared]) -> Tensor:
        """Prepared items → unit rows [B, D]."""
        if self._sequences is not None:
            embedding: Tensor = self.head(*self._sequences.encode_sequence(batch))
        else:
            embedding = self.head(self.encoder.encode(batch))
        return embedding


class UniMMA:
    """A model: what it understands, and what it makes of it.

    Args:
        config: as saved in config.json.
        towers: one per modality.
        card: the model card, Markdown.
        metrics: measured numbers, in the shape of `python -m train.evaluate --json`; empty where nothing was measured.

    Embedding is safe from several threads at once.
    """

    def __init__(
        self,
        config: ModelConfig,
        towers: Mapping[Modality, Tower],
        *,
        card: str = "",
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        self.config, self.towers = config, dict(towers)
        self.card, self.metrics = card, dict(metrics or {})
        self.compute: Compute = self._compute  # prepared items of one modality → unit rows; a host may put it elsewhere
        for tower in self.towers.values():
            tower.eval()

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def dim(self) -> int:
        """Width of the shared space."""
        return self.config.dim

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it can embed."""
        return frozenset(self.towers)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of weights and preprocessing; hashed when first asked for."""
        parts: list[nn.Module | Encoder | str] = []
        for modality, tower in sorted(self.towers.items()):
            parts += [str(modality), json.dumps(dict(self.config.encoders[modality]), sort_keys=True)]
            parts += [tower.encoder, tower.head]
        return fingerprint(*parts)

    def embed(self, items: Sequence[Query] | Query) -> npt.NDArray[np.float32]:
        """Embed anything, mixed: a str is a sentence, a Path a file, bytes a file's content, or decoded media.

        Returns:
            float32 [n, dim], rows of unit length, in the order given.
        Raises:
            MediaError: something cannot be decoded.
            ModelError: the model does not know a modality.
        """
        queries = [items] if isinstance(items, str | Path | bytes | Decoded) else list(items)
        rows = np.zeros((len(queries), self.dim), np.float32)
        order = sorted(range(len(queries)), key=lambda i: _length(queries[i]))  # sentences last, the short ones first
        places = iter(order)
        for part in _read_ahead(self._read, [queries[i] for i in order]):
            own = [next(places) for _ in part]
            for modality in {modality for modality, _ in part}:
                chosen = [i for i, (found, _) in enumerate(part) if found is modality]
                rows[[own[i] for i in chosen]] = self.compute(modality, [part[i][1] for i in chosen])
        return rows

    def embed_sequence(self, item: Query) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Embed one item piece by piece: windows of a sound or clip, sentences of a text, a picture as a whole.

        Returns:
            float32 [n, dim], unit rows; float64 [n, 2], start and end of each piece in seconds (of a text: character
            offsets; of a picture: zeros).
        Raises:
            MediaError, ModelError: as `embed`.
        """
        pieces = windows(media.decode(item))
        times = np.array([(span.start, span.end) for _, span in pieces], np.float64)
        return self.embed([piece for piece, _ in pieces]), times

    def null_similarity(self, query: Modality, gallery: Modality) -> tuple[float, float] | None:
        """Mean and standard deviation of the cosine between unrelated items of the two modalities.

        Measured on training media and stored with the model; None where it was not, as for presets. An even space would
        have (0, 1 / sqrt(dim)), but a trained one keeps to a cone (Liang et al. 2022, arXiv 2203.02053).
        """
        return self.config.null.get(f"{query}-{gallery}")

    def to(self, device: str | torch.device) -> Self:
        """Move encoders and heads; returns the model itself."""
        for tower in self.towers.values():
            tower.head.to(device)
            tower.encoder.network.to(device)
        return self

    def save_pretrained(self, folder: str | Path, *, pt: bool = False) -> None:
        """Write config.json, model.safetensors (heads, trained weights, those that no package carries) and the card.

        Weights that float16 holds exactly are stored as float16; loading gives the same fingerprint.

        Args:
            folder: made where it is missing.
            pt: write the same tensors to model.pt as well, for `torch.load("model.pt", weights_only=True)`. It is for
                other programs: `load_model` reads model.safetensors alone.
        """
        from safetensors.torch import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: _narrow(tensor) for name, tensor in self._own_weights().items()}
        (folder / "model.safetensors").write_bytes(save(weights))  # save_file makes one that only its owner may read
        if pt:
            torch.save(weights, folder / "model.pt")
        (folder / "config.json").write_text(json.dumps(_as_json(self.config), indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(self.card, encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(self.metrics, indent=2) + "\n", encoding="utf-8")

    def load_own_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's tensors in place.

        Raises:
            ModelError: names or shapes are not those of this model.
        """
        own = self._own_weights()
        wrong = sorted(set(own) ^ set(weights)) or [n for n in own if own[n].shape != weights[n].shape]
        if wrong:
            came = f"a checkpoint that does not fit its config.json at {', '.join(wrong[:3])}"
            raise ModelError(came, f"{len(own)} tensors of that config", "Take both files from one training run.")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(weights[name])
        self.__dict__.pop("fingerprint", None)  # that of the weights before

    def _read(self, query: Query) -> tuple[Modality, Prepared]:
        item = _squeezed(media.decode(query))
        if item.modality not in self.towers:
            came = f"{item.modality} for the model {self.name!r}"
            raise ModelError(came, f"one of {', '.join(sorted(self.towers))}", "Use another model for it.")
        with torch.inference_mode():
            return item.modality, self.towers[item.modality].encoder.prepare(item)

    def _compute(self, modality: Modality, batch: Sequence[Prepared]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            z = self.towers[modality](batch).float().cpu().numpy()
        unit: npt.NDArray[np.float32] = z / np.linalg.norm(z, axis=1, keepdims=True)
        return unit

    def _own_weights(self) -> dict[str, Tensor]:
        own = {}
        for modality, tower in sorted(self.towers.items()):
            for name, tensor in tower.head.state_dict().items():
                own[f"heads.{modality}.{name}"] = tensor
            extent = self.config.encoders[modality].get("trained")
            parts: Mapping[str, Encoder] = getattr(tower.encoder, "parts", {str(modality): tower.encoder})
            for part_name, part in parts.items():
                for name, tensor in travelling(part, extent).items():
                    own[f"encoders.{part_name}.{name}"] = tensor
        return own


def _squeezed(item: Decoded) -> Decoded:
    """A picture or clip that is more oblong than 16 : 1, its longer side shortened to that.

    Processors bring the shorter side to hundreds of pixels, and what the longer one then takes has no bound.
    """
    if isinstance(item, Image) and _shortened(item.pixels.shape[:2]) != item.pixels.shape[:2]:
        return replace(item, pixels=_resized(item.pixels))
    if isinstance(item, Video) and _shortened(item.frames.shape[1:3]) != item.frames.shape[1:3]:
        return replace(item, frames=np.stack([_resized(frame) for frame in item.frames]))
    return item


def _shortened(sides: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(side, MOST_OBLONG * min(sides)) for side in sides)


def _resized(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = _shortened(pixels.shape[:2])
    return np.asarray(PillowImage.fromarray(pixels).resize((width, height), PillowImage.Resampling.BOX))


def _length(query: Query) -> int:
    """Of a text; 0 of what is none, or cannot be told yet."""
    return len(query) if isinstance(query, str) else len(query.text) if isinstance(query, Text) else 0


def _read_ahead(
    read: Callable[[Query], tuple[Modality, Prepared]], queries: Sequence[Query]
) -> Iterator[list[tuple[Modality, Prepared]]]:
    """Batches of what `read` makes of the queries, in their order; the next is read while one is used.

    A thread reads a file; the sentences of a batch, which take hardly any time, are read by one together.
    """
    if len(queries) < 2:
        yield from ([read(query)] for query in queries)
        return
    batches = [queries[start : start + BATCH_ITEMS] for start in range(0, len(queries), BATCH_ITEMS)]
    pool = ThreadPoolExecutor(min(READERS, len(queries)))

    def begin(batch: Sequence[Query]) -> list[Future[list[tuple[Modality, Prepared]]]]:
        sentences = [query for query in batch if _length(query)]  # the last ones of a batch
        tasks = [[query] for query in batch[: len(batch) - len(sentences)]] + ([sentences] if sentences else [])
        return [pool.submit(lambda task: [read(query) for query in task], task) for task in tasks]

    try:
        coming = begin(batches[0])
        for following in [*batches[1:], ()]:
            done = [each for task in coming for each in task.result()]
            coming = begin(following)
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


def travelling(encoder: Encoder, extent: str | None) -> dict[str, Tensor]:
    """The tensors of an encoder that travel with a checkpoint: all where no package carries them, else the trained.

    Raises:
        ModelError: as `trained_parameters`.
    """
    if getattr(encoder, "weights_travel", False):
        return encoder.network.state_dict()
    return dict(trained_parameters(encoder, extent)) if extent else {}


def _narrow(tensor: Tensor) -> Tensor:
    half = tensor.detach().cpu().half()
    exact = tensor.dtype == torch.float32 and torch.equal(half.float(), tensor.detach().cpu())
    return half.contiguous() if exact else tensor.detach().cpu().contiguous()


def _as_json(config: ModelConfig) -> dict[str, Any]:
    return {
        "format": 1,
        "name": config.name,
        "dim": config.dim,
        "encoders": {str(m): dict(spec) for m, spec in config.encoders.items()},
        "heads": {str(m): asdict(head) for m, head in config.heads.items()},
        "null": {pair: list(values) for pair, values in config.null.items()},
    }
