"""Sentences before and after: what is made of captions."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from train.preview.lines import rng_of
from train.prompts import CAPTION_FRAMES, COMMON_WORDS, synonyms_of
from unimma import augment
from unimma.types import Modality

Rng = np.random.Generator
Change = Callable[[str, Rng], str | None]


def sentence_lines(
    captions: Sequence[str], names: Mapping[str, Sequence[str]], seed: int
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(name, what for, (before, after) …); sentences that a change leaves as they are stand in no pair of it."""
    synonyms = synonyms_of([*COMMON_WORDS, *names.values()])
    spoken = re.sub(r"\W+", " ", f" {' '.join(captions)} ".lower())
    things = [known[0] for known in names.values() if f" {known[0].lower()} " in spoken]  # what could as well be there

    def tokens(caption: str, rng: Rng) -> str:
        words = caption.split()
        return " ".join(words[i] for i in augment.drop_tokens(np.arange(len(words)), rng))

    changes: tuple[tuple[str, str, Change], ...] = (
        ("synonyms", "the same", lambda said, rng: augment.replace_synonyms(said, synonyms, rng)),
        ("clause order", "the same", lambda said, rng: augment.swap_clauses(said)),
        ("word dropout", "nearly the same, 15 %", augment.drop_words),
        ("token dropout", "nearly the same, 15 %", tokens),
        (
            "paraphrase",
            "the same",
            lambda said, rng: augment.paraphrase(said, rng, synonyms=synonyms, frames=CAPTION_FRAMES[Modality.IMAGE]),
        ),
        ("mirror", "of a mirrored picture, wrong of the picture", lambda said, rng: augment.swap_sides(said)),
        (
            "one word changed",
            "wrong: a hard negative",
            lambda said, rng: augment.change_one_word(said, rng, [augment.COLOURS, augment.NUMBERS, things]),
        ),
    )
    lines = []
    for name, purpose, change in changes:
        pairs = [(said, change(said, rng_of(seed, name, place))) for place, said in enumerate(captions)]
        lines.append((name, purpose, [(before, after) for before, after in pairs if after and after != before]))
    for name, say in (
        ("at once", augment.both),
        ("in a row", augment.first_then_second),
        ("beside", augment.beside),
        ("above", augment.above),
    ):
        joined = [
            (f"{one} + {other}", say(one, other, rng_of(seed, name, place)))
            for place, (one, other) in enumerate(pairwise(captions))
        ]
        lines.append((f"two captions, {name}", "of two in one", joined[: max(1, len(captions) // 3)]))
    return [line for line in lines if line[2]]
