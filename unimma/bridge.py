"""Two ready spaces joined without training: through media of one modality that an encoder of each can read.

A sound encoder and a sentence encoder share one space (CLAP), a picture encoder and another sentence encoder a second
one (CLIP). The same sentences, encoded by both sentence encoders, say how to get from the first space into the second,
and by that way sounds land among pictures: no pair of a sound and a picture is needed.

Sources: C-MCR, Wang et al. 2023, arXiv 2305.14381 (joining two spaces at the modality that they share); ASIF, Norelli
et al. 2023, arXiv 2210.01738 (a common space without training); Schönemann 1966, Psychometrika 31 (the orthogonal map);
Liang et al. 2022, arXiv 2203.02053 (the gap between the modalities of one space, which mean and spread take away).
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock
from torch import nn

from unimma import media
from unimma.captions import captions
from unimma.encoders.base import Encoder, fingerprint
from unimma.errors import ModelError
from unimma.heads import HeadConfig, MapHead
from unimma.settings import assets_dir, cache_dir
from unimma.types import Audio, Decoded, Image, Modality, Text, Video

log = logging.getLogger(__name__)
FloatArray = npt.NDArray[np.floating]
Say = Callable[[str, int, int], None]  # what is being done, how many of it are done, of how many
BATCH_ITEMS = 64
HELD_OUT_EVERY = 5  # topics: one in five chooses the map and gives the score
STRENGTHS = (1.0, 0.1, 0.01, 0.001)  # of the ridge, in units of the features' mean square
FEWEST_ITEMS = 20
_METHOD = 1  # goes up when the same features would give another map
_FILES = {Modality.IMAGE: "*.webp", Modality.AUDIO: "*.mp3", Modality.VIDEO: "*.mp4"}  # in the starter gallery


@dataclass(frozen=True, kw_only=True)
class Map:
    """A way from one space, of width S, into another, of width D: x → matrix (x - centre) + bias, of unit rows.

    Attributes:
        centre: float32 [S].
        matrix: float32 [D, S].
        bias: float32 [D].
        kind: "orthogonal", or "ridge" and its strength.
        score: share of the held-out items that find themselves among all held-out ones on the other side, the mean of
            both directions; of the map as fitted on the others.
        num_items: how many it was fitted on in the end, the held-out ones included.
        num_held_out: how many of these gave the score.
    """

    centre: FloatArray
    matrix: FloatArray
    bias: FloatArray
    kind: str
    score: float
    num_items: int
    num_held_out: int

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Rows of the one space, [n, S] → unit rows of the other, [n, D]."""
        return _unit((_unit(rows) - self.centre) @ self.matrix.T + self.bias)

    def __str__(self) -> str:
        found = f"{self.score:.0%} of {self.num_held_out:,} held-out ones find themselves"
        return f"{self.kind} map over {self.num_items:,} shared items; {found} among all of them"

    def head(self) -> MapHead:
        """The same as a head on an encoder of the one space."""
        dim, width = self.matrix.shape
        head = MapHead(HeadConfig(kind="map", num_features=width, dim=dim))
        self.put_into(head)
        return head

    @torch.no_grad()
    def put_into(self, head: MapHead) -> None:
        """Give a head of these widths the map."""
        head.get_buffer("centre").copy_(torch.from_numpy(self.centre))
        head.linear.weight.copy_(torch.from_numpy(self.matrix))
        head.linear.bias.copy_(torch.from_numpy(self.bias))


def fit(source_NS: FloatArray, target_ND: FloatArray, topics: Sequence[str] | None = None) -> Map:
    """The map between two spaces that N items lie in: orthogonal, or a ridge regression where that finds more.

    Which, and how strong the ridge, is chosen by held-out items; then it is fitted on all.

    Args:
        source_NS, target_ND: row i of both is item i; any length, S and D may differ.
        topics: what each item is about; items of one topic are held out together. None: each is about its own.
    Raises:
        ModelError: fewer than 20 items, or all of them about the same few topics.
    """
    source, target = (_unit(np.asarray(rows, np.float64)) for rows in (source_NS, target_ND))
    names = [str(i) for i in range(len(source))] if topics is None else list(topics)
    order = {topic: number for number, topic in enumerate(dict.fromkeys(names))}
    held = np.array([order[topic] % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 for topic in names], bool)
    if len(source) < FEWEST_ITEMS or not held.any():
        came = f"a bridge over {len(source)} shared items about {len(order)} things"
        raise ModelError(came, f"{FEWEST_ITEMS} items or more about several things", "Give it more of them.")
    tried = [(strength, _solve(source[~held], target[~held], strength)) for strength in (None, *STRENGTHS)]
    scores = [_found(solved(source[held]), target[held]) for _, solved in tried]
    best = int(np.argmax(scores))  # of equals the first, which is the stiffest
    solved = _solve(source, target, tried[best][0])
    return replace(solved, score=scores[best], num_held_out=int(held.sum()))


