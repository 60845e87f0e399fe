"""Water in the house: a washing machine, a dripping tap."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix, oval, turned, vary
from assets.scenes.home import GAUDY, METAL, turns
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.synth import Signal, Synth, bump


def _tiles(c: Canvas, rng: Rng, color: Color, bottom: float) -> None:
    """A wall of glazed tiles."""
    size, joint = rng.uniform(0.1, 0.17), lighter(color, 0.55)
    c.rect(-0.1, -0.1, c.w + 0.1, bottom, Fade(lighter(color, 0.12), darker(color, 0.14)))
    for x in np.arange(0.0, c.w, size):
        for y in np.arange(bottom - size, -size, -size):
            tone = rng.uniform(0.0, 0.16)
            c.rect(x, y, x + size, y + size, darker(color, 0.5), tone)
            c.line(
                [(x + 0.012, y + size - 0.012), (x + 0.012, y + 0.012), (x + size - 0.02, y + 0.012)], 0.004, joint, 0.5
            )
    for x in np.arange(0.0, c.w + 0.1, size):
        c.line([(x, -0.1), (x, bottom)], 0.006, joint)
    for y in np.arange(bottom, -0.1, -size):
        c.line([(-0.1, y), (c.w + 0.1, y)], 0.006, joint)
    c.glow(rng.uniform(0.1, 0.5), 0.1, 0.8, (255, 252, 236), 0.4)


_drum = regular((0.1, 0.4), (0.9, 1.3))


def _draw_washer(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    _tiles(c, rng, vary(rng, choose(rng, (170, 200, 210), (206, 214, 206), (186, 196, 222), (222, 206, 190))), 0.86)
    c.rect(-0.1, 0.86, c.w + 0.1, 1.1, Fade(vary(rng, (156, 150, 150)), vary(rng, (104, 100, 108))))
    x, body = (
        c.w * rng.uniform(0.46, 0.54) + 0.0025 * float(np.sin(t * 67)),
        choose(rng, (246, 247, 250), (246, 247, 250), (150, 156, 166)),
    )
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
    c.text(
        x + 0.17,
        0.232,
        f"{int(rng.integers(0, 2))}:{int(rng.integers(10, 59))}",
        0.045,
        choose(rng, (120, 255, 170), (255, 170, 90), (130, 210, 255)),
    )
    for k in range(3):
        c.ellipse(x + 0.27 + k * 0.025, 0.232, 0.008, 0.008, (90, 220, 120) if k == 0 else darker(body, 0.3))
    _porthole(c, rng, x, 0.6, float(turns(cues, t)), body)
    for k, color in enumerate(GAUDY[int(rng.integers(3)) :][:2]):
        bx = x + 0.16 + k * 0.11
        c.rect(
            bx - 0.045,
            0.0,
            bx + 0.045,
            0.137,
            Fade(lighter(color, 0.2), darker(color, 0.25), sideways=True),
            radius=0.02,
        )
        c.rect(bx - 0.022, -0.04, bx + 0.022, 0.005, lighter(color, 0.6), radius=0.005)
        c.ellipse(bx, 0.075, 0.03, 0.032, lighter(color, 0.75))
    bx, cane = x - 0.52, vary(rng, (196, 152, 100))
    for dx, dy, r, tone in zip(
        (-0.09, 0.07, 0.0, -0.02),
        (0.7, 0.7, 0.67, 0.71),
        (0.07, 0.08, 0.07, 0.06),
        rng.permutation(len(GAUDY)),
        strict=False,
    ):
        c.ellipse(bx + dx, dy, r * 1.2, r, Ball(lighter(GAUDY[tone], 0.2), darker(GAUDY[tone], 0.25)))
    c.poly(
        [(bx - 0.17, 0.71), (bx + 0.17, 0.71), (bx + 0.13, 0.97), (bx - 0.13, 0.97)],
        Fade(lighter(cane, 0.15), darker(cane, 0.3)),
    )
    for y in np.arange(0.735, 0.96, 0.034):
        c.line([(bx - 0.16, y), (bx + 0.16, y)], 0.007, darker(cane, 0.35), 0.6)


def _porthole(c: Canvas, rng: Rng, x: float, y: float, turn: float, body: Color) -> None:
    """The round door, laundry tumbling in suds behind its glass."""
    c.ellipse(x, y, 0.255, 0.255, Ball((255, 255, 255), darker(body, 0.45)))
    c.ellipse(x, y, 0.225, 0.225, Ball((96, 102, 116), (44, 48, 60)))
    c.ellipse(x, y, 0.196, 0.196, Ball((120, 132, 150), (30, 36, 52)))
    for k, r in ((k, r) for r in (0.09, 0.14, 0.175) for k in range(14)):
        hole = turned([(x + r, y)], 2 * np.pi * (turn + k / 14), x, y)[0]
        c.ellipse(hole[0], hole[1], 0.006, 0.006, (24, 28, 40))
    a = np.linspace(0.12, np.pi - 0.12, 24)
    c.poly(np.stack([x + 0.19 * np.cos(a), y + 0.19 * np.sin(a)], 1), Fade((150, 200, 232), (84, 140, 190)), 0.75)
    for k, spin in enumerate(rng.uniform(0, 6.3, 9)):
        color, reach = vary(rng, choose(rng, *GAUDY), 0.12), rng.uniform(0.03, 0.1)
        angle = 2 * np.pi * turn + spin + 0.5 * float(np.sin(2 * np.pi * turn + k))  # each lags, then tumbles
        px, py = x + reach * np.cos(angle), y + 0.03 + reach * np.sin(angle)
        lumps = rng.uniform(0.045, 0.085, 7)
        around = angle * 1.3 + np.arange(7) * 2 * np.pi / 7
        c.blob(
            np.stack([px + lumps * np.cos(around), py + lumps * np.sin(around)], 1),
            Ball(lighter(color, 0.2), darker(color, 0.3)),
        )
        c.stroke([(px - 0.03, py - 0.01), (px, py + 0.012), (px + 0.035, py)], 0.004, darker(color, 0.45), 0.001, 0.6)
    for dx, r, late in rng.uniform((-0.14, 0.008, 0), (0.14, 0.024, 6.3), (22, 3)):
        dy = 0.05 * np.sin(2 * np.pi * turn + late) * 0.4 + 0.12 * (1 - (dx / 0.15) ** 2) - 0.02
        c.ellipse(x + dx, y + dy, r, r, Ball((255, 255, 255), (214, 232, 246)), 0.75)
    c.stroke([(x - 0.15, y + 0.03), (x - 0.125, y - 0.09), (x - 0.03, y - 0.155)], 0.02, (255, 255, 255), 0.004, 0.45)
    c.rect(x + 0.215, y - 0.05, x + 0.245, y + 0.05, Fade((240, 242, 246), (130, 136, 148), sideways=True), radius=0.01)


def _sound_washer(s: Synth, cues: Cues) -> Signal:
    turn = 2 * np.pi * turns(cues, s.t).astype(np.float32)
    phase = s.phase(s.rng.uniform(85, 125) * (1 + 0.05 * np.sin(turn)))
    whine = int(s.rng.integers(5, 9))
    motor = np.sin(phase) + 0.5 * np.sin(2 * phase + 1) + 0.25 * np.sin(3 * phase) + 0.13 * np.sin(whine * phase)
    load = 0.6 + 0.4 * np.sin(turn + 1)
    out: Signal = 0.55 * motor * load + s.noise(-5, 60, 1_200) * 0.45 * (0.75 + 0.25 * np.sin(2 * turn))
    out += s.noise(-3, 400, 3_000) * (0.05 + 0.3 * np.maximum(np.sin(turn), 0) ** 2 * s.wander(12, 0.2, 1.0))
    for at in cues:  # wet laundry falls back into the water, which gurgles
        s.place(out, s.noise(-5, 50, 500, 0.3) * bump(s.time(0.3), 0.015, 0.25), at, s.rng.uniform(1.0, 1.6))
        for late in s.rng.uniform(0.05, 0.45, 5):
            t = s.time(0.07)
            blub = np.sin(s.phase(s.rng.uniform(280, 620) * (1 + 9 * t), len(t))) * bump(t, 0.006, 0.07)
            s.place(out, blub, at + late, s.rng.uniform(0.15, 0.45))
    return out


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
    falls = np.concatenate([[cues[0] - period], cues, cues[-1] + period * np.arange(1, 4)])
    ago, left = since(falls, t), float(np.min(falls[falls > t], initial=t + 9.0)) - t
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
    drop = [
        (x, y - size * 2.1),
        (x + size * 0.45, y - size * 0.8),
        (x + size, y + size * 0.2),
        (x, y + size),
        (x - size, y + size * 0.2),
        (x - size * 0.45, y - size * 0.8),
    ]
    c.blob(drop, Ball((236, 248, 255), darker(water, 0.25), 0.4, 0.4))
    c.ellipse(x - size * 0.35, y + size * 0.1, size * 0.22, size * 0.34, (255, 255, 255))


def _faucet(c: Canvas, rng: Rng, x: float, lip: float, metal: Color) -> None:
    """A tall bent spout, or a stout one from the wall with a cross on top; it ends at (x, lip)."""
    tall, foot = rng.random() < 0.5, x + 0.34
    if tall:
        path = [
            (foot, 0.62),
            (foot, 0.4),
            (foot - 0.01, 0.2),
            (foot - 0.1, 0.09),
            (x + 0.13, 0.08),
            (x + 0.02, 0.18),
            (x, lip),
        ]
        c.ellipse(foot, 0.665, 0.1, 0.022, darker(metal, 0.4))
    else:
        path = [(c.w + 0.2, 0.25), (foot, 0.25), (x + 0.15, 0.25), (x + 0.03, 0.28), (x, lip)]
        c.rect(foot - 0.1, 0.1, foot - 0.05, 0.24, Fade(lighter(metal, 0.4), darker(metal, 0.4), sideways=True))
        for dx in (-0.12, 0.12):
            c.stroke(
                [(foot - 0.075, 0.1), (foot - 0.075 + dx, 0.095)],
                0.034,
                Fade(lighter(metal, 0.5), darker(metal, 0.4)),
                0.045,
            )
        c.ellipse(foot - 0.075, 0.095, 0.04, 0.036, Ball((255, 255, 255), darker(metal, 0.3)))
        c.ellipse(foot - 0.075, 0.09, 0.016, 0.014, choose(rng, (66, 120, 210), (210, 70, 66)))
        c.ellipse(foot - 0.075, 0.25, 0.075, 0.07, Ball(lighter(metal, 0.5), darker(metal, 0.45)))
    for width, shift, color in (
        (0.098, 0.0, darker(metal, 0.5)),
        (0.086, 0.0, metal),
        (0.05, -0.008, lighter(metal, 0.35)),
        (0.018, -0.017, (255, 255, 255)),
    ):
        c.stroke([(px + shift, py + shift * 0.6) for px, py in path], width, color, width * 0.8)
    c.rect(
        x - 0.05,
        lip - 0.03,
        x + 0.05,
        lip + 0.012,
        Fade(lighter(metal, 0.5), darker(metal, 0.45), sideways=True),
        radius=0.008,
    )
    if tall:
        c.rect(
            foot - 0.06,
            0.5,
            foot + 0.06,
            0.665,
            Fade(lighter(metal, 0.55), darker(metal, 0.4), sideways=True),
            radius=0.015,
        )
        c.stroke(
            [(foot + 0.03, 0.54), (foot + 0.13, 0.47), (foot + 0.2, 0.46)],
            0.04,
            Fade(lighter(metal, 0.5), darker(metal, 0.3)),
            0.026,
        )


def _sound_tap(s: Synth, cues: Cues) -> Signal:
    out, hz = s.noise(-5, 60, 900) * 0.004, s.rng.uniform(700, 1_500)
    t = s.time(0.16)
    for at in cues:
        pitch = hz * s.rng.uniform(0.9, 1.12)
        for late, tone, gain in (
            (0.012, 1.0, 1.0),
            (s.rng.uniform(0.05, 0.09), s.rng.uniform(1.2, 1.7), s.rng.uniform(0.1, 0.6)),
        ):
            bubble = np.sin(s.phase(pitch * tone * (1 + 3.2 * t), len(t))) * bump(t, 0.002, 0.13)
            s.place(out, bubble, at + late, gain)
        s.place(out, s.band(s.white(0.03), 2_000, 9_000, 1) * bump(s.time(0.03), 0.0005, 0.02), at, 0.35)
        s.place(out, s.modes([260, 540, 830], [0.16, 0.12, 0.1], [0.3, 0.2, 0.12], 0.16), at)
    return s.room(out, 0.6, 0.3)


SCENES = (
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
)
