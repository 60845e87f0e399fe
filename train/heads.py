"""Training the heads on frozen features: first pictures, sounds and sentences, then clips on top of them."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from train.config import TrainConfig
from train.material import Material
from train.steps import Batches, Objective, step_loss
from unimma.heads import ClipHead, LinearHead, Standardise
from unimma.losses import LogitScale, info_nce

log = logging.getLogger(__name__)
CLIP_STEPS_SHARE = 5  # the clip head, on far fewer rows, trains this many times shorter
CLIP_BATCH = 256


def fit_statistics(objective: Objective, batches: Batches) -> None:
    """Take the training set's centre (sentences) and deviations (features) into the heads, before the first step."""
    objective.text.get_buffer("centre").copy_(batches.sentences.mean(dim=0))
    for name, material in batches.media.items():
        standardise = objective.heads[name].standardise
        assert isinstance(standardise, Standardise)
        standardise.fit(material.features[:, : len(standardise.get_buffer("mean"))].float())


def train_heads(objective: Objective, batches: Batches, config: TrainConfig) -> float:
    """Minimise the weighted sum; returns the last mean loss. The same seed gives the same heads."""
    optim = config.optim
    text = list(objective.text.parameters())
    other = [p for name, p in objective.named_parameters() if not name.startswith("text.")]
    groups: list[dict[str, Any]] = [{"params": text, "weight_decay": 0.0}, {"params": other}]
    optimiser = torch.optim.AdamW(groups, lr=optim.lr, weight_decay=optim.weight_decay)
    return _run(
        objective,
        optimiser,
        [optim.fine_lr, optim.lr],
        optim.steps,
        lambda step: step_loss(objective, batches, optim.batch_size, np.random.default_rng([optim.seed, step])),
        "heads",
    )


def train_clips(head: ClipHead, text: LinearHead, clips: Material, sentences: Tensor, config: TrainConfig) -> float:
    """Clips against their sentences, everything else as it is; returns the last mean loss."""
    scale = LogitScale()
    optim = config.optim
    optimiser = torch.optim.AdamW([*head.parameters(), *scale.parameters()], lr=optim.fine_lr, weight_decay=0.1)

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng([optim.seed, 1, step])
        features, said, same = clips.draw(min(CLIP_BATCH, len(clips.weight)), rng)
        with torch.no_grad():
            text_rows = text(sentences[said])
        return config.loss.video_text * info_nce(head(features), text_rows, scale(), same)

    return _run(head, optimiser, [optim.fine_lr], max(1, optim.steps // CLIP_STEPS_SHARE), loss, "clips")


def _run(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    peaks: list[float],
    steps: int,
    loss_of: Callable[[int], Tensor],
    name: str,
) -> float:
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=steps + 1, pct_start=0.1)
    module.train()
    mean_loss = float("nan")
    progress = tqdm(range(steps), desc=name, disable=None)
    for step in progress:
        torch.manual_seed(step)  # of the dropout
        loss = loss_of(step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean_loss = loss.item() if step == 0 else 0.98 * mean_loss + 0.02 * loss.item()
        progress.set_postfix(loss=f"{mean_loss:.3f}")
        if (step + 1) % 100 == 0:
            log.info("%s: step %d of %d, loss %.3f", name, step + 1, steps, mean_loss)
    module.eval()
    return mean_loss