def join(
    medium: Encoder,
    through: Encoder,
    into: Encoder,
    head: nn.Module | None = None,
    *,
    items: Sequence[Decoded] | None = None,
    topics: Sequence[str] | None = None,
    cache: Path | None = None,
    say: Say | None = None,
) -> Map:
    """The way from the space that `medium` and `through` share into the one of `into`; computed once, then cached.

    The map is fitted on what `through` and `into` make of the same items. What `medium` makes of its own modality lies
    beside that and closer together (the modality gap): where it is another modality, its mean and spread are measured
    on the starter gallery's media, and brought to those of the items in the space of `into`.

    Args:
        medium: whose features are to be mapped, such as an encoder of sounds.
        through: one that shares its space, of the modality of `into`, such as an encoder of sentences.
        into: an encoder of the other space; `head` is its projection head, if it has one.
        items: of the modality that `through` and `into` share, 20 or more. None: `unimma.captions`, of sentences.
        topics: of the items, as `fit` takes them.
        cache: folder of what was computed; None: in the user's cache.
        say: is told how far it is. None: a bar on standard error, where that is a terminal.
    Raises:
        ModelError: encoders that do not share a modality or a width, or too few items.
    """
    if through.modality is not into.modality:
        came = f"a bridge from an encoder of {through.modality} to one of {into.modality}"
        raise ModelError(came, "two encoders of one modality", "Choose one that both spaces know, such as text.")
    if through.dim != medium.dim:
        came = f"a bridge through {through.dim} features for {medium.dim} of {medium.modality}"
        raise ModelError(came, "two encoders of one space", "Take both from the same checkpoint.")
    if items is None:
        if through.modality is not Modality.TEXT:
            came = f"a bridge through {through.modality} without any items"
            raise ModelError(came, f"{FEWEST_ITEMS} items or more", "Give it some, or bridge through text.")
        said = captions()
        items, topics = [Text(caption.text) for caption in said], [caption.topic for caption in said]
    own = [] if medium.modality is through.modality else _shipped(medium.modality)
    path = (cache or cache_dir() / "bridges") / f"{_key(medium, through, into, head, items, own)}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # a second process waits for the first
        if (known := _read(path)) is not None:
            return known
        with _telling(say) as told:
            source, target = _embed(items, through, None, told), _embed(items, into, head, told)
            fitted = fit(source, target, topics)
            if own:
                seen = _embed([media.decode(path) for path in own], medium, None, told)
                fitted = _across_the_gap(fitted, seen, target)
        _write(path, fitted)
    log.info("%s joined through %s: %s.", medium.modality, through.modality, fitted)
    return fitted


def _shipped(modality: Modality) -> list[Path]:
    """The starter gallery's files of a modality; none of text."""
    pattern = _FILES.get(modality)
    return sorted((assets_dir() / "gallery").glob(pattern)) if pattern else []


def _solve(source: FloatArray, target: FloatArray, strength: float | None) -> Map:
    """The orthogonal map with one scale (None), or ridge regression; both between the means."""
    centre, bias = source.mean(axis=0), target.mean(axis=0)
    x, y = source - centre, target - bias
    if strength is None:
        left, values, right = np.linalg.svd(y.T @ x, full_matrices=False)
        matrix = left @ right
        matrix = matrix * values.sum() / max(float(np.square(x @ matrix.T).sum()), 1e-12)
    else:
        gram = x.T @ x
        gram += strength * max(float(np.trace(gram)) / len(gram), 1e-12) * np.eye(len(gram))
        matrix = np.linalg.solve(gram, x.T @ y).T
    kind = "orthogonal" if strength is None else f"ridge ({strength:g})"
    centre, matrix, bias = (part.astype(np.float32) for part in (centre, matrix, bias))
    return Map(centre=centre, matrix=matrix, bias=bias, kind=kind, score=0.0, num_items=len(x), num_held_out=0)


