"""A problem that trains in milliseconds: three keys of different row counts, dropout, two learned scales."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.problem import Batch, ParamGroup, Problem
from unimma.losses import LogitScale, info_nce

NUM_ITEMS, NUM_FEATURES, DIM = 64, 10, 6


class SmallProblem(Problem):
    """Pictures against sentences, and views of some pictures against these: linear pictures of one hidden truth.

    Args:
        dropout: of the picture tower.
        batch_size: pairs in a batch; the views are of the first few.
        num_views: of them.
    """

    def __init__(self, dropout: float = 0.3, batch_size: int = 13, num_views: int = 5, fingerprint: str = "") -> None:
        super().__init__(fingerprint)
        made = torch.Generator().manual_seed(0)
        truth = torch.randn(NUM_ITEMS, NUM_FEATURES, generator=made)
        self.data = {key: truth @ torch.randn(NUM_FEATURES, NUM_FEATURES, generator=made) for key in ("image", "text")}
        self.batch_size, self.num_views = batch_size, num_views
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.towers = nn.ModuleDict(
                {
                    "image": nn.Sequential(
                        nn.Linear(NUM_FEATURES, 16), nn.GELU(), nn.Dropout(dropout), nn.Linear(16, DIM)
                    ),
                    "text": nn.Linear(NUM_FEATURES, DIM),
                }
            )
            self.scales = nn.ModuleDict({"pairs": LogitScale(), "views": LogitScale(0.2)})

    def draw(self, rng: np.random.Generator) -> Batch:
        rows = torch.from_numpy(rng.choice(NUM_ITEMS, self.batch_size, replace=False))
        view = self.data["image"][rows[: self.num_views]]
        view = view + 0.1 * torch.from_numpy(rng.normal(size=view.shape)).float()
        inputs = {"image": self.data["image"][rows], "text": self.data["text"][rows], "image/view": view}
        return Batch(inputs, {"weight": torch.tensor(0.5)})

    def embed(self, key: str, rows: Tensor) -> Tensor:
        return F.normalize(self.towers[key.partition("/")[0]](rows), dim=-1)

    def loss(self, z: Mapping[str, Tensor], batch: Batch) -> Mapping[str, Tensor]:
        viewed = z["image"][: len(z["image/view"])]
        return {
            "image_text": info_nce(z["image"], z["text"], self.scales["pairs"]()),
            "views": batch.facts["weight"] * info_nce(viewed, z["image/view"], self.scales["views"]()),
        }

    def groups(self) -> list[ParamGroup]:
        return [
            ParamGroup("image", list(self.towers["image"].parameters()), lr=1e-2, weight_decay=0.1),
            ParamGroup("text", [*self.towers["text"].parameters(), *self.scales.parameters()], lr=1e-3),
        ]

    def logit_scales(self) -> Mapping[str, Tensor]:
        return {name: scale() for name, scale in self.scales.items()}

    @torch.no_grad()
    def recall(self) -> float:
        """Recall@1 of sentences among all pictures."""
        z = {key: self.embed(key, rows) for key, rows in self.data.items()}
        found = (z["text"] @ z["image"].T).argmax(dim=1)
        return float((found == torch.arange(NUM_ITEMS)).float().mean())


def weights(problem: Problem) -> dict[str, Tensor]:
    """A copy of everything in it."""
    return {name: tensor.detach().clone() for name, tensor in problem.state_dict().items()}
