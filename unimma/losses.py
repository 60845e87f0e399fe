"""Contrastive and distillation losses on unit-length embeddings: float32 tensors in, a scalar out.

Where a loss takes `same_QG`, it is a bool mask of which query row means the same as which gallery row (shares a label
or a caption): these pairs are positives instead of false negatives. Without it row i belongs to row i. The two sides
may differ in number, as where some gallery rows are made to be wrong: a row without any positive then stays a negative
of others, and has no say of its own.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.errors import ModelError

MAX_SCALE = 100.0  # of the similarities; CLIP's clamp, arXiv 2103.00020, section 2.5


class LogitScale(nn.Module):
    """The learned inverse temperature: `forward()` gives `logit_scale.exp()`, at most 100."""

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    def forward(self) -> Tensor:
        return self.logit_scale.exp().clamp(max=MAX_SCALE)


class LogitBias(nn.Module):
    """The learned offset of `sigmoid_loss`: -10 at first, since nearly all pairs of a batch are negatives."""

    def __init__(self, bias: float = -10.0) -> None:
        super().__init__()
        self.logit_bias = nn.Parameter(torch.tensor(bias))

    def forward(self) -> Tensor:
        return self.logit_bias


def info_nce(
    query_QD: Tensor,
    gallery_GD: Tensor,
    scale: Tensor,
    same_QG: Tensor | None = None,
    *,
    wrong_QKD: Tensor | None = None,
    known_QK: Tensor | None = None,
) -> Tensor:
    """Symmetric contrastive loss: each row finds its positives among the other side's rows, in both directions.

    Args:
        query_QD, gallery_GD: unit rows; D is the width of the shared space.
        scale: scalar, 1 / temperature.
        same_QG: bool, the positives; a row with several has the mean over them. None: row i of one and row i of the
            other.
        wrong_QKD: unit rows, K more negatives for each query row, seen by it alone; the gallery rows do not see them.
        known_QK: bool, which of these count: not every row has as many. None: all.
    Returns:
        Scalar in nats, the mean of both directions, each the mean over the rows that have a positive (0 where none
        has); log(B) where B pairs carry no signal and only the diagonal counts.
    Raises:
        ModelError: the mask's shape is not [Q, G], or there is none and the numbers of rows differ; more negatives
            that are not [Q, K, D], or a mask of them that is not [Q, K].
    Source: Radford et al. 2021, arXiv 2103.00020, figure 3; with several positives: Khosla et al. 2020,
        Supervised Contrastive Learning, arXiv 2004.11362, equation 2; with negatives of a row's own: NegCLIP,
        Yuksekgonul et al. 2023, arXiv 2210.01936, where all rows of the batch see them.
    """
    same_QG = _positives(query_QD, gallery_GD, same_QG)
    logits_QG = scale * query_QD @ gallery_GD.T
    back = _cross_entropy(logits_QG.T, same_QG.T)
    if wrong_QKD is None:
        return (_cross_entropy(logits_QG, same_QG) + back) / 2
    known_QK = _known(query_QD, wrong_QKD, known_QK)
    own_QK = scale * torch.einsum("qd,qkd->qk", query_QD, wrong_QKD)
    own_QK = own_QK.masked_fill(~known_QK, -torch.inf)
    forth = _cross_entropy(torch.cat([logits_QG, own_QK], dim=1), F.pad(same_QG, (0, own_QK.shape[1])))
    return (forth + back) / 2


def nt_xent(one_BD: Tensor, other_BD: Tensor, scale: Tensor) -> Tensor:
    """Two views of B things: each of the 2 B rows finds its other view among all rows but itself, in-modality ones too.

    Args:
        one_BD, other_BD: unit rows; row i of both is a view of the same thing.
        scale: scalar, 1 / temperature.
    Returns:
        Scalar in nats; log(2 B - 1) where the rows carry no signal.
    Raises:
        ModelError: the numbers of rows differ.
    Source: SimCLR, Chen et al. 2020, arXiv 2002.05709, equation 1.
    """
    same_BB = _positives(one_BD, other_BD, None)
    rows = torch.cat([one_BD, other_BD])
    itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    logits = (scale * rows @ rows.T).masked_fill(itself, -torch.inf)
    other_view = torch.arange(len(rows), device=rows.device).roll(len(same_BB))
    return F.cross_entropy(logits, other_view)


def sigmoid_loss(
    query_QD: Tensor, gallery_GD: Tensor, scale: Tensor, bias: Tensor, same_QG: Tensor | None = None
) -> Tensor:
    """Every pair by itself is judged to belong together or not; no row competes with another.

    Args:
        query_QD, gallery_GD: unit rows.
        scale: scalar, 1 / temperature; the paper starts at 10.
        bias: scalar, added to the scaled similarities; the paper starts at -10.
        same_QG: bool, the positives. None: the diagonal.
    Returns:
        Scalar in nats: the sum over all pairs, by the mean number of rows of the two sides.
    Raises:
        ModelError: as `info_nce`.
    Source: SigLIP, Zhai et al. 2023, arXiv 2303.15343, algorithm 1.
    """
    same_QG = _positives(query_QD, gallery_GD, same_QG)
    logits_QG = scale * query_QD @ gallery_GD.T + bias
    sign_QG = 2.0 * same_QG - 1.0
    return -F.logsigmoid(sign_QG * logits_QG).sum() * 2 / sum(same_QG.shape)


def triplet_loss(
    query_QD: Tensor,
    gallery_GD: Tensor,
    same_QG: Tensor | None = None,
    *,
    margin: float = 0.2,
    negatives: Literal["hardest", "semi-hard"] = "hardest",
) -> Tensor:
    """Each positive pair is to be more similar, by a margin, than a hard negative of the batch, in both directions.

    Args:
        query_QD, gallery_GD: unit rows.
        same_QG: bool, the positives. None: the diagonal.
        margin: a difference of cosines.
        negatives: "hardest", the most similar one; "semi-hard", the most similar one that is less so than the positive
            (calmer where training begins, since the hardest may be a mistake of the data), and where none is, the least
            similar one.
    Returns:
        Scalar, a difference of cosines, the mean of both directions, each the mean over the rows that have a positive
        and a negative (0 where none has); 0 where each positive stands out by the margin.
    Raises:
        ModelError: as `info_nce`.
    Source: hardest: VSE++, Faghri et al. 2018, arXiv 1707.05612, equation 6; semi-hard: FaceNet, Schroff et al. 2015,
        arXiv 1503.03832, section 3.2.
    """
    same_QG = _positives(query_QD, gallery_GD, same_QG)
    similarity_QG = query_QD @ gallery_GD.T
    forth = _hinge(similarity_QG, same_QG, margin, negatives)
    back = _hinge(similarity_QG.T, same_QG.T, margin, negatives)
    return (forth + back) / 2


def three_way(
    audio_BD: Tensor, image_BD: Tensor, text_BD: Tensor, scale: Tensor, same_BB: Tensor | None = None
) -> Tensor:
    """Three embeddings of B things, each pair of modalities against each other: each row is the anchor of two others.

    Args:
        audio_BD, image_BD, text_BD: unit rows; row i of all three belongs together.
        scale: scalar, 1 / temperature, of all pairs.
        same_BB: bool, symmetric: the positives. None: the diagonal.
    Returns:
        Scalar in nats, the mean of three times `info_nce`: its size is that of one pair's loss.
    Raises:
        ModelError: as `info_nce`.
    Source: AudioCLIP, Guzhov et al. 2021, arXiv 2106.13043.
    """
    pairs = ((audio_BD, text_BD), (image_BD, text_BD), (audio_BD, image_BD))
    return torch.stack([info_nce(one, other, scale, same_BB) for one, other in pairs]).mean()


def feature_mse(student_BF: Tensor, teacher_BF: Tensor, deviation_F: Tensor) -> Tensor:
    """Mean squared error of a student's features, each in units of the teacher's own deviation.

    Args:
        student_BF, teacher_BF: features of any length; brought to the same width by the caller.
        deviation_F: standard deviation of the teacher's features, over the training set and above 0.
    Returns:
        Scalar without unit; about 1 where the student always says the teacher's mean.
    Source: FitNets, Romero et al. 2014, arXiv 1412.6550, section 2.2.
    """
    return F.mse_loss(student_BF / deviation_F, teacher_BF / deviation_F)


def feature_cosine(student_BF: Tensor, teacher_BF: Tensor) -> Tensor:
    """How far a student's features point from the teacher's: mean of 1 - cosine, in [0, 2]; lengths do not count.

    Args:
        student_BF, teacher_BF: features of any length, brought to the same width by the caller.
    Source: DistilBERT, Sanh et al. 2019, arXiv 1910.01108, section 3.
    """
    return (1 - F.cosine_similarity(student_BF, teacher_BF, dim=1)).mean()


def relational_distance(student_BD: Tensor, teacher_BF: Tensor) -> Tensor:
    """Whether rows lie as far from each other as the teacher's do; the two spaces may differ in width.

    Args:
        student_BD, teacher_BF: at least two rows, row i of both of the same thing.
    Returns:
        Scalar, the Huber loss of distances, those of either space in units of its mean distance.
    Source: RKD-D, Park et al. 2019, arXiv 1904.05068, section 3.2.1.
    """
    student, teacher = F.pdist(student_BD), F.pdist(teacher_BF)
    return F.smooth_l1_loss(student / student.mean().clamp(min=1e-6), teacher / teacher.mean().clamp(min=1e-6))


def relational_angle(student_BD: Tensor, teacher_BF: Tensor) -> Tensor:
    """Whether any three rows span the same angles as the teacher's do; the two spaces may differ in width.

    Args:
        student_BD, teacher_BF: at least three rows, row i of both of the same thing. 128 rows of 384 numbers take
            about 100 MB, and memory grows with the square and cube of the rows: give it a part of a large batch.
    Returns:
        Scalar, the Huber loss of the angles' cosines, over all triples of different rows.
    Source: RKD-A, Park et al. 2019, arXiv 1904.05068, section 3.2.2.
    """
    count = len(student_BD)
    total = F.smooth_l1_loss(_angles(student_BD), _angles(teacher_BF), reduction="sum")
    return total / (count * (count - 1) * (count - 2))


def soft_label_kl(embedding_BD: Tensor, class_CD: Tensor, probability_BC: Tensor, scale: Tensor) -> Tensor:
    """How far an embedding's own view of C classes lies from a teacher's: mean KL divergence, in nats.

    Args:
        embedding_BD, class_CD: unit rows; `class_CD` embeds the class sentences.
        probability_BC: the teacher's, rows of sum 1.
        scale: scalar, 1 / temperature.
    Source: Hinton et al. 2015, arXiv 1503.02531.
    """
    own = F.log_softmax(scale * embedding_BD @ class_CD.T, dim=1)
    return F.kl_div(own, probability_BC, reduction="batchmean")


def _positives(query_QD: Tensor, gallery_GD: Tensor, same_QG: Tensor | None) -> Tensor:
    """The mask as given, or the diagonal."""
    shape = (len(query_QD), len(gallery_GD))
    if same_QG is None and shape[0] != shape[1]:
        raise ModelError(
            f"{shape[0]} rows beside {shape[1]}", "pairs of rows", "Say with a mask which belong together."
        )
    if same_QG is None:
        return torch.eye(len(query_QD), dtype=torch.bool, device=query_QD.device)
    if same_QG.shape != shape:
        came, expected = f"a mask of {list(same_QG.shape)}", f"{list(shape)}, query rows by gallery rows"
        raise ModelError(came, expected, "Make the mask of the same rows.")
    return same_QG


def _known(query_QD: Tensor, wrong_QKD: Tensor, known_QK: Tensor | None) -> Tensor:
    """The mask as given, or one of all."""
    count, width = query_QD.shape
    if wrong_QKD.ndim != 3 or (wrong_QKD.shape[0], wrong_QKD.shape[2]) != (count, width):
        came, expected = f"more negatives of {list(wrong_QKD.shape)}", f"[{count}, K, {width}], K for each query row"
        raise ModelError(came, expected, "Give each row its own.")
    if known_QK is None:
        return torch.ones(wrong_QKD.shape[:2], dtype=torch.bool, device=query_QD.device)
    if known_QK.shape != wrong_QKD.shape[:2]:
        came, expected = f"a mask of {list(known_QK.shape)}", f"{list(wrong_QKD.shape[:2])}, one of these negatives"
        raise ModelError(came, expected, "Make the mask of the same rows.")
    return known_QK


def _cross_entropy(logits_QG: Tensor, same_QG: Tensor) -> Tensor:
    """Mean over the rows with a positive of the mean over its positives of -log softmax.

    A logit of minus infinity is a column that is not there; only rows that are no positives may have it.
    """
    own_QG = torch.where(same_QG, F.log_softmax(logits_QG, dim=1), 0.0)
    loss_Q = -own_QG.sum(dim=1) / same_QG.sum(dim=1).clamp(min=1)
    return loss_Q.sum() / same_QG.any(dim=1).sum().clamp(min=1)


def _hinge(similarity_QG: Tensor, same_QG: Tensor, margin: float, negatives: str) -> Tensor:
    """Mean over rows of the mean over its positives of how much of the margin a hard negative takes."""
    apart_QG = similarity_QG.masked_fill(same_QG, -torch.inf)
    if negatives == "hardest":
        negative_QG = apart_QG.max(dim=1, keepdim=True).values
    else:
        negative_QG = _just_below(apart_QG, similarity_QG, same_QG)
    taken_QG = torch.where(same_QG, F.relu(margin + negative_QG - similarity_QG), 0.0)
    loss_Q = taken_QG.sum(dim=1) / same_QG.sum(dim=1).clamp(min=1)
    counts_Q = same_QG.any(dim=1) & ~same_QG.all(dim=1)
    return loss_Q.sum() / counts_Q.sum().clamp(min=1)


def _just_below(apart_QG: Tensor, similarity_QG: Tensor, same_QG: Tensor) -> Tensor:
    """For each pair the largest negative of its row below its own similarity, or else the smallest negative."""
    ascending_QG = apart_QG.sort(dim=1).values  # the positives, at minus infinity, first
    place_QG = torch.searchsorted(ascending_QG.detach(), similarity_QG.detach().contiguous()) - 1
    first_negative_Q1 = same_QG.sum(dim=1, keepdim=True).clamp(max=same_QG.shape[1] - 1)
    return ascending_QG.gather(1, place_QG.maximum(first_negative_Q1))


def _angles(rows_BD: Tensor) -> Tensor:
    """Cosine of the angle at row j between rows i and k, [j, i, k]; equal in both spaces where two of them are one."""
    directions = F.normalize(rows_BD[None, :] - rows_BD[:, None], dim=-1)
    return directions @ directions.transpose(1, 2)
