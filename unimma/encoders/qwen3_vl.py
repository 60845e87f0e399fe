"""Qwen3-VL-Embedding: sentences, pictures and clips in one space, each behind an instruction.

Li et al. 2026, "Qwen3-VL-Embedding and Qwen3-VL-Reranker", arXiv 2601.04720. An item stands in a chat, the instruction
before it as the system's words; the state of the last token of that chat, of unit length, is its embedding.
"""

from collections.abc import Mapping
from functools import cache
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
    check_tokenizer,
    pack,
    text_pieces,
)
from unimma.encoders.pretrained import described, load_network, loading, pinned, shown
from unimma.encoders.registry import register
from unimma.errors import ModelError
from unimma.types import Image, Modality, Text, Video

DEFAULT = "Qwen/Qwen3-VL-Embedding-2B"
INSTRUCTION = "Represent the user's input."
MAX_TOKENS = 8192  # these four as in the authors' own embedder (github.com/QwenLM/Qwen3-VL-Embedding)
PICTURE_TOKENS = (4, 1800)  # fewest and most of one picture
CLIP_TOKENS = 20 * 768  # of all frames before two of them are merged into one
MAX_FRAMES = 64
_PLACE = "\N{OBJECT REPLACEMENT CHARACTER}"  # where the text goes in the chat


class _Qwen3VL(JointTower):
    """What the three towers share.

    Args:
        checkpoint: a repository on the Hub, or a folder.
        revision: a branch or commit of the repository; of the default one, `REVISIONS` names it.
        instruction: what to look for in an item, a whole sentence.
    Raises:
        ModelError: it cannot be had, or is no Qwen3-VL.
    """

    info = EncoderInfo(
        paper="Li et al. 2026, Qwen3-VL-Embedding, arXiv 2601.04720",
        licence="Apache-2.0",
        input="as the checkpoint was trained",
        weights=shown(DEFAULT),
        features=2048,
        verified="equal to transformers 5 on random weights",
    )

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None, instruction: str = INSTRUCTION) -> None:
        self.network, self._processor = _load(checkpoint, revision)
        self._instruction = instruction
        config: Any = self.network.config
        self.dim = self.token_dim = int(config.text_config.hidden_size)
        self.info = described(
            self.info, checkpoint, revision, features=self.dim, input=f"{self._input()}; {instruction!r}"
        )

    def _input(self) -> str:
        raise NotImplementedError

    def _chat(self, content: Mapping[str, Any]) -> str:
        """An item in its chat, as the checkpoint's template writes it."""
        messages = [
            {"role": "system", "content": [{"type": "text", "text": self._instruction}]},
            {"role": "user", "content": [content]},
        ]
        chat: str = self._processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return chat

    def _pixels(self, tokens: int) -> int:
        """How many pixels become that many tokens."""
        processor = self._processor.image_processor
        side = processor.patch_size * processor.merge_size
        return int(tokens * side * side)

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        states = self.network(**inputs, use_cache=False).last_hidden_state
        lasts = inputs["attention_mask"].sum(dim=1) - 1  # what is padded stands behind
        return F.normalize(states[torch.arange(len(lasts), device=lasts.device), lasts].float(), dim=1), states


