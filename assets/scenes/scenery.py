"""What many scenes stand in: skies, clouds, hills, trees, grass, houses, rooms."""

from dataclasses import dataclass

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, darker, lighter, mix, smooth, vary

Rng = np.random.Generator


@dataclass(frozen=True)
class Light:
    """The hour of the day, as colours.

    Attributes:
        top, low: of the sky.
        sun: of sun or moon.
        land: what everything on the ground is mixed with, by `amount`.
    """

    top: Color
    low: Color
    sun: Color
    land: Color
    amount: float

    def on(self, color: Color, extra: float = 0.0) -> Color:
        """A thing's own colour as it looks in this light; `extra` more for what is far away."""
        return mix(color, self.land, min(self.amount + extra, 1.0))


DAY = Light((70, 150, 222), (205, 232, 246), (255, 246, 214), (196, 222, 236), 0.04)
MORNING = Light((120, 170, 218), (255, 222, 178), (255, 240, 190), (255, 214, 170), 0.14)
DUSK = Light((66, 70, 128), (250, 164, 116), (255, 206, 140), (122, 84, 122), 0.34)
OVERCAST = Light((126, 142, 160), (206, 214, 220), (228, 232, 234), (150, 160, 172), 0.22)
NIGHT = Light((10, 16, 44), (44, 62, 110), (248, 244, 220), (16, 24, 58), 0.66)


def light(rng: Rng, *options: Light) -> Light:
    """One of the hours, its sky colours varied a little."""
    picked = options[int(rng.integers(len(options)))]
    top, low = vary(rng, picked.top, 0.07), vary(rng, picked.low, 0.05)
    return Light(top, low, picked.sun, picked.land, picked.amount)


def sky(c: Canvas, hour: Light, horizon: float = 1.0) -> None:
    """A graded sky down to the horizon."""
    c.rect(-0.2, -0.2, c.w + 0.2, horizon + 0.01, Fade(hour.top, hour.low))


def sun(c: Canvas, x: float, y: float, r: float, hour: Light) -> None:
    """The sun with its haze, or at night the moon."""
    c.glow(x, y, r * 6, hour.sun, 0.5)
    c.glow(x, y, r * 2.6, hour.sun, 0.6)
    c.ellipse(x, y, r, r, Ball(lighter(hour.sun, 0.5), hour.sun))


def moon(c: Canvas, x: float, y: float, r: float) -> None:
    """A full moon with faint seas."""
    c.glow(x, y, r * 5, (190, 205, 255), 0.35)
    c.ellipse(x, y, r, r, Ball((255, 252, 236), (214, 214, 206)))
    for dx, dy, s in ((-0.3, -0.2, 0.25), (0.25, 0.1, 0.32), (-0.15, 0.4, 0.18)):
        c.ellipse(x + dx * r, y + dy * r, s * r, s * r * 0.8, (200, 202, 204), 0.5)


def stars(c: Canvas, rng: Rng, t: float, count: int = 90, bottom: float = 0.6) -> None:
    """Twinkling stars."""
    xs, ys = rng.uniform(0, c.w, count), rng.uniform(0, bottom, count)
    sizes, phases = rng.uniform(0.0008, 0.0028, count), rng.uniform(0, 6.3, count)
    for x, y, s, p in zip(xs, ys, sizes, phases, strict=True):
        c.ellipse(x, y, s, s, (255, 252, 236), 0.55 + 0.4 * float(np.sin(t * 3 + p)))


def clouds(
    c: Canvas, rng: Rng, t: float, color: Color, *, count: int = 4, top: float = 0.05, bottom: float = 0.35,
    size: float = 0.16, speed: float = 0.01, alpha: float = 0.9,
) -> None:  # fmt: skip
    """Drifting heaps of cloud, lit from above."""
    for _ in range(count):
        x, y, s = rng.uniform(-0.2, c.w + 0.2), rng.uniform(top, bottom), size * rng.uniform(0.6, 1.3)
        puffs = rng.uniform((-1.0, -0.32, 0.28), (1.0, 0.0, 0.55), (9, 3))
        x = (x + t * speed + 0.4) % (c.w + 0.8) - 0.4
        under = mix(color, (92, 104, 134), 0.28)
        for dx, dy, r in puffs:
            c.ellipse(x + dx * s, y + dy * s + 0.12 * s, r * s * 1.05, r * s * 0.62, under, alpha * 0.5)
        for dx, dy, r in puffs:
            shade = mix(under, color, 0.4 - dy * 1.9)
            c.ellipse(x + dx * s, y + dy * s, r * s, r * s * 0.66, Ball(color, shade, 0.4, 0.15), alpha)


