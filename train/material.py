"""What is learned from: media or their features, the sentences that fit each, and which rows mean the same."""

import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from train.config import DataConfig
from train.data.disorder import disorder_rows
from train.data.kinds import kind_of
from train.data.motion import motion_rows, motion_version
from train.data.pairs import pair_rows
from train.data.parquet import Row, label_names, names_in, read, sets
from train.data.rows import digest
from train.data.scenes import SceneRow, generator_version, scene_rows
from train.features import WIDE_VIEWS_FROM, AnyRow, HalfArray, cached_features, decoded, together
from train.foils import Foils
from train.prompts import COMMON_WORDS, reworded, synonyms_of
from train.prompts import sentences as prompt_sentences
from train.sentences import Sentences
from unimma.encoders.base import Encoder
from unimma.types import Decoded, Modality

log = logging.getLogger(__name__)
Rows = npt.NDArray[np.int64]
KIND_SENTENCES = 3  # of what a row's label is a kind of: a chihuahua is a dog, too
SIZE_POWER = 0.6  # a set is drawn from in proportion to its size to this power: large ones do not drown small ones


@dataclass(frozen=True)
class Drawn:
    """Rows of a batch.

    Attributes:
        rows: int64 [n], which rows of the material they are.
        inputs: what the tower takes: features float32 [n, F], or int64 [n], `rows`, where media are decoded live.
        said: int64 [n], a fitting sentence each; -1 where none is known.
        meaning: int64 [n], a code that rows of the same meaning share within this batch.
    """

    rows: Rows
    inputs: Tensor
    said: Rows
    meaning: Tensor


@dataclass(frozen=True)
class Material:
    """Rows of one modality, ready to be drawn from.

    Attributes:
        features: float16 [n, F], or tokens [n, T, F + 2], of the encoder as it was before training.
        name: what each row means: its label, or an own name where it has none; the same for rows that mean the same.
        kind: a coarse meaning that sounds and pictures share ("dog" of every breed); "" where there is none.
        item: int64 [n]; rows with the same number are views of one item.
        sentences: per row, indices of the sentences that fit it; may be empty.
        weight: float64 [n], sum 1: how often a row is drawn.
        media: where they are decoded live, each row and the number of its view; None where the encoder is frozen.
        skipped: "set/id" of what could not be used → why.
        taught: by a teacher's name, its outputs on the rows, float16 [n, T].
        wrong: per row, indices of sentences that are nearly right, and wrong; may be empty.
    """

    features: Tensor
    name: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    item: Rows
    sentences: Sequence[Rows]
    weight: npt.NDArray[np.float64]
    media: Sequence[tuple[AnyRow, int]] | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    taught: Mapping[str, Tensor] = field(default_factory=dict)
    wrong: Sequence[Rows] = ()

    def __len__(self) -> int:
        return len(self.weight)

    def draw(self, count: int, rng: np.random.Generator) -> Drawn:
        """A batch of rows of which something is said, by their weights; a row may come twice."""
        return self.take(rng.choice(len(self), count, p=self.told), rng)

    def draw_views(self, count: int, rng: np.random.Generator) -> tuple[Drawn, Drawn]:
        """Two views each of `count` different items, or of all where there are fewer; needs `has_views`."""
        items, chances = self._items_with_views
        chosen = rng.choice(len(items), min(count, len(items)), replace=False, p=chances)
        two = np.array([rng.choice(items[i], 2, replace=False) for i in chosen])
        return self.take(two[:, 0], rng), self.take(two[:, 1], rng)

    def draw_kinds(self, kinds: Sequence[str], rng: np.random.Generator) -> Drawn:
        """A row of each of the given kinds, by their weights; all of them are known here (`rows_by_kind`)."""
        rows = [self.rows_by_kind[kind] for kind in kinds]
        return self.take(np.array([rng.choice(own, p=_shares(self.weight[own])) for own in rows]), rng)

    def take(self, rows: Rows, rng: np.random.Generator) -> Drawn:
        """These rows, with a fitting sentence each."""
        said = np.array([rng.choice(self.sentences[i]) if len(self.sentences[i]) else -1 for i in rows])
        meaning = torch.from_numpy(np.unique(self.name[rows], return_inverse=True)[1])
        inputs = self.features[rows].float() if self.media is None else torch.from_numpy(rows)
        return Drawn(rows, inputs, said, meaning)

    def take_wrong(self, rows: Rows, count: int, rng: np.random.Generator) -> Rows:
        """`count` different sentences that are wrong of each of these rows, int64 [n, count]; -1 beyond the last."""
        chosen = np.full((len(rows), count), -1, np.int64)
        for place, row in enumerate(rows):
            own = rng.permutation(self.wrong[row])[:count]
            chosen[place, : len(own)] = own
        return chosen

    def decode(self, row: int) -> Decoded:
        """The item of a row, varied as its view says.

        Raises:
            MediaError: it cannot be decoded.
        """
        assert self.media is not None
        return decoded(*self.media[row])

    @cached_property
    def told(self) -> npt.NDArray[np.float64]:
        """`weight` of the rows of which something is said, 0 for others; float64 [n], sum 1 unless there is none."""
        weight = self.weight * np.array([len(said) > 0 for said in self.sentences])
        return np.asarray(weight / (weight.sum() or 1.0))

    @cached_property
    def rows_by_kind(self) -> dict[str, Rows]:
        """The rows of each kind that there is."""
        return {str(kind): np.flatnonzero(self.kind == kind) for kind in np.unique(self.kind) if kind}

    @property
    def has_views(self) -> bool:
        """Whether any item has two."""
        return bool(self._items_with_views[0])

    @cached_property
    def _items_with_views(self) -> tuple[list[Rows], npt.NDArray[np.float64]]:
        order = np.argsort(self.item, kind="stable")
        starts = np.flatnonzero(np.diff(self.item[order], prepend=-1))
        items = [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]
        return items, _shares(np.array([self.weight[rows].sum() for rows in items]))


