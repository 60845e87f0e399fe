"""At home: a ticking clock, a door bell, an alarm clock."""

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, turned, vary
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import planks, wallpaper
from assets.scenes.synth import Signal, Synth, bump

WALLS: tuple[Color, ...] = (
    (226, 206, 176),
    (150, 176, 168),
    (196, 166, 176),
    (132, 156, 190),
    (214, 186, 120),
    (172, 186, 140),
)
WOODS: tuple[Color, ...] = ((150, 100, 62), (112, 70, 46), (186, 140, 92), (92, 62, 50))
GAUDY: tuple[Color, ...] = (
    (206, 64, 58),
    (52, 120, 178),
    (240, 180, 62),
    (78, 150, 104),
    (150, 92, 160),
    (238, 236, 228),
)
SKINS: tuple[Color, ...] = ((240, 200, 172), (222, 172, 136), (176, 122, 86), (116, 76, 54))
METAL: tuple[Color, ...] = ((176, 184, 194), (198, 164, 92), (150, 156, 166))
RING_S = 1.8  # how long the alarm rings at each cue


def turns(cues: Cues, t: npt.NDArray[np.floating] | float) -> npt.NDArray[np.floating]:
    """Evenly spaced cues as a count that runs on smoothly between them: 0 at the first, 1 at the second."""
    step = cues[1] - cues[0] if len(cues) > 1 else 1.0
    count: npt.NDArray[np.floating] = (np.asarray(t) - cues[0]) / step
    return count


def _books(c: Canvas, rng: Rng, x: float, end: float, y: float, wood: Color) -> None:
    """A shelf with books on it."""
    c.rect(x - 0.04, y + 0.025, end + 0.04, y + 0.05, (30, 26, 40), 0.25)
    c.rect(x - 0.05, y, end + 0.05, y + 0.028, Fade(lighter(wood, 0.2), darker(wood, 0.2)))
    while x < end:
        w, h, color = rng.uniform(0.022, 0.05), rng.uniform(0.1, 0.16), vary(rng, choose(rng, *GAUDY), 0.15)
        c.rect(x, y - h, x + w - 0.003, y, Fade(lighter(color, 0.12), darker(color, 0.3), sideways=True))
        c.rect(x, y - h * 0.84, x + w - 0.003, y - h * 0.76, lighter(color, 0.5))
        x += w


def _sector(c: Canvas, x: float, y: float, r: float, turn: float) -> tuple[float, float]:
    """The point of a clock's dial at a share of a full turn; clocks run clockwise even where all else is mirrored."""
    a = 2 * np.pi * turn
    return x + (-r if c.mirrored else r) * float(np.sin(a)), y - r * float(np.cos(a))


def _dial(c: Canvas, rng: Rng, x: float, y: float, r: float, seconds: float) -> None:
    """The face of a clock, its hands at a random hour and minute and the given second."""
    face = choose(rng, (250, 248, 238), (250, 240, 214), (236, 244, 248), (44, 48, 60))
    ink = (36, 34, 44) if sum(face) > 400 else (240, 236, 220)
    c.ellipse(x, y, r, r, Ball(lighter(face, 0.3), darker(face, 0.16)))
    for k in range(60):
        c.line([_sector(c, x, y, r * (0.86 if k % 5 == 0 else 0.9), k / 60), _sector(c, x, y, r * 0.95, k / 60)],
               r * (0.03 if k % 5 == 0 else 0.01), ink)  # fmt: skip
    every = 1 if rng.random() < 0.65 else 3
    for hour in range(every, 13, every):
        c.text(*_sector(c, x, y, r * 0.72, hour / 12), str(hour), r * (0.24 if every == 3 else 0.19), ink)
    minutes = rng.uniform(0, 720)
    red = choose(rng, (214, 56, 48), (196, 120, 40), (60, 120, 190))
    hands = ((minutes / 720, 0.48, 0.075, ink), (minutes / 60, 0.74, 0.05, ink), (seconds / 60, 0.82, 0.018, red))
    for shift, alpha in ((0.018, 0.18), (0.0, 1.0)):  # first their shadows
        for turn, reach, width, color in hands:
            a, b = _sector(c, x + shift, y + shift, -r * 0.16, turn), _sector(c, x + shift, y + shift, r * reach, turn)
            along = np.array([a[1] - b[1], b[0] - a[0]]) / (r * (reach + 0.16)) * r * width / 2
            shape = np.stack([a + along, b + along * 0.5, b - along * 0.5, a - along])
            c.poly(shape, color if alpha == 1.0 else (20, 20, 40), alpha)
    c.ellipse(x, y, r * 0.05, r * 0.05, red)


