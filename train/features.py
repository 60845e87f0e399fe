"""Features of frozen encoders, computed once and kept on disk, keyed by data, view and encoder fingerprint."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from train.data.parquet import Row
from train.data.scenes import SceneRow
from unimma.augment import vary_audio, vary_image
from unimma.encoders.base import Encoder, Prepared, fingerprint
from unimma.encoders.joined import JoinedEncoder
from unimma.errors import UnimmaError
from unimma.types import Audio, Decoded, Image

log = logging.getLogger(__name__)
AnyRow = Row | SceneRow
SHARD_ROWS = 256  # what an interruption costs at most
BATCH_ROWS = 16


@dataclass(frozen=True)
class Features:
    """What an encoder said of rows: `values` float16 [n, dim]; `kept` int64 [n], which of the rows they belong to."""

    values: npt.NDArray[np.float16]
    kept: npt.NDArray[np.int64]


def vary(item: Decoded, rng: np.random.Generator) -> Decoded:
    """A label-free variation of a picture or sound; anything else as it is."""
    if isinstance(item, Image):
        return vary_image(item, rng)
    return vary_audio(item, rng) if isinstance(item, Audio) else item


def cached_features(
    encoder: Encoder,
    rows: Sequence[AnyRow],
    cache: Path,
    *,
    name: str,
    view: int = 0,
) -> Features:
    """Encode rows, or read what an earlier run encoded; a row that cannot be decoded is skipped, counted and listed.

    Args:
        cache: folder of the shards; a shard is written whole or not at all, so a killed run goes on where it was.
        name: of the set and split, part of the key.
        view: 0 for the media as they are; any other number for a variation of each that this number decides.
    """
    if isinstance(encoder, JoinedEncoder):  # part by part: a part that stays is not computed again
        found = [cached_features(part, rows, cache, name=name, view=view) for part in encoder.parts.values()]
        return Features(np.concatenate([each.values for each in found], axis=1), found[0].kept)
    folder = cache / f"{name}-view{view}-{fingerprint(encoder)}"
    folder.mkdir(parents=True, exist_ok=True)
    shards = [_shard(encoder, rows, start, folder, view) for start in _starts(rows, name)]
    values = [shard.values for shard in shards] or [np.zeros((0, encoder.dim), np.float16)]
    kept = [shard.kept for shard in shards] or [np.zeros(0, np.int64)]
    return Features(np.concatenate(values), np.concatenate(kept))


def _starts(rows: Sequence[AnyRow], name: str) -> Any:
    return tqdm(range(0, len(rows), SHARD_ROWS), desc=name, unit="shard", disable=None)


def _shard(encoder: Encoder, rows: Sequence[AnyRow], start: int, folder: Path, view: int) -> Features:
    part = rows[start : start + SHARD_ROWS]
    path = folder / f"{start:06d}-{part[0].id.replace('/', '_')[:40]}-{len(part)}.npz"
    if not path.is_file():
        values, kept = _encode(encoder, part, view)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as stream:
            np.savez(stream, values=values, kept=kept + start)
        unfinished.replace(path)
    with np.load(path) as stored:
        return Features(stored["values"], stored["kept"])


def _encode(
    encoder: Encoder, rows: Sequence[AnyRow], view: int
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int64]]:
    def prepare(row: AnyRow) -> Prepared | None:
        try:
            item = row.decode()
        except UnimmaError as error:
            log.warning("skipped %s of %s: %s", row.id, row.set, error)
            return None
        if view:
            item = vary(item, np.random.default_rng([view, *row.id.encode()]))
        return encoder.prepare(item)

    with ThreadPoolExecutor(max_workers=2) as pool:
        prepared = list(pool.map(prepare, rows))
    kept = [i for i, item in enumerate(prepared) if item is not None]
    good = [prepared[i] for i in kept]
    values = np.zeros((len(good), encoder.dim), np.float16)
    for start in range(0, len(good), BATCH_ROWS):
        batch = [item for item in good[start : start + BATCH_ROWS] if item is not None]
        with torch.inference_mode():
            values[start : start + len(batch)] = encoder.encode(batch).cpu().numpy()
    return values, np.array(kept, np.int64)
