"""What the training loop asks of whatever it trains: batches, embeddings by key, a loss over all of them, groups.

The loop (`train.loop.fit`) knows nothing of modalities. It embeds the rows of a batch chunk by chunk and process by
process, and hands the embeddings of the whole batch to the loss.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """The rows of one step.

    Attributes:
        inputs: by key, dim 0 the row: feature tensors [n, F], or row numbers int64 [n] where media are decoded live. A
            key is a tower's name, with "/…" after it where one tower is used twice ("text/image", "image/view"). n may
            differ from key to key, and is at least the number of processes.
        facts: whatever else the loss needs, of the whole batch (codes of meaning, a teacher's probabilities …).
    """

    inputs: Mapping[str, Tensor]
    facts: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class ParamGroup:
    """Parameters that learn at one rate.

    Attributes:
        name: shown in the curves ("text", "heads", "encoder").
        parameters: those that are frozen are left out by the loop.
        lr: the peak of the schedule.
        weight_decay: AdamW's, decoupled.
    """

    name: str
    parameters: Sequence[nn.Parameter]
    lr: float
    weight_decay: float = 0.0


class Problem(nn.Module, ABC):
    """Everything that is trained, logit scales included, as one module.

    What is random inside `embed`, `loss` and `before_step` comes from torch's global generator alone: the loop seeds it
    before each call from the seed, the step and the chunk, so that a chunk is embedded twice alike, a resumed run is
    the run that was killed, and two processes give what one gives. Who needs NumPy's takes
    `np.random.default_rng(torch.initial_seed())`. A layer that looks across rows (batch norm) sees one chunk.

    Attributes:
        fingerprint: what else decides the run (data, weights of the loss): a checkpoint of another one is refused.
        skipped: samples that could not be used, name → reason; filled by the problem, kept in checkpoints by the loop.
    """

    def __init__(self, fingerprint: str = "") -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self.skipped: dict[str, str] = {}

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Batch:
        """The whole batch of one step, on the CPU, the same on every process: it depends on `rng` alone."""

    @abstractmethod
    def embed(self, key: str, rows: Tensor) -> Tensor:
        """Some rows of an input of that key, on the problem's device → unit rows [n, D]; D may differ by key."""

    @abstractmethod
    def loss(self, z: Mapping[str, Tensor], batch: Batch) -> Mapping[str, Tensor]:
        """Weighted terms by name, scalars; their sum is minimised. On every process the same.

        Args:
            z: embeddings float32 of all rows of all keys.
            batch: what `draw` gave; its facts on the problem's device, its inputs on the CPU.
        """

    @abstractmethod
    def groups(self) -> list[ParamGroup]:
        """Every parameter that is trained, in exactly one group; always in the same order."""

    def before_step(self) -> None:
        """Refresh what is derived from the weights (class embeddings from the text head); without a graph.

        Called before each step, and after averaged or best weights were put in.
        """
        return

    def logit_scales(self) -> Mapping[str, Tensor]:
        """What to draw as curves beside the loss, scalars by name: the factors of the similarities."""
        return {}


@dataclass(frozen=True)
class Report:
    """How a run ended.

    Attributes:
        steps: of the optimiser that were taken, those before a resume included.
        loss: running mean of the sum of the terms.
        score: the best that `validate` gave, None where it was never asked; the weights are those of `best_step`.
        best_step: after how many steps that was; None as above.
        skipped: samples that could not be used, name → reason.
    """

    steps: int
    loss: float
    score: float | None
    best_step: int | None
    skipped: Mapping[str, str]
