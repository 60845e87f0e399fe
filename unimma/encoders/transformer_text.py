"""BERT, its multilingual sister and LLaMA: networks that read, whose features a head turns into a shared space."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from unimma.encoders.base import EncoderInfo
from unimma.encoders.pretrained import described, load_network, loading, shown, tokenizer_of
from unimma.encoders.registry import register
from unimma.encoders.tokens import Pieces, Reading, TextReader, last, mean
from unimma.errors import ModelError

BERT, MBERT, LLAMA = (
    "google-bert/bert-base-uncased",
    "google-bert/bert-base-multilingual-cased",
    "meta-llama/Llama-3.2-1B",
)
_POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mean": mean, "last": last}


@register("bert")
class BertEncoder(TextReader):
    """Texts → the mean of the last layer's states, the special tokens' included: [B, 768] of the default.

    Args:
        checkpoint, revision: a BERT, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    info = EncoderInfo(
        paper="Devlin et al. 2018, arXiv 1810.04805",
        licence="Apache-2.0",
        input="English; pieces of 512 tokens, the mean of their states",
        weights=shown(BERT),
        features=768,
        verified="equal to transformers' BertModel on random weights",
    )

    def __init__(self, checkpoint: str = BERT, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            from transformers import BertModel

            network = load_network(BertModel, checkpoint, revision, add_pooling_layer=False)
            self.network = network
            tokenizer = tokenizer_of(checkpoint, revision)
            self.pieces = Pieces(tokenizer, readable(tokenizer, network.config.max_position_embeddings))
            self.measure()
        read = f"pieces of {self.pieces.most} tokens, the mean of their states"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        states = self.network(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        return mean(states, mask), states


@register("mbert")
class MultilingualBertEncoder(BertEncoder):
    """Texts of 104 languages → the mean of the last layer's states: [B, 768] of the default; see `BertEncoder`."""

    info = EncoderInfo(
        paper="Devlin et al. 2018, arXiv 1810.04805; github.com/google-research/bert, multilingual.md",
        licence="Apache-2.0",
        input="104 languages; pieces of 512 tokens, the mean of their states",
        weights=shown(MBERT),
        features=768,
        verified="equal to transformers' BertModel on random weights",
    )

    def __init__(self, checkpoint: str = MBERT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)


@register("llama")
class LlamaEncoder(TextReader):
    """Texts → states of the last layer, pooled: [B, 2048] of the default.

    Args:
        checkpoint, revision: a LLaMA of any generation, on the Hub or in a folder.
        pooling: "last", the state of the last token, which has seen all before it; or "mean", that of all tokens.
        max_tokens: of a piece, 2 or more; bounds the memory of a long text, of which the network might read more.
    Raises:
        ModelError: it cannot be loaded, or an option makes no sense.
    """

    info = EncoderInfo(
        paper="Touvron et al. 2023, arXiv 2302.13971; Llama 3: Grattafiori et al. 2024, arXiv 2407.21783",
        licence="Llama 3.2 Community License, to be agreed to on the model's page",
        input="eight languages; pieces of 2048 tokens, the last state of each",
        weights=shown(LLAMA),
        features=2048,
        verified="equal to transformers' LlamaModel on random weights, last token and mean",
    )

    def __init__(
        self,
        checkpoint: str = LLAMA,
        revision: str | None = None,
        *,
        pooling: str = "last",
        max_tokens: int = 2048,
    ) -> None:
        if pooling not in _POOLINGS or max_tokens < 2:
            came = f"llama with pooling={pooling!r}, max_tokens={max_tokens}"
            raise ModelError(came, f"{' or '.join(_POOLINGS)}; 2 tokens or more", "Check the options.")
        self._pool = _POOLINGS[pooling]
        with loading(checkpoint, revision):
            from transformers import LlamaModel

            network = load_network(LlamaModel, checkpoint, revision)
            self.network = network
            tokenizer = tokenizer_of(checkpoint, revision)
            most = min(max_tokens, readable(tokenizer, network.config.max_position_embeddings))
            self.pieces = Pieces(tokenizer, most)
            self.measure()
        read = f"pieces of {most} tokens, the {pooling} state of each"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        # Filling lies behind a text, and no token looks ahead: it changes nothing of what comes before.
        states = self.network(input_ids=tokens, attention_mask=mask.long(), use_cache=False).last_hidden_state
        return self._pool(states, mask), states


def readable(tokenizer: Any, positions: int) -> int:
    """How many tokens a model reads at once: what its tokenizer says, and no more than it has positions."""
    return min(int(tokenizer.model_max_length), positions)
