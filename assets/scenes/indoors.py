"""Busy hands indoors: typing on a keyboard, a vacuum cleaner."""

from itertools import pairwise

import numpy as np

from assets.scenes.canvas import (
    Ball,
    Canvas,
    Color,
    Fade,
    choose,
    darker,
    hsv,
    lighter,
    mix,
    smooth,
    vary,
)
from assets.scenes.home import GAUDY, SKINS, WALLS, WOODS, turns
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import planks, wallpaper
from assets.scenes.synth import Signal, Synth, bend, bump


def _keystrokes(rng: Rng, duration_s: float) -> Cues:
    gaps = rng.gamma(5.0, rng.uniform(0.02, 0.03), int(duration_s * 30) + 4) + 0.03
    gaps[rng.random(len(gaps)) < 0.05] += 0.3
    times = 0.1 + np.cumsum(gaps)
    return times[: max(int(np.sum(times < duration_s)), 1)]


def _draw_typing(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)), 0.4, (150, 110, 80))
    planks(c, rng, 0.4, vary(rng, choose(rng, *WOODS)))
    x, laptop, typed = c.w * 0.5, rng.random() < 0.5, int(np.sum(cues <= t))
    low, high, shell = (0.5, 0.02, (186, 192, 200)) if laptop else (0.4, -0.04, (44, 46, 54))
    page, ink = ((248, 249, 251), (84, 92, 108)) if rng.random() < 0.5 else ((28, 32, 46), (196, 206, 220))
    if not laptop:
        c.rect(x - 0.05, 0.38, x + 0.05, 0.47, Fade(shell, darker(shell, 0.4)))
        c.ellipse(x, 0.475, 0.17, 0.026, darker(shell, 0.3))
    c.rect(x - 0.47, high, x + 0.47, low, Fade(lighter(shell, 0.15), darker(shell, 0.3)), radius=0.02)
    c.rect(x - 0.445, high + 0.025, x + 0.445, low - 0.03, page)
    rows = 6 + typed // 26
    lines = rng.uniform((0, 0.4, 0.3, -1), (0.14, 0.84, 0.7, 1), (11, 4))
    for k, (indent, length, word, tone) in enumerate(lines[: rows + 1]):
        y, start, share = high + 0.065 + k * 0.036, x - 0.41 + indent, 1.0 if k < rows else typed % 26 / 26
        if y > low - 0.05:
            break
        color = hsv(tone, 0.5, 0.8) if tone > 0 else ink
        c.rect(start, y - 0.008, start + length * 0.8 * word * share, y + 0.008, color, radius=0.008)
        c.rect(
            start + length * 0.8 * (word + 0.04) * share,
            y - 0.008,
            start + length * 0.8 * share,
            y + 0.008,
            ink,
            radius=0.008,
        )
        if k == rows:
            c.rect(
                start + length * 0.8 * share + 0.01,
                y - 0.014,
                start + length * 0.8 * share + 0.015,
                y + 0.014,
                (90, 150, 255),
            )
    c.glow(x, (high + low) / 2, 0.7, page, 0.12)
    deck = lighter(shell, 0.1)
    c.glow(x, 0.76, 0.75, (16, 14, 26), 0.6, 0.26)
    top, bottom = (0.5, 0.95) if laptop else (0.535, 0.82)
    c.poly([(x - 0.47, top), (x + 0.47, top), (x + 0.56, bottom), (x - 0.56, bottom)], Fade(deck, darker(deck, 0.16)))
    c.poly(
        [(x - 0.56, bottom), (x + 0.56, bottom), (x + 0.555, bottom + 0.02), (x - 0.555, bottom + 0.02)],
        darker(shell, 0.5),
    )
    fingers = rng.integers(0, 8, 64)
    finger = int(fingers[typed % 64]) if since(cues, t) < 0.12 else -1
    cap = choose(rng, (48, 50, 58), (236, 238, 242), (70, 84, 110))
    for row in range(5):
        y, h, half = top + 0.03 + row * 0.049, 0.036, 0.44 + 0.012 * row
        edges = (
            np.linspace(-half, half, 14)
            if row < 4
            else np.array([-1, -0.82, -0.6, -0.42, 0.34, 0.52, 0.7, 0.86, 1]) * half
        )
        down = {(2, 1 + finger + 2 * (finger > 3))} if finger >= 0 else set()
        for k, (a, b) in enumerate(pairwise(edges)):
            sink = 0.006 if (row, k) in down else 0.0
            c.rect(x + a + 0.004, y + 0.008, x + b - 0.004, y + h + 0.007, darker(cap, 0.55), radius=0.007)
            c.rect(
                x + a + 0.005, y + sink, x + b - 0.005, y + h + sink, lighter(cap, 0.4 if sink else 0.08), radius=0.007
            )
            if row < 4:
                c.rect(
                    x + (a + b) / 2 - 0.006,
                    y + 0.012 + sink,
                    x + (a + b) / 2 + 0.006,
                    y + 0.018 + sink,
                    mix(cap, (130, 160, 190), 0.7),
                )
    skin, sleeve = vary(rng, choose(rng, *SKINS), 0.04), vary(rng, choose(rng, *GAUDY), 0.1)
    for side in (-1, 1):
        _hand(c, x, top, side, skin, sleeve, (finger if side < 0 else 7 - finger) if finger >= 0 else -1, t)


