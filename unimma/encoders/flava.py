"""FLAVA: pictures and sentences in the space of its contrastive heads.

Singh et al. 2022, "FLAVA: A Foundational Language And Vision Alignment Model", arXiv 2112.04482. Of its spaces, the
projected one is used: there a picture and its caption were trained to meet. The [CLS] states before the projections
were not, and those of the multimodal encoder need a picture and a text at once.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joint import JointTower, Piece, check_tokenizer, pack, text_pieces
from unimma.encoders.pretrained import described, load_network, loading, pinned
from unimma.encoders.registry import register
from unimma.types import Image, Modality, Text

DEFAULT = "facebook/flava-full"


class _Flava(JointTower):
    """What both towers share.

    Args:
        checkpoint: a repository on the Hub, or a folder.
        revision: a branch or commit of the repository.
    Raises:
        ModelError: it cannot be had, or is no FLAVA.
    """

    info = EncoderInfo(
        paper="Singh et al. 2022, FLAVA, arXiv 2112.04482",
        licence="BSD-3-Clause",
        input="as the checkpoint was trained",
        weights=DEFAULT,
        features=768,
        verified="equal to transformers' FlavaForPreTraining (its contrastive embeddings) on random weights",
    )

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None) -> None:
        self.network, self._processor = _load(checkpoint, revision)
        config: Any = self.network.config
        self.dim = self.token_dim = int(config.projection_dim)
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=self.info.input)

    def _project(self, output: Any) -> tuple[Tensor, Tensor]:
        tokens = output.pooler_output  # transformers projects every state here; the first is [CLS]
        return F.normalize(tokens[:, 0].float(), dim=1), tokens


@register("flava-image")
class FlavaImageEncoder(_Flava):
    """Pictures → unit rows of FLAVA's contrastive space: [B, D]; as a sequence, its patches, at no time."""

    modality = Modality.IMAGE

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds all of FLAVA, belongs to this tower."""
        return name.startswith(("image_model.", "image_projection."))

    def prepare(self, item: Image) -> Prepared:
        """`pixel_values`: float32 [1, 3, side, side], as the checkpoint's processor makes them."""
        picture = PillowImage.fromarray(item.pixels)
        pixels = self._processor.image_processor(picture, return_tensors="pt")["pixel_values"]
        config: Any = self.network.config
        num_patches = (pixels.shape[-1] // config.image_config.patch_size) ** 2
        slots = torch.arange(-1, num_patches)  # [CLS] is none of them
        return pack([Piece({"pixel_values": pixels}, 1.0, slots, torch.zeros(num_patches, 2))])

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self._project(self.network.get_image_features(**inputs))  # type: ignore[operator]


@register("flava-text")
class FlavaTextEncoder(_Flava):
    """Sentences → unit rows of FLAVA's contrastive space: [B, D]; a long text is read whole, in pieces."""

    modality = Modality.TEXT

    def __init__(self, checkpoint: str = DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)
        config: Any = self.network.config
        tokenizer = self._processor.tokenizer
        self._max_tokens = min(tokenizer.model_max_length, config.text_config.max_position_embeddings)
        self.info = described(
            self.info,
            checkpoint,
            revision,
            features=self.dim,
            input=f"English sentences; pieces of {self._max_tokens} tokens",
        )

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds all of FLAVA, belongs to this tower."""
        return name.startswith(("text_model.", "text_projection."))

    def prepare(self, item: Text) -> Prepared:
        """`input_ids` and `attention_mask` of every piece: int64 [1, num_tokens]."""
        return pack(text_pieces(self._processor.tokenizer, item.text, self._max_tokens))

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self._project(self.network.get_text_features(**inputs))  # type: ignore[operator]


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[nn.Module, Any]:
    """One network for both towers: whichever is made first loads it."""
    ensure_torch_extensions()
    from transformers import FlavaModel, FlavaProcessor

    with loading(checkpoint, revision):
        network = load_network(FlavaModel, checkpoint, revision)
        processor: Any = FlavaProcessor.from_pretrained(checkpoint, revision=pinned(checkpoint, revision))
        check_tokenizer(processor.tokenizer, checkpoint)
    return network, processor
