"""EmbeddingGemma 2: sentences, pictures, sounds and clips in one space, read by one bidirectional text model.

Google DeepMind 2026, huggingface.co/google/embeddinggemma-2. A picture, sound or clip becomes soft tokens of the text
model; the embedding is the mean over the states of all tokens, of unit length (the network leaves both to its user).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joint import (
    JointTower,
    Piece,
    Window,
    check_tokenizer,
    cut,
    owned,
    pack,
    text_pieces,
    windows,
)
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown
from unimma.encoders.registry import register
from unimma.encoders.spectrogram import resample
from unimma.errors import ModelError
from unimma.types import Audio, Image, Modality, Text, Video

DEFAULT = "google/embeddinggemma-2"
MAX_TOKENS = 8192  # what it was trained to read at once (model card)
MAX_SOUND_S = 30.0  # where its audio front end begins to cut
_PROMPTS = {"query": "task: search result | query: ", "document": "title: none | text: "}  # model card


class _EmbeddingGemma2(JointTower):
    """What the four towers share.

    Args:
        checkpoint: a repository on the Hub, or a folder.
        revision: a branch or commit of the repository; of the default one, `REVISIONS` names it.
    Raises:
        ModelError: it cannot be had, is no EmbeddingGemma 2, or has no part for the modality.
    """

    info = EncoderInfo(
        paper="Google DeepMind 2026, EmbeddingGemma 2, huggingface.co/google/embeddinggemma-2",
        licence="Apache-2.0",
        input="as the checkpoint was trained",
        weights=shown(DEFAULT),
        features=768,
        verified="equal to transformers 5 and to sentence-transformers 6 on random weights",
    )
    _part = ""  # of the network, beside the text model

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None) -> None:
        self.network, self._processor, self._prompts = _load(checkpoint, revision)
        if self._part and getattr(self.network, f"{self._part}_tower") is None:
            came = f"{shown(checkpoint)} without its {self._part} part"
            raise ModelError(came, f"one that takes {self.modality}", "Choose another checkpoint.")
        config: Any = self.network.config
        self.dim = self.token_dim = int(config.text_config.embedding_dim)
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=self._input())

    @classmethod
    def uses(cls, name: str) -> bool:
        """Whether a parameter of the network, which reads four modalities, belongs to this tower."""
        own = (f"{cls._part}_tower.", f"embed_{cls._part}.") if cls._part else ()
        return name.startswith(("language_model.", *own))

    def _input(self) -> str:
        return self.info.input

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        states = self.network(**inputs).last_hidden_state
        mask = inputs["attention_mask"][:, :, None]
        return F.normalize((states.float() * mask).sum(dim=1), dim=1), states  # the mean's direction is the sum's

    def _media_piece(self, processed: Any, token_id: int, groups: int, times: Tensor, weight: float) -> Piece:
        """A piece of what the processor made: of its soft tokens, equally many belong to each of `groups` tokens."""
        found = processed["input_ids"][0] == token_id
        slots = torch.where(found, (found.cumsum(0) - 1) * groups // found.sum().clamp(min=1), -1)
        unused = ("token_type_ids", "mm_token_type_ids", "video_metadata")
        inputs = {name: torch.as_tensor(value) for name, value in processed.items() if name not in unused}
        return Piece(inputs, weight, slots, times)


@register("embeddinggemma-2-text")
class EmbeddingGemma2TextEncoder(_EmbeddingGemma2):
    """Sentences → unit rows: [B, 768]; a long text is read whole, in pieces.

    Args:
        checkpoint, revision: as above.
        prompt: which of the checkpoint's prompts stands before a text: "query" for what is searched with, "document"
            for what is searched.
    """

    modality = Modality.TEXT

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None, prompt: str = "query") -> None:
        self._prompt = prompt
        super().__init__(checkpoint, revision)
        if prompt not in self._prompts:
            known = ", ".join(sorted(self._prompts))
            raise ModelError(f"prompt {prompt!r} for {shown(checkpoint)}", f"one of {known}", "Check the preset.")

    def prepare(self, item: Text) -> Prepared:
        """`input_ids` and `attention_mask` of every piece, the prompt before each: int64 [1, num_tokens]."""
        return pack(text_pieces(self._processor.tokenizer, item.text, MAX_TOKENS, self._prompts[self._prompt]))

    def _input(self) -> str:
        return f"text of 100 languages; pieces of {MAX_TOKENS} tokens behind the prompt {self._prompt!r}"


@register("embeddinggemma-2-image")
class EmbeddingGemma2ImageEncoder(_EmbeddingGemma2):
    """Pictures → unit rows: [B, 768]; as a sequence, their soft tokens, at no time."""

    modality = Modality.IMAGE
    _part = "vision"

    def prepare(self, item: Image) -> Prepared:
        """`input_ids`, `attention_mask`, `pixel_values` and `image_position_ids`, as the processor makes them."""
        picture = PillowImage.fromarray(item.pixels)
        processed = self._processor(images=[[picture]], text_kwargs={"padding": False}, return_tensors="pt")
        token_id = self._processor.image_token_id
        count = int((processed["input_ids"] == token_id).sum())
        return pack([self._media_piece(processed, token_id, count, torch.zeros(count, 2), 1.0)])

    def _input(self) -> str:
        return f"a picture in its own proportions, at most {self._processor.image_processor.max_soft_tokens} tokens"


@register("embeddinggemma-2-audio")
class EmbeddingGemma2AudioEncoder(_EmbeddingGemma2):
    """Sounds → unit rows: [B, 768]; a long sound in windows; as a sequence, a token every 40 ms."""

    modality = Modality.AUDIO
    _part = "audio"

    def prepare(self, item: Audio) -> Prepared:
        """`input_ids`, `attention_mask`, `input_features` and their mask of every window."""
        rate_hz = self._processor.feature_extractor.sampling_rate
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, rate_hz)
        return pack([self._piece(waveform, window) for window in windows(len(waveform) / rate_hz, MAX_SOUND_S)])

    def _piece(self, waveform: Tensor, window: Window) -> Piece:
        stretch = cut(waveform, self._processor.feature_extractor.sampling_rate, window)
        processed = self._processor(
            audio=[stretch.numpy()],
            text_kwargs={"padding": False},
            audio_kwargs={"truncation": False, "padding": "longest"},
            return_tensors="pt",
        )
        token_id = self._processor.audio_token_id
        count = int((processed["input_ids"] == token_id).sum())
        step_s = self._processor.audio_ms_per_token / 1000
        begins = window.start + torch.arange(count) * step_s
        piece = self._media_piece(
            processed, token_id, count, torch.stack([begins, begins + step_s], dim=1), window.end - window.start
        )
        kept, times = owned(piece.times, window.low, window.high)
        slots = torch.where(piece.slots >= 0, kept[piece.slots], -1)
        return Piece(piece.inputs, piece.weight, slots, times)

    def _input(self) -> str:
        rate_hz = self._processor.feature_extractor.sampling_rate
        return f"{rate_hz / 1000:g} kHz, one channel; windows of {MAX_SOUND_S:g} s"


@register("embeddinggemma-2-video")
class EmbeddingGemma2VideoEncoder(_EmbeddingGemma2):
    """Clips → unit rows: [B, 768], of their frames alone; as a sequence, a token for each frame."""

    modality = Modality.VIDEO
    _part = "vision"

    def prepare(self, item: Video) -> Prepared:
        """`input_ids`, `attention_mask`, `pixel_values_videos` and what goes with them, of all frames."""
        most = self._processor.video_processor.max_frames or len(item.frames)
        chosen = np.linspace(0, len(item.frames) - 1, min(most, len(item.frames))).round().astype(int)
        seconds = item.times[chosen]
        # One frame a second, at these "frame numbers": so the library knows the times as they are.
        metadata = {"total_num_frames": len(chosen), "fps": 1.0, "frames_indices": seconds.tolist()}
        processed = self._processor(
            videos=[torch.tensor(item.frames[chosen]).permute(0, 3, 1, 2)],
            text_kwargs={"padding": False},
            videos_kwargs={"do_sample_frames": False, "video_metadata": [metadata]},
            return_tensors="pt",
        )
        times = torch.tensor(seconds, dtype=torch.float32)[:, None].expand(-1, 2)
        return pack([self._media_piece(processed, self._processor.video_token_id, len(chosen), times, 1.0)])

    def _input(self) -> str:
        video = self._processor.video_processor
        return f"at most {video.max_frames} frames of {video.max_soft_tokens} tokens; the clip's sound is not heard"


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[nn.Module, Any, dict[str, str]]:
    """One network for all towers, its processor and its prompts: whichever is made first loads them."""
    ensure_torch_extensions()
    from transformers import EmbeddingGemma2Model, EmbeddingGemma2Processor
    from transformers.utils.hub import cached_file

    with loading(checkpoint, revision):
        network = load_network(EmbeddingGemma2Model, checkpoint, revision)
        processor: Any = EmbeddingGemma2Processor.from_pretrained(checkpoint, revision=pinned(checkpoint, revision))
        check_tokenizer(processor.tokenizer, checkpoint)
        found = cached_file(
            checkpoint,
            "config_sentence_transformers.json",
            revision=pinned(checkpoint, revision),
            _raise_exceptions_for_missing_entries=False,
        )
        prompts = json.loads(Path(found).read_text(encoding="utf-8"))["prompts"] if found else _PROMPTS
    return network, processor, dict(prompts)