def _hand(c: Canvas, x: float, top: float, side: int, skin: Color, sleeve: Color, pressed: int, t: float) -> None:
    """A hand seen from above that lies on its half of the keys; `pressed` 0 is the little finger, 3 the forefinger."""
    px, py = x + side * 0.225, top + 0.33 + 0.004 * float(np.sin(t * 5 + side))
    c.stroke(
        [(x + side * 0.47, 1.25), (px + side * 0.05, py + 0.08)],
        0.15,
        Fade(lighter(skin, 0.05), darker(skin, 0.1)),
        0.1,
    )
    c.stroke(
        [(x + side * 0.5, 1.3), (px + side * 0.09, py + 0.16)],
        0.2,
        Fade(lighter(sleeve, 0.1), darker(sleeve, 0.2)),
        0.16,
    )
    c.stroke(
        [(px - side * 0.04, py + 0.04), (px - side * 0.105, py), (px - side * 0.13, py - 0.06)],
        0.05,
        darker(skin, 0.1),
        0.034,
    )
    for k, (dx, up) in enumerate(((0.1, 0.13), (0.045, 0.18), (-0.015, 0.19), (-0.075, 0.165))):
        lift = 0.0 if k == pressed else 0.012 + 0.004 * float(np.sin(t * 7 + k * 2))
        tip, mid = (px + side * dx * 1.3, py - up - lift), (px + side * dx * 1.25, py - up * 0.62 - lift * 1.5)
        for wide, color in ((0.007, darker(skin, 0.32)), (0.0, lighter(skin, 0.04))):
            c.stroke([(px + side * dx * 0.85, py), mid, tip], 0.044 + wide, color, 0.031 + wide)
        c.ellipse(tip[0], tip[1] - 0.003, 0.0095, 0.012, lighter(skin, 0.5))
    back = [
        (0.13, -0.035),
        (0.06, -0.06),
        (-0.03, -0.06),
        (-0.1, -0.03),
        (-0.085, 0.06),
        (-0.01, 0.13),
        (0.1, 0.12),
        (0.13, 0.05),
    ]
    c.blob([(px + side * dx, py + dy) for dx, dy in back], Ball(lighter(skin, 0.16), darker(skin, 0.12), 0.5, 0.3))


def _sound_typing(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 60, 800) * 0.012
    clicky, hz = s.rng.uniform(0.2, 1.0), s.rng.uniform(1_400, 2_600)
    fade = bump(s.time(0.06), 0.0005, 0.02) * (0.6 + clicky)
    clicks = [s.band(s.white(0.06), 1_500, 8_000, 1) * fade for _ in range(8)]
    thuds = [s.modes([190, 330], [0.06, 0.04], [0.7 + space, 0.5], 0.06) for space in (0, 1)]
    for at in cues:
        space, hard = s.rng.random() < 0.16, s.rng.uniform(0.6, 1.0)
        pitch = hz * s.rng.uniform(0.85, 1.15) * (0.6 if space else 1.0)
        for late, gain in ((0.0, 1.0), (s.rng.uniform(0.06, 0.1), 0.35)):  # the key goes down, and comes up
            key = clicks[int(s.rng.integers(8))] + thuds[int(space)]
            key += s.modes([pitch, pitch * 1.8, pitch * 2.9], [0.03, 0.02, 0.015], [0.5, 0.5, 0.4 * clicky], 0.06)
            s.place(out, key, at + late, gain * hard)
    return s.room(out, 0.22, 0.1)


_strokes = regular((0.1, 0.5), (1.3, 1.9))


