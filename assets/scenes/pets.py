"""A dog barking, a cat meowing, a baby crying."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import DAY, DUSK, MORNING, clouds, fur, grass, house, light, planks, ridge, sky, tree, wallpaper
from assets.scenes.synth import Signal, Synth, arch, bend, bump


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


def _garden(c: Canvas, rng: Rng, t: float) -> None:
    hour = light(rng, DAY, DAY, MORNING, DUSK)
    sky(c, hour, 0.6)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=3, bottom=0.22)
    lawn = hour.on(choose(rng, (104, 160, 72), (124, 168, 82), (92, 146, 84)))
    ridge(c, rng, 0.56, 0.03, darker(lawn, 0.2))
    if rng.random() < 0.5:
        house(c, rng.uniform(0.0, c.w - 0.4), 0.64, 0.34, 0.24, hour.on((232, 214, 184)), hour.on((160, 78, 60)))
    else:
        tree(c, rng, rng.uniform(0.1, c.w - 0.1), 0.66, 0.6, hour.on((84, 136, 66)), hour.on((98, 72, 50)), 0.1 * float(np.sin(t)))
    ridge(c, rng, 0.66, 0.015, Fade(lighter(lawn, 0.1), darker(lawn, 0.25)))
    grass(c, rng, 0.66, 0.36, lawn, count=160, height=0.05)
    c.soften(0.007)


_barks = regular((0.2, 0.5), (0.42, 0.75), 0.25)


def _draw_dog(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    _garden(c, rng, t)
    coat = choose(rng, (196, 142, 82), (150, 98, 60), (222, 186, 132), (92, 66, 52), (178, 116, 66), (226, 206, 176))
    dark, pale = darker(coat, 0.35), lighter(coat, 0.55)
    s, x, base = rng.uniform(0.86, 1.06), c.w * rng.uniform(0.4, 0.6), rng.uniform(0.97, 1.02)
    ago = since(cues, t)
    bark = float(bump(np.array([ago]), 0.05, 0.45)[0]) if ago < 1 else 0.0
    wag = float(np.sin(t * 14)) * 0.3
    c.glow(x, base - 0.02, 0.42 * s, (20, 36, 20), 0.7, 0.08)
    c.stroke([(x + 0.15 * s, base - 0.1 * s), (x + 0.31 * s, base - 0.17 * s), (x + (0.36 + 0.12 * wag) * s, base - 0.36 * s)], 0.08 * s, coat, 0.03 * s)
    c.blob([(x - 0.19 * s, base - 0.02), (x - 0.17 * s, base - 0.3 * s), (x - 0.1 * s, base - 0.5 * s), (x + 0.1 * s, base - 0.5 * s), (x + 0.18 * s, base - 0.3 * s), (x + 0.22 * s, base - 0.02)], Ball(lighter(coat, 0.12), dark, 0.4, 0.2))
    for side in (-1, 1):
        c.ellipse(x + side * 0.17 * s, base - 0.11 * s, 0.1 * s, 0.12 * s, Ball(lighter(coat, 0.1), dark))
        c.ellipse(x + side * 0.22 * s, base - 0.01, 0.08 * s, 0.035 * s, coat)
    c.blob([(x - 0.09 * s, base - 0.48 * s), (x + 0.09 * s, base - 0.48 * s), (x + 0.1 * s, base - 0.28 * s), (x, base - 0.16 * s), (x - 0.1 * s, base - 0.28 * s)], Fade(pale, mix(pale, coat, 0.6)))
    for side in (-1, 1):
        c.stroke([(x + side * 0.075 * s, base - 0.32 * s), (x + side * 0.08 * s, base - 0.02)], 0.09 * s, Fade(coat, lighter(coat, 0.1)), 0.075 * s)
        c.ellipse(x + side * 0.085 * s, base - 0.012, 0.055 * s, 0.03 * s, lighter(coat, 0.25))
        for toe in (-0.02, 0.0, 0.02):
            c.line([(x + (side * 0.085 + toe) * s, base - 0.02), (x + (side * 0.085 + toe) * s, base + 0.006)], 0.004, dark, 0.7)
    fur(c, rng, x, base - 0.3 * s, 0.16 * s, 0.2 * s, coat, count=170, length=0.035 * s)
    c.rect(x - 0.1 * s, base - 0.53 * s, x + 0.1 * s, base - 0.485 * s, choose(rng, (206, 50, 46), (40, 96, 180), (40, 140, 90), (240, 180, 40)), radius=0.02)
    c.ellipse(x, base - 0.47 * s, 0.02 * s, 0.02 * s, Ball((255, 236, 160), (190, 140, 40)))
    _dog_head(c, rng, x, base - (0.66 + 0.03 * bark) * s, s, coat, bark, blinking(t, 0.0))


def _dog_head(c: Canvas, rng: Rng, x: float, y: float, s: float, coat: Color, bark: float, blink: float) -> None:
    dark, pale = darker(coat, 0.42), lighter(coat, 0.55)
    floppy, mask = rng.random() < 0.65, rng.random() < 0.5
    if not floppy:
        for side in (-1, 1):
            c.blob([(x + side * 0.06 * s, y - 0.12 * s), (x + side * 0.15 * s, y - 0.27 * s), (x + side * 0.18 * s, y - 0.06 * s)], Fade(coat, dark))
            c.blob([(x + side * 0.09 * s, y - 0.12 * s), (x + side * 0.145 * s, y - 0.22 * s), (x + side * 0.155 * s, y - 0.08 * s)], (206, 150, 136))
    c.blob([(x - 0.12 * s, y - 0.15 * s), (x, y - 0.185 * s), (x + 0.12 * s, y - 0.15 * s), (x + 0.17 * s, y - 0.02 * s), (x + 0.11 * s, y + 0.13 * s), (x, y + 0.17 * s), (x - 0.11 * s, y + 0.13 * s), (x - 0.17 * s, y - 0.02 * s)], Ball(lighter(coat, 0.2), darker(coat, 0.25), 0.42, 0.2))
    fur(c, rng, x, y - 0.01 * s, 0.145 * s, 0.14 * s, coat, count=170, length=0.03 * s, down=0.2)
    if mask:
        c.blob([(x - 0.025 * s, y - 0.17 * s), (x + 0.025 * s, y - 0.17 * s), (x + 0.05 * s, y + 0.05 * s), (x - 0.05 * s, y + 0.05 * s)], pale, 0.9)
    drop = bark * 0.075 * s
    c.ellipse(x, y + 0.125 * s + drop * 0.8, 0.062 * s, 0.05 * s, mix(coat, pale, 0.6))
    if bark > 0.03:
        c.ellipse(x, y + 0.115 * s + drop * 0.6, 0.056 * s, 0.025 * s + drop * 0.8, (92, 26, 32))
        c.ellipse(x, y + 0.13 * s + drop * 1.05, 0.038 * s, 0.016 * s + drop * 0.35, (232, 118, 124))
        for side in (-1, 1):
            c.poly([(x + (side * 0.036 - 0.008) * s, y + 0.1 * s), (x + (side * 0.036 + 0.008) * s, y + 0.1 * s), (x + side * 0.036 * s, y + 0.128 * s)], (255, 250, 240))
    else:
        c.blob([(x - 0.025 * s, y + 0.14 * s), (x + 0.025 * s, y + 0.14 * s), (x + 0.028 * s, y + 0.2 * s), (x, y + 0.225 * s), (x - 0.028 * s, y + 0.2 * s)], Fade((214, 90, 100), (240, 136, 140)))
    for side in (-1, 1):
        c.ellipse(x + side * 0.042 * s, y + 0.085 * s, 0.066 * s, 0.052 * s, Ball(lighter(pale, 0.3), mix(pale, coat, 0.5)))
        for k in range(3):
            c.ellipse(x + side * (0.045 + 0.014 * k) * s, y + (0.085 + 0.01 * (k % 2)) * s, 0.003 * s, 0.003 * s, dark)
    c.ellipse(x, y + 0.045 * s, 0.06 * s, 0.042 * s, mix(pale, coat, 0.25))
    c.blob([(x - 0.042 * s, y + 0.022 * s), (x, y + 0.014 * s), (x + 0.042 * s, y + 0.022 * s), (x + 0.02 * s, y + 0.06 * s), (x, y + 0.068 * s), (x - 0.02 * s, y + 0.06 * s)], Ball((84, 76, 80), (16, 12, 16), 0.4, 0.1))
    for side in (-1, 1):
        c.ellipse(x + side * 0.018 * s, y + 0.042 * s, 0.008 * s, 0.006 * s, (4, 4, 6))
        c.ellipse(x + side * 0.075 * s, y - 0.045 * s, 0.036 * s, 0.034 * s, darker(coat, 0.22))
        eye(c, x + side * 0.073 * s, y - 0.04 * s, 0.025 * s, (112, 66, 34), 0.66, blink)
        c.stroke([(x + side * 0.045 * s, y - 0.085 * s), (x + side * 0.09 * s, y - 0.095 * s)], 0.012 * s, pale, 0.006 * s)
    c.line([(x, y + 0.065 * s), (x, y + 0.1 * s)], 0.005, dark)
    if floppy:
        ear = dark if rng.random() < 0.7 else coat
        for side in (-1, 1):
            flap = 0.02 * bark
            c.blob([(x + side * 0.1 * s, y - 0.155 * s), (x + side * 0.165 * s, y - 0.12 * s), (x + side * (0.215 + flap) * s, y + 0.03 * s), (x + side * (0.195 + flap) * s, y + 0.13 * s), (x + side * 0.145 * s, y + 0.1 * s), (x + side * 0.13 * s, y - 0.03 * s)], Ball(lighter(ear, 0.16), darker(ear, 0.2)))
            fur(c, rng, x + side * 0.17 * s, y + 0.01 * s, 0.03 * s, 0.09 * s, ear, count=40, length=0.03 * s, down=1.0)


def _sound_dog(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 80, 1_500) * 0.006
    pitch, big = s.rng.uniform(300, 620), s.rng.uniform(0.8, 1.25)
    for at in cues:
        length = s.rng.uniform(0.16, 0.23)
        n = len(s.time(length))
        top = pitch * s.rng.uniform(0.93, 1.08)
        hz = bend(n, (0, top * 0.62), (0.22, top * 1.12), (0.55, top), (1, top * 0.5)) * (1 + 0.05 * s.wander(90, -1, 1, length)[:n])
        rough = 1 + 0.5 * s.wander(160, -1, 1, length)[:n]
        throat = s.pulses(hz, 9.0) * rough + 0.16 * s.white(length)[:n]
        bark = s.formants(throat, [(620 / big, 380, 0), (1_250 / big, 420, -3), (2_300 / big, 600, -11), (3_600 / big, 900, -19)], -44)
        env = bump(s.time(length), 0.022, 0.34)[:n] * arch(n, 0.02, 0.3)
        s.place(out, bark * env, at, s.rng.uniform(0.8, 1.05) * 3)
        growl = s.band(s.white(length), 250, 1_100)[:n] * env
        s.place(out, growl, at, 0.35)
    return s.room(out, 0.5, 0.2, 3_500)


_meows = regular((0.2, 0.5), (1.5, 2.1), 0.1)


def _draw_cat(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wall = choose(rng, (176, 196, 190), (214, 192, 168), (158, 176, 206), (206, 172, 166), (196, 200, 158))
    wallpaper(c, rng, wall, 0.74, choose(rng, (150, 104, 68), (172, 132, 92), (112, 82, 66)))
    wx = rng.uniform(0.12, 0.4)
    c.rect(wx - 0.02, 0.08, wx + 0.37, 0.56, (244, 240, 230))
    c.rect(wx, 0.1, wx + 0.35, 0.54, Fade((134, 190, 232), (220, 236, 240)))
    c.rect(wx + 0.168, 0.1, wx + 0.182, 0.54, (244, 240, 230))
    rug = choose(rng, (176, 66, 62), (66, 92, 140), (82, 120, 96), (196, 148, 76))
    c.ellipse(c.w / 2, 0.93, 0.58, 0.12, darker(rug, 0.2))
    c.ellipse(c.w / 2, 0.92, 0.55, 0.105, rug)
    c.ellipse(c.w / 2, 0.92, 0.46, 0.085, lighter(rug, 0.25))
    c.soften(0.006)
    coat = choose(rng, (226, 148, 72), (138, 132, 128), (62, 58, 60), (196, 170, 138), (236, 226, 212), (120, 98, 80))
    stripes = rng.random() < 0.75
    band, pale = darker(coat, 0.42), lighter(coat, 0.62)
    s, x, base = rng.uniform(0.9, 1.08), c.w * rng.uniform(0.42, 0.58), 0.955
    ago = since(cues, t)
    mew = float(np.sin(np.pi * min(ago / 0.9, 1.0)) ** 0.7) if ago < 0.9 else 0.0
    flick = float(np.sin(t * 2.2)) * 0.06
    c.glow(x, base, 0.36 * s, (30, 16, 10), 0.7, 0.07)
    tail = [(x + 0.14 * s, base - 0.06 * s), (x + 0.3 * s, base - 0.05 * s), (x + 0.36 * s, base - 0.2 * s), (x + (0.3 + flick) * s, base - 0.34 * s), (x + (0.36 + flick * 1.5) * s, base - 0.44 * s)]
    c.stroke(tail, 0.07 * s, coat, 0.04 * s)
    c.blob([(x - 0.17 * s, base), (x - 0.17 * s, base - 0.2 * s), (x - 0.085 * s, base - 0.44 * s), (x + 0.085 * s, base - 0.44 * s), (x + 0.17 * s, base - 0.2 * s), (x + 0.17 * s, base)], Ball(lighter(coat, 0.14), darker(coat, 0.32), 0.4, 0.2))
    if stripes:
        for k in range(5):
            for side in (-1, 1):
                yy = base - (0.1 + 0.06 * k) * s
                edge = 0.165 - 0.016 * k
                c.stroke([(x + side * edge * s, yy - 0.01 * s), (x + side * (edge - 0.08) * s, yy + 0.012 * s)], 0.024 * s, band, 0.003, 0.8)
    c.blob([(x - 0.07 * s, base - 0.42 * s), (x + 0.07 * s, base - 0.42 * s), (x + 0.075 * s, base - 0.22 * s), (x, base - 0.12 * s), (x - 0.075 * s, base - 0.22 * s)], pale, 0.92)
    fur(c, rng, x, base - 0.24 * s, 0.14 * s, 0.18 * s, coat, count=150, length=0.026 * s, down=1.0)
    for side in (-1, 1):
        c.ellipse(x + side * 0.125 * s, base - 0.09 * s, 0.075 * s, 0.1 * s, Ball(lighter(coat, 0.1), darker(coat, 0.25)))
        c.stroke([(x + side * 0.05 * s, base - 0.26 * s), (x + side * 0.05 * s, base - 0.02 * s)], 0.068 * s, Fade(coat, pale), 0.06 * s)
        c.ellipse(x + side * 0.055 * s, base - 0.012 * s, 0.046 * s, 0.028 * s, pale)
        for toe in (-0.015, 0.012):
            c.line([(x + (side * 0.055 + toe) * s, base - 0.025 * s), (x + (side * 0.055 + toe) * s, base + 0.004)], 0.004, darker(pale, 0.4), 0.8)
    _cat_head(c, rng, x, base - (0.545 + 0.012 * mew) * s, s, coat, band if stripes else None, mew, blinking(t, 0.0))


def _cat_head(c: Canvas, rng: Rng, x: float, y: float, s: float, coat: Color, band: Color | None, mew: float, blink: float) -> None:
    pale = lighter(coat, 0.62)
    for side in (-1, 1):
        c.poly([(x + side * 0.045 * s, y - 0.115 * s), (x + side * 0.148 * s, y - 0.235 * s), (x + side * 0.172 * s, y - 0.03 * s)], Fade(darker(coat, 0.12), coat))
        c.poly([(x + side * 0.075 * s, y - 0.125 * s), (x + side * 0.14 * s, y - 0.2 * s), (x + side * 0.152 * s, y - 0.06 * s)], Fade((206, 134, 128), (236, 178, 166)))
    c.blob([(x, y - 0.135 * s), (x + 0.11 * s, y - 0.11 * s), (x + 0.175 * s, y + 0.01 * s), (x + 0.13 * s, y + 0.11 * s), (x, y + 0.15 * s), (x - 0.13 * s, y + 0.11 * s), (x - 0.175 * s, y + 0.01 * s), (x - 0.11 * s, y - 0.11 * s)], Ball(lighter(coat, 0.2), darker(coat, 0.22), 0.42, 0.2))
    if band:
        for dx in (-0.045, 0.0, 0.045):
            c.stroke([(x + dx * s, y - 0.13 * s), (x + dx * 0.7 * s, y - 0.065 * s)], 0.018 * s, band, 0.005)
        for side in (-1, 1):
            for k in range(3):
                c.stroke([(x + side * 0.165 * s, y + (0.0 + 0.035 * k) * s), (x + side * 0.105 * s, y + (0.02 + 0.025 * k) * s)], 0.014 * s, band, 0.003)
    fur(c, rng, x, y, 0.145 * s, 0.115 * s, coat, count=190, length=0.025 * s, down=0.2)
    jaw = mew * 0.05 * s
    c.ellipse(x, y + 0.105 * s + jaw * 0.7, 0.05 * s, 0.036 * s + jaw * 0.3, pale)
    if mew > 0.03:
        c.ellipse(x, y + 0.098 * s + jaw * 0.45, 0.034 * s, 0.008 * s + jaw * 0.7, (120, 36, 44))
        c.ellipse(x, y + 0.106 * s + jaw * 0.9, 0.022 * s, 0.006 * s + jaw * 0.28, (240, 136, 142))
    for side in (-1, 1):
        c.ellipse(x + side * 0.034 * s, y + 0.078 * s, 0.045 * s, 0.036 * s, Ball(lighter(pale, 0.4), mix(pale, coat, 0.3)))
    c.poly([(x - 0.02 * s, y + 0.042 * s), (x + 0.02 * s, y + 0.042 * s), (x, y + 0.064 * s)], (222, 126, 128))
    c.line([(x, y + 0.06 * s), (x, y + 0.08 * s)], 0.004, darker(coat, 0.5))
    iris = choose(rng, (150, 190, 70), (226, 180, 60), (100, 170, 180), (120, 176, 110))
    for side in (-1, 1):
        eye(c, x + side * 0.073 * s, y - 0.01 * s, 0.034 * s, iris, 0.3, max(blink, 0.35 * mew))
        for k in (-1, 0, 1):
            tip = (x + side * 0.23 * s, y + (0.075 + 0.035 * k) * s)
            c.stroke([(x + side * 0.05 * s, y + (0.078 + 0.008 * k) * s), (x + side * 0.14 * s, y + (0.07 + 0.02 * k) * s), tip], 0.0035, (255, 252, 246), 0.001)


def _sound_cat(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-6, 60, 800) * 0.004
    base = s.rng.uniform(430, 640)
    for at in cues:
        length = s.rng.uniform(0.8, 1.1)
        n, pitch = len(s.time(length)), base * s.rng.uniform(0.94, 1.07)
        hz = bend(n, (0, pitch * 0.8), (0.22, pitch * 1.25), (0.5, pitch * 1.3), (1, pitch * 0.72)) * (1 + 0.012 * np.sin(s.phase(6.5, n)))
        throat = s.pulses(hz, bend(n, (0, 3.0), (0.3, 14.0), (0.7, 10.0), (1, 3.0))) + 0.03 * s.white(length)[:n]
        closed = s.formants(throat, [(450, 300, 0), (1_300, 500, -24)], -54)
        front = s.formants(throat, [(850, 300, -4), (2_300, 500, -2), (3_400, 600, -8)], -48)
        wide = s.formants(throat, [(1_150, 350, 0), (1_800, 450, -3), (3_300, 700, -12)], -48)
        mouth = bend(n, (0, 0), (0.16, 0), (0.34, 1), (0.72, 1), (1, 0))
        turn = bend(n, (0, 0), (0.3, 0), (0.55, 1), (1, 1))
        mew = closed * (1 - mouth) * 0.8 + mouth * (front * (1 - turn) + wide * turn)
        s.place(out, mew * arch(n, 0.12, 0.4), at, s.rng.uniform(0.9, 1.1) * 3)
    return s.room(out, 0.45, 0.16)


_cries = regular((0.15, 0.35), (1.15, 1.45), 0.05)


def _draw_baby(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wall = choose(rng, (214, 228, 240), (246, 226, 206), (224, 236, 214), (240, 216, 222))
    wallpaper(c, rng, wall, 0.8, (196, 164, 130))
    for x, y in rng.uniform((0, 0.02), (c.w, 0.5), (26, 2)):
        c.ellipse(x, y, 0.012, 0.012, lighter(wall, 0.55), 0.8)
    wood = choose(rng, (236, 228, 214), (176, 130, 88), (206, 172, 128))
    blanket = choose(rng, (150, 196, 226), (244, 190, 170), (176, 214, 168), (250, 216, 140))
    for x in np.arange(0.0, c.w + 0.1, 0.115):
        c.rect(x, 0.3, x + 0.03, 1.0, Fade(lighter(wood, 0.2), darker(wood, 0.2), sideways=True))
    c.rect(-0.1, 0.26, c.w + 0.1, 0.32, Fade(lighter(wood, 0.2), darker(wood, 0.15)), radius=0.02)
    c.soften(0.006)
    c.rect(-0.1, 0.62, c.w + 0.1, 1.1, Fade((252, 250, 246), (214, 218, 228)))
    ago = since(cues, t)
    cry = 0.35 + 0.65 * float(np.sin(np.pi * min(ago / 0.95, 1.0)) ** 0.5) if ago < 0.95 else 0.25
    x, y, s = c.w * rng.uniform(0.44, 0.56), rng.uniform(0.47, 0.5), rng.uniform(0.95, 1.12)
    skin = choose(rng, (246, 206, 180), (232, 184, 150), (178, 124, 88), (126, 84, 62), (250, 214, 194))
    hair = choose(rng, (92, 62, 42), (52, 40, 36), (196, 150, 90), (150, 98, 58))
    shake = 0.004 * float(np.sin(t * 40)) * cry
    c.blob([(x - 0.34 * s, y + 0.14), (x, y + 0.02), (x + 0.34 * s, y + 0.14), (x + 0.34 * s, y + 0.32), (x - 0.34 * s, y + 0.32)], Ball((255, 255, 255), (216, 222, 234), 0.5, 0.2))
    suit = lighter(blanket, 0.4)
    c.blob([(x - 0.2 * s, y + 0.26 * s), (x, y + 0.2 * s), (x + 0.2 * s, y + 0.26 * s), (x + 0.25 * s, y + 0.6), (x - 0.25 * s, y + 0.6)], Ball(lighter(suit, 0.3), darker(suit, 0.15)))
    for side in (-1, 1):
        lift = (0.06 * float(np.sin(t * 7 + side)) + 0.03) * s
        hand = (x + side * 0.3 * s, y + 0.18 * s - lift)
        c.stroke([(x + side * 0.17 * s, y + 0.34 * s), (x + side * 0.28 * s, y + 0.32 * s), hand], 0.1 * s, suit, 0.075 * s)
        c.ellipse(*hand, 0.048 * s, 0.045 * s, Ball(lighter(skin, 0.2), darker(skin, 0.1)))
        c.ellipse(x + side * 0.205 * s + shake, y + 0.02 * s, 0.038 * s, 0.05 * s, Ball(lighter(skin, 0.1), darker(skin, 0.16)))
    x += shake
    flush = mix(skin, (232, 88, 80), 0.16 + 0.16 * cry)
    c.blob([(x, y - 0.2 * s), (x + 0.15 * s, y - 0.15 * s), (x + 0.2 * s, y + 0.0 * s), (x + 0.18 * s, y + 0.13 * s), (x, y + 0.235 * s), (x - 0.18 * s, y + 0.13 * s), (x - 0.2 * s, y + 0.0 * s), (x - 0.15 * s, y - 0.15 * s)], Ball(lighter(flush, 0.28), darker(flush, 0.08), 0.42, 0.25))
    for angle in np.linspace(-0.9, 0.9, 9):
        tip = (x + np.sin(angle) * 0.14 * s, y - 0.19 * s + abs(angle) * 0.05 * s)
        c.stroke([(x + np.sin(angle) * 0.04 * s, y - 0.205 * s), tip], 0.02 * s, hair, 0.004)
    for side in (-1, 1):
        c.glow(x + side * 0.12 * s, y + 0.07 * s, 0.07 * s, (236, 90, 90), 0.5)
        c.stroke([(x + side * 0.13 * s, y - 0.035 * s), (x + side * 0.085 * s, y - 0.02 * s), (x + side * 0.045 * s, y - 0.025 * s)], 0.013 * s, darker(flush, 0.62), 0.009 * s)
        c.stroke([(x + side * 0.13 * s, y - 0.09 * s), (x + side * 0.05 * s, y - 0.07 * s)], 0.012 * s, darker(hair, 0.1), 0.007 * s)
        drop = (t * 0.5 + 0.5 * (side > 0)) % 1.0
        c.ellipse(x + side * (0.105 + 0.02 * drop) * s, y + (0.0 + 0.14 * drop) * s, 0.013 * s, 0.019 * s, Ball((255, 255, 255), (120, 186, 236)), 0.95)
    c.ellipse(x, y + 0.04 * s, 0.026 * s, 0.018 * s, Ball(lighter(flush, 0.25), darker(flush, 0.14)))
    tall = (0.016 + 0.05 * cry) * s
    c.ellipse(x, y + 0.125 * s, 0.075 * s, tall + 0.008, darker(flush, 0.3))
    c.ellipse(x, y + 0.125 * s, 0.067 * s, tall, (116, 26, 36))
    c.ellipse(x, y + 0.125 * s + tall * 0.5, 0.042 * s, tall * 0.45, (232, 112, 116))
    c.blob([(x - 0.4, 0.84), (x, 0.8), (x + 0.4, 0.84), (x + 0.55, 1.05), (x - 0.55, 1.05)], Fade(blanket, darker(blanket, 0.2)))
    for fx in np.linspace(-0.3, 0.3, 5):
        c.stroke([(x + fx, 0.84), (x + fx * 1.2, 1.02)], 0.012, lighter(blanket, 0.3), 0.004, 0.6)


def _sound_baby(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-6, 60, 800) * 0.004
    base = s.rng.uniform(380, 480)
    for at in cues:
        length = s.rng.uniform(0.85, 1.0)
        n, pitch = len(s.time(length)), base * s.rng.uniform(0.96, 1.08)
        shake = 1 + 0.018 * np.sin(s.phase(s.rng.uniform(5, 7), n)) + 0.012 * s.wander(40, -1, 1, length)[:n]
        hz = bend(n, (0, pitch * 0.8), (0.15, pitch * 1.15), (0.5, pitch * 1.22), (0.85, pitch), (1, pitch * 0.7)) * shake
        throat = s.pulses(hz, 26.0) * (1 + 0.3 * s.wander(70, -1, 1, length)[:n]) + 0.05 * s.white(length)[:n]
        cry = s.formants(throat, [(1_050, 300, 0), (1_650, 350, -2), (3_300, 500, -7), (4_600, 700, -14)], -44)
        s.place(out, cry * arch(n, 0.09, 0.2), at, 3.0)
        gasp = s.band(s.white(0.16), 900, 3_600) * arch(len(s.time(0.16)), 0.6, 0.2)
        s.place(out, gasp, at - 0.2, 0.16)
    return s.room(out, 0.4, 0.14)


SCENES = (
    Scene(
        "dog barking",
        (
            "A dog sits in the garden and barks at somebody.",
            "Woof, woof: the short sharp barks of a dog.",
            "A friendly brown dog with a collar on the lawn.",
            "A dog barks again and again.",
            "The neighbour's dog is barking loudly.",
            "A pet dog looks into the camera with its mouth open.",
        ),
        _draw_dog,
        _sound_dog,
        _barks,
        still_s=0.07,
    ),
    Scene(
        "cat meowing",
        (
            "A cat sits on the rug and looks up, mewing for food.",
            "Meow: a cat calls in a plaintive voice.",
            "A house cat with bright eyes and long whiskers.",
            "A hungry cat is meowing indoors.",
            "The drawn-out miaow of a cat.",
            "A striped kitten sits on the carpet in front of a window.",
        ),
        _draw_cat,
        _sound_cat,
        _meows,
        still_s=0.25,
    ),
    Scene(
        "crying baby",
        (
            "A baby lies in its cot and cries, tears on its cheeks.",
            "The wailing of a newborn, breath after breath.",
            "An upset infant with a wide open mouth.",
            "A baby is crying loudly in the nursery.",
            "A little child screams and sobs.",
            "Tears run down the face of a small baby under a blanket.",
        ),
        _draw_baby,
        _sound_baby,
        _cries,
        still_s=0.4,
    ),
)
