"""What the joint encoders share: a network for several towers, long items in pieces, tokens and when they are.

A joint model takes several modalities through one network. Here an item becomes one piece or more (a long text, sound
or clip), each piece the network's own input; the pieces of many items run together, and an item's embedding is the
mean of its pieces, by their length.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import half_on_gpu, shown
from unimma.encoders.sequences import padded
from unimma.errors import ModelError
from unimma.types import Modality

PIECES_AT_ONCE = 16  # through the network: bounds the memory of a long item
OVERLAP = 0.1  # of a window, with the one before it
SHORTEST_S = 0.1  # a shorter sound is followed by silence: below a frame, a front end gives nothing
_TOKENWISE = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")  # [1, L]: alone may be padded


@dataclass(frozen=True)
class Piece:
    """A stretch of an item, small enough for the network.

    Attributes:
        inputs: the network's, as its processor makes them for a batch of one.
        weight: of its embedding among those of the item: its length.
        slots: int64 [L], for each of the network's states the token of the piece that it belongs to, -1 for none.
        times: float32 [T, 2], of these tokens: seconds, character offsets of a text, zeros of a picture.
    """

    inputs: Mapping[str, Tensor]
    weight: float
    slots: Tensor
    times: Tensor


@dataclass(frozen=True)
class Window:
    """A stretch of a sound or clip, `start` to `end`; `low` to `high` of it is no other window's. Seconds."""

    start: float
    end: float
    low: float
    high: float


class JointTower:
    """One modality's way through a network that has several.

    A family says in `_forward` what the network makes of a batch of pieces, and in `prepare` what the pieces are.
    """

    modality: Modality
    dim: int
    token_dim: int
    info: EncoderInfo
    network: nn.Module

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, dim]; of a long item, the mean over its pieces by their length."""
        items = [unpack(item) for item in batch]
        rows = [row for row, _ in self._run([piece for pieces in items for piece in pieces])]
        means = []
        for pieces, own in zip(items, _split(rows, items), strict=True):
            weights = torch.tensor([piece.weight for piece in pieces], device=own[0].device)
            means.append((torch.stack(list(own)) * (weights / weights.sum())[:, None]).sum(dim=0))
        return self._finish(torch.stack(means))

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Tokens, float32 [B, T, token_dim], and their times [B, T, 2]; NaN beyond an item's last."""
        items = [unpack(item) for item in batch]
        states = [state for _, state in self._run([piece for pieces in items for piece in pieces])]
        tokens, times = [], []
        for pieces, own in zip(items, _split(states, items), strict=True):
            pairs = zip(pieces, own, strict=True)
            tokens.append(torch.cat([_means(state, piece.slots, len(piece.times)) for piece, state in pairs]))
            times.append(torch.cat([piece.times for piece in pieces]).to(tokens[-1].device))
        return padded(tokens, times)

    def _forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """A batch of P pieces → their embeddings [P, width], parts of unit length, and states [P, L, token_dim]."""
        raise NotImplementedError

    def _finish(self, rows: Tensor) -> Tensor:
        """What `_forward` gave, averaged over an item's pieces, float32 [B, width] → the features [B, dim]."""
        return F.normalize(rows, dim=1)

    def _run(self, pieces: Sequence[Piece]) -> list[tuple[Tensor, Tensor]]:
        device = next(self.network.parameters()).device
        found: dict[int, tuple[Tensor, Tensor]] = {}
        for indices in _alike(pieces):
            inputs = collate([pieces[i].inputs for i in indices])
            with half_on_gpu(device):
                rows, states = self._forward({name: tensor.to(device) for name, tensor in inputs.items()})
            found |= {i: (rows[at].float(), states[at].float()) for at, i in enumerate(indices)}
        return [found[i] for i in range(len(pieces))]


def pack(pieces: Sequence[Piece]) -> Prepared:
    """Pieces as one flat mapping of tensors, as encoders hand them on."""
    packed: dict[str, Tensor] = {}
    for i, piece in enumerate(pieces):
        packed |= {f"{i}/inputs/{name}": tensor for name, tensor in piece.inputs.items()}
        packed |= {f"{i}/weight": torch.tensor(piece.weight), f"{i}/slots": piece.slots, f"{i}/times": piece.times}
    return packed