_ticks = regular((0.1, 0.3), (0.5, 1.0))


def _draw_clock(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wood = vary(rng, choose(rng, *WOODS))
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)), 0.86, vary(rng, choose(rng, *WOODS)))
    x, beat, swing = c.w * rng.uniform(0.42, 0.58), since(cues, t), float(np.sin(np.pi * turns(cues, t)))
    shaken = 0.35 * np.exp(-beat * 26) * np.cos(beat * 90) if beat < 1.0 else 0.0
    shown = int(rng.integers(60)) + int(np.sum(cues <= t)) + float(shaken)
    if rng.random() < 0.55:
        y, r = 0.33, 0.2
        c.rect(x - 0.25, 0.08, x + 0.31, 0.97, (20, 16, 30), 0.25, radius=0.03)
        c.poly(
            [(x - 0.29, 0.1), (x - 0.16, 0.06), (x, 0.0), (x + 0.16, 0.06), (x + 0.29, 0.1)],
            Fade(lighter(wood, 0.25), wood),
        )
        c.rect(
            x - 0.27, 0.09, x + 0.27, 0.95, Fade(lighter(wood, 0.15), darker(wood, 0.25), sideways=True), radius=0.015
        )
        c.rect(x - 0.31, 0.93, x + 0.31, 0.98, Fade(lighter(wood, 0.2), darker(wood, 0.3)), radius=0.01)
        c.rect(x - 0.17, 0.57, x + 0.17, 0.9, Fade(darker(wood, 0.75), darker(wood, 0.5)), radius=0.02)
        foot = turned([(x, 0.8)], -0.19 * swing, x, 0.3)[0]
        c.line([(x + (foot[0] - x) * 0.54, 0.57), (foot[0], foot[1])], 0.012, (216, 182, 104))
        c.ellipse(foot[0], foot[1], 0.062, 0.062, Ball((255, 240, 190), (166, 116, 44)))
        c.poly([(x - 0.15, 0.59), (x - 0.05, 0.59), (x - 0.13, 0.88), (x - 0.15, 0.88)], (255, 255, 255), 0.12)
        c.ellipse(x, y, r * 1.13, r * 1.13, Ball((255, 236, 184), (150, 104, 44)))
    else:
        y, r, rim = 0.38, 0.27, vary(rng, choose(rng, *GAUDY, *WOODS))
        c.glow(x + 0.03, y + 0.05, r * 1.6, (24, 20, 40), 0.6)
        c.ellipse(x, y, r * 1.15, r * 1.15, Ball(lighter(rim, 0.35), darker(rim, 0.35)))
        c.ellipse(x, y, r * 1.03, r * 1.03, darker(rim, 0.5))
        _books(c, rng, x - rng.uniform(0.2, 0.45), x + rng.uniform(0.1, 0.4), 0.9, wood)
    _dial(c, rng, x, y, r, shown)


def _sound_clock(s: Synth, cues: Cues) -> Signal:
    out, hz, length = s.noise(-5, 60, 900) * 0.004, s.rng.uniform(1_500, 3_200), 0.09
    case = s.rng.uniform(180, 420)
    for k, at in enumerate(cues):
        pitch = [hz * (1.0 if k % 2 else 0.8) * ratio for ratio in (1.0, 1.53, 2.41, 3.7)]
        for late, gain in ((0.0, 0.45), (0.014, 1.0), (0.031, 0.3)):  # drop, lock and recoil of the escapement
            click = s.modes(pitch, [0.035, 0.028, 0.02, 0.012], [1, 0.8, 0.6, 0.4], length)
            click += s.band(s.white(length), 2_000, 9_000, 1) * bump(s.time(length), 0.0003, 0.012) * 0.8
            click += s.modes([case, case * 2.2], [0.07, 0.05], [0.5, 0.35], length)
            s.place(out, click, at + late, gain * s.rng.uniform(0.92, 1.0))
    return s.room(out, 0.3, 0.16)


