"""Rain on a window, a thunderstorm, wind in the trees, footsteps in snow."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix, vary
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    NIGHT,
    OVERCAST,
    clouds,
    grass,
    light,
    pine,
    ridge,
    sky,
    skyline,
    tree,
)
from assets.scenes.synth import Signal, Synth, bend, bump


def _draw_rain(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    evening = rng.random() < 0.6
    dull = choose(rng, (74, 90, 112), (86, 98, 104), (60, 74, 104), (98, 104, 118))
    top, low = (darker(dull, 0.45), dull) if evening else (lighter(dull, 0.2), lighter(dull, 0.45))
    c.rect(0, 0, c.w, 1, Fade(top, low))
    ridge(c, rng, 0.62, 0.05, darker(dull, 0.25))
    skyline(c, rng, 0.85, darker(dull, 0.3), (255, 206, 128) if evening else None)
    c.rect(0, 0.84, c.w, 1, darker(dull, 0.45))
    for _ in range(14):
        x, y, r = rng.uniform(0, c.w), rng.uniform(0.4, 0.9), rng.uniform(0.03, 0.09)
        c.glow(
            x,
            y,
            r * 1.4,
            choose(rng, (255, 190, 96), (255, 132, 92), (255, 226, 170), (140, 190, 255)),
            0.75 if evening else 0.3,
        )
    c.soften(0.022)
    _drops(c, rng, t, dull)
    frame = choose(rng, (236, 232, 224), (110, 76, 52), (64, 70, 80), (196, 178, 150))
    bars = rng.uniform(0.3, 0.7)
    for x in (0.0, c.w * bars, c.w):
        c.rect(x - 0.045, -0.1, x + 0.045, 1.1, Fade(lighter(frame, 0.1), darker(frame, 0.3), sideways=True))
        c.rect(x + 0.045, -0.1, x + 0.056, 1.1, (10, 14, 24), 0.25)
    y = rng.uniform(0.3, 0.5)
    c.rect(-0.1, y - 0.022, c.w + 0.1, y + 0.022, Fade(lighter(frame, 0.1), darker(frame, 0.25)))
    c.rect(-0.1, y + 0.022, c.w + 0.1, y + 0.03, (10, 14, 24), 0.25)
    c.rect(-0.1, 0.93, c.w + 0.1, 1.1, Fade(lighter(frame, 0.15), darker(frame, 0.25)))
    if rng.random() < 0.6:
        _plant(c, rng, rng.uniform(0.2, c.w - 0.2))


def _drops(c: Canvas, rng: Rng, t: float, color: Color) -> None:
    """Beads that sit on the glass, and others that run down it with a trail."""
    bright, deep = lighter(color, 0.72), darker(color, 0.5)
    for x, y, r in rng.uniform((0, 0, 0.18), (c.w, 1, 1.0), (260, 3)):
        r = 0.0125 * r**1.6
        c.ellipse(x, y, r, r * 1.15, deep, 0.5)
        c.ellipse(x, y + r * 0.25, r * 0.8, r * 0.8, bright, 0.55)
        c.ellipse(x - r * 0.3, y - r * 0.5, r * 0.26, r * 0.26, (255, 255, 255), 0.9)
    for x, y, speed, r, wave in rng.uniform((0, 0, 0.05, 0.007, 0), (c.w, 1.3, 0.35, 0.015, 6.3), (26, 5)):
        y = (y + speed * t) % 1.3 - 0.1
        back = np.linspace(0, 0.26, 7)
        trail = np.stack([x + 0.004 * np.sin((y - back) * 26 + wave), y - back], 1)
        c.stroke(trail, r * 1.3, bright, 0.001, 0.28)
        c.ellipse(trail[0, 0], y, r, r * 1.35, deep, 0.55)
        c.ellipse(trail[0, 0], y + r * 0.3, r * 0.8, r, bright, 0.65)
        c.ellipse(trail[0, 0] - r * 0.3, y - r * 0.5, r * 0.28, r * 0.34, (255, 255, 255), 0.95)


def _plant(c: Canvas, rng: Rng, x: float) -> None:
    pot, leaf = choose(rng, (186, 96, 66), (220, 210, 196), (70, 96, 120)), hsv(rng.uniform(0.26, 0.36), 0.5, 0.45)
    for angle in np.linspace(-1.1, 1.1, 9) + rng.normal(0, 0.1, 9):
        reach = rng.uniform(0.14, 0.24)
        tip = (x + np.sin(angle) * reach, 0.82 - np.cos(angle) * reach)
        mid = (x + np.sin(angle) * reach * 0.4, 0.82 - reach * 0.7)
        c.stroke([(x, 0.83), mid, tip], 0.024, vary(rng, leaf, 0.1), 0.002)
    c.poly(
        [(x - 0.07, 0.81), (x + 0.07, 0.81), (x + 0.05, 0.95), (x - 0.05, 0.95)],
        Fade(lighter(pot, 0.15), darker(pot, 0.35), sideways=True),
    )
    c.rect(x - 0.078, 0.8, x + 0.078, 0.83, Fade(lighter(pot, 0.25), darker(pot, 0.25), sideways=True), radius=0.008)


def _sound_rain(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-1.2, 900, 11_000) * s.wander(0.6, 0.75, 1.0) * 0.42
    for low, density, gain in ((1_900, 120, 0.5), (3_300, 260, 0.5), (5_200, 260, 0.4)):
        count = int(s.duration_s * density * s.rng.uniform(0.5, 1.0))
        tap = s.band(s.white(0.012), low * 0.6, low * 1.7, 1) * np.exp(-s.time(0.012) * 480)
        s.grains(out, tap, s.rng.uniform(0, s.duration_s, count), s.rng.exponential(gain, count))
    for _ in range(int(s.duration_s * 7)):  # heavy drops that hit the sill
        hz = s.rng.uniform(700, 1_500)
        drop = s.modes([hz, hz * 2.3], [0.04, 0.025], [0.8, 0.5], 0.04)
        s.place(out, drop, s.rng.uniform(0, s.duration_s), s.rng.uniform(0.2, 0.7))
    return out


def _bolts(rng: Rng, duration_s: float) -> Cues:
    return np.arange(rng.uniform(0.3, 0.8), max(duration_s, 1.0), rng.uniform(3.0, 4.0))


def _draw_storm(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    ago = since(cues, t)
    flash = float(np.exp(-ago * 5) * (0.65 + 0.35 * np.cos(ago * 55))) if ago < 1.5 else 0.0
    base = choose(rng, (44, 48, 84), (52, 46, 92), (36, 52, 78), (60, 50, 78))
    c.rect(0, 0, c.w, 1, Fade(darker(base, 0.5), lighter(base, 0.22)))
    strike = rng.uniform(0.25, 0.75) * c.w
    c.glow(strike, 0.3, 0.95, (214, 200, 255), 0.25 + 0.65 * flash)
    heap = mix(lighter(base, 0.1), (196, 190, 236), 0.5 * flash)
    clouds(c, rng, t, darker(heap, 0.15), count=6, top=-0.02, bottom=0.12, size=0.32, speed=0.02)
    shape = np.random.default_rng(int(rng.integers(1 << 30)) + int(np.sum(cues <= t)))
    if ago < 0.45:
        _bolt(c, shape, strike, 0.14, 0.78, 0.011, 1.0 if ago < 0.3 else 0.5)
        _bolt(c, shape, strike + shape.uniform(-0.1, 0.1), 0.16, 0.5, 0.005, 0.6)
    clouds(c, rng, t, heap, count=6, top=0.0, bottom=0.16, size=0.26, speed=0.03, alpha=0.85)
    ridge(c, rng, 0.78, 0.04, mix(darker(base, 0.62), base, flash * 0.6))
    for x in rng.uniform(0, c.w, 7):
        pine(
            c, x, rng.uniform(0.84, 0.92), rng.uniform(0.14, 0.3), darker(base, 0.7), 0.4 * float(np.sin(t * 3 + x * 5))
        )
    ridge(c, rng, 0.9, 0.02, darker(base, 0.8))
    slant, fall = rng.uniform(0.05, 0.18), rng.uniform(1.8, 2.6)
    for x, y, length in rng.uniform((-0.1, 0, 0.04), (c.w + 0.2, 1.2, 0.1), (170, 3)):
        y = (y + fall * t) % 1.2 - 0.1
        c.line([(x - y * slant, y), (x - (y + length) * slant, y + length)], 0.0022, (196, 206, 236), 0.3)
    if flash > 0.02:
        c.tint((226, 220, 255), 0.3 * min(flash, 1.0))


def _bolt(c: Canvas, rng: Rng, x: float, y: float, end: float, width: float, alpha: float) -> None:
    points = [(x, y)]
    while y < end:
        x, y = x + rng.uniform(-0.06, 0.06), y + rng.uniform(0.03, 0.08)
        points.append((x, y))
        if rng.random() < 0.4 and width > 0.004:
            side = rng.choice((-1, 1))
            fork = [(x, y), (x + side * 0.07, y + 0.05), (x + side * 0.1, y + 0.14), (x + side * 0.16, y + 0.19)]
            c.line(fork, width * 0.35, (226, 220, 255), alpha * 0.9)
    for thick, color, strength in (
        (3.4, (150, 130, 255), 0.25),
        (1.8, (206, 196, 255), 0.5),
        (0.9, (255, 255, 255), 1.0),
    ):
        c.line(points, width * thick, color, strength * alpha * 0.999)


def _sound_storm(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-2, 500, 8_000) * 0.1 * s.wander(0.5, 0.7, 1.0) + s.noise(-6, 40, 300) * 0.07
    for at in cues:
        rumble = s.noise(-4, 28, s.rng.uniform(240, 420), 4.5)
        t = s.time(4.5)
        claps = bump(t, 0.01, 3.5)
        for late, gain in s.rng.uniform((0, 0.25), (1.6, 0.8), (7, 2)):
            claps += bump(t - late, 0.01, s.rng.uniform(0.9, 2.6)) * (t > late) * np.float32(gain)
        crack = s.noise(-1.5, 180, 6_000, 0.9) * bump(s.time(0.9), 0.003, 0.6) * (0.4 + 0.6 * s.wander(60, 0, 1, 0.9))
        late = s.rng.uniform(0.1, 0.35)
        s.place(out, rumble * claps, at + late, 1.1)
        s.place(out, crack, at + late, 0.8)
    return out


def _draw_wind(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST)
    sky(c, hour, 0.75)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=5, bottom=0.25, speed=0.07)
    season = choose(rng, (86, 142, 62), (106, 152, 56), (196, 132, 48), (186, 92, 44))
    field = hour.on(choose(rng, (132, 170, 78), (176, 172, 88), (112, 156, 80)))
    ridge(c, rng, 0.66, 0.05, hour.on(mix(field, (70, 110, 90), 0.5), 0.25))
    ridge(c, rng, 0.76, 0.03, Fade(lighter(field, 0.1), darker(field, 0.25)))
    gust = 0.55 + 0.45 * float(np.sin(t * 2.1 + rng.uniform(0, 6)))
    for x in np.linspace(0.16, c.w - 0.16, 4) + rng.normal(0, 0.05, 4):
        h = rng.uniform(0.38, 0.72)
        lean = 0.55 * gust + 0.35 + 0.14 * float(np.sin(t * 5 + x * 7))
        c.glow(x + 0.03, 0.85, h * 0.3, (20, 30, 40), 0.4, 0.03)
        tree(c, rng, x, rng.uniform(0.8, 0.87), h, hour.on(vary(rng, season, 0.08)), hour.on((92, 66, 48)), lean)
    grass(c, rng, 0.82, 0.22, darker(field, 0.1), count=260, height=0.1, sway=0.5 + 0.6 * gust)
    for x, y, r, spin in rng.uniform((0, 0.2, 0.006, 0), (c.w, 0.9, 0.013, 6.3), (24, 4)):
        x = (x + t * 0.6) % c.w
        c.ellipse(
            x,
            y + 0.04 * float(np.sin(t * 4 + spin)),
            r * 1.5,
            r * 0.7,
            hour.on(lighter(season, 0.15)),
            1.0,
            spin + t * 5,
        )


def _sound_wind(s: Synth, cues: Cues) -> Signal:
    gust = s.wander(0.8, 0.1, 1.0) ** 1.5
    low = s.noise(-5, 60, 700) * (0.25 + 0.75 * gust)
    whistle = s.band(s.white(), 420, 640, 2) * gust**2 * 0.9 + s.band(s.white(), 700, 950, 2) * s.wander(1.1) ** 3 * 0.6
    leaves = s.noise(0, 2_500, 8_000) * (0.06 + 0.36 * gust**1.4) * s.wander(14, 0.45, 1.0)
    out: Signal = low + whistle + leaves * 0.55
    return out


_steps = regular((0.15, 0.4), (0.52, 0.72), 0.06)


def _draw_snow(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST, NIGHT)
    sky(c, hour, 0.6)
    snow = hour.on((244, 248, 255))
    ridge(c, rng, 0.45, 0.06, hour.on((170, 190, 216), 0.2))
    for x in np.sort(rng.uniform(-0.05, c.w + 0.05, 13)):
        h = rng.uniform(0.2, 0.42)
        pine(c, x, rng.uniform(0.52, 0.6), h, hour.on((52, 88, 80), 0.12))
        c.poly([(x, 0.56 - h * 0.96), (x - h * 0.08, 0.56 - h * 0.62), (x + h * 0.07, 0.56 - h * 0.66)], snow, 0.8)
    ridge(c, rng, 0.56, 0.012, Fade(lighter(snow, 0.3), mix(snow, (120, 150, 204), 0.4)))
    blue = mix(snow, (84, 112, 176), 0.5)
    bow = rng.uniform(-0.12, 0.12)
    walked = int(np.sum(cues <= t))
    for k in range(14):
        far = k / 13
        y, side, size = 1.04 - far**0.75 * 0.44, (-1 if k % 2 else 1), 0.05 * (1 - far * 0.85)
        _print(c, c.w * 0.5 + bow * np.sin(far * 3) + side * size * 1.1 + (far - 0.5) * bow, y, size, blue, snow)
    step = walked + min(since(cues, t) / 0.3, 1.0)
    coat = choose(rng, (196, 52, 48), (40, 88, 150), (230, 160, 40), (60, 120, 92), (104, 66, 120))
    _walker(c, rng, c.w * 0.5 + bow * 0.4, 0.66 - 0.006 * step, 0.36 - 0.006 * step, step * np.pi, hour.on(coat))
    for x, y, r, wave in rng.uniform((0, 0, 0.002, 0), (c.w, 1, 0.007, 6.3), (110, 4)):
        c.ellipse((x + 0.03 * np.sin(t + wave)) % c.w, (y + t * r * 22) % 1.05, r, r, (255, 255, 255), 0.85)


def _print(c: Canvas, x: float, y: float, size: float, dark: Color, snow: Color) -> None:
    for dy, rx, ry in ((-0.45, 0.42, 0.42), (0.42, 0.34, 0.3)):
        c.ellipse(x, y + dy * size, rx * size, ry * size, dark, 0.9)
        c.ellipse(x + size * 0.05, y + (dy + 0.08) * size, rx * size * 0.8, ry * size * 0.8, mix(dark, snow, 0.35), 0.9)
        c.ellipse(x - size * 0.3, y + (dy + 0.3) * size, rx * size * 0.5, ry * size * 0.3, lighter(snow, 0.6), 0.6)


def _walker(c: Canvas, rng: Rng, x: float, foot: float, h: float, phase: float, coat: Color) -> None:
    """Someone in a winter coat, seen from behind."""
    swing, trousers = float(np.sin(phase)), choose(rng, (44, 50, 70), (70, 58, 50), (60, 66, 74))
    c.glow(x + h * 0.1, foot, h * 0.36, (60, 80, 130), 0.6, h * 0.06)
    for side in (-1, 1):
        lift = max(side * swing, 0.0) * h * 0.05
        c.stroke(
            [(x + side * h * 0.07, foot - h * 0.45), (x + side * h * 0.08, foot - lift - h * 0.03)],
            h * 0.12,
            trousers,
            h * 0.09,
        )
        c.rect(
            x + side * h * 0.08 - h * 0.06,
            foot - lift - h * 0.06,
            x + side * h * 0.08 + h * 0.06,
            foot - lift + h * 0.02,
            (50, 38, 32),
            radius=h * 0.03,
        )
        c.stroke(
            [
                (x + side * h * 0.15, foot - h * 0.76),
                (x + side * h * (0.22 + 0.02 * swing), foot - h * (0.5 + 0.03 * side * swing)),
            ],
            h * 0.1,
            darker(coat, 0.14),
            h * 0.075,
        )
    c.blob(
        [
            (x - h * 0.16, foot - h * 0.8),
            (x, foot - h * 0.85),
            (x + h * 0.16, foot - h * 0.8),
            (x + h * 0.17, foot - h * 0.4),
            (x, foot - h * 0.36),
            (x - h * 0.17, foot - h * 0.4),
        ],
        Fade(lighter(coat, 0.12), darker(coat, 0.25)),
    )
    c.ellipse(x, foot - h * 0.92, h * 0.085, h * 0.1, (226, 178, 148))
    hat = choose(rng, (220, 70, 60), (240, 236, 226), (50, 70, 110), (240, 190, 70))
    c.ellipse(x, foot - h * 0.95, h * 0.095, h * 0.09, Ball(lighter(hat, 0.2), darker(hat, 0.2)))
    c.ellipse(x, foot - h * 1.05, h * 0.03, h * 0.03, lighter(hat, 0.4))
    c.rect(x - h * 0.1, foot - h * 0.86, x + h * 0.1, foot - h * 0.79, darker(hat, 0.1), radius=h * 0.03)


def _sound_snow(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 80, 1_500) * 0.04
    low, high = s.rng.uniform(700, 1_100), s.rng.uniform(5_000, 7_500)
    for at in cues:
        for delay, length, gain in ((0.0, 0.26, 1.0), (0.2, 0.24, 0.7)):  # the heel goes in, then the toe
            n = len(s.time(length))
            press = bend(n, (0, 0), (0.5, 1), (0.7, 0.8), (1, 0))
            grind = 0.3 + s.wander(320, 0, 1, length)[:n] ** 2
            crunch = s.band(s.white(length), low, high, 1)[:n] * grind * press
            squeak = s.band(s.white(length), 700, 1_300)[:n] * s.wander(120, 0, 1, length)[:n] * press
            s.place(out, crunch + 0.35 * squeak, at + delay, gain * s.rng.uniform(0.8, 1.1))
        s.place(out, s.modes([72, 110], [0.12, 0.1], [1, 0.6], 0.12), at + 0.1, 0.12)
    return s.room(out, 0.25, 0.1)


SCENES = (
    Scene(
        "rain on a window",
        (
            "Raindrops run down the window pane while the town lights blur outside.",
            "Steady rain patters against the glass.",
            "It is raining, and water beads on the window.",
            "A grey wet day seen through a window covered in drops.",
            "The soft drumming of rain on a window sill.",
            "Rain falling outside, heard from a quiet room.",
            "Drops of water slide down the glass in front of city lights.",
        ),
        _draw_rain,
        _sound_rain,
    ),
    Scene(
        "thunderstorm",
        (
            "Lightning splits a dark sky above the hills.",
            "Thunder cracks and rolls away into a long rumble.",
            "A thunderstorm with heavy rain and bright bolts of lightning.",
            "A forked flash lights up the storm clouds at night.",
            "Deep rumbling thunder over the noise of rain.",
            "The storm is right overhead: a flash, then a loud clap of thunder.",
        ),
        _draw_storm,
        _sound_storm,
        _bolts,
        still_s=0.06,
    ),
    Scene(
        "wind in the trees",
        (
            "Trees bend in a strong wind and leaves fly across the field.",
            "The wind howls and rustles through the leaves.",
            "A windy day with swaying trees and waving grass.",
            "Gusts of wind rise and fall in the treetops.",
            "Leaves whirl past the trees as the wind blows.",
            "Rushing air and rustling branches.",
        ),
        _draw_wind,
        _sound_wind,
    ),
    Scene(
        "footsteps in snow",
        (
            "Someone walks through deep snow and leaves a trail of footprints.",
            "Boots crunch in fresh snow, step after step.",
            "A snowy path between fir trees with footprints in the snow.",
            "The crisp crunching sound of walking on snow.",
            "A person in a winter coat walks away across a white field.",
            "Slow footsteps on a frozen, snowy path.",
        ),
        _draw_snow,
        _sound_snow,
        _steps,
    ),
)
