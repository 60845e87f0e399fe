"""Contrastive and distillation losses on unit-length embeddings: tensors in, a scalar out."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_SCALE = 100.0  # of the similarities; CLIP's clamp, arXiv 2103.00020, section 2.5


class LogitScale(nn.Module):
    """The learned inverse temperature: `forward()` gives `logit_scale.exp()`, at most 100."""

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    def forward(self) -> Tensor:
        return self.logit_scale.exp().clamp(max=MAX_SCALE)


def info_nce(query_BD: Tensor, gallery_BD: Tensor, scale: Tensor, same_BB: Tensor | None = None) -> Tensor:
    """Symmetric contrastive loss of B pairs: row i of `query_BD` belongs to row i of `gallery_BD`.

    Args:
        query_BD, gallery_BD: unit rows, float32; D is the width of the shared space.
        scale: scalar, 1 / temperature.
        same_BB: bool, symmetric, true on the diagonal: which other pairs mean the same (share a label or a caption) and
            are positives too instead of false negatives. None: only the diagonal.
    Returns:
        Scalar in nats, the mean of both directions; log(B) where the rows carry no signal and only the diagonal counts.
    Source: Radford et al. 2021, arXiv 2103.00020, figure 3; with several positives: Khosla et al. 2020,
        Supervised Contrastive Learning, arXiv 2004.11362, equation 2.
    """
    logits = scale * query_BD @ gallery_BD.T
    if same_BB is None:
        same_BB = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    target = same_BB.float() / same_BB.sum(dim=1, keepdim=True)
    forth = -(target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    back = -(target * F.log_softmax(logits.T, dim=1)).sum(dim=1).mean()
    return (forth + back) / 2


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
