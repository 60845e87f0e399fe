"""The heads of VATT: pooled features of video, sound and text → the spaces in which they are compared.

FAC ("fine and coarse"): video and sound meet in a fine space, both of them and text in a coarse one, which is reached
through the fine. Joint: one space for all. Alayrac et al. 2020, arXiv 2006.16228, section 3.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.types import Modality

Widths = Mapping[Modality, int]


class _Hidden(nn.Module):
    """ReLU, a linear layer and a batch norm; another batch norm in front where asked for."""

    def __init__(self, width: int, out: int, epsilon: float, *, normed_before: bool = False) -> None:
        super().__init__()
        self.pre_bn = nn.BatchNorm1d(width, eps=epsilon) if normed_before else None
        self.dense = nn.Linear(width, out, bias=False)
        self.bn = nn.BatchNorm1d(out, eps=epsilon)

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.pre_bn is None else self.pre_bn(x)
        out: Tensor = self.bn(self.dense(F.relu(x)))
        return out


class FactorisedHead(nn.Module):
    """FAC: `video_toaud` with `audio_tovid` in the fine space, `video_totxt` with `text_tovid` in the coarse one."""

    def __init__(self, widths: Widths, config: Mapping[str, Any]) -> None:
        super().__init__()
        fine, coarse = config["aud_to_vid_txt_kwargs"]["d_model"], config["txt_to_vid_aud_kwargs"]["d_model"]
        hidden, epsilon = config["vid_to_aud_txt_kwargs"]["d_model"], config["bn_config"]["epsilon"]
        self.vid_to_hid = nn.Linear(widths[Modality.VIDEO], hidden, bias=False)
        self.hid_to_va = _Hidden(hidden, fine, epsilon, normed_before=True)
        self.aud_to_va = nn.Linear(widths[Modality.AUDIO], fine)
        self.va_to_vat = _Hidden(fine, coarse, epsilon)
        self.txt_to_vat = nn.Linear(widths[Modality.TEXT], coarse)
        self.fine, self.common_width = fine, fine + coarse

    def forward(self, pooled: Mapping[Modality, Tensor]) -> dict[str, Tensor]:
        """What is there, as the original names it."""
        out: dict[str, Tensor] = {}
        if Modality.VIDEO in pooled:
            out["video_toaud"] = self.hid_to_va(self.vid_to_hid(pooled[Modality.VIDEO]))
            out["video_totxt"] = self.va_to_vat(out["video_toaud"])
        if Modality.AUDIO in pooled:
            out["audio_tovid"] = self.aud_to_va(pooled[Modality.AUDIO])
        if Modality.TEXT in pooled:
            out["text_tovid"] = self.txt_to_vat(pooled[Modality.TEXT])
        return out

    def common(self, modality: Modality, pooled: Tensor) -> Tensor:
        """Unit rows [B, fine + coarse] that compare any two modalities: the fine space beside the coarse one.

        Sound reaches the coarse space as video does, through the fine one; text has zeros in place of the fine. So the
        cosine of video and text orders as the original's, that of video and sound is the mean of the two spaces', and
        sound and text, which the original never compares, meet in the coarse space.
        """
        out = self({modality: pooled})
        if modality is Modality.TEXT:
            coarse = F.normalize(out["text_tovid"], dim=1)
            return torch.cat([coarse.new_zeros(len(coarse), self.fine), coarse], dim=1)
        fine = out["audio_tovid"] if modality is Modality.AUDIO else out["video_toaud"]
        both = [F.normalize(fine, dim=1), F.normalize(self.va_to_vat(fine), dim=1)]
        rows: Tensor = torch.cat(both, dim=1) * math.sqrt(0.5)
        return rows


class JointHead(nn.Module):
    """One space for all: what video is to sound it is to text."""

    def __init__(self, widths: Widths, config: Mapping[str, Any]) -> None:
        super().__init__()
        epsilon = config["bn_config"]["epsilon"]
        self.common_width: int = config["vid_to_aud_txt_kwargs"]["d_model"]
        self.vid_to_vat = _Hidden(widths[Modality.VIDEO], self.common_width, epsilon)
        self.aud_to_vat = _Hidden(widths[Modality.AUDIO], self.common_width, epsilon)
        self.txt_to_vat = _Hidden(widths[Modality.TEXT], self.common_width, epsilon)

    def forward(self, pooled: Mapping[Modality, Tensor]) -> dict[str, Tensor]:
        """What is there, as the original names it."""
        out: dict[str, Tensor] = {}
        if Modality.VIDEO in pooled:
            out["video_toaud"] = out["video_totxt"] = self.vid_to_vat(pooled[Modality.VIDEO])
        if Modality.AUDIO in pooled:
            out["audio_tovid"] = self.aud_to_vat(pooled[Modality.AUDIO])
        if Modality.TEXT in pooled:
            out["text_tovid"] = self.txt_to_vat(pooled[Modality.TEXT])
        return out

    def common(self, modality: Modality, pooled: Tensor) -> Tensor:
        """Unit rows of the one space [B, D]."""
        return F.normalize(next(iter(self({modality: pooled}).values())), dim=1)
