"""A helicopter in the sky, an airliner overhead."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import Canvas, Color, Fade, choose, darker, lighter, mix, smooth
from assets.scenes.scene import Cues, Rng, Scene
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    NIGHT,
    OVERCAST,
    Light,
    clouds,
    house,
    light,
    pine,
    ridge,
    sky,
    skyline,
    stars,
    sun,
    tree,
)  # fmt: skip
from assets.scenes.synth import Signal, Synth, bend
from assets.scenes.traffic import LAMP, RUBBER, Place


def _draw_helicopter(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST, NIGHT)
    dark = hour.amount > 0.5
    sky(c, hour)
    if dark:
        stars(c, rng, t)
    else:
        sun(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.08, 0.3), 0.045, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=6, bottom=0.6, size=0.17, speed=0.04)
    ground, wood = rng.random(), hour.on(choose(rng, (84, 122, 92), (100, 118, 84), (110, 104, 96)), 0.1)
    if ground < 0.4:
        skyline(c, rng, 1.02, hour.on((122, 132, 152), 0.25), (255, 212, 130) if hour.amount > 0.3 else None)
    else:
        ridge(c, rng, 0.8, 0.09, mix(wood, hour.low, 0.5), rough=1.6)
        ridge(c, rng, 0.9, 0.05, Fade(wood, darker(wood, 0.3)))
        for x in rng.uniform(0, c.w, 9):
            pine(c, x, rng.uniform(0.97, 1.06), rng.uniform(0.12, 0.2), darker(wood, 0.3))
    hour = replace(hour, amount=hour.amount * 0.35)  # lit by its own lamps, it stands out at night
    at = Place(
        c.w * rng.uniform(0.5, 0.62) + 0.05 * float(np.sin(t * 0.7)),
        rng.uniform(0.42, 0.55) + 0.018 * float(np.sin(t * 1.9)),
        rng.uniform(0.52, 0.64),
        rng.uniform(-0.02, 0.12) + 0.02 * float(np.sin(t * 1.3)),
    )
    paint = choose(rng, (208, 44, 44), (36, 84, 164), (240, 180, 36), (92, 106, 74), (236, 236, 238), (230, 106, 36))
    body = hour.on(paint)
    band = hour.on((196, 40, 44) if sum(paint) > 650 else choose(rng, (246, 246, 242), (250, 214, 80)))
    if dark and rng.random() < 0.7:
        c.poly(at([(0.12, 0.16), (0.75, 1.3), (-0.05, 1.3)]), (255, 250, 214), 0.13)
    _helicopter(c, at, hour, body, band, spin=t * 17.0, blades=int(rng.integers(2, 5)))
    blink = float(np.sin(t * 7 + 1) > 0)
    at.glow(c, -0.88, -0.33, 0.12, (255, 70, 60), 0.9 * blink)
    at.glow(c, 0.02, 0.17, 0.09, (255, 90, 70), 0.8 * (1 - blink))
    at.glow(c, 0.27, 0.1, 0.16, LAMP, 0.9 if hour.amount > 0.1 else 0.4)


def _helicopter(c: Canvas, at: Place, hour: Light, body: Color, band: Color, spin: float, blades: int) -> None:
    steel, s = hour.on((176, 184, 200) if hour.amount > 0.2 else (62, 66, 76)), at.size
    c.poly(
        at([(-0.2, -0.14), (-0.8, -0.13), (-0.82, -0.08), (-0.2, 0.05)]), Fade(lighter(body, 0.12), darker(body, 0.28))
    )
    c.poly(
        at(
            [
                (-0.68, -0.12),
                (-0.84, -0.33),
                (-0.91, -0.33),
                (-0.83, -0.07),
                (-0.88, 0.05),
                (-0.83, 0.05),
                (-0.72, -0.08),
            ]
        ),
        Fade(lighter(band, 0.1), darker(band, 0.2)),
    )
    c.poly(at([(-0.6, -0.11), (-0.72, -0.07), (-0.76, -0.09), (-0.66, -0.13)]), darker(body, 0.3))
    c.stroke(at([(-0.27, 0.27), (0.2, 0.27), (0.3, 0.26), (0.345, 0.21)]), 0.022 * s, steel)
    for x in (-0.15, 0.14):
        c.line(at([(x, 0.12), (x + 0.01, 0.27)]), 0.02 * s, steel)
    c.blob(
        at([(0.1, -0.18), (0.0, -0.25), (-0.18, -0.25), (-0.28, -0.14), (-0.05, -0.1)]),
        Fade(darker(body, 0.05), darker(body, 0.4)),
    )
    hull = smooth(
        [
            (0.33, 0.03),
            (0.28, -0.09),
            (0.13, -0.18),
            (-0.1, -0.19),
            (-0.25, -0.13),
            (-0.3, 0.0),
            (-0.2, 0.12),
            (0.05, 0.17),
            (0.26, 0.13),
        ]
    )
    c.poly(at(hull), Fade(lighter(body, 0.22), darker(body, 0.35)))
    c.poly(at([(-0.29, 0.0), (0.32, 0.06), (0.3, 0.1), (-0.25, 0.06)]), band)
    glass: Color = mix(hour.on((126, 182, 216)), (24, 40, 64), 0.25)
    c.poly(
        at(smooth([(0.31, 0.02), (0.265, -0.085), (0.13, -0.155), (0.1, -0.15), (0.1, 0.01), (0.2, 0.04)])),
        Fade(lighter(glass, 0.4), darker(glass, 0.35)),
    )
    for x0, x1 in ((-0.02, 0.07), (-0.17, -0.05)):
        c.poly(
            at([(x0, -0.145), (x1, -0.15), (x1, -0.005), (x0, -0.01)]), Fade(lighter(glass, 0.35), darker(glass, 0.35))
        )
    c.line(at([(0.085, -0.16), (0.085, 0.15)]), 0.006 * s, darker(body, 0.4))
    c.poly(at([(0.29, -0.02), (0.24, -0.09), (0.2, -0.11), (0.25, -0.02)]), (255, 255, 255), 0.35)
    c.poly(at.rect(-0.07, -0.31, -0.02, -0.23), steel)
    c.poly(at.oval(-0.045, -0.3, 0.86, 0.055, 64), mix(steel, hour.low, 0.55), 0.3)
    for a in spin + np.arange(blades) * 2 * np.pi / blades:
        for lag, alpha in ((0.0, 0.95), (0.14, 0.35), (0.28, 0.18)):
            tip = (-0.045 + 0.86 * np.cos(a - lag), -0.3 + 0.05 * np.sin(a - lag))
            c.line(at([(-0.045, -0.3), tip]), 0.022 * s, steel, alpha)
    c.poly(at.oval(-0.045, -0.305, 0.05, 0.026), steel)
    c.poly(at.oval(-0.87, -0.2, 0.14, 0.14), mix(steel, hour.low, 0.4), 0.3)
    for a in (spin * 1.7, spin * 1.7 + np.pi / 2):
        dx, dy = 0.13 * np.cos(a), 0.13 * np.sin(a)
        c.line(at([(-0.87 - dx, -0.2 - dy), (-0.87 + dx, -0.2 + dy)]), 0.018 * s, steel, 0.85)


def _sound_helicopter(s: Synth, cues: Cues) -> npt.NDArray[np.floating]:
    hz = s.rng.uniform(12, 21) * s.wander(0.5, 0.97, 1.03)
    chop = np.exp(np.float32(s.rng.uniform(3, 6)) * (np.cos(s.phase(hz)) - 1))
    slap = s.noise(-3.2, 60, s.rng.uniform(900, 1_800)) * (0.4 + 1.0 * chop) + s.noise(-2, 300, 5_000) * 0.14
    thump = s.band(s.pulses(hz, 22.0), 45, 260) * 2.5
    whine = np.sin(s.phase(s.rng.uniform(1_300, 2_900))) * 0.08
    tail = np.sin(s.phase(hz * 5.3)) * 0.1
    out: npt.NDArray[np.floating] = (slap + thump + whine + tail) * s.wander(0.4, 0.5, 1.0)
    return out


def _draw_airplane(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST)
    sky(c, hour)
    sun(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.08, 0.3), 0.045, hour)
    low = rng.random() < 0.5
    clouds(c, rng, t, hour.on((255, 255, 255)), count=6, bottom=0.5 if low else 0.95, size=0.18, speed=0.01)
    paint = hour.on(
        choose(rng, (206, 44, 48), (30, 86, 170), (240, 160, 36), (32, 130, 110), (96, 60, 140), (30, 44, 84))
    )
    flash = float((t * 1.3) % 1.0 < 0.15)
    if low:
        _neighbourhood(c, rng, hour)
        start, speed = (rng.uniform(0.4, 0.5), rng.uniform(0.36, 0.5)), rng.uniform(0.05, 0.1)
        at = Place(
            start[0] * c.w + speed * t, start[1] - 0.25 * speed * t, rng.uniform(0.95, 1.1), rng.uniform(-0.24, -0.08)
        )
        _airliner_side(c, at, hour, paint, wheels=rng.random() < 0.6)
        at.glow(c, 0.46, 0.03, 0.12, LAMP, 0.8)
        at.glow(c, -0.16, 0.16, 0.09, (255, 60, 56), flash)
        return
    angle, speed = rng.uniform(-0.75, -0.15), rng.uniform(0.05, 0.09)
    at = Place(c.w * 0.5 - 0.1 + speed * t, rng.uniform(0.46, 0.54) - speed * 0.5 * t, rng.uniform(0.6, 0.78), angle)
    for side in (-1, 1):
        trail = at([(0.0 - u, side * (0.165 + 0.012 * np.sin(u * 5))) for u in np.linspace(0.0, 2.0, 12)])
        c.stroke(trail, 0.02 * at.size, (255, 255, 255), 0.09 * at.size, 0.42)
        c.stroke(trail[1:], 0.008 * at.size, (255, 255, 255), 0.05 * at.size, 0.4)
    _airliner_below(c, at, hour, paint)
    for side, color in ((-1, (255, 60, 56)), (1, (60, 230, 110))):
        at.glow(c, -0.16, side * 0.47, 0.07, color, 0.9)
    at.glow(c, 0.0, 0.0, 0.1, (255, 255, 255), flash)


def _neighbourhood(c: Canvas, rng: Rng, hour: Light) -> None:
    green = hour.on((118, 158, 88))
    ridge(c, rng, 0.84, 0.04, mix(green, hour.low, 0.4))
    ridge(c, rng, 0.93, 0.01, Fade(green, darker(green, 0.3)))
    for x in np.arange(-0.05, c.w, 0.26) + rng.uniform(0, 0.08):
        tree(c, rng, x + 0.2, 0.97, rng.uniform(0.12, 0.18), hour.on((84, 130, 70)), hour.on((96, 72, 52)))
        wall, roof = (
            choose(rng, (226, 214, 190), (190, 120, 96), (200, 208, 214)),
            choose(rng, (150, 66, 52), (86, 84, 96)),
        )
        house(
            c,
            x,
            0.98,
            rng.uniform(0.12, 0.16),
            rng.uniform(0.07, 0.1),
            hour.on(wall),
            hour.on(roof),
            (255, 220, 140) if hour.amount > 0.3 else None,
        )


def _airliner_side(c: Canvas, at: Place, hour: Light, paint: Color, *, wheels: bool) -> None:
    white, steel, s = hour.on((246, 248, 250)), hour.on((150, 156, 166)), at.size
    c.poly(at([(0.09, -0.04), (-0.05, -0.15), (-0.1, -0.15), (-0.06, -0.04)]), darker(steel, 0.15))
    c.poly(at([(-0.4, -0.04), (-0.47, -0.09), (-0.51, -0.09), (-0.48, -0.04)]), darker(steel, 0.15))
    c.poly(
        at([(-0.32, -0.055), (-0.37, -0.09), (-0.46, -0.235), (-0.53, -0.235), (-0.49, -0.04)]),
        Fade(lighter(paint, 0.15), darker(paint, 0.2)),
    )
    if wheels:
        for x in (0.37, -0.03):
            c.line(at([(x, 0.03), (x, 0.1)]), 0.01 * s, darker(steel, 0.3))
            c.poly(at.oval(x - 0.012, 0.105, 0.018, 0.018, 16), RUBBER)
            c.poly(at.oval(x + 0.014, 0.105, 0.018, 0.018, 16), RUBBER)
    hull = [
        (0.5, 0.008),
        (0.475, -0.022),
        (0.41, -0.056),
        (0.3, -0.066),
        (-0.3, -0.066),
        (-0.45, -0.055),
        (-0.52, -0.04),
        (-0.42, 0.015),
        (-0.28, 0.045),
        (0.3, 0.05),
        (0.45, 0.034),
    ]
    c.poly(at(smooth(hull)), Fade(white, darker(white, 0.34)))
    c.poly(at([(0.46, 0.008), (-0.44, -0.002), (-0.41, 0.016), (0.44, 0.024)]), paint)
    for x in np.arange(-0.36, 0.36, 0.026):
        c.poly(at.oval(x, -0.025, 0.006, 0.0085, 10), hour.on((60, 78, 100)))
    c.poly(at([(0.472, -0.02), (0.42, -0.047), (0.405, -0.026), (0.468, -0.01)]), hour.on((50, 68, 92)))
    for x in (-0.4, 0.375):
        c.line(at([(x, -0.045), (x, 0.0)]), 0.004 * s, darker(white, 0.3))
    engine = [(0.1, 0.06), (0.11, 0.085), (0.1, 0.11), (0.02, 0.112), (-0.03, 0.095), (-0.03, 0.075), (0.02, 0.058)]
    c.poly(at(smooth(engine)), Fade(lighter(paint, 0.3), darker(paint, 0.35)))
    c.poly(at.oval(0.102, 0.085, 0.009, 0.026, 18), hour.on((44, 48, 58)))
    c.poly(
        at([(0.12, 0.012), (-0.13, 0.175), (-0.21, 0.18), (-0.1, 0.018)]),
        Fade(lighter(steel, 0.3), darker(steel, 0.15)),
    )
    c.poly(at([(-0.36, -0.02), (-0.47, 0.045), (-0.52, 0.045), (-0.46, -0.02)]), lighter(steel, 0.1))


def _airliner_below(c: Canvas, at: Place, hour: Light, paint: Color) -> None:
    white, steel = hour.on((244, 247, 250)), hour.on((136, 146, 162))
    for side in (-1, 1):
        c.poly(
            at(
                [
                    (0.14, side * 0.03),
                    (-0.13, side * 0.47),
                    (-0.19, side * 0.475),
                    (-0.115, side * 0.2),
                    (-0.13, side * 0.03),
                ]
            ),
            Fade(lighter(steel, 0.25), darker(steel, 0.12)),
        )
        c.line(at([(-0.05, side * 0.06), (-0.165, side * 0.44)]), 0.004, darker(steel, 0.3), 0.7)
        c.poly(
            at([(-0.36, side * 0.02), (-0.47, side * 0.18), (-0.515, side * 0.18), (-0.47, side * 0.02)]),
            Fade(lighter(steel, 0.2), darker(steel, 0.15)),
        )
        c.poly(
            at(
                smooth(
                    [
                        (0.12, side * 0.165 - 0.02),
                        (0.13, side * 0.165),
                        (0.12, side * 0.165 + 0.02),
                        (0.03, side * 0.165 + 0.018),
                        (0.0, side * 0.165),
                        (0.03, side * 0.165 - 0.018),
                    ]
                )
            ),
            Fade(lighter(paint, 0.2), darker(paint, 0.2)),
        )
    half = [(0.5, 0.0), (0.47, 0.026), (0.4, 0.042), (0.28, 0.048), (-0.22, 0.048), (-0.4, 0.026), (-0.53, 0.005)]
    hull = smooth([*half, *((x, -y) for x, y in reversed(half[1:]))])
    c.poly(at(hull), Fade(darker(white, 0.05), darker(white, 0.45)))
    c.poly(at(hull * (0.86, 0.45)), lighter(white, 0.5), 0.35)
    c.poly(at.oval(0.0, 0.0, 0.15, 0.05), darker(white, 0.12))
    c.poly(at([(-0.37, 0.0), (-0.44, 0.008), (-0.55, 0.006), (-0.55, -0.006), (-0.44, -0.008)]), paint)
    c.poly(
        at([(0.48, 0.014), (0.455, 0.028), (0.445, 0.0), (0.455, -0.028), (0.48, -0.014), (0.466, 0.0)]),
        hour.on((60, 76, 98)),
    )


def _sound_airplane(s: Synth, cues: Cues) -> Signal:
    over = s.rng.uniform(0.35, 0.6)
    past = s.t / np.float32(s.duration_s) - np.float32(over)  # below 0 it comes, above it goes
    near = bend(s.n, (0, 0.22), (over, 1.0), (1, 0.3))
    x = s.noise(-2.6, 70, 6_500)
    # The ground throws the roar back ever sooner, then ever later: the hollow that sweeps through it.
    lag = (s.rate * (0.0006 + 0.0035 * np.abs(past))).astype(int)
    echo = x[np.maximum(np.arange(s.n) - lag, 0)]
    roar = (x + 0.5 * echo) * 0.45 * near**1.6 + s.band(x, 0, 420) * 1.3 * near**0.7
    hz = s.rng.uniform(1_700, 2_800) * (1 - 0.13 * np.tanh(past * 8))
    whine = np.sin(s.phase(hz)) + 0.5 * np.sin(s.phase(hz * 0.51))
    leaving = 1 - 0.8 * np.clip(past * 4, 0, 1)
    out: Signal = (roar + whine * 0.1 * near * leaving) * s.wander(5, 0.75, 1.0)
    return out


SCENES = (
    Scene(
        "helicopter in the sky",
        (
            "A helicopter hovers in the sky with its rotor spinning.",
            "The rotor blades of a helicopter chop through the air.",
            "A helicopter flies above the landscape.",
            "The loud, fast thudding of a chopper overhead.",
            "A rescue helicopter in front of the clouds.",
            "Whirling rotor blades and the whine of a turbine.",
        ),
        _draw_helicopter,
        _sound_helicopter,
    ),
    Scene(
        "airplane overhead",
        (
            "An airplane flies overhead across the sky.",
            "The roar of a jet passes above and fades away.",
            "A passenger jet between the clouds.",
            "An airliner seen from the ground as it flies by.",
            "A plane thunders over with its engines roaring.",
            "The rising and falling noise of a jet aircraft.",
        ),
        _draw_airplane,
        _sound_airplane,
    ),
)
