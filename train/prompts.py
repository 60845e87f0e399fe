"""Sentences made from labels: what a class is called when it is seen, heard or filmed."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from unimma.augment import paraphrase
from unimma.types import Modality

# "{}" is the bare name, "{a}" the name with its article. Training draws from all; zero-shot takes their mean.
TEMPLATES: dict[Modality, tuple[str, ...]] = {
    Modality.IMAGE: (
        "{}",
        "a photo of {a}",
        "a picture of {a}",
        "a close-up photo of {a}",
        "a small photo of the {}",
        "a photo that shows {a}",
        "there is {a} in this picture",
    ),
    Modality.AUDIO: (
        "{}",
        "the sound of {a}",
        "a recording of {a}",
        "you can hear {a}",
        "{} can be heard",
        "this is the sound of {}",
    ),
    Modality.VIDEO: ("{}", "a video of {a}", "a clip that shows {a}", "a film of {}"),
    Modality.TEXT: ("{}", "a text about {}"),
}
# The same for whole captions, which may be sentences or not.
CAPTION_FRAMES: dict[Modality, tuple[str, ...]] = {
    Modality.IMAGE: ("{}", "in this picture: {}", "a photo: {}", "{}, seen in a photo"),
    Modality.AUDIO: ("{}", "in this recording: {}", "a sound: {}", "{}, heard in a recording"),
    Modality.VIDEO: ("{}", "in this clip: {}", "a video: {}", "{}, seen in a video"),
    Modality.TEXT: ("{}",),
}
# What captions are full of and label lists do not name; beside other words each of these keeps its sense.
COMMON_WORDS: tuple[tuple[str, ...], ...] = (
    ("photo", "picture", "image"),
    ("man", "guy"),
    ("woman", "lady"),
    ("child", "kid"),
    ("children", "kids"),
    ("small", "little"),
    ("big", "large"),
    ("street", "road"),
    ("sofa", "couch"),
    ("bike", "bicycle"),
    ("airplane", "plane", "aircraft"),
    ("talks", "speaks"),
    ("talking", "speaking"),
    ("next to", "beside"),
    ("near", "close to"),
    ("shouts", "yells"),
)
_NO_ARTICLE = re.compile(  # plurals, but no "bus" or "glass"; actions; what cannot be counted
    r"(?:[^sui]s|ing|speech|rain|wind|fog|sunshine|water|forest|sea|thunder|traffic)$|^(?:a|an|the) "
)
_AFTER_NOUN = re.compile(r" (?:at|in|of|on|over|through|under|with) ")  # "crickets at night" are crickets


def sentences(name: str, modality: Modality) -> list[str]:
    """Every template of the modality filled with a class name."""
    return [template.format(name, a=with_article(name)) for template in TEMPLATES[modality]]


def reworded(
    captions: Collection[str], modality: Modality, count: int, synonyms: Mapping[str, Sequence[str]]
) -> list[str]:
    """Up to `count` paraphrases of each caption, always the same ones."""
    found: dict[str, None] = {}
    for caption in captions:
        rng = np.random.default_rng([*caption.encode()])
        frames = CAPTION_FRAMES[modality]
        found |= dict.fromkeys(paraphrase(caption, rng, synonyms=synonyms, frames=frames) for _ in range(count))
    return [said for said in found if said not in set(captions)]


def synonyms_of(groups: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """name → what else it is called, from groups of names that mean the same; none for a name of two groups."""
    known: dict[str, tuple[str, ...]] = {}
    for group in map(dict.fromkeys, groups):
        for name in group:
            known[name] = () if name in known else tuple(other for other in group if other != name)
    return known


def with_article(name: str) -> str:
    """ "dog" → "a dog", "engine" → "an engine"; plurals, actions and what cannot be counted stay as they are."""
    if _NO_ARTICLE.search(_AFTER_NOUN.split(name)[0]):
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
