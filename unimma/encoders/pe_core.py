"""Perception Encoder (PE-Core) through open_clip and timm: pictures and sentences in one space that is ready to use.

Bolya et al. 2025, arXiv 2504.13181. Its sizes on the Hub: timm/PE-Core-T-16-384, timm/PE-Core-S-16-384,
timm/PE-Core-B-16, timm/PE-Core-L-14-336 and timm/PE-Core-bigG-14-448 (G).
"""

from functools import cache
from typing import Any

import torch
from torch import nn

from unimma.encoders.base import EncoderInfo
from unimma.encoders.open_clip import OneNetwork, ReadsPieces, SeesPatches
from unimma.encoders.pretrained import described, loading, shown, weights_file
from unimma.encoders.registry import register
from unimma.errors import ModelError

_DEFAULT = "timm/PE-Core-T-16-384"
_CONFIG, _WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
_INFO = EncoderInfo(
    paper="Bolya et al. 2025, Perception Encoder, arXiv 2504.13181",
    licence="Apache-2.0",
    input="384 x 384 px",
    weights=shown(_DEFAULT),
    features=512,
    verified="equal to open_clip 3 and timm 1 on random weights",
)


class _PECore(OneNetwork):
    """What both towers share.

    Args:
        checkpoint: a repository on the Hugging Face Hub in open_clip's form, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    info = _INFO

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        self.network, self.transform, self.tokenizer, self.dim = _load(checkpoint, revision)
        self.info = described(_INFO, checkpoint, revision, features=self.dim, input=self._input())

    def _input(self) -> str:
        raise NotImplementedError


@register("pe-core-image")
class PECoreImageEncoder(SeesPatches, _PECore):
    """Pictures → unit rows of the PE-Core space, [B, D]; as a sequence, the patches before they are pooled.

    Args, Raises: see the base class.
    """

    def _input(self) -> str:
        height, width = self.network.visual.image_size
        return f"{height} x {width} px"


@register("pe-core-text")
class PECoreTextEncoder(ReadsPieces, _PECore):
    """Sentences → unit rows of the PE-Core space, [B, D]; a long text is read whole, in pieces.

    Args, Raises: see the base class.
    """

    def _input(self) -> str:
        return f"pieces of {self.tokenizer.context_length} tokens"


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[nn.Module, Any, Any, int]:
    """One network for both towers, its transform, tokenizer and width: whichever is made first loads it."""
    with loading(checkpoint, revision):
        import open_clip

        config, weights = (weights_file(checkpoint, revision, name) for name in (_CONFIG, _WEIGHTS))
        if config is None or weights is None:
            came = f"{shown(checkpoint, revision)} without {_CONFIG if config is None else _WEIGHTS}"
            raise ModelError(came, "a checkpoint in open_clip's form", "Choose another one.")
        network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{config.parent}")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{config.parent}")
        if not isinstance(tokenizer, open_clip.SimpleTokenizer) or not hasattr(network.visual, "trunk"):
            came = f"{shown(checkpoint, revision)} is another model of open_clip"
            raise ModelError(came, "one of PE-Core", "Choose another one, or the encoders of open_clip.")
        with torch.inference_mode():
            width = int(network.eval().encode_text(tokenizer([""])).shape[1])
    return network.requires_grad_(False), transform, tokenizer, width
