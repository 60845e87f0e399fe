"""M-CLIP: sentences of a hundred languages in the text space of a CLIP, whose pictures they then find.

Carlsson et al. 2022, "Cross-lingual and Multilingual CLIP", LREC. A multilingual network, the mean of its states, then
one linear layer into CLIP's space; the checkpoint holds the weights of both, its config names the first's architecture.
"""

from functools import cache

import torch
from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo
from unimma.encoders.pretrained import check_weights, described, loading, pinned, shown, weights_file
from unimma.encoders.registry import register
from unimma.encoders.tokens import Pieces, Reading, TextReader, mean
from unimma.encoders.transformer_text import readable

M_CLIP = "M-CLIP/XLM-Roberta-Large-Vit-B-32"


class MultilingualClip(nn.Module):
    """The checkpoint's layers under its names: tokens int64 [N, L], bool [N, L] → [N, num_dims], states [N, L, width].

    Args:
        transformer: a network of transformers without its pooler.
        width, num_dims: of its states, and of CLIP's space.
    """

    def __init__(self, transformer: nn.Module, width: int, num_dims: int) -> None:
        super().__init__()
        self.transformer = transformer
        self.LinearTransformation = nn.Linear(width, num_dims)

    def forward(self, tokens: Tensor, mask: Tensor) -> Reading:
        states = self.transformer(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        return self.LinearTransformation(mean(states, mask)), states


@register("m-clip")
class MultilingualClipEncoder(TextReader):
    """Sentences → rows of the CLIP space that the checkpoint was made for, not of unit length: [B, 512] of the default.

    Its pictures: OpenAI's ViT-B/32 for the default; the checkpoint's name says which for others.

    Args:
        checkpoint, revision: an M-CLIP, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    info = EncoderInfo(
        paper="Carlsson et al. 2022, Cross-lingual and Multilingual CLIP, LREC 2022",
        licence="MIT, as its repository states",
        input="100 languages; pieces of 512 tokens",
        weights=shown(M_CLIP),
        features=512,
        verified="equal to the published forward pass, written out, on random weights",
    )

    def __init__(self, checkpoint: str = M_CLIP, revision: str | None = None) -> None:
        self.network, self.pieces = _load(checkpoint, revision)
        self.measure()
        read = f"pieces of {self.pieces.most} tokens"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        features, states = self.network(tokens, mask)
        return features, states


@cache
def _load(checkpoint: str, revision: str | None) -> tuple[MultilingualClip, Pieces]:
    """One network for all that read with it: sentences, and what was said in a sound."""
    with loading(checkpoint, revision):
        from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedConfig

        config, _ = PreTrainedConfig.get_config_dict(checkpoint, revision=pinned(checkpoint, revision))
        with loading(config["modelBase"]):
            base = AutoConfig.from_pretrained(config["modelBase"])
        transformer = AutoModel.from_config(base, add_pooling_layer=False)
        network = MultilingualClip(transformer, config["transformerDimensions"], config["numDims"])
        result = network.load_state_dict(_weights(checkpoint, revision), strict=False)
        check_weights(shown(checkpoint, revision), result.missing_keys)
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=pinned(checkpoint, revision), config=base)
        reserved = base.pad_token_id + 1 if base.model_type == "xlm-roberta" else 0  # it counts from behind these
        pieces = Pieces(tokenizer, readable(tokenizer, base.max_position_embeddings - reserved))
    return network.eval().requires_grad_(False), pieces


def _weights(checkpoint: str, revision: str | None) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    if safe := weights_file(checkpoint, revision, "model.safetensors"):
        return load_file(safe)
    if pickled := weights_file(checkpoint, revision, "pytorch_model.bin"):
        weights: dict[str, Tensor] = torch.load(pickled, map_location="cpu", weights_only=True)
        return weights
    raise FileNotFoundError("model.safetensors or pytorch_model.bin")
