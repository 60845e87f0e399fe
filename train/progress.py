"""How far a run is: a bar on a terminal, a line now and then elsewhere, curves for TensorBoard always."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

log = logging.getLogger(__name__)
LINE_EVERY_S = 30.0
CURVE_STEPS = 10  # a point of each curve every so many steps


class Progress:
    """Tells people about the steps `first` to `total` of one run; the other processes' own is silent.

    Args:
        name: of the run.
        first: steps that were done before: curves of a run that was killed are cut there and go on.
        total: steps of the whole run.
        folder: of the curves, logs/NAME inside it.
        shown: whether this process is the one that tells.
    """

    def __init__(self, name: str, first: int, total: int, folder: Path, shown: bool) -> None:
        self.name, self.total, self.shown = name, total, shown
        self._first, self._rows = first, 0
        self._begun = self._told = time.monotonic()
        self._bar = tqdm(total=total, initial=first, desc=name, unit="step", disable=None if shown else True)
        self._curves = SummaryWriter(folder / "logs" / name, purge_step=first + 1) if shown else None

    def step(self, step: int, rows: int, loss: float, curves: Mapping[str, float]) -> None:
        """Step number `step` (the first is 1) is done: rows embedded in it, mean loss, values to draw."""
        self._rows += rows
        if self._curves is not None and (step % CURVE_STEPS == 0 or step in (1, self.total)):
            self.draw(step, curves)
        now = time.monotonic()
        rows_per_s = self._rows / max(now - self._begun, 1e-9)
        self._bar.update()
        self._bar.set_postfix(loss=f"{loss:.4f}", rows_per_s=f"{rows_per_s:,.0f}", refresh=False)
        if self.shown and self._bar.disable and (now - self._told >= LINE_EVERY_S or step == self.total):
            self._told = now
            left_s = (now - self._begun) / (step - self._first) * (self.total - step)
            line = "%s: step %d of %d, loss %.4f, %s rows/s, %s left"
            log.info(line, self.name, step, self.total, loss, f"{rows_per_s:,.0f}", tqdm.format_interval(left_s))

    def draw(self, step: int, curves: Mapping[str, float]) -> None:
        """Put a point on each curve."""
        if self._curves is not None:
            for name, value in curves.items():
                self._curves.add_scalar(name, value, step)

    def settle(self) -> None:
        """Write out what is drawn: a checkpoint of this step is about to be kept."""
        if self._curves is not None:
            self._curves.flush()

    def close(self) -> None:
        """The run is over."""
        self._bar.close()
        if self._curves is not None:
            self._curves.close()