@register("qwen3-vl-text")
class Qwen3VLTextEncoder(_Qwen3VL):
    """Sentences → unit rows: [B, D]; a long text is read whole, in pieces."""

    modality = Modality.TEXT

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which also sees, belongs to this tower."""
        return name.startswith("language_model.")

    def prepare(self, item: Text) -> Prepared:
        """`input_ids` and `attention_mask` of every piece in its chat: int64 [1, num_tokens]."""
        before, _, after = self._chat({"type": "text", "text": _PLACE}).partition(_PLACE)
        return pack(text_pieces(self._processor.tokenizer, item.text, MAX_TOKENS, before, after))

    def _input(self) -> str:
        return f"text of 30 languages; pieces of {MAX_TOKENS} tokens"


@register("qwen3-vl-image")
class Qwen3VLImageEncoder(_Qwen3VL):
    """Pictures → unit rows: [B, D]; as a sequence, their merged patches, at no time."""

    modality = Modality.IMAGE

    def prepare(self, item: Image) -> Prepared:
        """`input_ids` and their masks, `pixel_values` and `image_grid_thw`, as the processor makes them."""
        fewest, most = (self._pixels(tokens) for tokens in PICTURE_TOKENS)
        processed = self._processor(
            text=[self._chat({"type": "image"})],
            images=[PillowImage.fromarray(item.pixels)],
            images_kwargs={"size": {"shortest_edge": fewest, "longest_edge": most}},
            text_kwargs={"padding": False},
            return_tensors="pt",
        )
        found = processed["input_ids"][0] == self._processor.image_token_id
        slots = torch.where(found, found.cumsum(0) - 1, -1)
        return pack([Piece(dict(processed), 1.0, slots, torch.zeros(int(found.sum()), 2))])

    def _input(self) -> str:
        return f"a picture in its own proportions, at most {PICTURE_TOKENS[1]} tokens"


@register("qwen3-vl-video")
class Qwen3VLVideoEncoder(_Qwen3VL):
    """Clips → unit rows: [B, D], of their frames alone; as a sequence, a token for each pair of frames."""

    modality = Modality.VIDEO

    def prepare(self, item: Video) -> Prepared:
        """`input_ids` and their masks, `pixel_values_videos` and `video_grid_thw`, of all frames."""
        together = self._processor.video_processor.temporal_patch_size
        chosen = np.linspace(0, len(item.frames) - 1, min(MAX_FRAMES, len(item.frames))).round().astype(int)
        chosen = np.pad(chosen, (0, -len(chosen) % together), mode="edge")
        seconds = item.times[chosen]
        processed = self._processor(
            text=[self._chat({"type": "video"})],
            videos=[torch.tensor(item.frames[chosen]).permute(0, 3, 1, 2)],
            videos_kwargs=self._frames_kwargs(seconds),
            text_kwargs={"padding": False},
            return_tensors="pt",
        )
        groups = len(chosen) // together
        found = processed["input_ids"][0] == self._processor.video_token_id
        slots = torch.where(found, (found.cumsum(0) - 1) * groups // found.sum(), -1)
        times = torch.tensor(seconds, dtype=torch.float32).reshape(groups, together)[:, [0, -1]]
        inputs = {name: value for name, value in processed.items() if name != "video_metadata"}
        return pack([Piece(inputs, 1.0, slots, times)])

    def _frames_kwargs(self, seconds: Any) -> dict[str, Any]:
        fewest = self._processor.video_processor.size["shortest_edge"]
        return {
            "do_sample_frames": False,
            "cap_pixels_per_frame": True,  # as the authors' embedder does
            "size": {"shortest_edge": fewest, "longest_edge": self._pixels(CLIP_TOKENS)},
            # One frame a second, at these "frame numbers": so the chat tells the times as they are.
            "video_metadata": [{"total_num_frames": len(seconds), "fps": 1.0, "frames_indices": seconds.tolist()}],
        }

    def _input(self) -> str:
        return f"at most {MAX_FRAMES} frames and {CLIP_TOKENS // 2} tokens; the clip's sound is not heard"


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[nn.Module, Any]:
    """One network for all towers: whichever is made first loads it."""
    ensure_torch_extensions()
    from transformers import Qwen3VLModel, Qwen3VLProcessor

    with loading(checkpoint, revision):
        network = load_network(Qwen3VLModel, checkpoint, revision)
        processor: Any = Qwen3VLProcessor.from_pretrained(checkpoint, revision=pinned(checkpoint, revision))
        check_tokenizer(processor.tokenizer, checkpoint)
    if not processor.chat_template:
        came, todo = f"{shown(checkpoint)} without a chat template", "Fetch it again, or choose another one."
        raise ModelError(came, "chat_template.jinja beside the weights", todo)
    return network, processor
