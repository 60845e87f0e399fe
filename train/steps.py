"""One training step's loss: a weighted sum over the pairs of modalities. Tensors in, a scalar out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from train.config import LossWeights
from train.material import Material
from unimma.heads import ConseHead, LinearHead
from unimma.losses import LogitScale, info_nce, soft_label_kl


class Objective(nn.Module):
    """The heads that are trained ("image", "audio" beside the text head), and the scales learned with them."""

    def __init__(self, text: LinearHead, heads: Mapping[str, nn.Module], weights: LossWeights) -> None:
        super().__init__()
        self.text, self.heads, self.weights = text, nn.ModuleDict(heads), weights
        self.scales = nn.ModuleDict({name: LogitScale() for name in (*heads, "text")})
        self.class_scales = nn.ModuleDict({name: LogitScale(0.05) for name in heads})

    @torch.no_grad()
    def refresh_classes(self, classes: Mapping[str, Tensor]) -> None:
        """Embed the class sentences' features with today's text head: they are part of the picture and sound heads."""
        for name, features in classes.items():
            self.heads[name].get_buffer("class_embeddings").copy_(self.text(features))

    def media_loss(self, name: str, features: Tensor, text_features: Tensor, same: Tensor) -> Tensor:
        """Media against their sentences and, where the head knows classes, against their encoder's probabilities."""
        head = self.heads[name]
        z = head(features)
        loss: Tensor = getattr(self.weights, f"{name}_text") * info_nce(
            z, self.text(text_features), self.scales[name](), same
        )
        if isinstance(head, ConseHead):
            probability = torch.softmax(features[:, -head.num_classes :], dim=1)
            soft = soft_label_kl(z, head.get_buffer("class_embeddings"), probability, self.class_scales[name]())
            loss = loss + getattr(self.weights, f"{name}_classes") * soft
        return loss

    def text_loss(self, one: Tensor, other: Tensor) -> Tensor:
        """Two captions of one thing against each other."""
        return self.weights.text_text * info_nce(self.text(one), self.text(other), self.scales["text"]())


@dataclass(frozen=True)
class Batches:
    """Everything a step draws from.

    Attributes:
        media: by "image" and "audio".
        pairs: of captions that say the same; indices of sentences.
        sentences: features of all sentences, float32 [m, F].
        classes: by "image" and "audio", where the encoder's class names are known: features of their sentences [C, F].
    """

    media: Mapping[str, Material]
    pairs: list[npt.NDArray[np.int64]]
    sentences: Tensor
    classes: Mapping[str, Tensor]


def step_loss(objective: Objective, batches: Batches, batch_size: int, rng: np.random.Generator) -> Tensor:
    """The loss of one step; which rows it sees depends on `rng` alone."""
    objective.refresh_classes(batches.classes)
    loss = torch.zeros(())
    for name, count in (("image", batch_size), ("audio", batch_size // 2)):
        features, said, same = batches.media[name].draw(count, rng)
        loss = loss + objective.media_loss(name, features, batches.sentences[said], same)
    if batches.pairs:
        chosen = rng.choice(len(batches.pairs), min(batch_size // 2, len(batches.pairs)), replace=False)
        two = np.stack([rng.choice(batches.pairs[i], 2, replace=False) for i in chosen])
        loss = loss + objective.text_loss(batches.sentences[two[:, 0]], batches.sentences[two[:, 1]])
    return loss
