"""Eyes, which all animals have."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, darker, lighter


def eye(c: Canvas, x: float, y: float, r: float, iris: Color, pupil: float = 0.6, blink: float = 0.0) -> None:
    """An eye with a glint; `pupil` is its width as a share of the iris, `blink` closes the lid."""
    open_ = max(1.0 - blink, 0.08)
    c.ellipse(x, y, r * 1.2, r * 1.15 * open_, (26, 18, 16))
    c.ellipse(x, y, r, r * open_, Ball(lighter(iris, 0.25), darker(iris, 0.3), 0.5, 0.75))
    c.ellipse(x, y, r * pupil, r * 0.85 * open_, (8, 6, 8))
    c.ellipse(x - r * 0.3, y - r * 0.35 * open_, r * 0.26, r * 0.26 * open_, (255, 255, 255))


def blinking(t: float, offset: float) -> float:
    """How far lids are closed at t: a quick blink every few seconds."""
    return float(np.exp(-((((t + offset) % 3.1) - 1.5) ** 2) / 0.004))
