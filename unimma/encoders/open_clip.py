"""CLIP and its relatives through open_clip: pictures and sentences in one space that is ready to use.

Radford et al. 2021, arXiv 2103.00020; open_clip: github.com/mlfoundations/open_clip, checkpoints of many authors.
"""

from collections.abc import Sequence
from functools import cache
from pickle import UnpicklingError
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.errors import ModelError
from unimma.types import Image, Modality, Text


class _OpenClip:
    """What both towers share.

    Args:
        model: an open_clip architecture, such as "ViT-B-32".
        pretrained: one of its pretrained tags, or the path of a checkpoint.
    Raises:
        ModelError: open_clip does not know them, or cannot get the weights.
    """

    info = EncoderInfo(
        paper="Radford et al. 2021, arXiv 2103.00020; the checkpoints' own",
        licence="as the checkpoint states (MIT for those of LAION and OpenAI)",
        input="as the checkpoint was trained (224 x 224 px, 77 tokens)",
        weights="any that open_clip lists (ViT-B-32, laion2b_s34b_b79k)",
        features=512,
        verified="equal to open_clip 3 on random weights",
    )

    def __init__(self, model: str, pretrained: str) -> None:
        self.network, self._transform, self._tokenize = _load(model, pretrained)
        with torch.inference_mode():
            self.dim = int(self.network.encode_text(self._tokenize([""])).shape[1])  # type: ignore[operator]
        self.info = EncoderInfo(
            paper="Radford et al. 2021, arXiv 2103.00020",
            licence="as the checkpoint states",
            input="as the checkpoint was trained",
            weights=f"open_clip {model}, {pretrained}",
        )


@register("open-clip-image")
class OpenClipImageEncoder(_OpenClip):
    """Pictures → unit rows of the CLIP space: [B, D]."""

    modality = Modality.IMAGE

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("visual.")

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: float32 [3, side, side], as the checkpoint's own transform makes them."""
        return {"pixels": self._transform(PillowImage.fromarray(item.pixels))}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""
        device = next(self.network.parameters()).device
        pixels = torch.stack([item["pixels"] for item in batch]).to(device)
        return F.normalize(self.network.encode_image(pixels).float(), dim=1)  # type: ignore[operator]


@register("open-clip-text")
class OpenClipTextEncoder(_OpenClip):
    """Sentences → unit rows of the CLIP space: [B, D]; of a long text, as many tokens as the checkpoint reads."""

    modality = Modality.TEXT

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return not name.startswith(("visual.", "logit_"))

    def prepare(self, item: Text) -> Prepared:
        """`tokens`: int64 [context length], padded and cut as the checkpoint was trained."""
        return {"tokens": self._tokenize([item.text])[0]}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""
        device = next(self.network.parameters()).device
        tokens = torch.stack([item["tokens"] for item in batch]).to(device)
        return F.normalize(self.network.encode_text(tokens).float(), dim=1)  # type: ignore[operator]


@cache
def _load(model: str, pretrained: str) -> tuple[nn.Module, Any, Any]:
    """One network for both towers: whichever is made first loads it."""
    ensure_torch_extensions()
    import open_clip

    try:
        network, _, transform = open_clip.create_model_and_transforms(model, pretrained=pretrained)
        tokenize = open_clip.get_tokenizer(model)
    except (RuntimeError, OSError, ValueError, UnpicklingError) as error:  # the last: more in it than weights
        came = f"open_clip cannot load {model!r} with {pretrained!r}"
        raise ModelError(came, "a known pair and a network to get it", "See open_clip.list_pretrained().") from error
    return network.eval().requires_grad_(False), transform, tokenize
