"""In and about the home: a clock, a washing machine, a keyboard, a door bell, a tap, a vacuum cleaner, an alarm."""

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix, oval, smooth, turned, vary
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import planks, wallpaper
from assets.scenes.synth import Signal, Synth, bend, bump

WALLS: tuple[Color, ...] = ((226, 206, 176), (150, 176, 168), (196, 166, 176), (132, 156, 190), (214, 186, 120), (172, 186, 140))
WOODS: tuple[Color, ...] = ((150, 100, 62), (112, 70, 46), (186, 140, 92), (92, 62, 50))
GAUDY: tuple[Color, ...] = ((206, 64, 58), (52, 120, 178), (240, 180, 62), (78, 150, 104), (150, 92, 160), (238, 236, 228))
SKINS: tuple[Color, ...] = ((240, 200, 172), (222, 172, 136), (176, 122, 86), (116, 76, 54))
METAL: tuple[Color, ...] = ((176, 184, 194), (198, 164, 92), (150, 156, 166))
RING_S = 1.8  # how long the alarm rings at each cue


def _turns(cues: Cues, t: npt.NDArray[np.floating] | float) -> npt.NDArray[np.floating]:
    """Evenly spaced cues as a count that runs on smoothly between them: 0 at the first, 1 at the second."""
    step = cues[1] - cues[0] if len(cues) > 1 else 1.0
    return (np.asarray(t) - cues[0]) / step


def _tiles(c: Canvas, rng: Rng, color: Color, bottom: float) -> None:
    """A wall of glazed tiles."""
    size, joint = rng.uniform(0.1, 0.17), lighter(color, 0.55)
    c.rect(-0.1, -0.1, c.w + 0.1, bottom, Fade(lighter(color, 0.12), darker(color, 0.14)))
    for x in np.arange(0.0, c.w, size):
        for y in np.arange(bottom - size, -size, -size):
            tone = rng.uniform(0.0, 0.16)
            c.rect(x, y, x + size, y + size, darker(color, 0.5), tone)
            c.line([(x + 0.012, y + size - 0.012), (x + 0.012, y + 0.012), (x + size - 0.02, y + 0.012)], 0.004, joint, 0.5)
    for x in np.arange(0.0, c.w + 0.1, size):
        c.line([(x, -0.1), (x, bottom)], 0.006, joint)
    for y in np.arange(bottom, -0.1, -size):
        c.line([(-0.1, y), (c.w + 0.1, y)], 0.006, joint)
    c.glow(rng.uniform(0.1, 0.5), 0.1, 0.8, (255, 252, 236), 0.4)


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
            c.poly([a + along, b + along * 0.5, b - along * 0.5, a - along], color if alpha == 1.0 else (20, 20, 40), alpha)
    c.ellipse(x, y, r * 0.05, r * 0.05, red)


_ticks = regular((0.1, 0.3), (0.5, 1.0))


def _draw_clock(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wood = vary(rng, choose(rng, *WOODS))
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)), 0.86, vary(rng, choose(rng, *WOODS)))
    x, beat, swing = c.w * rng.uniform(0.42, 0.58), since(cues, t), float(np.sin(np.pi * _turns(cues, t)))
    shaken = 0.35 * np.exp(-beat * 26) * np.cos(beat * 90) if beat < 1.0 else 0.0
    shown = int(rng.integers(60)) + int(np.sum(cues <= t)) + float(shaken)
    if rng.random() < 0.55:
        y, r = 0.33, 0.2
        c.rect(x - 0.25, 0.08, x + 0.31, 0.97, (20, 16, 30), 0.25, radius=0.03)
        c.poly([(x - 0.29, 0.1), (x - 0.16, 0.06), (x, 0.0), (x + 0.16, 0.06), (x + 0.29, 0.1)], Fade(lighter(wood, 0.25), wood))
        c.rect(x - 0.27, 0.09, x + 0.27, 0.95, Fade(lighter(wood, 0.15), darker(wood, 0.25), sideways=True), radius=0.015)
        c.rect(x - 0.31, 0.93, x + 0.31, 0.98, Fade(lighter(wood, 0.2), darker(wood, 0.3)), radius=0.01)
        c.rect(x - 0.17, 0.57, x + 0.17, 0.9, Fade(darker(wood, 0.75), darker(wood, 0.5)), radius=0.02)
        foot = turned([(x, 0.8)], -0.34 * swing, x, 0.3)[0]
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
    out, hz, length = s.silence(), s.rng.uniform(1_500, 3_200), 0.09
    case = s.rng.uniform(180, 420)
    for k, at in enumerate(cues):
        pitch = hz * (1.0 if k % 2 else 0.8) * np.array([1.0, 1.53, 2.41, 3.7])
        for late, gain in ((0.0, 0.45), (0.014, 1.0), (0.031, 0.3)):  # drop, lock and recoil of the escapement
            click = s.modes(pitch, [0.035, 0.028, 0.02, 0.012], [1, 0.8, 0.6, 0.4], length)
            click += s.band(s.white(length), 2_000, 9_000, 1) * bump(s.time(length), 0.0003, 0.012) * 0.8
            click += s.modes([case, case * 2.2], [0.07, 0.05], [0.5, 0.35], length)
            s.place(out, click, at + late, gain * s.rng.uniform(0.92, 1.0))
    return s.room(out, 0.3, 0.16)


_drum = regular((0.1, 0.4), (0.9, 1.3))


