"""A campfire, a church bell, fireworks."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix, oval, turned, vary
from assets.scenes.scene import Cues, Rng, Scene, regular
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    NIGHT,
    OVERCAST,
    clouds,
    grass,
    house,
    light,
    moon,
    pine,
    ridge,
    sky,
    skyline,
    stars,
    sun,
)
from assets.scenes.synth import Signal, Synth, bend, bump


def _draw_campfire(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, NIGHT, NIGHT, DUSK)
    sky(c, hour, 0.7)
    if hour.amount > 0.5:
        stars(c, rng, t, 80, 0.5)
    if rng.random() < 0.5:
        moon(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.1, 0.2), 0.04)
    ridge(c, rng, 0.55, 0.07, hour.on((60, 84, 92), 0.1))
    wood = hour.on((40, 74, 62))
    for x in np.sort(rng.uniform(-0.05, c.w + 0.05, 12)):
        pine(
            c,
            x,
            rng.uniform(0.66, 0.72),
            rng.uniform(0.3, 0.52),
            darker(wood, rng.uniform(0.1, 0.4)),
            0.1 * float(np.sin(t + x)),
        )
    earth = hour.on((112, 92, 62))
    ridge(c, rng, 0.7, 0.012, Fade(earth, darker(earth, 0.5)))
    grass(c, rng, 0.72, 0.1, hour.on((92, 116, 62)), count=90, height=0.035)
    x, y = c.w * rng.uniform(0.44, 0.56), 0.86
    flicker = 1 + 0.06 * float(np.sin(t * 11) + np.sin(t * 17.3) + np.sin(t * 5.1))
    c.glow(x, y, 0.85 * flicker, (255, 150, 50), 0.55, 0.34)
    if rng.random() < 0.7:
        cloth = hour.on(choose(rng, (220, 96, 52), (60, 130, 150), (226, 176, 72), (96, 140, 76)), -0.35)
        _tent(c, x + rng.choice((-1, 1)) * rng.uniform(0.4, 0.46), 0.78, rng.uniform(0.26, 0.32), cloth, x)
    for side in (-1, 1):
        lx = x + side * rng.uniform(0.36, 0.44)
        c.stroke([(lx - 0.13, 0.93), (lx + 0.13, 0.925)], 0.075, Fade((150, 96, 56), (44, 28, 28)), 0.075)
        c.ellipse(lx - side * 0.13, 0.927, 0.022, 0.037, Ball((236, 176, 112), (150, 96, 60)))
    c.glow(x, y - 0.2, 0.55 * flicker, (255, 120, 30), 0.5)
    for a in np.linspace(0, np.pi, 9):  # the far stones of the ring
        _stone(c, rng, x + 0.23 * np.cos(a), y - 0.01 - 0.05 * np.sin(a))
    c.ellipse(x, y, 0.2, 0.055, (34, 22, 24))
    c.ellipse(x, y, 0.14, 0.036, Ball((255, 150, 50), (120, 34, 20), 0.5, 0.5))
    for dx in (-0.17, 0.16, -0.1, 0.09):
        c.stroke([(x + dx, y + 0.02), (x - dx * 0.35, y - 0.11)], 0.042, Fade((70, 42, 32), (128, 78, 46)), 0.03)
    tongues = rng.uniform((-0.1, 0.55, 5, 0), (0.1, 1.0, 9, 6.3), (8, 4))
    size = rng.uniform(0.34, 0.46)
    for color, wide, high, alpha in (
        ((214, 54, 22), 1.25, 1.1, 0.75),
        ((246, 112, 24), 1.0, 0.92, 0.9),
        ((255, 178, 44), 0.7, 0.7, 0.95),
        ((255, 238, 150), 0.4, 0.46, 0.95),
    ):
        for dx, tall, speed, phase in tongues:
            h = size * tall * high * (1 - abs(dx) * 4.2) * (0.86 + 0.16 * np.sin(t * speed + phase)) + 0.03
            sway = 0.05 * np.sin(t * speed * 0.7 + phase * 2) - dx * 0.3
            _flame(c, x + dx * wide, y + 0.005, 0.1 * wide, h, sway, color, alpha)
    for a in np.linspace(np.pi, 2 * np.pi, 9):  # the near ones
        _stone(c, rng, x + 0.23 * np.cos(a), y + 0.015 - 0.05 * np.sin(a))
    for px, speed, phase, r in rng.uniform((-0.12, 0.15, 0, 0.0018), (0.12, 0.4, 1, 0.005), (46, 4)):
        up = (phase + t * speed) % 1.0
        sx = x + px * (1 - up * 0.5) + 0.07 * up * np.sin(up * 9 + phase * 40)
        c.ellipse(sx, y - 0.12 - up * 0.74, r, r, mix((255, 226, 130), (255, 96, 30), up), 1 - up**2)


def _flame(c: Canvas, x: float, y: float, w: float, h: float, sway: float, color: Color, alpha: float) -> None:
    c.blob(
        [
            (x - w * 0.5, y),
            (x - w * 0.62, y - h * 0.26),
            (x - w * 0.2 + sway * 0.3, y - h * 0.62),
            (x + sway, y - h),
            (x + w * 0.24 + sway * 0.5, y - h * 0.58),
            (x + w * 0.6, y - h * 0.24),
            (x + w * 0.45, y),
        ],
        color,
        alpha,
    )


def _stone(c: Canvas, rng: Rng, x: float, y: float) -> None:
    rx, ry, gray = rng.uniform(0.036, 0.05), rng.uniform(0.024, 0.034), vary(rng, (132, 118, 112), 0.08)
    c.ellipse(x, y, rx, ry, Ball(mix(gray, (255, 190, 120), 0.4), darker(gray, 0.6), 0.5, 0.15))


def _tent(c: Canvas, x: float, y: float, h: float, cloth: Color, fire_x: float) -> None:
    to_fire = 1 if fire_x > x else -1
    peak = (x + to_fire * h * 0.12, y - h)
    c.poly(
        [(x - to_fire * h * 0.85, y), (peak[0] - to_fire * h * 0.45, y - h * 0.94), peak, (x - to_fire * h * 0.3, y)],
        Fade(darker(cloth, 0.3), darker(cloth, 0.6)),
    )
    c.poly(
        [(x - to_fire * h * 0.34, y + 0.02), peak, (x + to_fire * h * 0.66, y)],
        Fade(lighter(cloth, 0.2), darker(cloth, 0.1)),
    )
    c.poly(
        [(x - to_fire * h * 0.06, y + 0.014), (peak[0], y - h * 0.82), (x + to_fire * h * 0.34, y + 0.007)],
        (58, 34, 36),
    )
    c.poly(
        [(x + to_fire * h * 0.1, y + 0.01), (peak[0], y - h * 0.82), (x + to_fire * h * 0.34, y + 0.007)],
        lighter(cloth, 0.35),
    )


def _sound_campfire(s: Synth, cues: Cues) -> Signal:
    out: Signal = s.noise(-4.5, 60, 700) * (0.35 + 0.65 * s.wander(7)) * np.float32(0.2)
    out += s.band(s.white(), 1_500, 7_000) * (0.3 + 0.7 * s.wander(3)) * np.float32(0.015)
    bursts = s.rng.uniform(0, s.duration_s, int(s.duration_s * s.rng.uniform(5, 9)) + 1)
    for low, high, length, level in (
        (1_800, 9_000, 0.004, 1.6),
        (900, 4_500, 0.008, 1.3),
        (2_800, 12_000, 0.0025, 1.4),
    ):
        snap: Signal = s.band(s.white(length), low, high, 1) * bump(s.time(length), 0.0002, length * 1.4)
        at = s.rng.choice(bursts, int(s.duration_s * 26)) + s.rng.exponential(0.08, int(s.duration_s * 26))
        s.grains(out, snap, at, level * s.rng.exponential(0.35, len(at)) ** 1.5)
    for _ in range(int(s.duration_s * s.rng.uniform(1.2, 2.6)) + 1):  # knots that pop
        hz = s.rng.uniform(420, 1_300)
        pop = s.modes([hz, hz * 1.8, hz * 3.1], [0.06, 0.04, 0.03], [1, 0.7, 0.5], 0.07)
        pop += s.band(s.white(0.07), 700, 8_000, 1) * bump(s.time(0.07), 0.0005, 0.03)
        s.place(out, pop, s.rng.uniform(0, s.duration_s), s.rng.uniform(0.7, 1.7))
    return out


_strokes = regular((0.2, 0.45), (1.5, 2.1))


def _draw_bell(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST)
    sky(c, hour, 1.0)
    sun(c, rng.choice((0.12, c.w - 0.12)), rng.uniform(0.2, 0.6), 0.05, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=5, top=0.1, bottom=0.6)
    ridge(c, rng, 0.8, 0.05, hour.on((104, 140, 104), 0.35))
    for hx, w in zip(np.arange(-0.1, c.w, 0.19), rng.uniform(0.13, 0.17, 20), strict=False):
        wall = vary(rng, hour.on((226, 206, 180), 0.1), 0.05)
        house(c, hx, 0.94 + 0.1 * (w - 0.13), w, w * 0.6, wall, vary(rng, hour.on((166, 84, 62), 0.1), 0.06))
    c.soften(0.003)
    stone = hour.on(choose(rng, (206, 190, 160), (232, 226, 214), (176, 168, 160), (190, 124, 96)))
    roof = hour.on(choose(rng, (150, 70, 54), (84, 92, 106), (86, 140, 126), (112, 76, 64)))
    x, half, eaves = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.29, 0.34), 0.32
    c.rect(x - 0.006, 0.05, x + 0.006, 0.16, (222, 180, 70))
    c.rect(x - 0.028, 0.075, x + 0.028, 0.086, (222, 180, 70))
    c.poly(
        [(x, 0.13), (x + half + 0.05, eaves), (x - half - 0.05, eaves)], Fade(lighter(roof, 0.15), darker(roof, 0.2))
    )
    c.poly([(x, 0.13), (x + half + 0.05, eaves), (x + half * 0.3, eaves)], darker(roof, 0.3), 0.55)
    c.rect(x - half, eaves, x + half, 1.1, Fade(lighter(stone, 0.12), darker(stone, 0.22), sideways=True))
    for row in range(12):
        for bx in np.arange(x - half + (row % 2) * 0.05, x + half - 0.02, 0.1):
            tone, width = rng.uniform(-0.1, 0.12), min(0.094, x + half - bx)
            c.rect(
                bx,
                eaves + row * 0.06,
                bx + width,
                eaves + row * 0.06 + 0.054,
                lighter(stone, tone) if tone > 0 else darker(stone, -tone),
                0.4,
            )
    c.rect(x - half - 0.03, eaves, x + half + 0.03, eaves + 0.035, Fade(lighter(stone, 0.25), darker(stone, 0.2)))
    arch = np.vstack([oval(x, 0.56, 0.23, 0.19)[28:], [(x + 0.23, 0.9), (x - 0.23, 0.9)]])
    c.poly((arch - (x, 0.7)) * (1.13, 1.09) + (x, 0.695), lighter(stone, 0.28))
    c.poly(arch, Fade((40, 34, 44), mix((60, 52, 62), hour.low, 0.3)))
    c.rect(x - 0.23, 0.42, x + 0.23, 0.455, Fade((124, 84, 54), (64, 42, 34)))
    period = cues[1] - cues[0] if len(cues) > 1 else 1.8
    swing = float(np.cos(np.pi * (t - cues[0]) / period)) * 0.42  # a stroke at each end of the swing
    _bell(c, x, 0.45, 0.33, swing, choose(rng, (196, 140, 62), (176, 126, 70), (210, 160, 84), (150, 134, 84)))
    c.rect(x - 0.27, 0.88, x + 0.27, 0.925, Fade(lighter(stone, 0.35), darker(stone, 0.15)))
    for px, py, size in rng.uniform((0.05, 0.1, 0.012), (c.w - 0.05, 0.5, 0.022), (6, 3)):
        flap = np.sin(t * 8 + px * 30) * 0.6
        at = np.array([(px + t * 0.06) % c.w, py])
        c.stroke(
            at + size * np.array([(-1, -flap), (-0.3, -0.2), (0, 0.1), (0.3, -0.2), (1, -flap)]),
            size * 0.3,
            hour.on((40, 40, 52)),
            size * 0.1,
        )


def _bell(c: Canvas, x: float, y: float, h: float, swing: float, bronze: Color) -> None:
    """A bell hung at (x, y), swung clockwise by `swing` radians."""
    right = [
        (0.1, 0.06),
        (0.22, 0.12),
        (0.27, 0.3),
        (0.31, 0.55),
        (0.4, 0.76),
        (0.52, 0.9),
        (0.54, 0.95),
        (0.5, 0.98),
        (0.25, 1.01),
    ]
    outline = np.array([*right, *((-u, v) for u, v in reversed(right))]) * h + (x, y)
    clapper = turned([(x, y + h * 0.4), (x, y + h)], swing * 1.9, x, y + h * 0.2)
    c.stroke(clapper, 0.014, (58, 46, 42))
    c.ellipse(clapper[1, 0], clapper[1, 1], 0.034, 0.034, Ball((130, 112, 98), (44, 36, 36)))
    c.rect(x - h * 0.07, y - 0.02, x + h * 0.07, y + h * 0.1, darker(bronze, 0.5))
    c.poly(turned(outline, swing, x, y), Fade(lighter(bronze, 0.3), darker(bronze, 0.5), sideways=True))
    shine = np.array([(-0.16, 0.14), (-0.12, 0.14), (-0.16, 0.5), (-0.26, 0.84), (-0.38, 0.84), (-0.24, 0.5)]) * h + (
        x,
        y,
    )
    c.poly(turned(shine, swing, x, y), lighter(bronze, 0.65), 0.5)
    for v, half in ((0.3, 0.268), (0.36, 0.275), (0.78, 0.41), (0.9, 0.515)):
        c.line(turned(np.array([(-half, v), (half, v)]) * h + (x, y), swing, x, y), 0.007, darker(bronze, 0.45), 0.7)


def _sound_bell(s: Synth, cues: Cues) -> Signal:
    prime, long = s.rng.uniform(190, 420), s.rng.uniform(0.8, 1.25)
    # Hum, prime, minor third, fifth, octave: the tuned partials of a church bell; doublets make it beat.
    tuned = (
        (0.5, 9, 0.5),
        (0.5015, 8, 0.25),
        (1, 5.5, 0.6),
        (1.19, 6, 0.55),
        (1.193, 5, 0.35),
        (1.5, 3.2, 0.25),
        (2, 3.4, 0.9),
    )
    bright = (
        (2.5, 1.8, 0.3),
        (2.67, 1.5, 0.3),
        (3.01, 1.6, 0.45),
        (4.17, 1.2, 0.35),
        (5.43, 0.8, 0.22),
        (6.8, 0.6, 0.15),
    )
    slow, ring = (
        s.modes([prime * r for r, _, _ in parts], [long * d for _, d, _ in parts], [g for _, _, g in parts], seconds)
        for parts, seconds in ((tuned, min(s.duration_s, 6.0)), (bright, 1.2))
    )
    ring *= bend(len(ring), (0, 1), (0.7, 1), (1, 0))
    clank = s.band(s.white(0.05), 900, 6_000, 1) * bump(s.time(0.05), 0.0005, 0.04)
    out = s.noise(-4, 120, 2_500) * 0.012
    for k, at in enumerate(cues):
        force = s.rng.uniform(0.8, 1.0) * (1.0 if k % 2 else 0.88)
        for part, gain in ((slow, 1.0), (ring, 1.0), (clank, 0.4)):
            s.place(out, part, at, gain * force)
    return out


_bursts = regular((0.5, 0.8), (0.8, 1.15), 0.4)


def _draw_fireworks(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, NIGHT)
    sky(c, hour, 1.0)
    stars(c, rng, t, 60, 0.5)
    shows = rng.uniform((0.22, 0.16, 0, 0.2, 0), (c.w - 0.22, 0.42, 1, 0.34, 1e6), (32, 2, 5))
    shows[:, 1, 3] *= 0.7
    lit = [(t - at, *show) for i, at in enumerate(cues) if -0.7 < t - at < 2.6 for show in shows[i % 32]]
    for ago, x, y, hue, reach, _ in lit:
        if ago >= 0:
            c.glow(x, y, reach * 2.6, hsv(hue, 0.6, 1.0), 0.55 * float(np.exp(-ago * 2.2)))
    town = choose(rng, (26, 30, 58), (34, 28, 52), (22, 34, 54))
    if rng.random() < 0.5:
        ridge(c, rng, 0.72, 0.06, darker(town, 0.3))
        ridge(c, rng, 0.8, 0.03, darker(town, 0.55))
    else:
        skyline(c, rng, 0.83, town, (255, 208, 120))
    c.rect(-0.1, 0.83, c.w + 0.1, 1.1, Fade((22, 32, 72), (6, 10, 30)))
    for ago, x, y, hue, reach, shape in lit:
        if ago < 0:  # the rocket climbs
            climb = 1 - (ago / -0.7) ** 1.6
            head = 0.85 + (y - 0.85) * climb
            c.stroke([(x - 0.02, head + 0.12), (x - 0.006, head + 0.05), (x, head)], 0.001, (255, 190, 110), 0.007)
            continue
        fade = float(np.clip(1.25 - ago / 2.1, 0, 1))
        c.glow(x, 0.83 + (0.83 - y) * 0.25, reach, hsv(hue, 0.6, 1.0), 0.6 * fade * float(np.exp(-ago)), 0.09)
        _burst(c, np.random.default_rng(int(shape)), ago, x, y, hue, reach, fade)
    for x, y, w in rng.uniform((0, 0.84, 0.02), (c.w, 1, 0.07), (60, 3)):
        c.ellipse(x + 0.01 * np.sin(t * 2 + y * 90), y, w, 0.0014, (120, 140, 200), 0.25)


def _burst(c: Canvas, rng: Rng, ago: float, x: float, y: float, hue: float, reach: float, fade: float) -> None:
    """A shell that burst `ago` seconds ago: a ball of stars, a gold willow, a ring, or two colours."""
    kind, count = int(rng.integers(4)), 90
    angle, far = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0.05, 1, count))
    far = np.where(np.arange(count) % 3, 0.97, far * 0.45) if kind == 2 else far
    hues = np.where(far > 0.6, hue, hue + 0.42) if kind >= 2 else np.full(count, 0.11 if kind == 1 else hue)
    drop, slowing, tail = (0.1, 1.9, 1.1) if kind == 1 else (0.035, 3.0, 0.45)
    trail = np.maximum(ago - np.linspace(tail, 0, 6) * min(ago + 0.4, 1), 0)[:, None]
    spread = reach * (1 - np.exp(-trail * slowing)) * far
    xs, ys = x + np.cos(angle) * spread, y + np.sin(angle) * spread + drop * trail**2
    if ago < 0.25:
        c.glow(x, y, reach * 0.6, (255, 250, 230), 1 - ago * 4)
    twinkle = 0.75 + 0.25 * np.sin(ago * 30 + angle * 50)
    for i in range(count):
        color, a = hsv(hues[i], 0.72, 1.0), fade * float(twinkle[i])
        path = np.stack([xs[:, i], ys[:, i]], 1)
        c.line(path, 0.0035, color, 0.6 * a)
        c.line(path[3:], 0.0055, lighter(color, 0.3), 0.95 * a)
        c.ellipse(path[5, 0], path[5, 1], 0.0048, 0.0048, lighter(color, 0.75), a)


def _sound_fireworks(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 100, 2_500) * 0.01
    snap: Signal = s.band(s.white(0.005), 1_200, 8_000, 1) * bump(s.time(0.005), 0.0002, 0.008)
    times, gains = [np.zeros(0)], [np.zeros(0)]
    low, broad, t = s.noise(-5, 38, 500, 1.3), s.noise(-1.5, 250, 7_000, 1.3), s.time(1.3)
    for at in cues:
        late, force, turn = s.rng.uniform(0.05, 0.12), s.rng.uniform(0.6, 1.1), int(s.rng.integers(len(t)))
        boom = np.roll(low, turn) * bump(t, 0.004, s.rng.uniform(0.7, 1.2)) * 1.4
        thump = np.sin(s.phase(bend(len(t), (0, 110), (0.25, 48), (1, 34)))) * bump(t, 0.003, 0.6) * 1.6
        crack = np.roll(broad, turn) * bump(t, 0.001, 0.28)
        s.place(out, boom + thump + crack, at + late, force)
        if s.rng.random() < 0.6:  # stars that crackle as they fall
            count = int(s.rng.uniform(90, 200))
            times.append(at + 0.3 + s.rng.gamma(2.5, 0.22, count))
            gains.append(s.rng.exponential(0.4, count))
        if s.rng.random() < 0.5:  # the rocket whistles up
            n = len(s.time(0.65))
            waver = 1 + 0.01 * s.wander(30, -1, 1, 0.65)[:n]
            whistle: Signal = np.sin(s.phase(bend(n, (0, 1_100), (1, s.rng.uniform(2_400, 3_400))) * waver))
            rush = 0.4 * s.band(s.white(0.65)[:n], 1_500, 5_000)
            s.place(out, (whistle + rush) * bend(n, (0, 0), (0.3, 1), (1, 0)), at - 0.66, 0.22)
    s.grains(out, snap, np.concatenate(times), np.concatenate(gains))
    return s.room(out, 1.4, 0.4, 2_500)


SCENES = (
    Scene(
        "campfire",
        (
            "A campfire burns inside a ring of stones at night.",
            "The wood crackles and pops in the fire.",
            "Flames and sparks rise from a fire in the forest.",
            "A tent beside a bright fire under the stars.",
            "The warm crackling sound of burning logs.",
            "Sitting by the fire on a camping trip in the woods.",
        ),
        _draw_campfire,
        _sound_campfire,
    ),
    Scene(
        "church bell",
        (
            "A bronze bell swings in the tower of a church.",
            "The church bell tolls, and each stroke rings on for a long time.",
            "A bell tower with a large bell under its roof.",
            "Slow, deep ringing of a church bell.",
            "The bell rings out over the village.",
            "A steeple with a swinging bell against the sky.",
        ),
        _draw_bell,
        _sound_bell,
        _strokes,
    ),
    Scene(
        "fireworks",
        (
            "Colourful fireworks burst in the night sky over the water.",
            "Rockets whistle up and explode with loud bangs and crackles.",
            "A fireworks display on New Year's Eve.",
            "Bright sparks of red, green and gold fall from the dark sky.",
            "The boom and crackle of fireworks.",
            "Exploding rockets light up the town at night.",
            "A festival night with fireworks reflected in the river.",
        ),
        _draw_fireworks,
        _sound_fireworks,
        _bursts,
        still_s=1.5,
    ),
)