def shared_kinds(one: Material, other: Material) -> list[str]:
    """Kinds that both have, in alphabetical order."""
    return sorted(one.rows_by_kind.keys() & other.rows_by_kind.keys())


def _shares(weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(weight / weight.sum())


def rows_of(config: DataConfig, modality: Modality, split: str = "train") -> dict[str, list[AnyRow]]:
    """Rows of one modality by set: a split of the Parquet folder, then (for training) drawn scenes and made media."""
    found = _source_rows(config, modality, split)
    return found | _made_rows(config, modality, found) if split == "train" else found


def _source_rows(config: DataConfig, modality: Modality, split: str) -> dict[str, list[AnyRow]]:
    found: dict[str, list[AnyRow]] = {}
    if config.folder is not None:
        for stem in config.sets or sets(config.folder):
            rows = [row for row in read(config.folder, stem, split) if row.modality is modality]
            if rows and rows[0].media is not None:
                found[stem] = list(rows[: config.max_rows.get(stem)])
    variations = config.scene_clips if modality is Modality.VIDEO else config.scene_variations
    if variations and split == "train":
        found[f"scenes-{generator_version()}-{modality}"] = list(scene_rows(modality, variations))
    return found


def _made_rows(config: DataConfig, modality: Modality, sources: Mapping[str, list[AnyRow]]) -> dict[str, list[AnyRow]]:
    """Clips made of pictures, clips out of order, and two pictures or two sounds in one."""
    made: dict[str, list[AnyRow]] = {}
    names, own = names_in(config.folder, config.sets), [row for rows in sources.values() for row in rows]
    if modality is Modality.VIDEO and config.motion_clips:
        stills = [row for rows in _source_rows(config, Modality.IMAGE, "train").values() for row in rows]
        clips = motion_rows(stills, config.motion_clips, names=names, seed=0)
        made[f"stills-in-motion-{motion_version()}-{digest(clips)}"] = list(clips)
    if modality is Modality.VIDEO and config.out_of_order:
        disordered = disorder_rows(own, config.out_of_order, names=names, seed=0)
        made[f"clips-out-of-order-{digest(disordered)}"] = list(disordered)
    if modality in (Modality.IMAGE, Modality.AUDIO) and config.pairs:
        pairs = pair_rows(own, config.pairs, names=names, seed=0)
        made[f"{modality}-pairs-{digest(pairs)}"] = list(pairs)
    return made


def gather(
    encoder: Encoder,
    modality: Modality,
    config: DataConfig,
    sentences: Sentences,
    cache: Path,
    *,
    split: str = "train",
    live: bool = False,
    tokens: bool = False,
    teachers: Mapping[str, Encoder] = MappingProxyType({}),
    hard_negatives: int = 0,
) -> Material | None:
    """Encode (or read from the cache) all rows of one modality and collect their sentences; None where there are none.

    Args:
        sentences: grows by those of the rows.
        live: keep the media, to be decoded again whenever they are drawn.
        tokens: features are the encoder's sequences, for a head that attends over them.
        teachers: by name; rows that one of them cannot take are skipped.
        hard_negatives: how many wrong sentences are made of each one that fits, at most.
    """
    features, name, kind, item, said, wrong, weights = [], [], [], [], [], [], []
    media: list[tuple[AnyRow, int]] = []
    skipped: dict[str, str] = {}
    taught: dict[str, list[HalfArray]] = {teacher: [] for teacher in teachers}
    seen, sources = 0, rows_of(config, modality, split)
    kinds = {_kind(row) for rows in sources.values() for row in rows if isinstance(row, Row | SceneRow)}
    foils = Foils(kinds, names_in(config.folder, config.sets), hard_negatives)
    for stem, rows in sources.items():
        names = label_names(config.folder, stem) if config.folder else {}
        words, count = synonyms_of([*COMMON_WORDS, *names.values()]), config.paraphrases if split == "train" else 0
        options = [
            sentences.add([*fitting_sentences(row, names), *reworded(row.captions, modality, count, words)])
            for row in rows
        ]
        foiled = [
            np.setdiff1d(sentences.add(foils.of(row, fitting_sentences(row, names))), right)
            for row, right in zip(rows, options, strict=True)
        ]
        is_plain = split != "train" or not isinstance(rows[0], Row)  # what is made varies already
        views = [0] if is_plain else _views(config, stem, modality)
        outputs = {who: cached_features(one, rows, cache, name=f"{stem}-{split}") for who, one in teachers.items()}
        for view in views:
            found = cached_features(encoder, rows, cache, name=f"{stem}-{split}", view=view, tokens=tokens)
            kept = functools.reduce(np.intersect1d, [each.kept for each in (found, *outputs.values())]).tolist()
            features.append(found.values[np.isin(found.kept, kept)])
            for who, said_of in outputs.items():
                taught[who].append(said_of.values[np.isin(said_of.kept, kept)])
            skipped |= {name: why for each in (found, *outputs.values()) for name, why in each.skipped.items()}
            name += [rows[i].label or f"{stem}/{rows[i].id}" for i in kept]
            kind += [_kind(rows[i]) for i in kept]
            item += [seen + i for i in kept]
            said += [options[i] for i in kept]
            wrong += [foiled[i] for i in kept]
            share = config.weights.get(stem, 1.0) * len(kept) ** SIZE_POWER / len(views)
            weights += [share / max(1, len(kept))] * len(kept)
            media += [(rows[i], view) for i in kept]
        seen += len(rows)
        log.info("%s: %d rows, %d views, %d skipped", stem, len(rows), len(views), len(rows) - len(kept))
    if not weights:
        return None
    return Material(
        torch.from_numpy(together(features)),
        np.array(name),
        np.array(kind),
        np.array(item),
        said,
        _shares(np.array(weights)),
        media if live else None,
        skipped,
        {teacher: torch.from_numpy(np.concatenate(values)) for teacher, values in taught.items()},
        wrong,
    )


def _views(config: DataConfig, stem: str, modality: Modality) -> list[int]:
    """Numbers of the views that a set is seen in: the plain one, mild ones (not of clips), wide ones."""
    if stem in config.single_view:
        return [0]
    mild = 0 if modality is Modality.VIDEO else config.views
    return [*range(mild + 1), *range(WIDE_VIEWS_FROM, WIDE_VIEWS_FROM + config.wide_views)]


def _kind(row: AnyRow) -> str:
    return kind_of(row.label, row.concept) if isinstance(row, Row) else row.label


def fitting_sentences(row: AnyRow, names: dict[str, tuple[str, ...]]) -> list[str]:
    """All sentences that fit a row: its captions, every template filled with every name of its label, and its kind."""
    spoken = names.get(row.label or "", (row.label,) if row.label else ())
    said = [*row.captions, *(said for name in spoken for said in prompt_sentences(name, row.modality))]
    kind = _kind(row)
    return said if not kind or kind in spoken else [*said, *prompt_sentences(kind, row.modality)[:KIND_SENTENCES]]


def caption_pairs(config: DataConfig, sentences: Sentences) -> list[Rows]:
    """Text-only captions of one photo or sound, two or more each: they say the same in other words."""
    if config.folder is None:
        return []
    groups: dict[str, list[str]] = {}
    for stem in config.sets or sets(config.folder):
        for row in read(config.folder, stem, "train", with_media=False):
            if row.modality is Modality.TEXT and row.group:
                groups.setdefault(row.group, []).extend(row.captions)
    pairs, left = [], config.max_sentences
    for said in groups.values():
        if len(said) > 1 and left >= len(said):
            pairs.append(sentences.add(said))
            left -= len(said)
    return pairs


def class_sentences(names: Iterable[Sequence[str]], modality: Modality, sentences: Sentences) -> list[Rows]:
    """Indices of the sentences of each class of an encoder: all its names in all templates."""
    return [sentences.add([said for name in known for said in prompt_sentences(name, modality)]) for known in names]