def _across_the_gap(fitted: Map, seen: FloatArray, target: FloatArray) -> Map:
    """The map for rows that lie elsewhere than those it was fitted on, as `seen` does: to the middle of the target's.

    Its spread is the target's too: rows between two cones are closer together, and a least-squares fit is cautious.
    """
    seen = _unit(seen)
    centre = seen.mean(axis=0)
    wider = _spread(_unit(target)) / max(_spread((seen - centre) @ fitted.matrix.T), 1e-6)
    return replace(fitted, centre=centre, matrix=(fitted.matrix * wider).astype(np.float32))


def _spread(rows: FloatArray) -> float:
    return float(np.sqrt(np.square(rows - rows.mean(axis=0)).sum(axis=1).mean()))


def _found(mapped: FloatArray, target: FloatArray) -> float:
    cosines = mapped @ target.T
    own = np.arange(len(cosines))
    return float(((cosines.argmax(axis=1) == own).mean() + (cosines.argmax(axis=0) == own).mean()) / 2)


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return unit


def _embed(items: Sequence[Decoded], encoder: Encoder, head: nn.Module | None, say: Say) -> FloatArray:
    """float32 [n, dim]."""
    rows, told = [], f"Joining two spaces, {encoder.modality}"
    for start in range(0, len(items), BATCH_ITEMS):
        say(f"{told}: {start} of {len(items)}", start, len(items))
        with torch.inference_mode():
            features = encoder.encode([encoder.prepare(item) for item in items[start : start + BATCH_ITEMS]])
            rows.append((head(features) if head is not None else features).float().cpu().numpy())
    say(f"{told}: {len(items)} of {len(items)}", len(items), len(items))
    return np.concatenate(rows)


@contextmanager
def _telling(say: Say | None) -> Iterator[Say]:
    if say is not None:
        yield say
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=None)
        yield lambda what, done, total: shown.update(task, description=what, completed=done, total=total)


def _key(
    medium: Encoder,
    through: Encoder,
    into: Encoder,
    head: nn.Module | None,
    items: Sequence[Decoded],
    own: Sequence[Path],
) -> str:
    """Fingerprints of both sides, and of what they were shown."""
    once = [medium, through] if medium.network is not through.network else [through, medium.info.input]
    shown = hashlib.sha256(str(_METHOD).encode())
    for item in items:
        shown.update(_content(item))
    for path in own:
        shown.update(path.read_bytes())
    sides = fingerprint(*once), fingerprint(*([into] if head is None else [into, head]))
    return "-".join((*sides, shown.hexdigest()[:12]))


def _content(item: Decoded) -> bytes:
    match item:
        case Text():
            return item.text.encode() + b"\0"
        case Image():
            return item.pixels.tobytes()
        case Audio():
            return item.waveform.tobytes()
        case Video():
            return item.frames.tobytes()


def _read(path: Path) -> Map | None:
    """What was computed before; None where there is nothing, or nothing that can be read."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            said = file.metadata()
            arrays = {name: file.get_tensor(name) for name in ("centre", "matrix", "bias")}
        return Map(
            **arrays,
            kind=said["kind"],
            score=float(said["score"]),
            num_items=int(said["num_items"]),
            num_held_out=int(said["num_held_out"]),
        )
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        log.warning("A bridge in the cache is damaged; it is computed again.")
        return None


def _write(path: Path, fitted: Map) -> None:
    from safetensors.numpy import save

    said = {name: str(getattr(fitted, name)) for name in ("kind", "score", "num_items", "num_held_out")}
    arrays = {name: np.ascontiguousarray(getattr(fitted, name), np.float32) for name in ("centre", "matrix", "bias")}
    part = path.with_suffix(".part")  # nobody else writes it: the caller holds the lock
    part.write_bytes(save(arrays, metadata=said))
    os.replace(part, path)
