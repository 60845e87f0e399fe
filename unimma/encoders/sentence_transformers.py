"""Sentence-BERT and its successors through sentence-transformers: sentences in a space of their own, ready to use."""

from typing import Any

from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo
from unimma.encoders.pretrained import check_weights, described, loading, pinned, shown, weights_file
from unimma.encoders.registry import register
from unimma.encoders.tokens import Pieces, Reading, TextReader

SENTENCE_BERT = "sentence-transformers/all-MiniLM-L6-v2"


@register("sentence-bert")
class SentenceBertEncoder(TextReader):
    """Texts → what the model's own pooling and further layers make of them: [B, 384] of the default, unit rows.

    A model that is meant to have a prompt before each text, and says so, gets it.

    Args:
        checkpoint, revision: a model of sentence-transformers, on the Hub or in a folder.
    Raises:
        ModelError: it cannot be loaded.
    """

    info = EncoderInfo(
        paper="Reimers and Gurevych 2019, arXiv 1908.10084; Wang et al. 2020, MiniLM, arXiv 2002.10957",
        licence="Apache-2.0",
        input="English; pieces of 256 tokens",
        weights=shown(SENTENCE_BERT),
        features=384,
        verified="equal to sentence-transformers' encode on random weights",
    )

    def __init__(self, checkpoint: str = SENTENCE_BERT, revision: str | None = None) -> None:
        with loading(checkpoint, revision):
            from sentence_transformers import SentenceTransformer
            from sentence_transformers.base.modules import Normalize

            network: Any = SentenceTransformer(
                checkpoint,
                device="cpu",
                revision=pinned(checkpoint, revision),
                model_kwargs={"dtype": "float32"},
            )
            _check(network[0], checkpoint, revision)
            prompt = network.prompts.get(network.default_prompt_name or "") or ""
            self.pieces = Pieces(network.tokenizer, network.max_seq_length, prompt)
            self.network = network.eval().requires_grad_(False)
            self.unit = isinstance(network[-1], Normalize)
            self.measure()
        read = f"pieces of {self.pieces.most} tokens"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=read)

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        said = self.network({"input_ids": tokens, "attention_mask": mask.long()})
        return said["sentence_embedding"], said["token_embeddings"]


def _check(network: nn.Module, checkpoint: str, revision: str | None) -> None:
    """Refuse weights of another architecture, in whose place the library would make some up.

    Of a few it does rightly (a pooler that nobody asks), and others it finds under older names.
    """
    from safetensors import safe_open

    file = weights_file(checkpoint, revision, "model.safetensors")
    if file is None:
        return  # older checkpoints, and such with the network in a folder of its own
    with safe_open(file, "pt") as held:
        names = [f".{name}" for name in held.keys()]  # noqa: SIM118  (no dictionary)
    own = [name.partition(".")[2] for name, _ in network.named_parameters()]
    missing = [name for name in own if not any(there.endswith(f".{name}") for there in names)]
    check_weights(shown(checkpoint, revision), missing if 2 * len(missing) > len(own) else [])
