"""The rows that each loss of a step is computed on: drawn from material, as the towers take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from train.material import Drawn, Material, Rows, shared_kinds
from train.weights import PAIRS, THREE_WAY
from unimma.types import Modality


@dataclass(frozen=True)
class Supply:
    """Everything that steps draw from.

    Attributes:
        media: by modality.
        sentences: what is said of them, each once.
        text: features of the sentences by the text encoder as it was before training, float32 [m, F].
        text_is_live: the text encoder is trained, and gets the sentences themselves.
        pairs: of captions that say the same; indices of sentences.
        classes: of modalities whose encoders' class names are known: the features of their sentences, float32 [C, F].
        teacher_classes: of the teachers of `LossConfig.teachers`, in their order, the same; [0, F] without classes.
    """

    media: Mapping[Modality, Material]
    sentences: Sequence[str]
    text: Tensor
    text_is_live: bool = False
    pairs: Sequence[Rows] = ()
    classes: Mapping[Modality, Tensor] = field(default_factory=dict)
    teacher_classes: Sequence[Tensor] = ()

    def say(self, said: Rows) -> Tensor:
        """Sentences as the text tower takes them: their features float32 [n, F], or their numbers int64 [n]."""
        return torch.from_numpy(said) if self.text_is_live else self.text[said]

    def say_all(self, sentences: Sequence[Rows]) -> Tensor:
        """For each row, the mean features of all its sentences, float32 [n, F]; of a text encoder that is frozen."""
        return torch.stack([self.text[said].mean(dim=0) for said in sentences])


@dataclass(frozen=True)
class Draft:
    """What one pair draws.

    Attributes:
        inputs: by key, in the order of `keys`, as the towers take them; then, where asked for, wrong sentences.
        meaning: int64 [n], a code that rows of the same meaning share.
        media: the rows of the medium, in pairs of a medium and its sentences.
        known: bool [n, k], which of the k wrong sentences of each row there are; the others only fill the inputs.
    """

    inputs: Mapping[str, Tensor]
    meaning: Tensor
    media: Drawn | None = None
    known: Tensor | None = None


def keys(name: str) -> tuple[str, ...]:
    """The inputs of a pair (or of three): "image/text_image"; of two views in one modality, "/other" on the second."""
    modalities = PAIRS[name]
    if len(set(modalities)) == 1:
        return f"{modalities[0]}/{name}", f"{modalities[0]}/{name}/other"
    return tuple(f"{modality}/{name}" for modality in modalities)


def wrong_key(name: str) -> str:
    """The input of the wrong sentences of a pair of a medium and text: k rows for each row of `keys`, one by one."""
    return f"{Modality.TEXT}/{name}/wrong"


def medium(name: str) -> Modality | None:
    """The medium of a pair of a medium and its sentences; None of other pairs."""
    media = [modality for modality in PAIRS[name] if modality is not Modality.TEXT]
    return media[0] if len(media) == 1 and Modality.TEXT in PAIRS[name] else None


def lacking(name: str, supply: Supply, hard_negatives: int = 0) -> str:
    """What a pair would need and the supply does not have; "" where it has it."""
    media = [supply.media.get(modality) for modality in PAIRS[name] if modality is not Modality.TEXT]
    have = [material for material in media if material is not None]
    if len(have) < len(media):
        return "rows to learn from"
    if name == "text_text":
        return "" if supply.pairs else "groups of captions that say the same"
    if medium(name) is not None:
        if hard_negatives and not any(map(len, have[0].wrong)):
            return "sentences in which a word can be changed (hard_negatives)"
        return "" if have[0].told.any() else "labels or captions"
    if keys(name)[1].endswith("/other"):
        return "" if have[0].has_views else "two views of an item (data.views, data.single_view)"
    return "" if shared_kinds(have[0], have[1]) else "anything that is both heard and seen"


def draft(name: str, supply: Supply, count: int, rng: np.random.Generator, hard_negatives: int = 0) -> Draft:
    """`count` rows of each side of a pair, fewer only where there are not as many different ones.

    A medium is drawn with a fitting sentence each, and with `hard_negatives` wrong ones; views, captions and kinds as
    `Material` and `Supply` know them.
    """
    one = PAIRS[name][0]
    if name == "text_text":
        chosen = rng.choice(len(supply.pairs), min(count, len(supply.pairs)), replace=False)
        two = np.stack([rng.choice(supply.pairs[i], 2, replace=False) for i in chosen])
        return _draft(name, [supply.say(two[:, 0]), supply.say(two[:, 1])], torch.arange(len(two)))
    if (seen := medium(name)) is not None:
        drawn = supply.media[seen].draw(count, rng)
        both = {seen: drawn.inputs, Modality.TEXT: supply.say(drawn.said)}
        plain = _draft(name, [both[modality] for modality in PAIRS[name]], drawn.meaning, drawn)
        return _with_wrong_ones(name, plain, supply, seen, hard_negatives, rng) if hard_negatives else plain
    if keys(name)[1].endswith("/other"):
        view, other = supply.media[one].draw_views(count, rng)
        return _draft(name, [view.inputs, other.inputs], view.meaning)
    sound, picture = supply.media[Modality.AUDIO], supply.media[Modality.IMAGE]
    shared = shared_kinds(sound, picture)
    codes = rng.integers(len(shared), size=count)
    heard, shown = (material.draw_kinds([shared[code] for code in codes], rng) for material in (sound, picture))
    sides = [heard.inputs, shown.inputs]
    if name == THREE_WAY:  # what is said of either, for both
        sides.append(supply.say(np.where(rng.random(count) < 0.5, heard.said, shown.said)))
    return _draft(name, sides, torch.from_numpy(codes))


def _with_wrong_ones(
    name: str, plain: Draft, supply: Supply, seen: Modality, count: int, rng: np.random.Generator
) -> Draft:
    """A row's own sentence stands where it has no `count` wrong ones: a batch is as large as its row count says."""
    assert plain.media is not None
    wrong = supply.media[seen].take_wrong(plain.media.rows, count, rng)
    known = wrong >= 0
    said = np.where(known, wrong, plain.media.said[:, None]).reshape(-1)
    return replace(plain, inputs={**plain.inputs, wrong_key(name): supply.say(said)}, known=torch.from_numpy(known))


def _draft(name: str, sides: Sequence[Tensor], meaning: Tensor, media: Drawn | None = None) -> Draft:
    return Draft(dict(zip(keys(name), sides, strict=True)), meaning, media)