def unpack(item: Prepared) -> list[Piece]:
    """What `pack` packed."""
    inputs: defaultdict[int, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in item.items():
        number, _, rest = name.partition("/")
        if rest.startswith("inputs/"):
            inputs[int(number)][rest.removeprefix("inputs/")] = tensor
    rest_of = [(float(item[f"{i}/weight"]), item[f"{i}/slots"], item[f"{i}/times"]) for i in range(len(inputs))]
    return [Piece(inputs[i], *rest_of[i]) for i in range(len(inputs))]


def collate(batch: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Inputs of one each → of a batch. What goes token by token is padded behind; the rest has to fit as it is.

    Padding tokens have the number 0, and the mask leaves them out. Sounds and pictures are never padded: convolutions
    would carry what stands behind the end into it.
    """
    joined = {}
    for name, tensor in batch[0].items():
        own = [inputs[name] for inputs in batch]
        if name in _TOKENWISE and tensor.ndim == 2:
            longest = max(part.shape[1] for part in own)
            own = [F.pad(part, (0, longest - part.shape[1])) for part in own]
        joined[name] = torch.cat(own)
    return joined


def text_spans(tokenizer: Any, text: str, max_tokens: int) -> list[tuple[int, int]]:
    """Where to cut a long text: character offsets of pieces of at most that many tokens, between words if there are."""
    begins = [int(start) for start, _ in offsets(tokenizer, text, add_special_tokens=False)]
    cuts, first = [0], 0
    while len(begins) - first > max_tokens:
        last = first + max_tokens
        words = (at for at in range(last, first + max_tokens // 2, -1) if _word_begins(text, begins[at]))
        first = next(words, last)
        cuts.append(begins[first])
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def offsets(tokenizer: Any, text: str, *, add_special_tokens: bool = True) -> list[tuple[int, int]]:
    """Where the tokens of a text lie in it; special ones at (0, 0)."""
    return list(tokenize(tokenizer, text, add_special_tokens=add_special_tokens)["offset_mapping"])


def tokenize(tokenizer: Any, text: str, *, add_special_tokens: bool = True) -> Any:
    """A text through a tokenizer, whole: always in the same way, since changing it is not safe between threads."""
    return tokenizer(
        text,
        add_special_tokens=add_special_tokens,
        padding=False,
        truncation=False,
        return_offsets_mapping=True,
        verbose=False,
    )


def text_pieces(tokenizer: Any, text: str, max_tokens: int, before: str = "", after: str = "") -> list[Piece]:
    """A text between two others (a prompt, a chat's marks), in pieces of at most `max_tokens` with these."""
    around = len(offsets(tokenizer, before + after))
    room = max(1, max_tokens - around - 2)  # a token may break where one ends and the other begins
    return [
        _text_piece(tokenizer, before, text[start:end], after, start)
        for start, end in text_spans(tokenizer, text, room)
    ]


def windows(duration_s: float, window_s: float) -> list[Window]:
    """Windows of one length over a sound or clip, evenly spread, each overlapping the next; one, if it is no longer."""
    count = 1
    while count * window_s - (count - 1) * window_s * OVERLAP < duration_s:
        count += 1
    last = max(0.0, duration_s - window_s)
    starts = [last * i / max(1, count - 1) for i in range(count)]
    ends = [min(start + window_s, duration_s) for start in starts]
    borders = [(start + end) / 2 for start, end in zip(starts[1:], ends[:-1], strict=True)]
    lows, highs = [-torch.inf, *borders], [*borders, torch.inf]
    return [Window(*values) for values in zip(starts, ends, lows, highs, strict=True)]


def cut(waveform: Tensor, rate_hz: int, window: Window) -> Tensor:
    """The stretch of a waveform [num_samples]; all windows of one item have the same number of samples."""
    wanted = max(round((window.end - window.start) * rate_hz), round(SHORTEST_S * rate_hz))
    first = min(round(window.start * rate_hz), max(0, len(waveform) - wanted))
    stretch = waveform[first : first + wanted]
    return F.pad(stretch, (0, wanted - len(stretch)))


def owned(times: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """Of times [T, 2], those whose middle lies in `low` to `high`: which token each now is (-1: none), and their times.

    Where none does, the nearest.
    """
    middles = times.mean(dim=1)
    inside = (middles >= low) & (middles < high)
    if not inside.any():
        inside[(middles - (low + high) / 2).abs().argmin()] = True
    slots = torch.where(inside, inside.cumsum(0) - 1, -1)
    return slots, times[inside]


def check_tokenizer(tokenizer: Any, checkpoint: str) -> None:
    """Whether it knows words, which some make do without where their file is missing; and set as `tokenize` wants it.

    Raises:
        ModelError: it knows none.
    """
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        came, todo = f"{shown(checkpoint)} without a vocabulary", "Fetch it again, or choose another one."
        raise ModelError(came, "a tokenizer's files beside the weights", todo)
    tokenize(tokenizer, "once, so that no thread has to change it")


def _text_piece(tokenizer: Any, before: str, text: str, after: str, begins_at: int) -> Piece:
    found = tokenize(tokenizer, before + text + after)
    spans = torch.tensor(found["offset_mapping"], dtype=torch.float32).reshape(-1, 2) - len(before)
    inside = (spans[:, 1] > spans[:, 0]) & (spans[:, 1] > 0) & (spans[:, 0] < len(text))
    if not inside.any():  # nothing of the text became a token: what stands around it stands for it
        inside[-1], spans[-1] = True, torch.tensor([0.0, len(text)])
    slots = torch.where(inside, inside.cumsum(0) - 1, -1)
    inputs = {
        name: torch.tensor(values)[None] for name, values in found.items() if name in ("input_ids", "attention_mask")
    }
    times = spans[inside].clamp(0, len(text)) + begins_at
    return Piece(inputs, float(len(times)), slots, times)


def _word_begins(text: str, at: int) -> bool:
    return text[at].isspace() or text[at - 1].isspace()


def _alike(pieces: Sequence[Piece]) -> list[list[int]]:
    """Pieces that can go through the network together, by number: same inputs, same shapes beyond the first axis."""
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for i, piece in enumerate(pieces):
        inputs = piece.inputs.items()
        groups[tuple((name, None if name in _TOKENWISE else tensor.shape[1:]) for name, tensor in inputs)].append(i)
    return [
        own[start : start + PIECES_AT_ONCE] for own in groups.values() for start in range(0, len(own), PIECES_AT_ONCE)
    ]


def _means(states: Tensor, slots: Tensor, count: int) -> Tensor:
    """States [≥ L, D] averaged by the token that they belong to: [count, D]."""
    slots = slots.to(states.device)
    own, kept = states[: len(slots)][slots >= 0], slots[slots >= 0]
    sums = own.new_zeros(count, own.shape[1]).index_add(0, kept, own)
    return sums / torch.bincount(kept, minlength=count)[:, None]


def _split(values: Sequence[Tensor], items: Sequence[Sequence[Piece]]) -> list[Sequence[Tensor]]:
    split, at = [], 0
    for pieces in items:
        split.append(values[at : at + len(pieces)])
        at += len(pieces)
    return split
