"""Whatever sentence-transformers loads: one encoder for each modality that the model names among its own.

Reimers and Gurevych 2019, arXiv 1908.10084; since version 5.3 the library embeds pictures, sounds and clips as well.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joint import (
    JointTower,
    Piece,
    Window,
    cut,
    pack,
    text_spans,
    windows,
)
from unimma.encoders.pretrained import described, loading, pinned, shown
from unimma.encoders.registry import register
from unimma.encoders.spectrogram import resample
from unimma.errors import ModelError
from unimma.types import Audio, Image, Modality, Text, Video

DEFAULT = "google/embeddinggemma-2"
MAX_TOKENS = 8192  # of a text at once, where the model names no limit
WINDOW_S = 30.0  # of a sound, where its front end names no limit


@register("sentence-transformers")
class AnySentenceTransformerEncoder(JointTower):
    """Items of one modality → unit rows [B, D]; long ones in pieces; as a sequence, these pieces' embeddings.

    Args:
        checkpoint: a repository on the Hub, or a folder.
        revision: a branch or commit of the repository; of the default one, `REVISIONS` names it.
        modality: "text", "image", "audio" or "video".
        prompt: the name of one of the model's prompts; None for its default, if it has one.
    Raises:
        ModelError: the model cannot be had, does not take the modality, or has no such prompt.
    """

    modality = Modality.TEXT
    info = EncoderInfo(
        paper="Reimers and Gurevych 2019, Sentence-BERT, arXiv 1908.10084; and the model's own",
        licence="as the checkpoint states",
        input="as the checkpoint was trained",
        weights=shown(DEFAULT),
        features=768,
        verified="equal to sentence-transformers 6 on random weights",
    )

    def __init__(
        self,
        checkpoint: str = DEFAULT,
        revision: str | None = None,
        modality: str = "text",
        prompt: str | None = None,
    ) -> None:
        self.network: Any = _load(checkpoint, revision)
        known = [str(name) for name in self.network.modalities]
        if modality not in set(Modality) or not self.network.supports(modality):
            came = f"{modality} for {shown(checkpoint)}"
            raise ModelError(came, f"one of {', '.join(known)}", "Choose another checkpoint.")
        if prompt is not None and prompt not in self.network.prompts:
            names = ", ".join(self.network.prompts) or "none at all"
            raise ModelError(f"prompt {prompt!r} for {shown(checkpoint)}", f"one of {names}", "Check the preset.")
        self.modality = Modality(modality)
        name = prompt or self.network.default_prompt_name
        self._prompt: str | None = self.network.prompts.get(name) if name else None
        self._constants: dict[str, Any] = {}
        self._probe()
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=self._input())

    def prepare(self, item: Text | Image | Audio | Video) -> Prepared:
        """What the model's own `preprocess` makes of every piece."""
        if isinstance(item, Text):
            spans = self._spans(item.text)
            return pack([self._piece(item.text[start:end], (start, end), end - start) for start, end in spans])
        if isinstance(item, Image):
            return pack([self._piece(PillowImage.fromarray(item.pixels))])
        if isinstance(item, Video):
            return pack([self._piece(_clip(torch.tensor(item.frames), item.times.tolist()), (0.0, item.duration_s))])
        rate_hz, window_s = self._hearing()
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, rate_hz)
        return pack([self._heard(waveform, window) for window in windows(len(waveform) / rate_hz, window_s)])

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        rows = F.normalize(self.network({**self._constants, **inputs})["sentence_embedding"].float(), dim=1)
        return rows, rows[:, None]

    def _heard(self, waveform: Tensor, window: Window) -> Piece:
        rate_hz, _ = self._hearing()
        value = {"array": cut(waveform, rate_hz, window).numpy(), "sampling_rate": rate_hz}
        return self._piece(value, (window.start, window.end), window.end - window.start)

    def _piece(self, value: Any, span: tuple[float, float] = (0.0, 0.0), weight: float = 1.0) -> Piece:
        inputs = {name: tensor for name, tensor in self._features(value).items() if isinstance(tensor, Tensor)}
        return Piece(inputs, float(weight), torch.zeros(1, dtype=torch.long), torch.tensor([span], dtype=torch.float32))

    def _features(self, value: Any) -> Mapping[str, Any]:
        # A mapping by modality: a sentence that looks like a file's name stays a sentence.
        options = (
            {"processing_kwargs": {"video": {"do_sample_frames": False}}} if self.modality is Modality.VIDEO else {}
        )
        given = value if self.modality is Modality.TEXT else {str(self.modality): value}
        features: Mapping[str, Any] = self.network.preprocess([given], prompt=self._prompt, **options)
        return features

    def _probe(self) -> None:
        """What the model says beside tensors, and how wide its embedding is: both are the same for every item."""
        rate_hz, _ = self._hearing()
        trials = {
            Modality.TEXT: "a",
            Modality.IMAGE: PillowImage.new("RGB", (64, 64)),
            Modality.VIDEO: _clip(torch.zeros(2, 64, 64, 3, dtype=torch.uint8), [0.0, 1.0]),
            Modality.AUDIO: {"array": torch.zeros(rate_hz).numpy(), "sampling_rate": rate_hz},
        }
        features = self._features(trials[self.modality])
        self._constants = {name: value for name, value in features.items() if isinstance(value, str | int)}
        self._around = features["input_ids"].shape[1] if self.modality is Modality.TEXT else 0
        with torch.inference_mode():
            rows, _ = self._forward({name: value for name, value in features.items() if isinstance(value, Tensor)})
        self.dim = self.token_dim = rows.shape[1]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        tokenizer = self.network.tokenizer
        if not getattr(tokenizer, "is_fast", False):  # it cannot tell where its tokens lie
            return [(0, len(text))]
        return text_spans(tokenizer, text, self._max_tokens() - self._around)

    def _max_tokens(self) -> int:
        """Of the limits that the library, the tokenizer and the network name, the lowest."""
        config = getattr(self.network.transformers_model, "config", None)
        reading = config.get_text_config() if config else None
        named = (
            self.network.max_seq_length,
            getattr(self.network.tokenizer, "model_max_length", None),
            getattr(reading, "max_position_embeddings", None),
        )
        return min(MAX_TOKENS, *(int(limit) for limit in named if limit))

    def _hearing(self) -> tuple[int, float]:
        """Rate, samples a second, and the longest sound that its front end takes, seconds."""
        processor = getattr(self.network, "processor", None)
        extractor = getattr(processor, "feature_extractor", processor)
        longest = getattr(extractor, "chunk_length", None) or getattr(extractor, "max_length_s", None)
        return int(getattr(extractor, "sampling_rate", 16_000)), float(longest or WINDOW_S)

    def _input(self) -> str:
        if self.modality is Modality.TEXT:
            return f"text; pieces of {self._max_tokens()} tokens behind {self._prompt!r}"
        if self.modality is Modality.AUDIO:
            rate_hz, window_s = self._hearing()
            return f"{rate_hz / 1000:g} kHz, one channel; windows of {window_s:g} s"
        sight = "a picture" if self.modality is Modality.IMAGE else "all decoded frames; the clip's sound is not heard"
        return f"{sight}, as the checkpoint's processor makes it"


def _clip(frames: Tensor, seconds: list[float]) -> dict[str, Any]:
    """Frames [num_frames, height, width, 3] and when they are, as the library takes them."""
    # One frame a second, at these "frame numbers": so the library knows the times as they are.
    metadata = {
        "total_num_frames": len(seconds),
        "fps": 1.0,
        "duration": float(len(seconds)),
        "frames_indices": seconds,
    }
    return {"array": frames.permute(0, 3, 1, 2), "video_metadata": metadata}


@cache
def _load(checkpoint: str, revision: str | None) -> Any:
    """One network for all modalities: whichever is made first loads it."""
    ensure_torch_extensions()
    from sentence_transformers import SentenceTransformer

    with loading(checkpoint, revision):
        network: Any = SentenceTransformer(checkpoint, revision=pinned(checkpoint, revision), device="cpu")
    return network.float().eval().requires_grad_(False)