def _draw_washer(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    _tiles(c, rng, vary(rng, choose(rng, (170, 200, 210), (206, 214, 206), (186, 196, 222), (222, 206, 190))), 0.86)
    c.rect(-0.1, 0.86, c.w + 0.1, 1.1, Fade(*(vary(rng, color) for color in ((156, 150, 150), (104, 100, 108)))))
    x, body = c.w * rng.uniform(0.46, 0.54) + 0.0025 * float(np.sin(t * 67)), choose(rng, (246, 247, 250), (246, 247, 250), (150, 156, 166))
    c.glow(x, 0.95, 0.5, (20, 20, 36), 0.8, 0.07)
    c.rect(x - 0.35, 0.15, x + 0.35, 0.95, Fade(body, darker(body, 0.2), sideways=True), radius=0.025)
    c.rect(x - 0.36, 0.135, x + 0.36, 0.165, Fade(lighter(body, 0.4), darker(body, 0.1)), radius=0.01)
    c.rect(x - 0.35, 0.295, x + 0.35, 0.3, darker(body, 0.3))
    c.rect(x - 0.31, 0.19, x - 0.1, 0.275, Fade(lighter(body, 0.3), darker(body, 0.08)), radius=0.012)
    c.rect(x - 0.26, 0.245, x - 0.15, 0.262, darker(body, 0.35), radius=0.008)
    c.ellipse(x + 0.01, 0.232, 0.048, 0.048, darker(body, 0.3))
    c.ellipse(x + 0.01, 0.229, 0.042, 0.042, Ball((255, 255, 255), darker(body, 0.25)))
    c.line([(x + 0.01, 0.229), (x + 0.035, 0.2)], 0.007, (60, 66, 80))
    c.rect(x + 0.1, 0.2, x + 0.24, 0.265, (22, 28, 38), radius=0.008)
    c.text(x + 0.17, 0.232, f"{int(rng.integers(0, 2))}:{int(rng.integers(10, 59))}", 0.045, choose(rng, (120, 255, 170), (255, 170, 90), (130, 210, 255)))
    for k in range(3):
        c.ellipse(x + 0.27 + k * 0.025, 0.232, 0.008, 0.008, (90, 220, 120) if k == 0 else darker(body, 0.3))
    _porthole(c, rng, x, 0.6, float(_turns(cues, t)), body)
    for k, color in enumerate(GAUDY[int(rng.integers(3)) :][:2]):
        bx = x + 0.16 + k * 0.11
        c.rect(bx - 0.045, 0.0, bx + 0.045, 0.137, Fade(lighter(color, 0.2), darker(color, 0.25), sideways=True), radius=0.02)
        c.rect(bx - 0.022, -0.04, bx + 0.022, 0.005, lighter(color, 0.6), radius=0.005)
        c.ellipse(bx, 0.075, 0.03, 0.032, lighter(color, 0.75))
    bx, cane = x - 0.52, vary(rng, (196, 152, 100))
    for dx, dy, r, tone in zip((-0.09, 0.07, 0.0, -0.02), (0.7, 0.7, 0.67, 0.71), (0.07, 0.08, 0.07, 0.06), rng.permutation(len(GAUDY)), strict=False):
        c.ellipse(bx + dx, dy, r * 1.2, r, Ball(lighter(GAUDY[tone], 0.2), darker(GAUDY[tone], 0.25)))
    c.poly([(bx - 0.17, 0.71), (bx + 0.17, 0.71), (bx + 0.13, 0.97), (bx - 0.13, 0.97)], Fade(lighter(cane, 0.15), darker(cane, 0.3)))
    for y in np.arange(0.735, 0.96, 0.034):
        c.line([(bx - 0.16, y), (bx + 0.16, y)], 0.007, darker(cane, 0.35), 0.6)


def _porthole(c: Canvas, rng: Rng, x: float, y: float, turns: float, body: Color) -> None:
    """The round door, laundry tumbling in suds behind its glass."""
    c.ellipse(x, y, 0.255, 0.255, Ball((255, 255, 255), darker(body, 0.45)))
    c.ellipse(x, y, 0.225, 0.225, Ball((96, 102, 116), (44, 48, 60)))
    c.ellipse(x, y, 0.196, 0.196, Ball((120, 132, 150), (30, 36, 52)))
    for k, r in ((k, r) for r in (0.09, 0.14, 0.175) for k in range(14)):
        c.ellipse(*turned([(x + r, y)], 2 * np.pi * (turns + k / 14), x, y)[0], 0.006, 0.006, (24, 28, 40))
    a = np.linspace(0.12, np.pi - 0.12, 24)
    c.poly(np.stack([x + 0.19 * np.cos(a), y + 0.19 * np.sin(a)], 1), Fade((150, 200, 232), (84, 140, 190)), 0.75)
    for k, spin in enumerate(rng.uniform(0, 6.3, 9)):
        color, reach = vary(rng, choose(rng, *GAUDY), 0.12), rng.uniform(0.03, 0.1)
        angle = 2 * np.pi * turns + spin + 0.5 * float(np.sin(2 * np.pi * turns + k))  # each lags, then tumbles
        px, py = x + reach * np.cos(angle), y + 0.03 + reach * np.sin(angle)
        lumps = rng.uniform(0.045, 0.085, 7)
        around = angle * 1.3 + np.arange(7) * 2 * np.pi / 7
        c.blob(np.stack([px + lumps * np.cos(around), py + lumps * np.sin(around)], 1), Ball(lighter(color, 0.2), darker(color, 0.3)))
        c.stroke([(px - 0.03, py - 0.01), (px, py + 0.012), (px + 0.035, py)], 0.004, darker(color, 0.45), 0.001, 0.6)
    for dx, r, late in rng.uniform((-0.14, 0.008, 0), (0.14, 0.024, 6.3), (22, 3)):
        dy = 0.05 * np.sin(2 * np.pi * turns + late) * 0.4 + 0.12 * (1 - (dx / 0.15) ** 2) - 0.02
        c.ellipse(x + dx, y + dy, r, r, Ball((255, 255, 255), (214, 232, 246)), 0.75)
    c.stroke([(x - 0.15, y + 0.03), (x - 0.125, y - 0.09), (x - 0.03, y - 0.155)], 0.02, (255, 255, 255), 0.004, 0.45)
    c.rect(x + 0.215, y - 0.05, x + 0.245, y + 0.05, Fade((240, 242, 246), (130, 136, 148), sideways=True), radius=0.01)


def _sound_washer(s: Synth, cues: Cues) -> Signal:
    turn = 2 * np.pi * _turns(cues, s.t).astype(np.float32)
    phase = s.phase(s.rng.uniform(85, 125) * (1 + 0.05 * np.sin(turn)))
    whine = s.rng.uniform(5, 9) // 1
    motor = np.sin(phase) + 0.5 * np.sin(2 * phase + 1) + 0.25 * np.sin(3 * phase) + 0.13 * np.sin(whine * phase)
    load = 0.6 + 0.4 * np.sin(turn + 1)
    out = 0.32 * motor * load + s.noise(-5, 60, 1_200) * 0.45 * (0.75 + 0.25 * np.sin(2 * turn))
    out += s.noise(-2, 500, 5_000) * (0.08 + 0.5 * np.maximum(np.sin(turn), 0) ** 2 * s.wander(12, 0.2, 1.0))
    for at in cues:  # wet laundry falls back into the water, which gurgles
        s.place(out, s.noise(-5, 50, 500, 0.3) * bump(s.time(0.3), 0.015, 0.25), at, s.rng.uniform(1.0, 1.6))
        for late in s.rng.uniform(0.05, 0.45, 5):
            t = s.time(0.07)
            blub = np.sin(s.phase(s.rng.uniform(280, 620) * (1 + 9 * t), len(t))) * bump(t, 0.006, 0.07)
            s.place(out, blub, at + late, s.rng.uniform(0.15, 0.45))
    return out


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
    rows = 4 + typed // 26
    for k, (indent, length, word) in enumerate(rng.uniform((0, 0.4, 0.3), (0.14, 0.84, 0.7), (11, 3))[: rows + 1]):
        y, start, share = high + 0.065 + k * 0.036, x - 0.41 + indent, 1.0 if k < rows else typed % 26 / 26
        if y > low - 0.05:
            break
        color = hsv(word * 3, 0.5, 0.8) if rng.random() < 0.5 else ink
        c.rect(start, y - 0.008, start + length * 0.8 * word * share, y + 0.008, color, radius=0.008)
        c.rect(start + length * 0.8 * (word + 0.04) * share, y - 0.008, start + length * 0.8 * share, y + 0.008, ink, radius=0.008)
        if k == rows:
            c.rect(start + length * 0.8 * share + 0.01, y - 0.014, start + length * 0.8 * share + 0.015, y + 0.014, (90, 150, 255))
    c.glow(x, (high + low) / 2, 0.7, page, 0.12)
    deck = lighter(shell, 0.1)
    c.glow(x, 0.76, 0.75, (16, 14, 26), 0.6, 0.26)
    top, bottom = (0.5, 0.95) if laptop else (0.535, 0.82)
    c.poly([(x - 0.47, top), (x + 0.47, top), (x + 0.56, bottom), (x - 0.56, bottom)], Fade(deck, darker(deck, 0.16)))
    c.poly([(x - 0.56, bottom), (x + 0.56, bottom), (x + 0.555, bottom + 0.02), (x - 0.555, bottom + 0.02)], darker(shell, 0.5))
    finger = rng.integers(0, 8, 64)[typed % 64] if since(cues, t) < 0.12 else -1
    cap = choose(rng, (48, 50, 58), (236, 238, 242), (70, 84, 110))
    for row in range(5):
        y, h, half = top + 0.03 + row * 0.049, 0.036, 0.44 + 0.012 * row
        edges = np.linspace(-half, half, 14) if row < 4 else np.array([-1, -0.82, -0.6, -0.42, 0.34, 0.52, 0.7, 0.86, 1]) * half
        down = {(2, 1 + int(finger) + 2 * (finger > 3))} if finger >= 0 else set()
        for k, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            sink = 0.006 if (row, k) in down else 0.0
            c.rect(x + a + 0.004, y + 0.008, x + b - 0.004, y + h + 0.007, darker(cap, 0.55), radius=0.007)
            c.rect(x + a + 0.005, y + sink, x + b - 0.005, y + h + sink, lighter(cap, 0.4 if sink else 0.08), radius=0.007)
            if row < 4:
                c.rect(x + (a + b) / 2 - 0.006, y + 0.012 + sink, x + (a + b) / 2 + 0.006, y + 0.018 + sink, mix(cap, (130, 160, 190), 0.7))
    skin, sleeve = vary(rng, choose(rng, *SKINS), 0.04), vary(rng, choose(rng, *GAUDY), 0.1)
    for side in (-1, 1):
        _hand(c, x, top, side, skin, sleeve, (int(finger) if side < 0 else 7 - int(finger)) if finger >= 0 else -1, t)


def _hand(c: Canvas, x: float, top: float, side: int, skin: Color, sleeve: Color, pressed: int, t: float) -> None:
    """A hand seen from above that lies over its half of the keys; `pressed` 0 is the little finger, 3 the forefinger."""
    px, py = x + side * 0.225, top + 0.33 + 0.004 * float(np.sin(t * 5 + side))
    c.stroke([(x + side * 0.47, 1.25), (px + side * 0.05, py + 0.08)], 0.15, Fade(lighter(skin, 0.05), darker(skin, 0.1)), 0.1)
    c.stroke([(x + side * 0.5, 1.3), (px + side * 0.09, py + 0.16)], 0.2, Fade(lighter(sleeve, 0.1), darker(sleeve, 0.2)), 0.16)
    c.stroke([(px - side * 0.04, py + 0.04), (px - side * 0.105, py), (px - side * 0.13, py - 0.06)], 0.05, darker(skin, 0.1), 0.034)
    for k, (dx, up) in enumerate(((0.1, 0.13), (0.045, 0.18), (-0.015, 0.19), (-0.075, 0.165))):
        lift = 0.0 if k == pressed else 0.012 + 0.004 * float(np.sin(t * 7 + k * 2))
        tip, mid = (px + side * dx * 1.3, py - up - lift), (px + side * dx * 1.25, py - up * 0.62 - lift * 1.5)
        for wide, color in ((0.007, darker(skin, 0.32)), (0.0, lighter(skin, 0.04))):
            c.stroke([(px + side * dx * 0.85, py), mid, tip], 0.044 + wide, color, 0.031 + wide)
        c.ellipse(tip[0], tip[1] - 0.003, 0.0095, 0.012, lighter(skin, 0.5))
    back = [(0.13, -0.035), (0.06, -0.06), (-0.03, -0.06), (-0.1, -0.03), (-0.085, 0.06), (-0.01, 0.13), (0.1, 0.12), (0.13, 0.05)]
    c.blob([(px + side * dx, py + dy) for dx, dy in back], Ball(lighter(skin, 0.16), darker(skin, 0.12), 0.5, 0.3))


def _sound_typing(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 60, 800) * 0.012
    clicky, hz = s.rng.uniform(0.2, 1.0), s.rng.uniform(1_400, 2_600)
    for at in cues:
        space, hard = s.rng.random() < 0.16, s.rng.uniform(0.6, 1.0)
        pitch = hz * s.rng.uniform(0.85, 1.15) * (0.6 if space else 1.0)
        for late, gain in ((0.0, 1.0), (s.rng.uniform(0.06, 0.1), 0.35)):  # the key goes down, and comes up
            key = s.band(s.white(0.06), 1_500, 8_000, 1) * bump(s.time(0.06), 0.0005, 0.02) * (0.6 + clicky)
            key += s.modes([pitch, pitch * 1.8, pitch * 2.9], [0.03, 0.02, 0.015], [0.5, 0.5, 0.4 * clicky], 0.06)
            key += s.modes([190, 330], [0.06, 0.04], [0.7 + space, 0.5], 0.06)
            s.place(out, key, at + late, gain * hard)
    return s.room(out, 0.22, 0.1)


_presses = regular((0.35, 0.6), (2.5, 3.2))


def _draw_bell(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    stone = vary(rng, choose(rng, (178, 96, 76), (206, 190, 168), (150, 116, 104), (188, 196, 204)))
    c.rect(-0.1, -0.1, c.w + 0.1, 1.1, lighter(stone, 0.45))
    for row, y in enumerate(np.arange(-0.02, 1.0, 0.062)):
        for x in np.arange(-0.17 * (row % 2) / 2, c.w, 0.17):
            tone = rng.uniform(-0.16, 0.12)
            c.rect(x + 0.004, y + 0.004, x + 0.166, y + 0.058, lighter(stone, tone) if tone > 0 else darker(stone, -tone))
    c.glow(0.9, 0.1, 0.9, (255, 236, 190), 0.4)
    paint, frame = vary(rng, choose(rng, (178, 52, 48), (44, 92, 132), (54, 110, 84), (128, 84, 54), (230, 176, 66))), (240, 236, 226)
    c.rect(0.12, 0.02, 0.79, 1.1, (16, 14, 26), 0.3)
    c.rect(0.1, 0.0, 0.76, 1.1, Fade(frame, darker(frame, 0.2), sideways=True))
    c.rect(0.15, 0.05, 0.71, 1.1, darker(paint, 0.6))
    c.rect(0.16, 0.06, 0.7, 0.98, Fade(lighter(paint, 0.1), darker(paint, 0.22)))
    for x0, y0, x1, y1 in ((0.21, 0.5, 0.4, 0.9), (0.46, 0.5, 0.65, 0.9)):
        c.rect(x0, y0, x1, y1, darker(paint, 0.3), radius=0.01)
        c.rect(x0 + 0.012, y0 + 0.014, x1, y1, lighter(paint, 0.12), radius=0.01)
        c.rect(x0 + 0.012, y0 + 0.014, x1 - 0.012, y1 - 0.012, paint, radius=0.01)
    arc = np.linspace(np.pi, 2 * np.pi, 20)
    for r, fill in ((0.2, lighter(paint, 0.3)), (0.185, choose(rng, (255, 214, 136), (140, 170, 196), (255, 230, 180)))):
        c.poly(np.stack([0.43 + r * 1.1 * np.cos(arc), 0.34 + r * 1.1 * np.sin(arc)], 1), fill)
    for k in (1, 2, 3):
        c.line([(0.43, 0.34), (0.43 + 0.2 * np.cos(k * np.pi / 4), 0.34 - 0.2 * np.sin(k * np.pi / 4))], 0.009, lighter(paint, 0.3))
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
    c.line([(x - 0.05, y + 0.098), (x - 0.02, y + 0.09), (x, y + 0.104), (x + 0.02, y + 0.092), (x + 0.05, y + 0.1)], 0.005, (60, 66, 90))
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
    _pointing(c, x + 0.01 + 0.3 * far, y - 0.03 + 0.5 * far, vary(rng, choose(rng, *SKINS), 0.04), vary(rng, choose(rng, *GAUDY), 0.1))


def _pointing(c: Canvas, x: float, y: float, skin: Color, sleeve: Color) -> None:
    """A hand from the lower right whose forefinger ends at (x, y)."""
    c.stroke([(x + 0.6, y + 0.62), (x + 0.2, y + 0.23)], 0.16, Fade(lighter(skin, 0.05), darker(skin, 0.12)), 0.11)
    c.stroke([(x + 0.7, y + 0.74), (x + 0.27, y + 0.31)], 0.24, Fade(lighter(sleeve, 0.12), darker(sleeve, 0.2)), 0.17)
    for wide, color in ((0.008, darker(skin, 0.35)), (0.0, lighter(skin, 0.06))):
        c.stroke([(x + 0.15, y + 0.13), (x + 0.075, y + 0.05), (x + 0.012, y + 0.012)], 0.056 + wide, color, 0.034 + wide)
    fist = [(0.08, 0.1), (0.13, 0.05), (0.2, 0.09), (0.26, 0.17), (0.24, 0.25), (0.17, 0.27), (0.1, 0.22), (0.07, 0.16)]
    c.blob([(x + dx, y + dy) for dx, dy in fist], Ball(lighter(skin, 0.16), darker(skin, 0.16)))
    for dx, dy in ((0.085, 0.135), (0.1, 0.175), (0.125, 0.215)):
        for wide, color in ((0.007, darker(skin, 0.35)), (0.0, lighter(skin, 0.02))):
            c.stroke([(x + dx + 0.055, y + dy - 0.015), (x + dx + 0.02, y + dy), (x + dx + 0.03, y + dy + 0.018)], 0.034 + wide, color, 0.03 + wide)
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


_drips = regular((0.35, 0.6), (0.7, 1.3))


def _draw_tap(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    tile = vary(rng, choose(rng, (120, 170, 186), (206, 216, 214), (226, 196, 170), (146, 182, 150), (128, 146, 190)))
    _tiles(c, rng, tile, 0.66)
    metal, x, lip, pool = choose(rng, *METAL), c.w * rng.uniform(0.38, 0.46), 0.41, 0.83
    c.rect(-0.1, 0.62, c.w + 0.1, 1.1, Fade((250, 250, 252), (196, 202, 212)))
    c.rect(-0.1, 0.62, c.w + 0.1, 0.632, (255, 255, 255))
    c.ellipse(x + 0.08, 0.82, 0.56, 0.165, Ball((255, 255, 255), (206, 212, 222)))
    c.ellipse(x + 0.08, 0.828, 0.53, 0.145, Ball((150, 160, 176), (222, 228, 236), 0.5, 0.05))
    water = mix((92, 158, 196), tile, 0.25)
    c.ellipse(x + 0.06, 0.845, 0.44, 0.1, Fade(darker(water, 0.12), lighter(water, 0.3)))
    period = cues[1] - cues[0] if len(cues) > 1 else 1.0
    ago, left = since(np.append(cues[0] - period, cues), t), float(np.min(np.append(cues, cues[-1] + period)[np.append(cues, cues[-1] + period) > t], initial=9.0)) - t
    for k in range(4):
        r = 0.03 + 0.26 * ago - 0.045 * k + 0.02
        if r > 0.02:
            fade = max(1.0 - r / 0.4, 0.0)
            ring = oval(x, pool + 0.004, r, r * 0.24, steps=48)
            c.line(np.vstack([ring, ring[:1]]), 0.007, (255, 255, 255), 0.85 * fade)
            ring = oval(x, pool + 0.012, r * 0.96, r * 0.23, steps=48)
            c.line(np.vstack([ring, ring[:1]]), 0.005, darker(water, 0.5), 0.5 * fade)
    if ago < 0.22:  # a little crown where it fell
        up = 0.1 * float(np.sin(np.pi * ago / 0.22))
        c.stroke([(x, pool), (x, pool - up)], 0.022, lighter(water, 0.5), 0.008)
        for dx, h in ((-0.05, 0.7), (0.045, 0.85), (-0.025, 1.1), (0.02, 1.3)):
            c.ellipse(x + dx * (0.6 + 3 * ago), pool - up * h, 0.007, 0.009, lighter(water, 0.6))
    _faucet(c, rng, x, lip, metal)
    fall = 0.3
    y = lip + 0.028 + (pool - lip - 0.03) * max(1.0 - left / fall, 0.0) ** 2
    size = 0.026 if left < fall else 0.006 + 0.02 * max(1.0 - (left - fall) / max(period - fall, 0.1), 0.0) ** 1.5
    drop = [(x, y - size * 2.1), (x + size * 0.45, y - size * 0.8), (x + size, y + size * 0.2), (x, y + size), (x - size, y + size * 0.2), (x - size * 0.45, y - size * 0.8)]
    c.blob(drop, Ball((236, 248, 255), darker(water, 0.25), 0.4, 0.4))
    c.ellipse(x - size * 0.35, y + size * 0.1, size * 0.22, size * 0.34, (255, 255, 255))


def _faucet(c: Canvas, rng: Rng, x: float, lip: float, metal: Color) -> None:
    """A tall bent spout, or a stout one from the wall with a cross on top; it ends at (x, lip)."""
    tall, foot = rng.random() < 0.5, x + 0.34
    if tall:
        path = [(foot, 0.66), (foot, 0.4), (foot - 0.01, 0.2), (foot - 0.1, 0.09), (x + 0.13, 0.08), (x + 0.02, 0.18), (x, lip)]
        c.ellipse(foot, 0.665, 0.1, 0.022, darker(metal, 0.4))
    else:
        path = [(c.w + 0.2, 0.25), (foot, 0.25), (x + 0.15, 0.25), (x + 0.03, 0.28), (x, lip)]
        c.rect(foot - 0.1, 0.1, foot - 0.05, 0.24, Fade(lighter(metal, 0.4), darker(metal, 0.4), sideways=True))
        for dx in (-0.12, 0.12):
            c.stroke([(foot - 0.075, 0.1), (foot - 0.075 + dx, 0.095)], 0.034, Fade(lighter(metal, 0.5), darker(metal, 0.4)), 0.045)
        c.ellipse(foot - 0.075, 0.095, 0.04, 0.036, Ball((255, 255, 255), darker(metal, 0.3)))
        c.ellipse(foot - 0.075, 0.09, 0.016, 0.014, choose(rng, (66, 120, 210), (210, 70, 66)))
        c.ellipse(foot - 0.075, 0.25, 0.075, 0.07, Ball(lighter(metal, 0.5), darker(metal, 0.45)))
    for width, shift, color in ((0.098, 0.0, darker(metal, 0.5)), (0.086, 0.0, metal), (0.05, -0.008, lighter(metal, 0.35)), (0.018, -0.017, (255, 255, 255))):
        c.stroke([(px + shift, py + shift * 0.6) for px, py in path], width, color, width * 0.8)
    c.rect(x - 0.05, lip - 0.03, x + 0.05, lip + 0.012, Fade(lighter(metal, 0.5), darker(metal, 0.45), sideways=True), radius=0.008)
    if tall:
        c.rect(foot - 0.06, 0.5, foot + 0.06, 0.665, Fade(lighter(metal, 0.55), darker(metal, 0.4), sideways=True), radius=0.015)
        c.stroke([(foot + 0.03, 0.54), (foot + 0.13, 0.47), (foot + 0.2, 0.46)], 0.04, Fade(lighter(metal, 0.5), darker(metal, 0.3)), 0.026)


def _sound_tap(s: Synth, cues: Cues) -> Signal:
    out, hz = s.noise(-5, 60, 900) * 0.004, s.rng.uniform(700, 1_500)
    t = s.time(0.16)
    for at in cues:
        pitch = hz * s.rng.uniform(0.9, 1.12)
        for late, tone, gain in ((0.012, 1.0, 1.0), (s.rng.uniform(0.05, 0.09), s.rng.uniform(1.2, 1.7), s.rng.uniform(0.1, 0.6))):
            bubble = np.sin(s.phase(pitch * tone * (1 + 3.2 * t), len(t))) * bump(t, 0.002, 0.13)
            s.place(out, bubble, at + late, gain)
        s.place(out, s.band(s.white(0.03), 2_000, 9_000, 1) * bump(s.time(0.03), 0.0005, 0.02), at, 0.35)
        s.place(out, s.modes([260, 540, 830], [0.16, 0.12, 0.1], [0.3, 0.2, 0.12], 0.16), at)
    return s.room(out, 0.6, 0.3)


_strokes = regular((0.1, 0.5), (1.3, 1.9))


def _draw_vacuum(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wallpaper(c, rng, vary(rng, choose(rng, *WALLS)), 0.52, vary(rng, choose(rng, *WOODS)))
    sofa, rug = vary(rng, choose(rng, *GAUDY[:5]), 0.1), vary(rng, choose(rng, (176, 84, 74), (88, 112, 148), (190, 170, 140), (110, 130, 100)))
    sx = rng.uniform(0.05, 0.3)
    c.rect(sx, 0.2, sx + 0.62, 0.5, Fade(lighter(sofa, 0.15), darker(sofa, 0.15)), radius=0.05)
    for k in (0, 1):
        c.rect(sx + 0.04 + 0.27 * k, 0.37, sx + 0.31 + 0.27 * k, 0.47, Fade(lighter(sofa, 0.25), sofa), radius=0.03)
        c.rect(sx - 0.05 + 0.61 * k, 0.32, sx + 0.06 + 0.61 * k, 0.54, Fade(lighter(sofa, 0.2), darker(sofa, 0.25)), radius=0.04)
    c.rect(sx, 0.46, sx + 0.62, 0.54, darker(sofa, 0.2), radius=0.02)
    c.soften(0.004)
    c.poly([(0.06, 0.6), (c.w - 0.06, 0.6), (c.w + 0.12, 0.98), (-0.12, 0.98)], Fade(darker(rug, 0.1), lighter(rug, 0.1)))
    c.poly([(0.12, 0.62), (c.w - 0.12, 0.62), (c.w, 0.95), (0.0, 0.95)], lighter(rug, 0.22))
    c.poly([(0.135, 0.63), (c.w - 0.135, 0.63), (c.w - 0.02, 0.94), (0.02, 0.94)], rug)
    phase = float(_turns(cues, t))
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
    hose = [(bx - 0.1, by - 0.06), (bx - 0.14, by - 0.22), (bx + 0.02, by - 0.4), (bx - 0.03, 0.2), (grip[0] + 0.09, 0.17), grip]
    c.glow(bx + 0.02, by + 0.12, 0.3, (16, 14, 26), 0.8, 0.05)
    path = smooth(hose, closed=False, steps=9)
    c.stroke(hose, 0.044, (52, 54, 64), 0.04)
    across = np.gradient(path, axis=0)[:, ::-1] * (-1, 1)
    across *= 0.019 / np.hypot(*across.T)[:, None]
    for p, d in zip(path, across, strict=True):
        c.line([p - d, p + d], 0.007, (108, 112, 124))
    body = [(-0.2, 0.02), (-0.15, -0.1), (0.0, -0.15), (0.15, -0.11), (0.22, 0.0), (0.2, 0.1), (0.0, 0.12), (-0.18, 0.1)]
    c.blob(np.array(body) + (bx, by), Ball(lighter(coat, 0.35), darker(coat, 0.35)))
    c.blob([(bx - 0.2, by + 0.04), (bx, by + 0.06), (bx + 0.21, by + 0.04), (bx + 0.19, by + 0.12), (bx, by + 0.135), (bx - 0.18, by + 0.12)], (46, 48, 58))
    c.stroke([(bx - 0.1, by - 0.12), (bx, by - 0.19), (bx + 0.1, by - 0.13)], 0.024, (46, 48, 58))
    c.ellipse(bx - 0.02, by - 0.06, 0.055, 0.03, Ball((226, 236, 244), (120, 140, 160)), 0.9)
    for dx, r in ((0.12, 0.085), (-0.14, 0.045)):
        c.ellipse(bx + dx, by + 0.135 - r * 0.4, r, r, Ball((92, 96, 108), (24, 26, 34)))
        c.ellipse(bx + dx, by + 0.135 - r * 0.4, r * 0.5, r * 0.5, Ball(lighter(coat, 0.3), darker(coat, 0.2)))
    sleeve, skin = vary(rng, choose(rng, *GAUDY), 0.1), vary(rng, choose(rng, *SKINS), 0.04)
    for width, shift, color in ((0.04, 0.0, (96, 102, 114)), (0.03, -0.003, (176, 184, 196)), (0.01, -0.008, (250, 252, 255))):
        c.stroke([(nx + shift, ny - 0.02), (grip[0] + shift, grip[1])], width, color)
    c.glow(nx - 0.02, ny + 0.035, 0.2, (16, 14, 26), 0.7, 0.03)
    c.poly([(nx - 0.16, ny + 0.04), (nx - 0.13, ny - 0.005), (nx - 0.04, ny - 0.04), (nx + 0.04, ny - 0.04), (nx + 0.1, ny), (nx + 0.11, ny + 0.04)], Fade((92, 96, 108), (30, 32, 40)))
    c.rect(nx - 0.165, ny + 0.03, nx + 0.115, ny + 0.045, coat, radius=0.006)
    c.stroke([(grip[0] - 0.05, grip[1] + 0.11), grip, (grip[0] + 0.09, 0.17)], 0.042, (46, 48, 58))
    c.stroke([(grip[0] - 0.2, -0.25), (grip[0] - 0.1, 0.06), (grip[0] - 0.02, 0.2)], 0.2, Fade(lighter(sleeve, 0.12), darker(sleeve, 0.2)), 0.11)
    c.blob([(grip[0] + dx, grip[1] + dy) for dx, dy in ((-0.07, -0.06), (0.0, -0.1), (0.06, -0.06), (0.05, 0.02), (0.0, 0.05), (-0.06, 0.03))], Ball(lighter(skin, 0.2), darker(skin, 0.15)))
    for k in range(3):
        c.line([(grip[0] - 0.03 + k * 0.025, grip[1] + 0.03 - k * 0.013), (grip[0] + 0.0 + k * 0.022, grip[1] - 0.01 - k * 0.014)], 0.005, darker(skin, 0.3))


def _sound_vacuum(s: Synth, cues: Cues) -> Signal:
    push = np.cos(2 * np.pi * _turns(cues, s.t)).astype(np.float32)
    phase = s.phase(s.rng.uniform(190, 330) * (1 + 0.02 * push) * bend(s.n, (0, 0.93), (0.1, 1), (1, 1)))
    whine = sum(g * np.sin(np.float32(k) * phase + k) for k, g in ((1, 0.5), (2, 0.34), (3, 0.3), (4, 0.16), (6, 0.12), (9, 0.09)))
    rush = s.noise(-1.5, 250, 7_000)
    low, high = s.rng.uniform(500, 800), s.rng.uniform(1_800, 2_600)
    out: Signal = 0.55 * whine + rush * (0.75 + 0.22 * push) + 0.9 * s.band(rush, low, low * 1.6) + 0.7 * s.band(rush, high, high * 1.4)
    for at in cues:  # it knocks at the end of a stroke
        s.place(out, s.modes([140, 310, 690], [0.12, 0.08, 0.05], [1, 0.7, 0.4], 0.12), at, s.rng.uniform(0.3, 1.2))
    return out


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
        c.poly([(x0, 0), (x1, 0), (x1 - 0.03, 0.68), (x0, 0.68)], Fade(lighter(cloth, 0.2), darker(cloth, 0.2), sideways=True))
    lx, shade = c.w - rng.uniform(0.2, 0.26), choose(rng, (255, 226, 160), (250, 200, 150), (236, 240, 230))
    c.rect(lx - 0.012, 0.4, lx + 0.012, 0.82, (110, 90, 70))
    c.poly([(lx - 0.1, 0.14), (lx + 0.1, 0.14), (lx + 0.17, 0.42), (lx - 0.17, 0.42)], Fade(lighter(shade, 0.2), darker(shade, 0.12)))
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
    c.stroke([(x - r * 0.6, y - r * 1.35), (x - r * 0.4, y - r * 1.82), (x + r * 0.4, y - r * 1.82), (x + r * 0.6, y - r * 1.35)], 0.022, darker(metal, 0.25))
    hammer = 0.3 * (float(np.sign(np.sin(t * 61))) if rings else 0.0)
    head = turned([(x, y - r * 1.42)], hammer, x, y - r * 0.9)[0]
    c.line([(x, y - r * 0.9), (head[0], head[1])], 0.014, darker(metal, 0.5))
    c.ellipse(head[0], head[1], 0.03, 0.024, Ball(lighter(metal, 0.4), darker(metal, 0.5)))
    arc = np.linspace(np.pi, 2 * np.pi, 22)
    for side in (-1, 1):
        bx, by = x + side * r * 0.68, y - r * 1.06
        dome = np.stack([bx + r * 0.52 * np.cos(arc), by + r * 0.5 * np.sin(arc)], 1)
        c.poly(turned(dome, side * 0.55, bx, by), Ball(lighter(metal, 0.7), darker(metal, 0.4)))
        c.ellipse(*turned([(bx, by - r * 0.53)], side * 0.55, bx, by)[0], 0.016, 0.016, darker(metal, 0.3))
        for k in range(3 if rings else 0):
            bow = np.linspace(-0.55, 0.55, 10) + side * 0.75 - np.pi / 2
            reach = r * (0.78 + 0.2 * k) + 0.01 * shake
            c.line(np.stack([bx + reach * np.cos(bow), by + reach * np.sin(bow)], 1), 0.011, (255, 250, 214), 0.85 - 0.25 * k)
    c.ellipse(x, y, r * 1.17, r * 1.17, Ball(lighter(color, 0.4), darker(color, 0.4)))
    c.ellipse(x, y, r * 1.02, r * 1.02, darker(color, 0.55))
    _dial(c, rng, x, y, r * 0.98, float(rng.integers(60)) + int(t))
    c.stroke([(x - r * 0.8, y - r * 0.1), (x - r * 0.6, y - r * 0.6), (x - r * 0.15, y - r * 0.82)], 0.03, (255, 255, 255), 0.006, 0.3)


def _sound_alarm(s: Synth, cues: Cues) -> Signal:
    out, hz, beat = s.silence(), s.rng.uniform(1_500, 2_500), s.rng.uniform(11, 15)
    tick = s.modes([2_900, 4_700], [0.02, 0.015], [1, 0.7], 0.03)
    s.grains(out, tick, np.arange(0.05, s.duration_s, 0.25), np.full(int(s.duration_s * 4) + 4, 0.25)[: len(np.arange(0.05, s.duration_s, 0.25))])
    strikes = np.concatenate([np.arange(at, at + RING_S, 1 / beat) for at in cues])
    for pitch, late in ((hz, 0.0), (hz * s.rng.uniform(1.06, 1.19), 0.5 / beat)):
        times = strikes + late + s.rng.normal(0, 0.0015, len(strikes))
        bell = s.modes(pitch * np.array([1, 1.006, 1.63, 2.34, 3.51]), [0.55, 0.5, 0.4, 0.3, 0.2], [1, 0.6, 0.5, 0.7, 0.4], 0.5)
        s.grains(out, bell, times, s.rng.uniform(0.7, 1.0, len(times)))
        s.grains(out, s.band(s.white(0.02), 1_500, 9_000, 1) * bump(s.time(0.02), 0.0005, 0.015), times, np.full(len(times), 0.8))
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
        "washing machine",
        (
            "Laundry tumbles behind the round door of a washing machine.",
            "A washing machine hums and sloshes through its cycle.",
            "Clothes turn in soapy water in a front-loading washer.",
            "The rumble of the drum in the laundry room.",
            "A white washing machine stands next to a basket of laundry.",
            "It is laundry day: the machine churns water and clothes round and round.",
        ),
        _draw_washer,
        _sound_washer,
        _drum,
    ),
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
        "dripping tap",
        (
            "Water drips from a tap into the sink, drop by drop.",
            "Plink, plink: a leaking faucet drips into the basin.",
            "A single drop falls from a tap and makes rings in the water.",
            "The slow dripping of a tap that was not turned off properly.",
            "A leaky bathroom tap over a white wash basin.",
            "Drops of water fall one after another and echo in the tiled room.",
        ),
        _draw_tap,
        _sound_tap,
        _drips,
        still_s=-0.09,
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
