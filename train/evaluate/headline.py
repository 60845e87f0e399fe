"""The few numbers that a model is judged by, with the goals set for the bundled one."""

from collections.abc import Mapping
from typing import Any

# set, measure, in words, goal: a share to reach; or, of what a model costs, megabytes or milliseconds to stay below.
GOALS = (
    ("tiny-imagenet", "zeroshot_top1", "Tiny-ImageNet, top-1", 0.61),
    ("tiny-imagenet", "zeroshot_top5", "Tiny-ImageNet, top-5", 0.83),
    ("imagenet-samples", "zeroshot_top1", "500 ImageNet classes, top-1", 0.80),
    ("imagenet-samples", "zeroshot_top5", "500 ImageNet classes, top-5", 0.92),
    ("caltech101", "zeroshot_top1", "Caltech-101, top-1", 0.93),
    ("scenes", "zeroshot_top1", "scenes, top-1", 0.94),
    ("weather", "zeroshot_top1", "weather, top-1", 0.92),
    ("flowers", "zeroshot_top1", "flowers, top-1", 0.80),
    ("captioned-photos", "text_to_image_r1", "sentence → photo, R@1", 0.42),
    ("captioned-photos", "text_to_image_r10", "sentence → photo, R@10", 0.88),
    ("captioned-photos", "image_to_text_r1", "photo → sentence, R@1", 0.50),
    ("esc50", "zeroshot_top1", "ESC-50, top-1", 0.85),
    ("esc50", "zeroshot_top5", "ESC-50, top-5", 0.98),
    ("animal-sounds", "zeroshot_top1_4khz", "animal sounds below 4 kHz, top-1", 0.87),
    ("emotions", "zeroshot_top1", "emotions, top-1", 0.70),
    ("spoken-digits", "zeroshot_top1", "spoken digits, top-1", 0.45),
    ("clips", "video_to_text_r1", "clip → sentence, R@1", 0.50),
    ("clips", "text_to_video_r1", "sentence → clip, R@1", 0.50),
    ("cross", "audio_to_image_p10", "sound → photo of it, precision@10", 0.75),
    ("cost", "checkpoint_mb", "checkpoint, MB", 40.0),
    ("cost", "image_ms", "one image, ms", 40.0),
    ("cost", "audio_10s_ms", "10 s of sound, ms", 200.0),
    ("cost", "video_10s_ms", "a 10 s clip, ms", 400.0),
)
# Sets whose pictures are of ImageNet, on which EfficientNet was trained; sounds look for theirs among them.
SEEN = frozenset({"tiny-imagenet", "imagenet-samples", "cross"})
SEEN_NOTE = (
    "* pictures of ImageNet, on which the picture encoder was trained: not unseen. Caltech-101, flowers, scenes, "
    "weather and the captioned photos are the honest ones."
)


def headline(measured: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The goals whose measure is there, in order: {"set", "measure", "title", "goal", "seen"}; "cost" is a set too.

    Of sets that no goal names, the first of zero-shot top-1 and the two ways of retrieval, without a goal.
    """
    shown = [
        {"set": stem, "measure": measure, "title": title, "goal": goal, "seen": stem in SEEN}
        for stem, measure, title, goal in GOALS
        if measure in measured.get(stem, {})
    ]
    named = {entry["set"] for entry in shown}
    for stem, measures in measured.items():
        for measure in measures:
            if stem not in named and (measure == "zeroshot_top1" or _is_first_of_retrieval(measure)):
                title = f"{stem}, {measure_name(measure)}"
                shown.append({"set": stem, "measure": measure, "title": title, "goal": None, "seen": False})
    return shown


def _is_first_of_retrieval(measure: str) -> bool:
    return measure.endswith("_r1") and "text" in measure


_WORDS = {
    "zeroshot": "zero-shot",
    "top1": "top-1",
    "top5": "top-5",
    "4khz": "below 4 kHz",
    "to": "→",
    "p10": "precision@10",
    "map": "mAP",
    "10s": "of 10 s,",
    "mb": "MB",
}


def measure_name(measure: str) -> str:
    """A measure's short name as words: "text_to_image_r5" → "text → image R@5"."""
    words = (_WORDS.get(part, part) for part in measure.split("_"))
    return " ".join(f"R@{word[1:]}" if word[0] == "r" and word[1:].isdigit() else word for word in words)