_presses = regular((0.35, 0.6), (2.5, 3.2))


def _draw_bell(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    stone = vary(rng, choose(rng, (178, 96, 76), (206, 190, 168), (150, 116, 104), (188, 196, 204)))
    c.rect(-0.1, -0.1, c.w + 0.1, 1.1, lighter(stone, 0.45))
    for row, y in enumerate(np.arange(-0.02, 1.0, 0.062)):
        for x in np.arange(-0.17 * (row % 2) / 2, c.w, 0.17):
            tone = rng.uniform(-0.16, 0.12)
            c.rect(
                x + 0.004, y + 0.004, x + 0.166, y + 0.058, lighter(stone, tone) if tone > 0 else darker(stone, -tone)
            )
    c.glow(0.9, 0.1, 0.9, (255, 236, 190), 0.4)
    paint, frame = (
        vary(rng, choose(rng, (178, 52, 48), (44, 92, 132), (54, 110, 84), (128, 84, 54), (230, 176, 66))),
        (240, 236, 226),
    )
    c.rect(0.12, 0.02, 0.79, 1.1, (16, 14, 26), 0.3)
    c.rect(0.1, 0.0, 0.76, 1.1, Fade(frame, darker(frame, 0.2), sideways=True))
    c.rect(0.15, 0.05, 0.71, 1.1, darker(paint, 0.6))
    c.rect(0.16, 0.06, 0.7, 0.98, Fade(lighter(paint, 0.1), darker(paint, 0.22)))
    for x0, y0, x1, y1 in ((0.21, 0.5, 0.4, 0.9), (0.46, 0.5, 0.65, 0.9)):
        c.rect(x0, y0, x1, y1, darker(paint, 0.3), radius=0.01)
        c.rect(x0 + 0.012, y0 + 0.014, x1, y1, lighter(paint, 0.12), radius=0.01)
        c.rect(x0 + 0.012, y0 + 0.014, x1 - 0.012, y1 - 0.012, paint, radius=0.01)
    arc = np.linspace(np.pi, 2 * np.pi, 20)
    for r, fill in (
        (0.2, lighter(paint, 0.3)),
        (0.185, choose(rng, (255, 214, 136), (140, 170, 196), (255, 230, 180))),
    ):
        c.poly(np.stack([0.43 + r * 1.1 * np.cos(arc), 0.34 + r * 1.1 * np.sin(arc)], 1), fill)
    for k in (1, 2, 3):
        c.line(
            [(0.43, 0.34), (0.43 + 0.2 * np.cos(k * np.pi / 4), 0.34 - 0.2 * np.sin(k * np.pi / 4))],
            0.009,
            lighter(paint, 0.3),
        )
    brass = choose(rng, (214, 176, 92), (190, 196, 204), (150, 106, 66))
    c.rect(0.33, 0.4, 0.53, 0.445, Fade(lighter(brass, 0.4), darker(brass, 0.25)), radius=0.01)
    c.rect(0.35, 0.415, 0.51, 0.43, darker(brass, 0.5), radius=0.005)
    c.ellipse(0.67, 0.56, 0.022, 0.022, Ball(lighter(brass, 0.6), darker(brass, 0.3)))
    c.rect(0.05, 0.97, 0.82, 1.1, Fade((176, 170, 166), (130, 126, 126)))
    c.text(0.97, 0.2, str(int(rng.integers(1, 99))), 0.12, darker(stone, 0.7))
    x, y, ago = 0.98, rng.uniform(0.46, 0.52), since(cues, t)
    near = float(np.min(np.abs(cues - t)))
    pressed = near < 0.18
    c.rect(x - 0.085, y - 0.135, x + 0.115, y + 0.165, (16, 14, 26), 0.35, radius=0.03)
    c.rect(x - 0.1, y - 0.15, x + 0.1, y + 0.15, Fade(lighter(brass, 0.35), darker(brass, 0.25)), radius=0.03)
    c.rect(x - 0.09, y - 0.14, x + 0.09, y + 0.14, Fade(darker(brass, 0.08), lighter(brass, 0.2)), radius=0.025)
    c.rect(x - 0.07, y + 0.075, x + 0.07, y + 0.12, (250, 248, 240), radius=0.006)
    c.line(
        [(x - 0.05, y + 0.098), (x - 0.02, y + 0.09), (x, y + 0.104), (x + 0.02, y + 0.092), (x + 0.05, y + 0.1)],
        0.005,
        (60, 66, 90),
    )
    c.glow(x, y - 0.04, 0.15, (255, 226, 140), 0.9 if pressed else 0.3)
    c.ellipse(x, y - 0.04, 0.062, 0.062, Ball(darker(brass, 0.2), darker(brass, 0.6)))
    c.ellipse(x, y - 0.04, 0.044, 0.044, Ball((255, 255, 250), (255, 196, 96) if pressed else (226, 216, 196)))
    for k in range(3):
        strength = 1.0 - abs(ago * 1.4 - 0.1 - 0.12 * k) / 0.8 if ago < 1.4 else 0.0
        for middle in (np.pi * 1.0, np.pi * 1.5, np.pi * 0.5):
            bow = np.linspace(middle - 0.5, middle + 0.5, 12)
            r = 0.17 + 0.045 * k + 0.02 * min(ago, 1.0)
            points = np.stack([x + r * np.cos(bow), y + (r + 0.02) * np.sin(bow)], 1)
            c.line(points, 0.011, (255, 244, 190), 0.85 * max(min(strength, 1.0), 0.0))
    far = float(np.clip((near - 0.18) / 0.4, 0.0, 1.0)) ** 2
    _pointing(
        c,
        x + 0.01 + 0.3 * far,
        y - 0.03 + 0.5 * far,
        vary(rng, choose(rng, *SKINS), 0.04),
        vary(rng, choose(rng, *GAUDY), 0.1),
    )


def _pointing(c: Canvas, x: float, y: float, skin: Color, sleeve: Color) -> None:
    """A hand from the lower right whose forefinger ends at (x, y)."""
    c.stroke([(x + 0.6, y + 0.62), (x + 0.2, y + 0.23)], 0.16, Fade(lighter(skin, 0.05), darker(skin, 0.12)), 0.11)
    c.stroke([(x + 0.7, y + 0.74), (x + 0.27, y + 0.31)], 0.24, Fade(lighter(sleeve, 0.12), darker(sleeve, 0.2)), 0.17)
    for wide, color in ((0.008, darker(skin, 0.35)), (0.0, lighter(skin, 0.06))):
        c.stroke(
            [(x + 0.15, y + 0.13), (x + 0.075, y + 0.05), (x + 0.012, y + 0.012)], 0.056 + wide, color, 0.034 + wide
        )
    fist = [(0.08, 0.1), (0.13, 0.05), (0.2, 0.09), (0.26, 0.17), (0.24, 0.25), (0.17, 0.27), (0.1, 0.22), (0.07, 0.16)]
    c.blob([(x + dx, y + dy) for dx, dy in fist], Ball(lighter(skin, 0.16), darker(skin, 0.16)))
    for dx, dy in ((0.085, 0.135), (0.1, 0.175), (0.125, 0.215)):
        for wide, color in ((0.007, darker(skin, 0.35)), (0.0, lighter(skin, 0.02))):
            c.stroke(
                [(x + dx + 0.055, y + dy - 0.015), (x + dx + 0.02, y + dy), (x + dx + 0.03, y + dy + 0.018)],
                0.034 + wide,
                color,
                0.03 + wide,
            )
    c.ellipse(x + 0.012, y + 0.006, 0.01, 0.012, lighter(skin, 0.5), 1.0, -0.8)


def _sound_bell(s: Synth, cues: Cues) -> Signal:
    out, hz, later = s.noise(-5, 60, 900) * 0.004, s.rng.uniform(560, 760), s.rng.uniform(0.5, 0.75)
    bright = s.rng.uniform(0.25, 0.6)
    for at in cues:
        for late, note, gain in ((0.0, hz, 1.0), (later, hz * 0.8, 1.1)):  # a major third down: ding, dong
            bar = s.modes([note, note * 1.003, note * 2.0, note * 2.76, note * 5.4], [2.0, 1.8, 1.1, 0.8, 0.3],
                          [0.7, 0.35, 0.3 * bright, bright, 0.5 * bright], 2.2)  # fmt: skip
            plunger = s.band(s.white(0.03), 800, 6_000, 1) * bump(s.time(0.03), 0.0005, 0.02)
            s.place(out, bar, at + late, gain)
            s.place(out, plunger, at + late, 0.8)
    return s.room(out, 0.5, 0.18)


_rings = regular((0.15, 0.4), (2.4, 3.0))


def _draw_alarm(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    dawn = rng.random() < 0.6
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)) if dawn else (70, 80, 124), 0.8, (120, 84, 60))
    wx = rng.uniform(0.05, 0.2)
    sky = Fade((150, 190, 236), (255, 214, 160)) if dawn else Fade((16, 22, 56), (60, 70, 120))
    c.rect(wx - 0.03, 0.03, wx + 0.41, 0.6, (244, 240, 232), radius=0.01)
    c.rect(wx, 0.06, wx + 0.38, 0.57, sky)
    c.glow(wx + 0.2, 0.46 if dawn else 0.2, 0.3, (255, 236, 170) if dawn else (220, 226, 255), 0.9 if dawn else 0.5)
    c.rect(wx + 0.18, 0.05, wx + 0.2, 0.58, (244, 240, 232))
    c.rect(wx, 0.3, wx + 0.38, 0.32, (244, 240, 232))
    cloth = vary(rng, choose(rng, *GAUDY), 0.12)
    for x0, x1 in ((wx - 0.1, wx + 0.05), (wx + 0.35, wx + 0.48)):
        c.poly(
            [(x0, 0), (x1, 0), (x1 - 0.03, 0.68), (x0, 0.68)],
            Fade(lighter(cloth, 0.2), darker(cloth, 0.2), sideways=True),
        )
    lx, shade = c.w - rng.uniform(0.2, 0.26), choose(rng, (255, 226, 160), (250, 200, 150), (236, 240, 230))
    c.rect(lx - 0.012, 0.4, lx + 0.012, 0.82, (110, 90, 70))
    c.poly(
        [(lx - 0.1, 0.14), (lx + 0.1, 0.14), (lx + 0.17, 0.42), (lx - 0.17, 0.42)],
        Fade(lighter(shade, 0.2), darker(shade, 0.12)),
    )
    c.glow(lx, 0.36, 0.55, (255, 220, 140), 0.2 if dawn else 0.6)
    c.soften(0.007)
    planks(c, rng, 0.8, vary(rng, choose(rng, *WOODS)))
    ago = since(cues, t)
    rings = ago < RING_S
    shake = float(np.sin(t * 97)) if rings else 0.0
    x, y, r = c.w * rng.uniform(0.46, 0.54) + 0.006 * shake, 0.56 - 0.004 * abs(shake), rng.uniform(0.23, 0.25)
    color, metal = vary(rng, choose(rng, *GAUDY[:5], (70, 190, 190), (60, 62, 72))), choose(rng, *METAL)
    c.glow(x, 0.86, 0.36, (16, 12, 24), 0.8, 0.05)
    for side in (-1, 1):
        c.stroke([(x + side * r * 0.6, y + r * 0.75), (x + side * r * 0.86, 0.86)], 0.045, darker(color, 0.25), 0.03)
        c.stroke([(x + side * r * 0.5, y - r * 0.8), (x + side * r * 0.72, y - r * 1.2)], 0.022, darker(metal, 0.4))
    c.stroke(
        [
            (x - r * 0.6, y - r * 1.35),
            (x - r * 0.4, y - r * 1.82),
            (x + r * 0.4, y - r * 1.82),
            (x + r * 0.6, y - r * 1.35),
        ],
        0.022,
        darker(metal, 0.25),
    )
    hammer = 0.3 * (float(np.sign(np.sin(t * 61))) if rings else 0.0)
    head = turned([(x, y - r * 1.42)], hammer, x, y - r * 0.9)[0]
    c.line([(x, y - r * 0.9), (head[0], head[1])], 0.014, darker(metal, 0.5))
    c.ellipse(head[0], head[1], 0.03, 0.024, Ball(lighter(metal, 0.4), darker(metal, 0.5)))
    arc = np.linspace(np.pi, 2 * np.pi, 22)
    for side in (-1, 1):
        bx, by = x + side * r * 0.68, y - r * 1.06
        dome = np.stack([bx + r * 0.52 * np.cos(arc), by + r * 0.5 * np.sin(arc)], 1)
        c.poly(turned(dome, side * 0.55, bx, by), Ball(lighter(metal, 0.7), darker(metal, 0.4)))
        knob = turned([(bx, by - r * 0.53)], side * 0.55, bx, by)[0]
        c.ellipse(knob[0], knob[1], 0.016, 0.016, darker(metal, 0.3))
        for k in range(3 if rings else 0):
            bow = np.linspace(-0.55, 0.55, 10) + side * 0.75 - np.pi / 2
            reach = r * (0.78 + 0.2 * k) + 0.01 * shake
            c.line(
                np.stack([bx + reach * np.cos(bow), by + reach * np.sin(bow)], 1),
                0.011,
                (255, 250, 214),
                0.85 - 0.25 * k,
            )
    c.ellipse(x, y, r * 1.17, r * 1.17, Ball(lighter(color, 0.4), darker(color, 0.4)))
    c.ellipse(x, y, r * 1.02, r * 1.02, darker(color, 0.55))
    _dial(c, rng, x, y, r * 0.98, float(rng.integers(60)) + int(t))
    c.stroke(
        [(x - r * 0.8, y - r * 0.1), (x - r * 0.6, y - r * 0.6), (x - r * 0.15, y - r * 0.82)],
        0.03,
        (255, 255, 255),
        0.006,
        0.3,
    )


