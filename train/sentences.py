"""Sentences as numbers: every distinct one gets an index and, once, its features from the frozen text encoder."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from train.arrays import write_arrays
from unimma.encoders.base import Encoder, fingerprint
from unimma.types import Text

BATCH_SENTENCES = 64


class Sentences:
    """A growing list of distinct sentences; `features` encodes them all."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        """In the order of the indices."""
        return iter(self._index)

    def add(self, sentences: Iterable[str]) -> npt.NDArray[np.int64]:
        """Indices of the sentences, new ones at the end."""
        return np.array([self._index.setdefault(said, len(self._index)) for said in sentences], np.int64)

    def features(self, encoder: Encoder, cache: Path) -> Tensor:
        """float32 [len(self), F] in the order of the indices; what `cache` knows already is not encoded again."""
        path = cache / f"sentences-{fingerprint(encoder)}.npz"
        known = _stored(path)
        new = [said for said in self._index if _key(said) not in known]
        if new:
            known |= zip(map(_key, new), encode_sentences(encoder, new).astype(np.float16), strict=True)
            _store(path, known)
        return torch.from_numpy(np.stack([known[_key(said)] for said in self._index]).astype(np.float32))


def _key(sentence: str) -> str:
    return hashlib.sha256(sentence.encode()).hexdigest()[:16]


def _stored(path: Path) -> dict[str, npt.NDArray[np.float16]]:
    if not path.is_file():
        return {}
    with np.load(path) as stored:
        return dict(zip(stored["keys"].tolist(), stored["values"], strict=True))


def _store(path: Path, known: dict[str, npt.NDArray[np.float16]]) -> None:
    write_arrays(path, {"keys": np.array(list(known)), "values": np.stack(list(known.values()))})


def encode_sentences(encoder: Encoder, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
    """Features of sentences, float32 [n, F]; similar lengths go together, so that little is padded."""
    values = np.zeros((len(sentences), encoder.dim), np.float32)
    order = np.argsort([len(said) for said in sentences], kind="stable")
    for start in tqdm(range(0, len(order), BATCH_SENTENCES), desc="sentences", disable=None):
        part = order[start : start + BATCH_SENTENCES]
        with torch.inference_mode():
            values[part] = encoder.encode([encoder.prepare(Text(sentences[i])) for i in part]).cpu().numpy()
    return values
