"""CLIP through transformers: pictures and sentences in one space that is ready to use.

Radford et al. 2021, arXiv 2103.00020.
"""

from functools import cache
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import described, shown, tokenizer_of
from unimma.encoders.registry import register
from unimma.encoders.tokens import Pieces, Reading, TextReader
from unimma.encoders.transformer_text import readable
from unimma.encoders.vision import PretrainedImageEncoder, network_of

_DEFAULT = "openai/clip-vit-base-patch32"
_PAPER = "Radford et al. 2021, arXiv 2103.00020"
_LICENCE = "MIT; its card names research as what it is for"
_VERIFIED = "equal to CLIPModel of transformers 5 on random weights"


@register("clip-image")
class ClipImageEncoder(PretrainedImageEncoder):
    """Pictures → unit rows of the CLIP space, [B, D]; as a sequence, the patches before the projection.

    Args, Raises: see the base class.
    """

    info = EncoderInfo(
        paper=_PAPER,
        licence=_LICENCE,
        input="224 x 224 px",
        weights=shown(_DEFAULT),
        features=512,
        verified=_VERIFIED,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith(("vision_model.", "visual_projection."))

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        return _network(checkpoint, revision)

    def _widths(self, config: Any) -> tuple[int, int]:
        return config.projection_dim, config.vision_config.hidden_size

    def _rows(self, inputs: Prepared) -> Tensor:
        return F.normalize(self.network.get_image_features(**inputs).pooler_output, dim=1)  # type: ignore[operator]

    def _patches(self, inputs: Prepared) -> Tensor:
        states: Tensor = self.network.get_image_features(**inputs).last_hidden_state  # type: ignore[operator]
        return states[:, 1:]


class ClipText(TextReader):
    """The text tower of a CLIP or of its kin: sentences → unit rows, [B, D]; of a long text, the mean over its pieces.

    As a sequence, the states of the tokens before the projection.
    """

    unit = True

    def __init__(self, network: Any, checkpoint: str, revision: str | None) -> None:
        self.network = network
        tokenizer = tokenizer_of(checkpoint, revision)
        self.pieces = Pieces(tokenizer, readable(tokenizer, network.config.text_config.max_position_embeddings))
        self.measure()
        read = f"pieces of {self.pieces.most} tokens"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith(("text_model.", "text_projection."))

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        said = self.network.get_text_features(input_ids=tokens, attention_mask=mask.long())  # type: ignore[operator]
        return F.normalize(said.pooler_output.float(), dim=1), said.last_hidden_state


@register("clip-text")
class ClipTextEncoder(ClipText):
    """Sentences → unit rows of the CLIP space, [B, D]; a long text is read whole, in pieces.

    Args:
        checkpoint: a repository on the Hugging Face Hub, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    info = EncoderInfo(
        paper=_PAPER,
        licence=_LICENCE,
        input="English; pieces of 77 tokens",
        weights=shown(_DEFAULT),
        features=512,
        verified=_VERIFIED,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(_network(checkpoint, revision), checkpoint, revision)


@cache
def _network(checkpoint: str, revision: str | None) -> nn.Module:
    """One network for both towers: whichever is made first loads it."""
    return network_of(["CLIPModel"], checkpoint, revision)
