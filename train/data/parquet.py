"""Parquet folders of media: one file is one set, its columns id, split, modality, media, label, captions, …"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from unimma import media
from unimma.errors import ConfigError
from unimma.types import Decoded, Modality

_NEEDED = {"id", "split", "modality", "media", "label", "captions", "group", "concept"}


@dataclass(frozen=True)
class Row:
    """One row of a set.

    Attributes:
        set: stem of the file it is from.
        media: the encoded file; None for text.
        captions: sentences that describe it, or that it is; may be empty.
        group: the recording or photo it was cut from; never in two splits.
        concept: a class code, such as a WordNet id.
    """

    set: str
    id: str
    split: str
    modality: Modality
    media: bytes | None = field(repr=False)
    label: str | None
    captions: tuple[str, ...]
    group: str | None
    concept: str | None

    def decode(self) -> Decoded:
        """Its media, or its first caption where it has none.

        Raises:
            MediaError: as `unimma.media.decode`.
        """
        if self.media is None:
            return media.decode(self.captions[0])
        return media.decode(self.media, modality=self.modality, name=self.id)


def sets(folder: Path) -> list[str]:
    """Stems of the Parquet files in a folder, in alphabetical order.

    Raises:
        ConfigError: there is none.
    """
    found = sorted(path.stem for path in folder.glob("*.parquet"))
    if not found:
        came = f"{folder.name}: no .parquet file in it" if folder.is_dir() else f"{folder.name}: no such folder"
        raise ConfigError(came, "a folder of Parquet files", "Check --data.")
    return found


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of each set's file: tells one state of the folder from another."""
    return {stem: (folder / f"{stem}.parquet").stat().st_size for stem in sets(folder)}


def read(folder: Path, stem: str, split: str | None = None, *, with_media: bool = True) -> Iterator[Row]:
    """Rows of one set in the file's order, a row group in memory at a time; `split=None` gives all splits.

    Raises:
        ConfigError: a column is missing.
    """
    file = pq.ParquetFile(folder / f"{stem}.parquet")
    missing = _NEEDED - set(file.schema_arrow.names)
    if missing:
        raise ConfigError(f"{stem}.parquet lacks {', '.join(sorted(missing))}", "all its columns", "Check the file.")
    columns = sorted(_NEEDED - (set() if with_media else {"media"}))
    for group in range(file.num_row_groups):
        for row in file.read_row_group(group, columns=columns).to_pylist():
            if split in (None, row["split"]):
                yield Row(
                    set=stem,
                    id=row["id"],
                    split=row["split"],
                    modality=Modality(row["modality"]),
                    media=row.get("media"),
                    label=row["label"],
                    captions=tuple(row["captions"] or ()),
                    group=row["group"],
                    concept=row["concept"],
                )


def label_names(folder: Path, stem: str) -> dict[str, tuple[str, ...]]:
    """label → names to say it by, the clearest first; from the folder's labels.json where it knows the set."""
    return {label: _names(label, entry) for label, entry in _labels(folder).get(stem, {}).items()}


def names_in(folder: Path | None, stems: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """label → names to say it by, over the sets of these stems (over all where none is named); {} without a folder."""
    if folder is None:
        return {}
    return {label: names for stem in stems or sets(folder) for label, names in label_names(folder, stem).items()}


def concept_names(folder: Path) -> dict[str, tuple[str, ...]]:
    """class code, such as a WordNet id → names to say it by, over all sets of the folder's labels.json."""
    return {
        entry["concept"]: _names(label, entry) for known in _labels(folder).values() for label, entry in known.items()
    }


def _labels(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "labels.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _names(label: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    said = [entry.get("clear_name") or label, *entry.get("synonyms", [])]
    return tuple(dict.fromkeys(name.replace("_", " ") for name in said))
