"""SigLIP 2 through transformers: pictures and sentences of many languages in one space that is ready to use.

Tschannen et al. 2025, arXiv 2502.14786. Checkpoints of a fixed size, and those that keep a picture's shape (NaFlex).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import described, loading, shown, tokenizer_of
from unimma.encoders.registry import register
from unimma.encoders.sequences import padded
from unimma.encoders.tokens import Pieces, Reading, TextReader
from unimma.encoders.transformer_text import readable
from unimma.encoders.vision import PretrainedImageEncoder, device_of, in_stacks, network_of

_DEFAULT = "google/siglip2-base-patch16-224"
_PAPER = "Tschannen et al. 2025, SigLIP 2, arXiv 2502.14786"
_VERIFIED = "equal to SiglipModel and Siglip2Model of transformers 5 on random weights"


@register("siglip2-image")
class Siglip2ImageEncoder(PretrainedImageEncoder):
    """Pictures → unit rows of the SigLIP space, [B, D]; as a sequence, the patches before they are pooled.

    Args, Raises: see the base class.
    """

    info = EncoderInfo(
        paper=_PAPER,
        licence="Apache-2.0",
        input="224 x 224 px",
        weights=shown(_DEFAULT),
        features=768,
        verified=_VERIFIED,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("vision_model.")

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Patches, row by row of the picture, float32 [B, T, token_dim]; their times: zeros, NaN beyond the last."""
        patches = in_stacks(batch, self._patches, device_of(self.network))
        masks = [
            item.get("pixel_attention_mask", torch.ones(len(own))) for item, own in zip(batch, patches, strict=True)
        ]
        tokens = [own[: int(mask.sum())] for own, mask in zip(patches, masks, strict=True)]
        return padded(tokens, [token.new_zeros(len(token), 2) for token in tokens])

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        return _network(checkpoint, revision)

    def _widths(self, config: Any) -> tuple[int, int]:
        return config.vision_config.hidden_size, config.vision_config.hidden_size

    def _rows(self, inputs: Prepared) -> Tensor:
        return F.normalize(self.network.get_image_features(**inputs).pooler_output, dim=1)  # type: ignore[operator]

    def _patches(self, inputs: Prepared) -> Tensor:
        states: Tensor = self.network.get_image_features(**inputs).last_hidden_state  # type: ignore[operator]
        return states


@register("siglip2-text")
class Siglip2TextEncoder(TextReader):
    """Sentences → unit rows of the SigLIP space, [B, D]; a long text is read whole, in pieces.

    As a sequence, the states of the tokens before they are pooled.

    Args:
        checkpoint: a repository on the Hugging Face Hub, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    unit = True
    info = EncoderInfo(
        paper=_PAPER,
        licence="Apache-2.0",
        input="some 100 languages; pieces of 64 tokens",
        weights=shown(_DEFAULT),
        features=768,
        verified=_VERIFIED,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        network: Any = _network(checkpoint, revision)
        self.network = network
        with loading(checkpoint, revision):
            tokenizer = _lowering(tokenizer_of(checkpoint, revision))
            self.pieces = Pieces(tokenizer, readable(tokenizer, network.config.text_config.max_position_embeddings))
        self._fill_left = tokenizer.padding_side == "left"
        self._masks = "attention_mask" in tokenizer.model_input_names
        self.measure()
        read = f"pieces of {self.pieces.most} tokens"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith("text_model.")

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        """It has never seen a sentence that was not filled up to its full length, nor been told where it ends."""
        own = [row[there] for row, there in zip(tokens, mask, strict=True)]
        options = {"attention_mask": self._filled([torch.ones_like(row) for row in own], 0)} if self._masks else {}
        network: Any = self.network
        said = network.get_text_features(input_ids=self._filled(own, self.pieces.filler), **options)
        first = [self.pieces.most - len(row) if self._fill_left else 0 for row in own]
        states = [
            state[start : start + len(row)]
            for state, start, row in zip(said.last_hidden_state, first, own, strict=True)
        ]
        return F.normalize(said.pooler_output.float(), dim=1), pad_sequence(states, batch_first=True)

    def _filled(self, rows: Sequence[Tensor], value: int) -> Tensor:
        missing = [self.pieces.most - len(row) for row in rows]
        places = [(count, 0) if self._fill_left else (0, count) for count in missing]
        return torch.stack([F.pad(row, place, value=value) for row, place in zip(rows, places, strict=True)])


def _lowering(tokenizer: Any) -> Any:
    """A tokenizer that writes small where its config says so: SigLIP 2 never saw a capital, and Gemma's keeps them."""
    from tokenizers import normalizers

    if tokenizer.init_kwargs.get("do_lower_case"):
        backend = tokenizer.backend_tokenizer
        after = [backend.normalizer] if backend.normalizer is not None else []
        backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *after])
    return tokenizer


@cache
def _network(checkpoint: str, revision: str | None) -> nn.Module:
    """One network for both towers: whichever is made first loads it. A fixed size means the class of SigLIP 1."""
    return network_of(["Siglip2Model", "SiglipModel"], checkpoint, revision)
