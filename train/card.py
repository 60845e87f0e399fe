"""The model card of a checkpoint, Markdown: what it is and is for, what it learned from, numbers, limits, licences."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from train.config import TrainConfig
from train.data.parquet import sets
from train.evaluate.report import headline_markdown, pipes
from unimma.model import UniMMA
from unimma.types import Modality

MAX_LICENCES = 4  # of a set that are named; sets of many sources have dozens


def model_card(model: UniMMA, config: TrainConfig, metrics: Mapping[str, Any]) -> str:
    """The card's text; `metrics` is what `train.evaluate --json` prints, or empty where nothing was measured."""
    return "\n\n".join(
        [
            f"# {model.name}",
            f"One embedding space of {model.dim} dimensions for {_listed(model)}. Fingerprint `{model.fingerprint}`.",
            "## Intended use",
            _INTENDED_USE,
            "## Parts",
            _parts(model, config),
            "## Training",
            _training(config),
            *(["### Data", _data(config.data.folder, config)] if config.data.folder else []),
            "## Numbers",
            _numbers(metrics),
            "## Limits",
            _LIMITS,
            "## Licences",
            _LICENCES,
        ]
    ) + "\n"  # fmt: skip


def _listed(model: UniMMA) -> str:
    said = {Modality.TEXT: "text", Modality.IMAGE: "pictures", Modality.AUDIO: "sounds", Modality.VIDEO: "clips"}
    *first, last = (said[modality] for modality in Modality if modality in model.modalities)
    return f"{', '.join(first)} and {last}" if first else last


def _parts(model: UniMMA, config: TrainConfig) -> str:
    rows = []
    for modality in (m for m in Modality if m in model.modalities):
        info, head = model.towers[modality].encoder.info, model.config.heads[modality].kind
        rows.append(
            [modality, f"{info.weights}: {info.paper}", config.model.encoder(modality).trainable, info.licence, head]
        )
    return pipes(["modality", "encoder", "trained", "licence of its weights", "head"], rows)


def _training(config: TrainConfig) -> str:
    source = "the train split of the sets below, and " if config.data.folder else ""
    distilled = (
        f" The small sound network was distilled from YAMNet on {config.distill.num_windows:,} windows of sound."
        if config.distill
        else ""
    )
    return (
        f"At most {config.optim.steps:,} steps of {config.optim.batch_size:,} rows with contrastive losses on {source}"
        f"generated scenes ({config.data.scene_variations} variations of each).{distilled} No validation media were "
        "trained on. The whole recipe is one command and one file (`train.json` here), see `docs/training.md`."
    )


def _data(folder: Path, config: TrainConfig) -> str:
    """Every set with its train rows and what its sources state as licence."""
    rows = []
    for stem in config.data.sets or sets(folder):
        file = pq.ParquetFile(folder / f"{stem}.parquet")
        known = [name for name in ("split", "license") if name in file.schema_arrow.names]
        train = [row for row in file.read(columns=known).to_pylist() if row["split"] == "train"]
        stated = Counter(row.get("license") or "not stated" for row in train).most_common()
        named = [licence.replace("|", "/") for licence, _ in stated[:MAX_LICENCES]]
        if train:
            used = min(len(train), config.data.max_rows.get(stem, len(train)))
            rows.append([stem, f"{used:,}", "; ".join(named) + ("; others" if len(stated) > MAX_LICENCES else "")])
    return pipes(["set", "train rows", "licence as its sources state it"], rows)


def _numbers(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return "Not measured."
    by = (
        f"Split `{metrics['split']}`, by `python -m train.evaluate`; `metrics.json` beside this card has every measure."
    )
    return f"{headline_markdown(metrics, goals=False)}\n\n{by}"


_INTENDED_USE = """\
Finding and sorting one's own media: search by a sentence, picture, sound or clip over all kinds at once, zero-shot
labels, near-duplicates; and research and teaching on small joint embedding spaces. Not for identifying people, for
surveillance, for safety or medical decisions, or for judging how somebody feels."""

_LIMITS = """\
- English only. Other languages fall back to what the sentence encoder makes of them, which is little.
- Small encoders: fine kinds (breeds, species, makes of cars), text in pictures, counts and relations are beyond them.
- Sounds were learned from a few thousand recordings of animals, everyday events, voices and generated scenes; music
  and the words that are spoken are not understood.
- Few real clips were seen: what a clip shows and sounds like counts, what happens in it hardly does.
- A high score says that an item stands out in this gallery, not that it is right."""

_LICENCES = """\
The code and what was trained here: Apache-2.0 as far as they are ours. Several training sets are for research or
non-commercial use, and many state no terms; whoever ships a product with this checkpoint has to judge that. The
encoders have the terms in the table of parts; the weights of frozen ones are not in this folder, and networks that were
learned from (teachers) never are."""
