"""What a tower learns from a teacher: weighted terms on its embeddings and the teacher's outputs on the same rows."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from train.teachers import YAMNET
from train.weights import TeacherLoss
from unimma.losses import (
    LogitScale,
    feature_cosine,
    feature_mse,
    relational_angle,
    relational_distance,
    soft_label_kl,
)

ANGLE_ROWS = 128  # of a batch: what angles cost grows with the cube of the rows
CLASS_TEMPERATURE = 0.05  # at first, of the soft labels
MIN_DEVIATION = 1e-3


class TeacherTerms(nn.Module):
    """The losses to one teacher, and what is learned with them: a layer from the embedding to its features, a scale.

    Args:
        loss: which, with their weights.
        dim: of the embeddings.
        taught: the teacher's outputs on the training set, [n, T]; the last of them, as many as there are classes, are
            scores in [0, 1] for YAMNet and logits for others.
        classes: features of the sentences of its classes by the text encoder, float32 [C, F]; [0, F] without classes.
    """

    def __init__(self, loss: TeacherLoss, dim: int, taught: Tensor, classes: Tensor) -> None:
        super().__init__()
        self.loss, self.num_classes, self.classes = loss, len(classes), classes
        features = self.features(taught.float())
        if loss.feature_mse or loss.feature_cosine:
            self.project = nn.Linear(dim, features.shape[1])
        if loss.soft_labels:
            self.scale = LogitScale(CLASS_TEMPERATURE)
        self.register_buffer("deviation", features.std(dim=0).clamp(min=MIN_DEVIATION))
        self.register_buffer("class_embeddings", torch.zeros(self.num_classes, dim))

    def features(self, taught: Tensor) -> Tensor:
        """Its outputs but for the classes: [n, T - C]."""
        return taught[:, : taught.shape[1] - self.num_classes]

    @torch.no_grad()
    def refresh(self, text: nn.Module) -> None:
        """Embed the sentences of its classes with today's text head."""
        if self.loss.soft_labels:
            embedded = self.get_buffer("class_embeddings")
            embedded.copy_(text(self.classes.to(embedded.device)))

    def forward(self, z: Tensor, taught: Tensor) -> Mapping[str, Tensor]:
        """Unit rows [n, D] and the teacher's outputs on the same rows, float32 [n, T] → terms by name."""
        loss, features, terms = self.loss, self.features(taught), {}
        if loss.feature_mse:
            terms["feature_mse"] = feature_mse(self.project(z), features, self.get_buffer("deviation"))
        if loss.feature_cosine:
            terms["feature_cosine"] = feature_cosine(self.project(z), features)
        if loss.relational_distance:
            terms["relational_distance"] = relational_distance(z, features)
        if loss.relational_angle:
            terms["relational_angle"] = relational_angle(z[:ANGLE_ROWS], features[:ANGLE_ROWS])
        if loss.soft_labels:
            told = taught[:, -self.num_classes :]
            said = told / told.sum(dim=1, keepdim=True) if loss.name == YAMNET else torch.softmax(told, dim=1)
            terms["soft_labels"] = soft_label_kl(z, self.get_buffer("class_embeddings"), said, self.scale())
        return {f"{loss.modality}/{loss.name}/{kind}": getattr(loss, kind) * term for kind, term in terms.items()}
