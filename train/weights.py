"""The [loss] part of a config: the weighted sum that is minimised."""

from collections.abc import Collection
from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat
from pydantic.dataclasses import dataclass

from train.shapes import STRICT
from unimma.types import Modality


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PairLoss:
    """The losses of one pair of modalities, or of two views in one: each kind's weight in the sum."""

    info_nce: NonNegativeFloat = 0.0  # label-aware: rows that mean the same are positives
    siglip: NonNegativeFloat = 0.0  # label-aware too
    nt_xent: NonNegativeFloat = 0.0  # other rows of either side are negatives, labels or not
    triplet: NonNegativeFloat = 0.0  # against the hard negatives of the batch; label-aware
    mean_cosine: NonNegativeFloat = 0.0  # 1 - cosine with the mean of all sentences of the row, not one of them
    margin: PositiveFloat = 0.2  # of the triplets, a difference of cosines
    negatives: Literal["hardest", "semi-hard"] = "hardest"
    hard_negatives: NonNegativeInt = 0  # wrong sentences beside each row's, which its medium sees in info_nce

    @property
    def is_on(self) -> bool:
        """Whether any kind has a weight."""
        return self.info_nce + self.siglip + self.nt_xent + self.triplet + self.mean_cosine > 0


THREE_WAY = "three_way"
PAIRS: dict[str, tuple[Modality, ...]] = {  # the name of a pair, and the towers it brings together
    "text_image": (Modality.TEXT, Modality.IMAGE),
    "audio_text": (Modality.AUDIO, Modality.TEXT),
    "video_text": (Modality.VIDEO, Modality.TEXT),
    "audio_image": (Modality.AUDIO, Modality.IMAGE),  # rows of one kind: what can be both heard and seen
    "text_text": (Modality.TEXT, Modality.TEXT),  # two captions of one thing
    "image_image": (Modality.IMAGE, Modality.IMAGE),  # two views of one item, no label needed
    "audio_audio": (Modality.AUDIO, Modality.AUDIO),
    THREE_WAY: (Modality.AUDIO, Modality.IMAGE, Modality.TEXT),
}
TEXT_PAIRS = {Modality.IMAGE: "text_image", Modality.AUDIO: "audio_text", Modality.VIDEO: "video_text"}
_DEFAULT_PAIRS = {"text_image": 1.0, "audio_text": 1.0, "video_text": 0.5, "text_text": 0.3}  # weights of info_nce
DEFAULT_CLASSES = {Modality.IMAGE: 0.3, Modality.AUDIO: 0.1}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TeacherLoss:
    """What one modality's embedding learns from a teacher (`train.teachers` tells who can be one), by kind of loss.

    Each is computed on the rows that are drawn with their sentences; varied views have the plain item's teacher.
    """

    name: str  # an encoder of the registry, a model such as "clip", or a network of the data folder's `teachers`
    modality: Modality
    feature_mse: NonNegativeFloat = 0.0  # its features, from the embedding through a linear layer that is learned too
    feature_cosine: NonNegativeFloat = 0.0  # the same, their direction alone
    relational_distance: NonNegativeFloat = 0.0  # how far rows lie from each other
    relational_angle: NonNegativeFloat = 0.0  # what angles they span; on 128 rows of a batch
    soft_labels: NonNegativeFloat = 0.0  # KL to its class probabilities; for teachers whose last outputs are classes
    class_names: str | None = None  # of these: a file of the data folder, a class a line, its names between commas


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LossConfig:
    """The weighted sum that is minimised, a table for each pair; None stands for what the bundled model was made with.

    A pair that is left out is on with its default weight where the model has both modalities; a table of zeros turns it
    off.
    """

    text_image: PairLoss | None = None
    audio_text: PairLoss | None = None
    video_text: PairLoss | None = None
    audio_image: PairLoss | None = None
    text_text: PairLoss | None = None
    image_image: PairLoss | None = None
    audio_audio: PairLoss | None = None
    three_way: NonNegativeFloat = 0.0  # sound, picture and sentence of one kind, all against all
    image_classes: NonNegativeFloat | None = None  # KL to the picture encoder's own class probabilities (conse heads)
    audio_classes: NonNegativeFloat | None = None  # KL to the sound encoder's
    teachers: tuple[TeacherLoss, ...] = ()

    def pairs(self, modalities: Collection[Modality]) -> dict[str, PairLoss]:
        """What is on, by name, of a model of these modalities; the weight of "three_way" stands as info_nce."""
        found = {THREE_WAY: PairLoss(info_nce=self.three_way)}
        for name, both in PAIRS.items():
            default = PairLoss(info_nce=_DEFAULT_PAIRS.get(name, 0.0) if set(both) <= set(modalities) else 0.0)
            found[name] = found.get(name) or getattr(self, name) or default
        return {name: found[name] for name in PAIRS if found[name].is_on}

    def classes(self, modality: Modality) -> float:
        """The weight of the soft labels of a conse head."""
        given: float | None = getattr(self, f"{modality}_classes", None)
        return DEFAULT_CLASSES.get(modality, 0.0) if given is None else given
