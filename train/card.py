"""The model card of a checkpoint, Markdown: what it is, what it learned from, its numbers, limits and licences."""

from collections.abc import Mapping
from typing import Any

from train.config import TrainConfig
from unimma.model import UniMMA
from unimma.types import Modality

_SHOWN = {  # measure → what the table calls it; all are shares
    "zeroshot_top1": "zero-shot top-1",
    "zeroshot_top5": "zero-shot top-5",
    "text_to_image_r1": "sentence → photo R@1",
    "text_to_image_r10": "sentence → photo R@10",
    "image_to_text_r1": "photo → sentence R@1",
    "text_to_video_r1": "sentence → clip R@1",
    "video_to_text_r1": "clip → sentence R@1",
    "audio_to_image_p10": "animal sound → photo of it, precision@10",
}
_SEEN = {"tiny-imagenet", "imagenet-samples"}  # made of ImageNet, on which the picture encoder was trained


def model_card(model: UniMMA, config: TrainConfig, metrics: Mapping[str, Any]) -> str:
    """The card's text; `metrics` is what `train.evaluate --json` prints, or empty where nothing was measured."""
    return "\n\n".join(
        [
            f"# {model.name}",
            f"One embedding space of {model.dim} dimensions for text, pictures, sounds and clips. "
            f"Fingerprint `{model.fingerprint}`.",
            "## Parts",
            _parts(model),
            "## Training",
            _training(config),
            "## Numbers",
            _numbers(metrics),
            "## Limits",
            _LIMITS,
            "## Licences",
            _LICENCES,
        ]
    ) + "\n"  # fmt: skip


def _parts(model: UniMMA) -> str:
    lines = ["| modality | encoder (frozen) | licence of its weights | head |", "| --- | --- | --- | --- |"]
    for modality in Modality:
        info = model.towers[modality].encoder.info
        kind = model.config.heads[modality].kind
        lines.append(f"| {modality} | {info.weights}: {info.paper} | {info.licence} | {kind} |")
    return "\n".join(lines)


def _training(config: TrainConfig) -> str:
    sets = ", ".join(config.data.sets) or "every set of the data folder"
    source = f"the train split of {sets}, and " if config.data.folder else ""
    distilled = (
        f" The small sound network was distilled from YAMNet on {config.distill.num_windows:,} windows of that sound."
        if config.distill
        else ""
    )
    return (
        f"The heads were trained for {config.optim.steps:,} steps with label-aware InfoNCE on {source}"
        f"generated scenes ({config.data.scene_variations} variations of each).{distilled} "
        "No validation media were trained on. The whole recipe is one command and one file, see `docs/training.md`."
    )


def _numbers(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return "Not measured."
    lines = ["| set | measure | value | 95 % interval | n |", "| --- | --- | --- | --- | --- |"]
    for stem, measures in metrics["sets"].items():
        for name, shown in _SHOWN.items():
            if name in measures:
                m = measures[name]
                value, low, high = (f"{100 * m[key]:.1f}" for key in ("value", "low", "high"))
                mark = " *" if stem in _SEEN else ""
                lines.append(f"| {stem}{mark} | {shown} | {value} % | {low} to {high} | {m['n']} |")
    note = (
        f"Split `{metrics['split']}`, by `python -m train.evaluate`; zero-shot classes are all labels of the set. "
        "`*` The picture encoder was trained on ImageNet, of which these pictures are a part: not unseen."
    )
    return "\n".join([*lines, "", note])


_LIMITS = """\
- English only. Other languages fall back to what the sentence encoder makes of them, which is little.
- Small encoders: fine kinds (breeds, species, makes of cars), text in pictures, counts and relations are beyond them.
- Sounds were learned from a few thousand recordings of animals, everyday events, voices and generated scenes; music
  and the words that are spoken are not understood.
- Few real clips were seen: what a clip shows and sounds like counts, what happens in it hardly does.
- A high score says that an item stands out in this gallery, not that it is right."""

_LICENCES = """\
The code and these heads: Apache-2.0 as far as they are ours. Several training sets are for research or non-commercial
use, and many state no terms; whoever ships a product with this checkpoint has to judge that. aiSFX: weights by
Alison B. Ma and Alexander Lerch, CC BY 4.0. all-MiniLM-L6-v2, EfficientNet-Lite2 and YAMNet (the teacher): Apache-2.0.
No weights of these networks are in this folder; pip brings them."""
