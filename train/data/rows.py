"""What training asks of a row, wherever it comes from, and how a row is told in words."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from train.prompts import with_article
from unimma.augment import inside
from unimma.errors import ConfigError
from unimma.types import Decoded, Modality


class TrainRow(Protocol):
    """A row of a Parquet file, a drawn scene, a still in motion, two rows in one."""

    @property
    def set(self) -> str:
        """Where it is from."""

    @property
    def id(self) -> str:
        """Unique in its set."""

    @property
    def modality(self) -> Modality:
        """What it decodes to."""

    @property
    def label(self) -> str | None:
        """What it shows: rows of one label mean the same."""

    @property
    def captions(self) -> tuple[str, ...]:
        """Sentences that describe it."""

    def decode(self) -> Decoded:
        """Its media."""


def tellable(rows: Sequence[TrainRow]) -> list[TrainRow]:
    """The rows that have a label or a caption.

    Raises:
        ConfigError: there is none.
    """
    told = [row for row in rows if meaning(row)]
    if not told:
        raise ConfigError("no row with a label or a caption", "one at least", "Choose other sets to make media of.")
    return told


def meaning(row: TrainRow) -> str:
    """A short name of what it shows: its label, else its first caption, else nothing."""
    return row.label or (inside(row.captions[0]) if row.captions else "")


def digest(rows: Sequence[TrainRow]) -> str:
    """Eight hexadecimal digits that tell these rows from others: made media are cached by what they were made of."""
    return hashlib.sha256("\n".join(row.id for row in rows).encode()).hexdigest()[:8]


def said(row: TrainRow, names: Mapping[str, Sequence[str]]) -> list[str]:
    """What it shows as a part of a sentence: "a dog"; its captions where it has no label."""
    if row.label:
        return [with_article(name) for name in names.get(row.label, (row.label,))]
    return [inside(caption) for caption in row.captions]


def another(row: TrainRow, among: Sequence[TrainRow], rng: np.random.Generator) -> TrainRow:
    """A random one that shows something else; there must be one."""
    while True:
        other = among[int(rng.integers(len(among)))]
        if meaning(other) != meaning(row):
            return other
