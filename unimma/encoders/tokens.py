"""Texts as tokens: cut into pieces that a model can read at once, read in batches, and put together again."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import half_on_gpu
from unimma.encoders.sequences import padded
from unimma.types import Modality, Text

_TOKENS_AT_ONCE = 8192  # filling included: bounds the memory of a batch of long texts
Reading = tuple[Tensor, Tensor]  # features of the pieces [N, dim], states of their tokens [N, L, token_dim]


class Pieces:
    """A checkpoint's tokenizer, set to cut a text into pieces, each with the special tokens that the model expects.

    Args:
        tokenizer: a fast one of transformers.
        most: tokens of a piece, the special ones included.
        prompt: put before each text.
    """

    def __init__(self, tokenizer: Any, most: int, prompt: str = "") -> None:
        self.most, self._prompt = most, prompt
        self.filler: int = tokenizer.pad_token_id or 0
        # A copy, set once: changing it per call is not safe between threads.
        self._tokenizer = type(tokenizer.backend_tokenizer).from_str(tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(most)

    def cut(self, text: str) -> Prepared:
        """All of a text, piece after piece.

        `tokens`: int64 [num_tokens]; `offsets`: float32 [num_tokens, 2], characters, NaN for what stands for none;
        `lengths`: int64 [num_pieces].
        """
        first = self._tokenizer.encode(self._prompt + text)
        pieces = [first, *first.overflowing]
        tokens = [token for piece in pieces for token in piece.ids] or [self.filler]
        offsets = torch.tensor([offset for piece in pieces for offset in piece.offsets] or [(0, 0)]).float()
        offsets = (offsets - len(self._prompt)).clamp(min=0)
        special = [special for piece in pieces for special in piece.special_tokens_mask] or [1]
        of_none = torch.tensor(special, dtype=torch.bool) | (offsets[:, 1] == 0)
        if not of_none.all():  # else an empty text: every token stands for it
            offsets[of_none] = torch.nan
        lengths = [len(piece.ids) for piece in pieces] if sum(len(piece.ids) for piece in pieces) else [1]
        return {"tokens": torch.tensor(tokens), "offsets": offsets, "lengths": torch.tensor(lengths)}


class TextReader:
    """An encoder of texts that reads them as pieces of tokens: one to its features, several to their mean by length.

    A family sets what is annotated here and says in `read` what its network makes of a batch.
    """

    modality = Modality.TEXT
    dim: int
    token_dim: int
    info: EncoderInfo
    network: nn.Module
    pieces: Pieces
    unit = False  # whether features have unit length, and so the mean of several pieces too

    def read(self, tokens: Tensor, mask: Tensor) -> Reading:
        """int64 [N, L] and where they are no filling, bool [N, L] → features [N, dim], states [N, L, token_dim]."""
        raise NotImplementedError

    def prepare(self, item: Text) -> Prepared:
        """`tokens`, `offsets` and `lengths`, as `Pieces.cut` gives them."""
        return self.pieces.cut(item.text)

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Features, float32 [B, dim]."""
        rows = []
        for item, pooled in zip(batch, self._read(batch, lambda features, states: features), strict=True):
            weights = item["lengths"].to(pooled[0]) / item["lengths"].sum()
            rows.append(weights @ torch.stack(pooled))
        features = torch.stack(rows)
        return F.normalize(features, dim=1) if self.unit else features

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """The tokens' states, float32 [B, T, token_dim], and the characters they stand for [B, T, 2]; NaN beyond."""
        tokens, times = [], []
        for item, states in zip(batch, self._read(batch, lambda features, states: states), strict=True):
            kept = ~item["offsets"][:, 0].isnan()
            tokens.append(torch.cat(states)[kept.to(states[0].device)])
            times.append(item["offsets"][kept].to(states[0].device))
        return padded(tokens, times)

    def measure(self) -> None:
        """Set `dim` and `token_dim` to what the network gives."""
        with torch.inference_mode():
            features, states = self.read(torch.tensor([[self.pieces.filler]]), torch.ones(1, 1, dtype=torch.bool))
        self.dim, self.token_dim = features.shape[1], states.shape[2]

    def _read(self, batch: Sequence[Prepared], take: Callable[[Tensor, Tensor], Tensor]) -> list[list[Tensor]]:
        """What `take` takes of every piece's features and states, in float32 and without filling: a list an item."""
        pieces = [piece for item in batch for piece in item["tokens"].split(item["lengths"].tolist())]
        device = next(self.network.parameters()).device
        taken: dict[int, Tensor] = {}
        for places in _in_batches([len(piece) for piece in pieces]):
            lengths = torch.tensor([len(pieces[place]) for place in places])
            tokens = pad_sequence([pieces[i] for i in places], batch_first=True, padding_value=self.pieces.filler)
            mask = torch.arange(tokens.shape[1])[None] < lengths[:, None]
            with half_on_gpu(device):
                features, states = self.read(tokens.to(device), mask.to(device))
            for i, place in enumerate(places):
                taken[place] = take(features[i].float(), states[i, : lengths[i]].float())
        order = iter(range(len(pieces)))
        return [[taken[next(order)] for _ in item["lengths"]] for item in batch]


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """Of the tokens that are no filling: [N, L, D], bool [N, L] → float32 [N, D]."""
    weights = mask[:, :, None].float()
    return (states.float() * weights).sum(dim=1) / weights.sum(dim=1)


def last(states: Tensor, mask: Tensor) -> Tensor:
    """The last token's that is no filling: [N, L, D], bool [N, L] → float32 [N, D]."""
    places = torch.arange(len(states), device=states.device)
    return states[places, mask.sum(dim=1) - 1].float()


def _in_batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of pieces that are read together: alike in length, and not too many."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= _TOKENS_AT_ONCE:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches
