"""Features of frozen encoders, computed once and kept on disk, keyed by data, view and encoder fingerprint."""

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from tqdm import tqdm

from train.arrays import write_arrays
from train.data.disorder import DisorderRow
from train.data.motion import MotionRow
from train.data.pairs import PairRow
from train.data.parquet import Row
from train.data.scenes import SceneRow
from unimma.augment import vary_audio, vary_audio_more, vary_image, vary_image_more, vary_video
from unimma.encoders.base import Encoder, Prepared, SequenceEncoder, fingerprint
from unimma.encoders.joined import JoinedEncoder
from unimma.errors import UnimmaError
from unimma.types import Audio, Decoded, Image, Video

log = logging.getLogger(__name__)
AnyRow = Row | SceneRow | MotionRow | DisorderRow | PairRow
HalfArray = npt.NDArray[np.float16]
Encode = Callable[[Encoder, Sequence[Prepared]], Tensor]
SHARD_ROWS = 256  # what an interruption costs at most
BATCH_ROWS = 16
WIDE_VIEWS_FROM = 100  # views with such a number vary more; the number is part of what features are cached by


@dataclass(frozen=True)
class Features:
    """What an encoder said of rows.

    Attributes:
        values: float16 [n, dim]; or, as `encode_sequence` gives them, tokens with their times, [n, T, token_dim + 2].
        kept: int64 [n], which of the rows they belong to, rising.
        skipped: "set/id" of each row that could not be decoded or prepared → why.
    """

    values: HalfArray
    kept: npt.NDArray[np.int64]
    skipped: Mapping[str, str] = field(default_factory=dict)


def vary(item: Decoded, view: int, rng: np.random.Generator) -> Decoded:
    """A label-free variation of a picture or sound, in a wide view of a clip too; anything else as it is."""
    is_wide = view >= WIDE_VIEWS_FROM
    if isinstance(item, Image):
        return vary_image_more(item, rng) if is_wide else vary_image(item, rng)
    if isinstance(item, Audio):
        return vary_audio_more(item, rng) if is_wide else vary_audio(item, rng)
    return vary_video(item, rng) if is_wide and isinstance(item, Video) else item


def cached_features(
    encoder: Encoder,
    rows: Sequence[AnyRow],
    cache: Path,
    *,
    name: str,
    view: int = 0,
    tokens: bool = False,
) -> Features:
    """Encode rows, or read what an earlier run encoded; a row that cannot be decoded is skipped, counted and listed.

    Args:
        cache: folder of the shards; a shard is written whole or not at all, so a killed run goes on where it was.
        name: of the set and split, part of the key.
        view: 0 for the media as they are; any other number for a variation of each that this number decides.
        tokens: the encoder's sequences, for a head that attends over them.
    """
    if isinstance(encoder, JoinedEncoder):  # part by part: a part that stays is not computed again
        found = [cached_features(part, rows, cache, name=name, view=view) for part in encoder.parts.values()]
        return _side_by_side(found)
    encode = _tokens if tokens else _features
    folder = cache / f"{name}-view{view}-{'tokens-' if tokens else ''}{fingerprint(encoder)}"
    folder.mkdir(parents=True, exist_ok=True)
    shards = [_shard(encoder, rows, start, folder, view, encode) for start in _starts(rows, name)]
    values = [shard.values for shard in shards] or [np.zeros((0, encoder.dim), np.float16)]
    kept = [shard.kept for shard in shards] or [np.zeros(0, np.int64)]
    skipped = {name: why for shard in shards for name, why in shard.skipped.items()}
    return Features(together(values), np.concatenate(kept), skipped)


def on_features(head: nn.Module, features: Tensor) -> Tensor:
    """A head's unit rows [n, D] of features float32 [n, F], or of tokens with their times [n, T, F + 2]."""
    tokens = getattr(head, "takes_sequence", False)
    z: Tensor = head(features[..., :-2], features[..., -2:]) if tokens else head(features)
    return z


def together(values: Sequence[HalfArray]) -> HalfArray:
    """Rows of several arrays as one; where some have fewer tokens, these are followed by NaN."""
    values = [each for each in values if len(each)] or values[:1]
    longest = max(each.shape[1] for each in values)
    padding = [[(0, 0), (0, longest - each.shape[1]), *[(0, 0)] * (each.ndim - 2)] for each in values]
    return np.concatenate([np.pad(v, p, constant_values=np.nan) for v, p in zip(values, padding, strict=True)])


def decoded(row: AnyRow, view: int) -> Decoded:
    """A row's item as it is, or its variation of that number: always the same one.

    Raises:
        MediaError: it cannot be decoded.
    """
    item = row.decode()
    return vary(item, view, np.random.default_rng([view, *row.id.encode()])) if view else item


def _side_by_side(parts: Sequence[Features]) -> Features:
    """Features of the rows that every part could take."""
    common = functools.reduce(np.intersect1d, [part.kept for part in parts])
    values = [part.values[np.isin(part.kept, common)] for part in parts]
    skipped = {name: why for part in parts for name, why in part.skipped.items()}
    return Features(np.concatenate(values, axis=1), common, skipped)


def _starts(rows: Sequence[AnyRow], name: str) -> Any:
    return tqdm(range(0, len(rows), SHARD_ROWS), desc=name, unit="shard", disable=None)


def _features(encoder: Encoder, batch: Sequence[Prepared]) -> Tensor:
    return encoder.encode(batch)


def _tokens(encoder: Encoder, batch: Sequence[Prepared]) -> Tensor:
    assert isinstance(encoder, SequenceEncoder)
    return torch.cat(encoder.encode_sequence(batch), dim=2)


def _shard(encoder: Encoder, rows: Sequence[AnyRow], start: int, folder: Path, view: int, encode: Encode) -> Features:
    part = rows[start : start + SHARD_ROWS]
    path = folder / f"{start:06d}-{part[0].id.replace('/', '_')[:40]}-{len(part)}.npz"
    if not path.is_file():
        values, kept, reasons = _encode(encoder, part, view, encode)
        write_arrays(path, {"values": values, "kept": kept + start, "reasons": np.array(reasons, str)})
    with np.load(path) as stored:
        kept = stored["kept"]
        if len(kept) == len(part):
            return Features(stored["values"], kept)
        left_out = [row for i, row in enumerate(part, start) if i not in kept]
        skipped = {f"{row.set}/{row.id}": why for row, why in zip(left_out, stored["reasons"].tolist(), strict=True)}
        return Features(stored["values"], kept, skipped)


def _encode(
    encoder: Encoder, rows: Sequence[AnyRow], view: int, encode: Encode
) -> tuple[HalfArray, npt.NDArray[np.int64], list[str]]:
    def prepare(row: AnyRow) -> Prepared | str:
        try:
            return encoder.prepare(decoded(row, view))
        except UnimmaError as error:
            log.warning("skipped %s of %s: %s", row.id, row.set, error)
            return str(error)

    with ThreadPoolExecutor(max_workers=2) as pool:
        prepared = list(pool.map(prepare, rows))
    kept = [i for i, item in enumerate(prepared) if not isinstance(item, str)]
    good = [item for item in prepared if not isinstance(item, str)]
    values = [np.zeros((0, encoder.dim), np.float16)] if not good else []
    for start in range(0, len(good), BATCH_ROWS):
        with torch.inference_mode():
            values.append(encode(encoder, good[start : start + BATCH_ROWS]).cpu().numpy().astype(np.float16))
    return together(values), np.array(kept, np.int64), [item for item in prepared if isinstance(item, str)]