def _sound_alarm(s: Synth, cues: Cues) -> Signal:
    out, hz, beat = s.silence(), s.rng.uniform(1_500, 2_500), s.rng.uniform(11, 15)
    tick = s.modes([2_900, 4_700], [0.02, 0.015], [1, 0.7], 0.03)
    seconds = np.arange(0.05, s.duration_s, 0.25)
    s.grains(out, tick, seconds, np.full(len(seconds), 0.25))
    strikes = np.concatenate([np.arange(at, at + RING_S, 1 / beat) for at in cues])
    for pitch, late in ((hz, 0.0), (hz * s.rng.uniform(1.06, 1.19), 0.5 / beat)):
        times = strikes + late + s.rng.normal(0, 0.0015, len(strikes))
        bell = s.modes(
            [pitch * ratio for ratio in (1, 1.006, 1.63, 2.34, 3.51)],
            [0.55, 0.5, 0.4, 0.3, 0.2],
            [1, 0.6, 0.5, 0.7, 0.4],
            0.5,
        )
        s.grains(out, bell, times, s.rng.uniform(0.7, 1.0, len(times)))
        s.grains(
            out,
            s.band(s.white(0.02), 1_500, 9_000, 1) * bump(s.time(0.02), 0.0005, 0.015),
            times,
            np.full(len(times), 0.8),
        )
    return out