def ridge(c: Canvas, rng: Rng, y: float, height: float, fill: Color | Fade, *, rough: float = 1.0) -> None:
    """A rolling skyline of land from y downwards."""
    x = np.linspace(-0.1, c.w + 0.1, 60)
    line = np.full_like(x, y)
    for k in (1, 2, 4, 8):
        line += height / k**1.2 * np.sin(x * k * 2.1 * rough + rng.uniform(0, 6.3)) * rng.uniform(0.4, 1.0)
    c.poly(np.vstack([np.stack([x, line], 1), [(c.w + 0.1, 1.2), (-0.1, 1.2)]]), fill)


def grass(
    c: Canvas, rng: Rng, y: float, spread: float, color: Color, *, count: int = 160, height: float = 0.05,
    sway: float = 0.0,
) -> None:  # fmt: skip
    """Blades that stand between y and y + spread, the nearer the taller; `sway` bends them sideways."""
    ys = np.sort(rng.uniform(y, y + spread, count))
    xs, lean, size = rng.uniform(0, c.w, count), rng.normal(0, 0.35, count), rng.uniform(0.5, 1.2, count)
    tones = rng.uniform(-0.25, 0.35, count)
    for bx, by, a, s, tone in zip(xs, ys, lean, size, tones, strict=True):
        h = height * s * (0.4 + 0.8 * (by - y) / max(spread, 1e-6))
        blade = lighter(color, tone) if tone > 0 else darker(color, -tone)
        tip = (bx + (a + sway) * h, by - h)
        c.poly([(bx - h * 0.06, by), tip, (bx + h * 0.06, by)], blade)


def tree(c: Canvas, rng: Rng, x: float, y: float, h: float, leaf: Color, trunk: Color, sway: float = 0.0) -> None:
    """A leafy tree with its foot at (x, y); `sway` (about -1 to 1) leans its crown."""
    bend = sway * h * 0.12
    c.stroke([(x, y), (x + bend * 0.2, y - h * 0.3), (x + bend * 0.6, y - h * 0.6)], h * 0.09, trunk, h * 0.045)
    for side in (-1, 1):
        c.stroke(
            [(x + bend * 0.2, y - h * 0.33), (x + side * h * 0.16 + bend * 0.6, y - h * 0.55)],
            h * 0.04,
            trunk,
            h * 0.02,
        )
    puffs = rng.uniform((-0.3, -0.26, 0.12), (0.3, 0.24, 0.2), (20, 3))
    puffs = puffs[np.argsort(puffs[:, 1])[::-1]]
    cx, cy = x + bend, y - h * 0.7
    c.ellipse(cx, cy, h * 0.27, h * 0.25, darker(leaf, 0.35))
    for dx, dy, r in puffs:
        px, py = cx + dx * h * (1 - abs(dy) * 0.9) + bend * -dy, cy + dy * h
        c.ellipse(px, py, r * h, r * h * 0.86, Ball(lighter(leaf, 0.16 - dy * 0.5), darker(leaf, 0.22), 0.36, 0.2))


def pine(c: Canvas, x: float, y: float, h: float, color: Color, sway: float = 0.0) -> None:
    """A fir with its foot at (x, y)."""
    c.rect(x - h * 0.03, y - h * 0.15, x + h * 0.03, y, darker((96, 70, 52), 0.2))
    for k in range(5):
        low, width = y - h * (0.1 + 0.17 * k), h * (0.25 - 0.042 * k)
        tip = (x + sway * h * 0.05 * (k + 1), low - h * 0.26)
        teeth = [(x + width * (1 - u / 4), low + (h * 0.02 if u % 2 else 0.0)) for u in range(9)]
        c.poly([*teeth, tip], mix(color, darker(color, 0.5), 0.55 - k * 0.12))
        c.poly([(x, low), teeth[0], tip], lighter(color, 0.1), 0.5)


