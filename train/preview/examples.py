"""A few rows of each modality to show variations on: from the config's folder, else from the scene generator."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from train.config import DataConfig
from train.data.parquet import read, sets
from train.data.rows import TrainRow, meaning, said
from train.data.scenes import scene_rows
from unimma.errors import MediaError
from unimma.types import Decoded, Modality

LOOKED_AT = 400  # rows of each set
Example = tuple[TrainRow, Decoded, str]  # a row, its media, what is said of it


def examples(
    data: DataConfig, modality: Modality, count: int, names: dict[str, tuple[str, ...]], rng: np.random.Generator
) -> list[Example]:
    """Up to `count` rows that can be decoded and told, from as many sets and with as many meanings as there are."""
    found: list[Example] = []
    for row in _in_turns(_candidates(data, modality, count, rng)):
        try:
            found.append((row, row.decode(), caption_of(row, names)))
        except MediaError:
            continue  # training skips and lists it; here the next one will do
        if len(found) == count:
            break
    return found


def captions_in(data: DataConfig, count: int, rng: np.random.Generator) -> list[str]:
    """Captions of the folder, or of the scenes: those that more can be done with (long ones) are likelier."""
    rows: Sequence[TrainRow] = scene_rows(Modality.TEXT, 1)
    if data.folder:
        rows = [
            row
            for stem in data.sets or sets(data.folder)
            for row in islice(read(data.folder, stem, "train", with_media=False), LOOKED_AT)
        ]
    captions = sorted({caption for row in rows for caption in row.captions})
    if not captions:
        return []
    weight = np.array([len(caption.split()) ** 2 for caption in captions], float)
    chosen = rng.choice(len(captions), min(count, len(captions)), replace=False, p=weight / weight.sum())
    return [captions[i] for i in chosen]


def caption_of(row: TrainRow, names: dict[str, tuple[str, ...]]) -> str:
    """What is said of a row: a caption, or its label with its article."""
    return row.captions[0] if row.captions else said(row, names)[0]


def _candidates(data: DataConfig, modality: Modality, count: int, rng: np.random.Generator) -> list[list[TrainRow]]:
    """Rows by set, each set's in random order and every meaning once."""
    pools: list[list[TrainRow]] = []
    for stem in (data.sets or sets(data.folder)) if data.folder else ():
        assert data.folder is not None
        rows = islice(read(data.folder, stem, "train"), LOOKED_AT)
        pools.append([row for row in rows if row.modality is modality and row.media is not None])
    if not any(pools):
        pools = [list(scene_rows(modality, 1))]
    order = [[pool[i] for i in rng.permutation(len(pool))] for pool in pools if pool]
    distinct = [list({meaning(row): row for row in pool if meaning(row)}.values())[: 2 * count] for pool in order]
    return [distinct[i] for i in rng.permutation(len(distinct))]


def _in_turns(pools: list[list[TrainRow]]) -> Iterator[TrainRow]:
    """The first of each, then the second of each, and so on."""
    for place in range(max(map(len, pools), default=0)):
        yield from (pool[place] for pool in pools if place < len(pool))