SCENES = (
    Scene(
        "ticking clock",
        (
            "A clock on the wall ticks away the seconds.",
            "The steady tick-tock of a clock in a quiet room.",
            "An old wooden clock with a swinging pendulum.",
            "A round wall clock with its second hand moving step by step.",
            "Time passes, second by second, as the clock ticks.",
            "A close view of a clock face with numbers and hands.",
        ),
        _draw_clock,
        _sound_clock,
        _ticks,
    ),
    Scene(
        "door bell",
        (
            "A finger presses the bell button beside a front door.",
            "Ding-dong: the door bell rings.",
            "A visitor rings the bell of a house.",
            "Someone is at the door and pushes the door bell.",
            "A two-tone door chime sounds in the hall.",
            "The front door of a house with a bell and a house number beside it.",
        ),
        _draw_bell,
        _sound_bell,
        _presses,
    ),
    Scene(
        "alarm clock ringing",
        (
            "An alarm clock with two bells rings on the bedside table.",
            "The shrill ringing of an old alarm clock.",
            "Time to get up: the alarm clock goes off in the morning.",
            "A wind-up clock shakes as its hammer beats the bells.",
            "A twin-bell alarm clock rattles and rings loudly.",
            "The alarm wakes someone from sleep with its piercing bell.",
        ),
        _draw_alarm,
        _sound_alarm,
        _rings,
    ),
)