def _draw_vacuum(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)), 0.52, vary(rng, choose(rng, *WOODS)))
    sofa, rug = (
        vary(rng, choose(rng, *GAUDY[:5]), 0.1),
        vary(rng, choose(rng, (176, 84, 74), (88, 112, 148), (190, 170, 140), (110, 130, 100))),
    )
    sx = rng.uniform(0.05, 0.3)
    c.rect(sx, 0.2, sx + 0.62, 0.5, Fade(lighter(sofa, 0.15), darker(sofa, 0.15)), radius=0.05)
    for k in (0, 1):
        c.rect(sx + 0.04 + 0.27 * k, 0.37, sx + 0.31 + 0.27 * k, 0.47, Fade(lighter(sofa, 0.25), sofa), radius=0.03)
        c.rect(
            sx - 0.05 + 0.61 * k,
            0.32,
            sx + 0.06 + 0.61 * k,
            0.54,
            Fade(lighter(sofa, 0.2), darker(sofa, 0.25)),
            radius=0.04,
        )
    c.rect(sx, 0.46, sx + 0.62, 0.54, darker(sofa, 0.2), radius=0.02)
    c.soften(0.004)
    c.poly(
        [(0.06, 0.6), (c.w - 0.06, 0.6), (c.w + 0.12, 0.98), (-0.12, 0.98)], Fade(darker(rug, 0.1), lighter(rug, 0.1))
    )
    c.poly([(0.12, 0.62), (c.w - 0.12, 0.62), (c.w, 0.95), (0.0, 0.95)], lighter(rug, 0.22))
    c.poly([(0.135, 0.63), (c.w - 0.135, 0.63), (c.w - 0.02, 0.94), (0.02, 0.94)], rug)
    phase = float(turns(cues, t))
    nx, ny = 0.4 + 0.15 * float(np.cos(2 * np.pi * phase)), 0.84
    c.poly([(0.22, 0.78), (0.66, 0.78), (0.66, 0.87), (0.2, 0.87)], lighter(rug, 0.35), 0.6)  # already swept
    for x, y, r in rng.uniform((0.1, 0.65, 0.003), (c.w - 0.1, 0.93, 0.007), (60, 3)):
        if not (0.78 < y < 0.88 and 0.2 < x < 0.66):
            c.ellipse(x, y, r * 1.4, r * 0.8, lighter(rug, 0.65) if r > 0.005 else darker(rug, 0.5))
    for late, dy in rng.uniform((0, -0.04), (1, 0.03), (9, 2)):  # fluff on its way in
        u = (t * 2.2 + late) % 1.0
        c.ellipse(nx - 0.13 - 0.12 * (1 - u), ny + dy * (1 - u), 0.005, 0.004, lighter(rug, 0.7))
    coat, bx, by = vary(rng, choose(rng, *GAUDY[:5]), 0.1), c.w - 0.36, 0.76
    grip = (nx + 0.27, 0.26)
    hose = [
        (bx - 0.1, by - 0.06),
        (bx - 0.14, by - 0.22),
        (bx + 0.02, by - 0.4),
        (bx - 0.03, 0.2),
        (grip[0] + 0.09, 0.17),
        grip,
    ]
    c.glow(bx + 0.02, by + 0.12, 0.3, (16, 14, 26), 0.8, 0.05)
    path = smooth(hose, closed=False, steps=9)
    c.stroke(hose, 0.044, (52, 54, 64), 0.04)
    across = np.gradient(path, axis=0)[:, ::-1] * (-1, 1)
    across *= 0.019 / np.hypot(*across.T)[:, None]
    for p, d in zip(path, across, strict=True):
        c.line([p - d, p + d], 0.007, (108, 112, 124))
    body = [
        (-0.2, 0.02),
        (-0.15, -0.1),
        (0.0, -0.15),
        (0.15, -0.11),
        (0.22, 0.0),
        (0.2, 0.1),
        (0.0, 0.12),
        (-0.18, 0.1),
    ]
    c.blob([(bx + dx, by + dy) for dx, dy in body], Ball(lighter(coat, 0.35), darker(coat, 0.35)))
    c.blob(
        [
            (bx - 0.2, by + 0.04),
            (bx, by + 0.06),
            (bx + 0.21, by + 0.04),
            (bx + 0.19, by + 0.12),
            (bx, by + 0.135),
            (bx - 0.18, by + 0.12),
        ],
        (46, 48, 58),
    )
    c.stroke([(bx - 0.1, by - 0.12), (bx, by - 0.19), (bx + 0.1, by - 0.13)], 0.024, (46, 48, 58))
    c.ellipse(bx - 0.02, by - 0.06, 0.055, 0.03, Ball((226, 236, 244), (120, 140, 160)), 0.9)
    for dx, r in ((0.12, 0.085), (-0.14, 0.045)):
        c.ellipse(bx + dx, by + 0.135 - r * 0.4, r, r, Ball((92, 96, 108), (24, 26, 34)))
        c.ellipse(bx + dx, by + 0.135 - r * 0.4, r * 0.5, r * 0.5, Ball(lighter(coat, 0.3), darker(coat, 0.2)))
    sleeve, skin = vary(rng, choose(rng, *GAUDY), 0.1), vary(rng, choose(rng, *SKINS), 0.04)
    for width, shift, color in (
        (0.04, 0.0, (96, 102, 114)),
        (0.03, -0.003, (176, 184, 196)),
        (0.01, -0.008, (250, 252, 255)),
    ):
        c.stroke([(nx + shift, ny - 0.02), (grip[0] + shift, grip[1])], width, color)
    c.glow(nx - 0.02, ny + 0.035, 0.2, (16, 14, 26), 0.7, 0.03)
    c.poly(
        [
            (nx - 0.16, ny + 0.04),
            (nx - 0.13, ny - 0.005),
            (nx - 0.04, ny - 0.04),
            (nx + 0.04, ny - 0.04),
            (nx + 0.1, ny),
            (nx + 0.11, ny + 0.04),
        ],
        Fade((92, 96, 108), (30, 32, 40)),
    )
    c.rect(nx - 0.165, ny + 0.03, nx + 0.115, ny + 0.045, coat, radius=0.006)
    c.stroke([(grip[0] - 0.05, grip[1] + 0.11), grip, (grip[0] + 0.09, 0.17)], 0.042, (46, 48, 58))
    c.stroke(
        [(grip[0] - 0.2, -0.25), (grip[0] - 0.1, 0.06), (grip[0] - 0.02, 0.2)],
        0.2,
        Fade(lighter(sleeve, 0.12), darker(sleeve, 0.2)),
        0.11,
    )
    c.blob(
        [
            (grip[0] + dx, grip[1] + dy)
            for dx, dy in ((-0.07, -0.06), (0.0, -0.1), (0.06, -0.06), (0.05, 0.02), (0.0, 0.05), (-0.06, 0.03))
        ],
        Ball(lighter(skin, 0.2), darker(skin, 0.15)),
    )
    for k in range(3):
        c.line(
            [
                (grip[0] - 0.03 + k * 0.025, grip[1] + 0.03 - k * 0.013),
                (grip[0] + 0.0 + k * 0.022, grip[1] - 0.01 - k * 0.014),
            ],
            0.005,
            darker(skin, 0.3),
        )


