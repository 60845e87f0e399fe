"""CLIP and its relatives through open_clip: pictures and sentences in one space that is ready to use.

Radford et al. 2021, arXiv 2103.00020; open_clip: github.com/mlfoundations/open_clip, checkpoints of many authors.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joint import offsets, text_spans
from unimma.encoders.registry import register
from unimma.encoders.vision import device_of, in_stacks
from unimma.errors import ModelError
from unimma.types import Image, Modality, Text


class OneNetwork:
    """A network of open_clip, which holds both towers, and what makes its inputs."""

    network: Any
    transform: Any
    tokenizer: Any


class _OpenClip(OneNetwork):
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
        self.network, self.transform, self.tokenizer = _load(model, pretrained)
        with torch.inference_mode():
            self.dim = int(self.network.encode_text(self.tokenizer([""])).shape[1])
        self.info = replace(
            self.info,
            licence="as the checkpoint states",
            input="as the checkpoint was trained",
            weights=" ".join(["open_clip", *(_public(part) for part in (model, pretrained) if part)]),
            features=self.dim,
        )


class SeesPatches(OneNetwork):
    """Pictures, as a whole and by their patches."""

    modality = Modality.IMAGE

    @cached_property
    def token_dim(self) -> int:
        """Width of a patch."""
        side = self.network.visual.image_size
        blank = torch.zeros(1, 3, *(side if isinstance(side, tuple) else (side, side)))
        with torch.inference_mode():
            return self._patches({"pixels": blank.to(device_of(self.network))}).shape[2]

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("visual.")

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: float32 [3, side, side], as the checkpoint's own transform makes them."""
        return {"pixels": self.transform(PillowImage.fromarray(item.pixels))}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""

        def forward(inputs: Prepared) -> Tensor:
            return F.normalize(self.network.encode_image(inputs["pixels"]), dim=1)

        return torch.stack(in_stacks(batch, forward, device_of(self.network)))

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Patches, row by row of the picture, float32 [B, T, token_dim]; their times are zeros [B, T, 2]."""
        tokens = torch.stack(in_stacks(batch, self._patches, device_of(self.network)))
        return tokens, tokens.new_zeros(*tokens.shape[:2], 2)

    def _patches(self, inputs: Prepared) -> Tensor:
        options = {"indices": 1, "normalize_intermediates": True, "intermediates_only": True}
        last: Tensor = self.network.visual.forward_intermediates(inputs["pixels"], **options)["image_intermediates"][-1]
        return last.flatten(2).mT


class ReadsPieces(OneNetwork):
    """Texts in as many pieces as they take, and the mean of these by their length."""

    modality = Modality.TEXT

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return not name.startswith(("visual.", "logit_"))

    def prepare(self, item: Text) -> Prepared:
        """P pieces. `tokens`: int64 [P, context length]; `lengths`: float32 [P], tokens without the special ones."""
        tokens, lengths = self._pieces(item.text)
        return {"tokens": tokens, "lengths": torch.tensor([float(max(length, 1)) for length in lengths])}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]; of a text in several pieces, the mean over the pieces by their length."""

        def forward(inputs: Prepared) -> Tensor:
            return F.normalize(self.network.encode_text(inputs["tokens"]), dim=1)

        pieces = [{"tokens": row} for item in batch for row in item["tokens"]]
        rows = torch.stack(in_stacks(pieces, forward, device_of(self.network)))
        own = rows.split([len(item["tokens"]) for item in batch])
        weighted = [(z * item["lengths"].to(z.device)[:, None]).sum(dim=0) for item, z in zip(batch, own, strict=True)]
        return F.normalize(torch.stack(weighted), dim=1)

    @cached_property
    def _counter(self) -> Any:
        """A copy of transformers' tokenizer, if it is one: to ask one in two ways is not safe between threads."""
        return deepcopy(getattr(self.tokenizer, "tokenizer", None))

    def _pieces(self, text: str) -> tuple[Tensor, list[int]]:
        """Cut to what is read at once: tokens, int64 [P, context length], and how many of each are of the text."""
        context = self.tokenizer.context_length
        if self._counter is not None:
            spans = text_spans(self._counter, text, context - self._counter.num_special_tokens_to_add())
            cut = [text[start:end] for start, end in spans]
            return self.tokenizer(cut), [len(offsets(self._counter, each, add_special_tokens=False)) for each in cut]
        pieces = torch.tensor(self.tokenizer.encode(text), dtype=torch.int64).split(context - 2)
        tokens = torch.zeros(len(pieces), context, dtype=torch.int64)
        for row, piece in zip(tokens, pieces, strict=True):
            row[0], row[len(piece) + 1] = self.tokenizer.sot_token_id, self.tokenizer.eot_token_id
            row[1 : len(piece) + 1] = piece
        return tokens, [len(piece) for piece in pieces]


@register("open-clip-image")
class OpenClipImageEncoder(SeesPatches, _OpenClip):
    """Pictures → unit rows of the CLIP space: [B, D]; as a sequence, what the last block makes of their patches."""


@register("open-clip-text")
class OpenClipTextEncoder(ReadsPieces, _OpenClip):
    """Sentences → unit rows of the CLIP space: [B, D]; a long text is read whole, in pieces."""


def _public(part: str) -> str:
    """The name of an architecture, tag or file, without the folders that it is in on this machine."""
    return Path(part).name if part.startswith("local-dir:") or Path(part).exists() else part


@cache
def _load(model: str, pretrained: str) -> tuple[nn.Module, Any, Any]:
    """One network for both towers: whichever is made first loads it."""
    ensure_torch_extensions()
    import open_clip

    try:
        network, _, transform = open_clip.create_model_and_transforms(model, pretrained=pretrained)
        tokenize = open_clip.get_tokenizer(model)
    except (RuntimeError, OSError, ValueError, UnpicklingError) as error:  # the last: more in it than weights
        came = f"open_clip cannot load {_public(model)!r} with {_public(pretrained)!r}"
        raise ModelError(came, "a known pair and a network to get it", "See open_clip.list_pretrained().") from error
    return network.eval().requires_grad_(False), transform, tokenize
