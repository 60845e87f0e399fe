"""The names of the classes that frozen encoders and teachers predict, from a data folder's `teachers`."""

import csv
from pathlib import Path

from train.data.parquet import concept_names
from train.data.yamnet import class_names as yamnet_class_names


def imagenet_names(folder: Path) -> list[tuple[str, ...]]:
    """The 1,000 ImageNet classes in the order of the picture encoder's logits, the clearest name of each first.

    Raises:
        OSError: the folder has no teachers/imagenet1k-classes.tsv.
    """
    said = concept_names(folder)
    with (folder / "teachers" / "imagenet1k-classes.tsv").open(encoding="utf-8") as stream:
        rows = [(row[1], row[2]) for row in csv.reader(stream, delimiter="\t")]
    return [said.get(concept, (name.replace("_", " ").lower(),)) for concept, name in rows]


def audioset_names(folder: Path) -> list[tuple[str, ...]]:
    """The 521 AudioSet classes in the order of YAMNet's scores; "Dog, bark" is two names.

    Raises:
        OSError: the folder has no teachers/yamnet_class_map.csv.
    """
    names = yamnet_class_names(folder / "teachers")
    return [tuple(part.strip().lower() for part in name.split(",")) for name in names]