def _sound_vacuum(s: Synth, cues: Cues) -> Signal:
    push = np.cos(2 * np.pi * turns(cues, s.t)).astype(np.float32)
    phase = s.phase(s.rng.uniform(190, 330) * (1 + 0.02 * push) * bend(s.n, (0, 0.93), (0.1, 1), (1, 1)))
    whine = sum(
        g * np.sin(np.float32(k) * phase + k)
        for k, g in ((1, 0.5), (2, 0.34), (3, 0.3), (4, 0.16), (6, 0.12), (9, 0.09))
    )
    rush = s.noise(-1.5, 250, 7_000)
    low, high = s.rng.uniform(500, 800), s.rng.uniform(1_800, 2_600)
    out: Signal = (
        0.55 * whine
        + rush * (0.75 + 0.22 * push)
        + 0.9 * s.band(rush, low, low * 1.6)
        + 0.7 * s.band(rush, high, high * 1.4)
    )
    for at in cues:  # it knocks at the end of a stroke
        s.place(out, s.modes([140, 310, 690], [0.12, 0.08, 0.05], [1, 0.7, 0.4], 0.12), at, s.rng.uniform(0.3, 1.2))
    return out


SCENES = (
    Scene(
        "typing on a keyboard",
        (
            "Two hands type quickly on a computer keyboard.",
            "The clicking of keys as someone types at a desk.",
            "A person writes a text on a laptop.",
            "Fingers clatter over the keyboard while words appear on the screen.",
            "Fast typing in an office.",
            "Somebody works at the computer, tapping key after key.",
        ),
        _draw_typing,
        _sound_typing,
        _keystrokes,
        still_s=0.02,
    ),
    Scene(
        "vacuum cleaner",
        (
            "Someone vacuums the carpet in the living room.",
            "The loud droning whine of a vacuum cleaner.",
            "A vacuum cleaner with a long hose sucks up the dust on a rug.",
            "Cleaning the floor with a roaring hoover.",
            "The nozzle of the vacuum slides back and forth over the carpet.",
            "Household noise: the vacuum cleaner is running.",
        ),
        _draw_vacuum,
        _sound_vacuum,
        _strokes,
    ),
)