def house(
    c: Canvas, x: float, y: float, w: float, h: float, wall: Color, roof: Color, glow: Color | None = None
) -> None:
    """A gabled house whose front stands on y; lit windows where `glow` is given."""
    c.rect(x, y - h, x + w, y, Fade(lighter(wall, 0.1), darker(wall, 0.14)))
    c.poly(
        [(x - w * 0.1, y - h), (x + w * 0.5, y - h * 1.65), (x + w * 1.1, y - h)],
        Fade(lighter(roof, 0.12), darker(roof, 0.2)),
    )
    c.rect(x + w * 0.72, y - h * 1.6, x + w * 0.84, y - h * 1.15, darker(roof, 0.3))
    pane = glow or mix(wall, (60, 80, 110), 0.7)
    for fx in (0.14, 0.62):
        c.rect(x + w * fx, y - h * 0.8, x + w * (fx + 0.24), y - h * 0.45, lighter(wall, 0.5))
        c.rect(x + w * (fx + 0.02), y - h * 0.78, x + w * (fx + 0.22), y - h * 0.47, pane)
        if glow:
            c.glow(x + w * (fx + 0.12), y - h * 0.62, w * 0.4, glow, 0.35)
    c.rect(x + w * 0.4, y - h * 0.42, x + w * 0.6, y, darker(roof, 0.35))


def skyline(c: Canvas, rng: Rng, y: float, color: Color, lit: Color | None = None) -> None:
    """A row of town houses and towers standing on y, some windows lit."""
    x = -0.05
    while x < c.w + 0.05:
        w, h = rng.uniform(0.07, 0.17), rng.uniform(0.12, 0.34)
        wall = vary(rng, color, 0.05)
        c.rect(x, y - h, x + w, y, Fade(lighter(wall, 0.08), darker(wall, 0.1)))
        for wx in np.arange(x + 0.015, x + w - 0.02, 0.03):
            for wy in np.arange(y - h + 0.02, y - 0.03, 0.04):
                on = rng.random() < 0.45
                c.rect(wx, wy, wx + 0.014, wy + 0.02, lit if lit and on else darker(wall, 0.22))
        x += w + rng.uniform(0.0, 0.02)


def wallpaper(c: Canvas, rng: Rng, color: Color, floor_y: float, floor: Color) -> None:
    """A room: a wall with light falling in from one side, a skirting board, a floor or table."""
    c.rect(-0.1, -0.1, c.w + 0.1, floor_y, Fade(lighter(color, 0.12), darker(color, 0.12)))
    if rng.random() < 0.5:
        for x in np.arange(0.0, c.w, 0.09):
            c.rect(x, -0.1, x + 0.035, floor_y, lighter(color, 0.35), 0.18)
    c.glow(rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.3), 1.0, (255, 244, 214), 0.4)
    c.rect(-0.1, floor_y, c.w + 0.1, 1.1, Fade(lighter(floor, 0.1), darker(floor, 0.25)))
    c.rect(-0.1, floor_y, c.w + 0.1, floor_y + 0.012, lighter(floor, 0.35), 0.7)


def planks(c: Canvas, rng: Rng, y: float, color: Color) -> None:
    """A wooden table top or floor from y down, with grain."""
    c.rect(-0.1, y, c.w + 0.1, 1.1, Fade(lighter(color, 0.14), darker(color, 0.3)))
    for _ in range(26):
        gy, gx, length = y + (1.0 - y) * rng.random() ** 1.4, rng.uniform(-0.2, c.w), rng.uniform(0.2, 0.7)
        wave = rng.uniform(-0.006, 0.006)
        c.stroke([(gx, gy), (gx + length / 2, gy + wave), (gx + length, gy)], 0.003, darker(color, 0.3), 0.001, 0.35)


def fur(
    c: Canvas, rng: Rng, x: float, y: float, rx: float, ry: float, color: Color, *, count: int = 220,
    length: float = 0.03, down: float = 0.6,
) -> None:  # fmt: skip
    """Short hairs over an ellipse, lighter towards its upper left; they point outwards and a little `down`."""
    angle, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    u, v = np.cos(angle) * reach, np.sin(angle) * reach
    for a, b, tone, s in zip(u, v, rng.uniform(-0.2, 0.2, count), rng.uniform(0.5, 1.0, count), strict=True):
        px, py = x + a * rx, y + b * ry
        dx, dy = a * length * s, (b + down) * length * s
        shade = tone + 0.2 * (-a * 0.5 - b * 0.7)
        c.line(
            [(px, py), (px + dx, py + dy)], 0.0035, lighter(color, shade) if shade > 0 else darker(color, -shade), 0.55
        )


def outline(points: list[tuple[float, float]], x: float, y: float, size: float) -> np.ndarray:
    """A smooth closed outline, given in its own units, set at (x, y) and scaled."""
    return smooth(np.array(points) * size + (x, y))
