"""Perception Encoder (PE-Core) through open_clip and timm: pictures and sentences in one space that is ready to use.

Bolya et al. 2025, arXiv 2504.13181. Its sizes on the Hub: timm/PE-Core-T-16-384, timm/PE-Core-S-16-384,
timm/PE-Core-B-16, timm/PE-Core-L-14-336 and timm/PE-Core-bigG-14-448 (G).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import described, loading, shown, weights_file
from unimma.encoders.registry import register
from unimma.encoders.vision import device_of, in_stacks
from unimma.errors import ModelError
from unimma.types import Image, Modality, Text

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


class _PECore:
    """What both towers share.

    Args:
        checkpoint: a repository on the Hugging Face Hub in open_clip's form, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    info = _INFO

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        network, self._transform, self._tokenizer, self.dim = _load(checkpoint, revision)
        self.network: Any = network
        self.info = described(_INFO, checkpoint, revision, features=self.dim, input=self._input())

    def _input(self) -> str:
        raise NotImplementedError


@register("pe-core-image")
class PECoreImageEncoder(_PECore):
    """Pictures → unit rows of the PE-Core space, [B, D]; as a sequence, the patches before they are pooled.

    Args, Raises: see the base class.
    """

    modality = Modality.IMAGE

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)
        self.token_dim = int(self.network.visual.trunk.num_features)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("visual.")

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: float32 [3, side, side], as the checkpoint's own transform makes them."""
        return {"pixels": self._transform(PillowImage.fromarray(item.pixels))}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""

        def forward(inputs: Prepared) -> Tensor:
            return F.normalize(self.network.encode_image(inputs["pixels"]), dim=1)

        return torch.stack(in_stacks(batch, forward, device_of(self.network)))

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Patches, row by row of the picture, float32 [B, T, token_dim]; their times are zeros [B, T, 2]."""
        trunk = self.network.visual.trunk

        def forward(inputs: Prepared) -> Tensor:
            states: Tensor = trunk.forward_features(inputs["pixels"])
            return states[:, trunk.num_prefix_tokens :]

        tokens = torch.stack(in_stacks(batch, forward, device_of(self.network)))
        return tokens, tokens.new_zeros(*tokens.shape[:2], 2)

    def _input(self) -> str:
        height, width = self.network.visual.image_size
        return f"{height} x {width} px"


@register("pe-core-text")
class PECoreTextEncoder(_PECore):
    """Sentences → unit rows of the PE-Core space, [B, D]; a long text is read whole, in pieces.

    Args, Raises: see the base class.
    """

    modality = Modality.TEXT

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("text.")

    def prepare(self, item: Text) -> Prepared:
        """P pieces. `tokens`: int64 [P, context length]; `lengths`: float32 [P], tokens without the special ones."""
        context, start, end = self._tokenizer.context_length, self._tokenizer.sot_token_id, self._tokenizer.eot_token_id
        pieces = torch.tensor(self._tokenizer.encode(item.text), dtype=torch.int64).split(context - 2)
        tokens = torch.zeros(len(pieces), context, dtype=torch.int64)
        for row, piece in zip(tokens, pieces, strict=True):
            row[: len(piece) + 2] = torch.cat([torch.tensor([start]), piece, torch.tensor([end])])
        return {"tokens": tokens, "lengths": torch.tensor([float(max(len(piece), 1)) for piece in pieces])}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]; of a text in several pieces, the mean over the pieces by their length."""

        def forward(inputs: Prepared) -> Tensor:
            return F.normalize(self.network.encode_text(inputs["tokens"]), dim=1)

        pieces = [{"tokens": row} for item in batch for row in item["tokens"]]
        rows = torch.stack(in_stacks(pieces, forward, device_of(self.network)))
        own = rows.split([len(item["tokens"]) for item in batch])
        weighted = [(z * item["lengths"].to(z.device)[:, None]).sum(dim=0) for item, z in zip(batch, own, strict=True)]
        return F.normalize(torch.stack(weighted), dim=1)

    def _input(self) -> str:
        return f"pieces of {self._tokenizer.context_length} tokens"


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
