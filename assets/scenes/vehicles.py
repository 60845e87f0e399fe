"""A train passing, a motorbike with its engine running."""

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix, smooth
from assets.scenes.scene import Cues, Rng, Scene, regular
from assets.scenes.scenery import DAY, DUSK, MORNING, OVERCAST, Light, clouds, grass, light, pine, ridge, sky, sun, tree
from assets.scenes.synth import Signal, Synth, arch, bend
from assets.scenes.traffic import LAMP, RUBBER, Place, street


def _draw_train(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST)
    sky(c, hour, 0.6)
    sun(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.08, 0.25), 0.04, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=4, bottom=0.24)
    field = hour.on(choose(rng, (128, 172, 80), (186, 172, 88), (112, 156, 84), (160, 150, 84)))
    ridge(c, rng, 0.42, 0.08, hour.on((120, 146, 156), 0.3))
    ridge(c, rng, 0.55, 0.03, mix(field, hour.low, 0.2))
    for x in rng.uniform(0, c.w, 6):
        tree(c, rng, x, 0.62, rng.uniform(0.18, 0.3), hour.on((84, 130, 66)), hour.on((96, 72, 52)))
    ridge(c, rng, 0.6, 0.01, Fade(lighter(field, 0.1), darker(field, 0.2)))
    gravel = hour.on((142, 134, 128))
    c.poly(
        [(-0.2, 0.76), (c.w + 0.2, 0.76), (c.w + 0.2, 0.86), (-0.2, 0.86)],
        Fade(lighter(gravel, 0.1), darker(gravel, 0.3)),
    )
    for x, y, tone in rng.uniform((0, 0.77, 0), (c.w, 0.855, 0.5), (130, 3)):
        c.ellipse(x, y, 0.006, 0.004, lighter(gravel, tone) if tone < 0.2 else darker(gravel, tone))
    for x in np.arange(-0.05, c.w + 0.05, 0.06):
        c.rect(x, 0.775, x + 0.034, 0.792, hour.on((92, 76, 66)))
    c.rect(-0.1, 0.764, c.w + 0.1, 0.774, Fade(hour.on((214, 214, 220)), hour.on((96, 92, 96))))
    head, speed = rng.uniform(0.6, 0.88) * c.w, rng.uniform(0.3, 0.5)
    paint = hour.on(
        choose(rng, (196, 40, 44), (34, 84, 160), (240, 236, 228), (38, 122, 92), (240, 160, 40), (84, 92, 112))
    )
    band = hour.on(choose(rng, (250, 214, 80), (250, 250, 250), (220, 60, 50), (40, 60, 110)))
    freight, size = rng.random() < 0.4, rng.uniform(0.94, 1.08)
    loads = [hour.on(hsv(h, 0.62, v)) for h, v in rng.uniform((0, 0.5), (1, 0.8), (7, 2))]
    for k in range(7):
        at = Place(head + (speed * t) - k * 0.7 * size, 0.766, size)
        if at.x < -0.1 or at.x - 0.75 * size > c.w + 0.1:
            continue
        c.poly(at.rect(-0.73, -0.3, -0.68, -0.06), hour.on((52, 54, 60)))
        c.line(at([(-0.76, -0.05), (-0.66, -0.05)]), 0.014, (40, 40, 46))
        if k and freight:
            _wagon(c, at, hour, loads[k], loads[k - 1])
        else:
            _coach(c, at, hour, paint, band, engine=k == 0, windows=not (freight and k == 0))
    for x in (0.14, 0.14 + c.w * 0.62):
        c.rect(x, 0.06, x + 0.014, 0.82, Fade(hour.on((140, 146, 152)), hour.on((84, 90, 98)), sideways=True))
        c.line([(x, 0.22), (x + 0.16, 0.17)], 0.008, hour.on((96, 102, 110)))
    for y, sag in ((0.17, 0.012), (0.24, 0.002)):
        wire = [(x, y + sag * float(np.cos((x - 0.3) * 7.6))) for x in np.linspace(-0.1, c.w + 0.1, 26)]
        c.line(wire, 0.003, hour.on((60, 62, 70)))
    c.rect(-0.1, 0.85, c.w + 0.1, 1.1, Fade(darker(field, 0.05), darker(field, 0.35)))
    grass(c, rng, 0.84, 0.2, darker(field, 0.08), count=200, height=0.09, sway=0.6 + 0.25 * float(np.sin(t * 6)))


def _bogies(c: Canvas, at: Place, hour: Light) -> None:
    for x in (-0.56, -0.13):
        c.poly(at.rect(x - 0.075, -0.06, x + 0.075, -0.028), hour.on((54, 54, 60)))
        for dx in (-0.05, 0.05):
            c.poly(at.oval(x + dx, -0.028, 0.028, 0.028, 20), hour.on((44, 44, 50)))
            c.poly(at.oval(x + dx, -0.028, 0.013, 0.013, 12), hour.on((120, 118, 118)))


def _coach(c: Canvas, at: Place, hour: Light, paint: Color, band: Color, *, engine: bool, windows: bool) -> None:
    """A coach behind its front at x = 0, 0.7 long; the leading one has a nose and lamps."""
    front = [(-0.13, -0.335), (-0.06, -0.29), (-0.015, -0.18), (0.0, -0.1), (-0.01, -0.05)]
    shape = [
        (-0.69, -0.05),
        (-0.69, -0.32),
        (-0.68, -0.335),
        *(front if engine else [(-0.03, -0.335), (-0.02, -0.32), (-0.02, -0.05)]),
    ]
    _bogies(c, at, hour)
    c.poly(at(shape), Fade(lighter(paint, 0.2), darker(paint, 0.3)))
    c.poly(at.rect(-0.69, -0.105, -0.015 if engine else -0.02, -0.085), band)
    c.poly(at.rect(-0.69, -0.34, -0.14 if engine else -0.03, -0.325), hour.on((150, 154, 160)))
    glass = hour.on((70, 92, 116))
    pane = (255, 226, 160) if hour.amount > 0.3 else lighter(glass, 0.25)
    if windows:
        c.poly(at.rect(-0.66, -0.275, -0.17 if engine else -0.05, -0.175), darker(glass, 0.5))
        for x in np.arange(-0.57, -0.2 if engine else -0.14, 0.082):
            c.poly(at.rect(x, -0.268, x + 0.068, -0.182), Fade(lighter(pane, 0.25), pane))
    else:
        for x in np.arange(-0.6, -0.2, 0.13):
            c.poly(at.rect(x, -0.25, x + 0.09, -0.17), darker(paint, 0.35))
            for y in (-0.235, -0.215, -0.195):
                c.line(at([(x, y), (x + 0.09, y)]), 0.004, lighter(paint, 0.1))
    for x in (-0.64, -0.2) if engine else (-0.64, -0.11):
        c.poly(at.rect(x, -0.28, x + 0.055, -0.06), Fade(lighter(paint, 0.05), darker(paint, 0.38)))
        c.poly(at.rect(x + 0.012, -0.265, x + 0.043, -0.18), darker(glass, 0.25))
    if engine:
        c.poly(
            at([(-0.135, -0.27), (-0.07, -0.27), (-0.035, -0.19), (-0.135, -0.19)]),
            Fade(lighter(glass, 0.45), darker(glass, 0.3)),
        )
        c.line(at([(-0.45, -0.335), (-0.38, -0.42), (-0.44, -0.505)]), 0.008, hour.on((70, 74, 82)))
        c.line(at([(-0.5, -0.51), (-0.38, -0.51)]), 0.008, hour.on((70, 74, 82)))
        at.glow(c, -0.015, -0.13, 0.14, LAMP, 0.85)
        c.poly(at.oval(-0.014, -0.13, 0.013, 0.016, 16), (255, 252, 230))


def _wagon(c: Canvas, at: Place, hour: Light, load: Color, other: Color) -> None:
    _bogies(c, at, hour)
    c.poly(at.rect(-0.7, -0.08, -0.02, -0.055), hour.on((70, 66, 66)))
    for x0, x1, paint in ((-0.69, -0.37, load), (-0.35, -0.03, other)):
        c.poly(at.rect(x0, -0.3, x1, -0.08), Fade(lighter(paint, 0.15), darker(paint, 0.25)))
        for x in np.arange(x0 + 0.015, x1 - 0.01, 0.022):
            c.poly(at.rect(x, -0.285, x + 0.009, -0.095), darker(paint, 0.22))
        c.poly(at.rect(x0, -0.3, x1, -0.29), lighter(paint, 0.25))


def _sound_train(s: Synth, cues: Cues) -> Signal:
    near = bend(s.n, (0, 0.4), (0.25, 1.0), (0.8, 1.0), (1, 0.45))
    out: Signal = s.noise(-5, 45, 600) * 0.4 * s.wander(3, 0.7, 1.0) + s.noise(-3, 300, 3_000) * 0.05 * s.wander(
        5, 0.5, 1.0
    )
    base = s.rng.uniform(150, 210)
    clank = s.modes([base, base * 2.3, base * 5.1, base * 11.7], [0.16, 0.12, 0.09, 0.05], [1.0, 0.8, 0.5, 0.3], 0.18)
    clank += s.noise(-3, 120, 4_000, 0.18)[: len(clank)] * np.exp(-s.time(0.18) * 45)[: len(clank)] * 0.4
    for at in cues:
        for delay, gain in ((0.0, 1.0), (0.1, 0.85), (0.27, 0.55), (0.37, 0.45)):  # two bogies, two axles each
            s.place(out, clank, at + delay, gain * s.rng.uniform(0.6, 0.9))
    if s.rng.random() < 0.85:
        length = s.rng.uniform(1.0, 1.7)
        slide = bend(int(length * s.rate), (0, 1.03), (0.35, 1.02), (1, 0.96))
        chord = s.rng.uniform(280, 360) * np.array([1.0, 1.26] if s.rng.random() < 0.5 else [1.0, 1.19, 1.5])
        horn: Signal = sum(s.pulses(f * slide, 5.0) for f in chord) * arch(len(slide), 0.06, 0.2)
        s.place(out, s.room(horn, 0.4, 0.3), s.rng.uniform(0.1, 0.7), 2.2)
    return out * near


_revs = regular((0.5, 0.9), (1.3, 2.1), 0.2)


def _throttle(cues: Cues, t: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """How far the engine is revved up at the times t: 0 idles, 1 is the top."""
    rev = np.zeros_like(t, dtype=np.float64)
    for cue in cues:
        ago = np.maximum(t - cue, 0.0)
        rev = np.maximum(rev, (1 - np.exp(-ago * 7)) * np.exp(-np.maximum(ago - 0.4, 0.0) * 4))
    return rev


def _draw_motorbike(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST)
    if rng.random() < 0.4:
        street(c, rng, t, hour, 0.0)
    else:
        _roadside(c, rng, t, hour)
    shake = (0.001 + 0.003 * float(_throttle(cues, np.array([t]))[0])) * float(np.sin(t * 70))
    at = Place(c.w * rng.uniform(0.5, 0.56), 0.905 + shake, rng.uniform(0.58, 0.66))
    paint = hour.on(
        choose(rng, (196, 32, 36), (28, 30, 38), (30, 80, 168), (236, 130, 30), (34, 110, 84), (228, 228, 230))
    )
    rider, coat, helmet = (
        rng.random() < 0.6,
        hour.on(choose(rng, (40, 40, 46), (110, 66, 40), (60, 66, 82))),
        hsv(rng.random(), 0.65, 0.75),
    )
    c.glow(at.x, 0.91, 0.75 * at.size, (10, 12, 20), 0.8, 0.045)
    born = np.arange(max(np.ceil((t - 1.5) / 0.08), 0), t / 0.08) * 0.08
    drift = np.random.default_rng(int(rng.integers(1 << 30))).uniform(-1, 1, 200)
    for at_s, rev in zip(born, _throttle(cues, born), strict=True):
        age, off = t - at_s, drift[round(at_s / 0.08) % 200]
        x, y = at([(-0.72 - age * (0.25 + 0.3 * rev), -0.16 - age * 0.16 + off * 0.05 * age)])[0]
        c.glow(
            x, y, (0.07 + 0.2 * age) * at.size, hour.on((226, 226, 230)), (0.3 + 0.65 * rev) * max(1 - age / 1.5, 0.0)
        )
    _motorbike(c, at, hour, paint)
    if rider:
        _rider(c, at, coat, hour.on(helmet))
    at.glow(c, 0.44, -0.6, 0.22, LAMP, 0.85)


def _roadside(c: Canvas, rng: Rng, t: float, hour: Light) -> None:
    sky(c, hour, 0.6)
    sun(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.12, 0.4), 0.055, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=4, bottom=0.3)
    land = hour.on(choose(rng, (206, 158, 104), (132, 164, 88), (190, 172, 110)))
    ridge(c, rng, 0.54, 0.1, mix(darker(land, 0.2), hour.low, 0.45), rough=1.8)
    ridge(c, rng, 0.64, 0.03, Fade(lighter(land, 0.1), darker(land, 0.2)))
    for x in rng.uniform(0, c.w, 5):
        pine(c, x, 0.72, rng.uniform(0.14, 0.26), hour.on((76, 108, 74)))
    grass(c, rng, 0.68, 0.1, darker(land, 0.15), count=110, height=0.04)
    tar = hour.on((86, 86, 94))
    c.rect(-0.1, 0.77, c.w + 0.1, 1.1, Fade(darker(tar, 0.1), lighter(tar, 0.12)))
    c.rect(-0.1, 0.785, c.w + 0.1, 0.794, hour.on((240, 238, 228)))
    for x in np.arange(-0.1, c.w, 0.34):
        c.rect(x, 0.955, x + 0.2, 0.97, hour.on((246, 206, 80)))


def _motorbike(c: Canvas, at: Place, hour: Light, paint: Color) -> None:
    steel, black, s = hour.on((196, 200, 208)), hour.on((40, 40, 48)), at.size
    for x in (-0.44, 0.5):
        c.poly(at.oval(x, -0.25, 0.25, 0.25, 48), RUBBER)
        c.poly(at.oval(x, -0.25, 0.185, 0.185, 40), steel)
        c.poly(at.oval(x, -0.25, 0.165, 0.165, 40), mix(hour.on((120, 116, 112)), black, 0.35))
        for a in np.arange(10) * np.pi / 5 + 0.2:
            c.line(at([(x, -0.25), (x + 0.17 * np.cos(a), -0.25 + 0.17 * np.sin(a))]), 0.009 * s, lighter(steel, 0.2))
        c.poly(at.oval(x, -0.25, 0.06, 0.06, 24), Ball(lighter(steel, 0.4), darker(steel, 0.4)))
    c.stroke(at([(-0.71, -0.34), (-0.62, -0.5), (-0.44, -0.56), (-0.28, -0.5)]), 0.05 * s, paint, 0.08 * s)
    c.poly(at.oval(-0.7, -0.4, 0.025, 0.03, 14), (230, 40, 36))
    c.line(at([(-0.44, -0.25), (-0.12, -0.3)]), 0.045 * s, darker(steel, 0.35))
    c.line(at([(0.34, -0.66), (0.08, -0.18), (-0.2, -0.18), (-0.28, -0.48), (0.3, -0.56)]), 0.035 * s, black)
    c.poly(
        at(
            smooth(
                [(-0.14, -0.3), (0.0, -0.34), (0.14, -0.3), (0.17, -0.19), (0.08, -0.1), (-0.12, -0.1), (-0.19, -0.2)]
            )
        ),
        Ball(lighter(steel, 0.25), darker(steel, 0.55)),
    )
    crank_x, crank_y = at([(0.0, -0.28)])[0]
    for lean in (-0.45, 0.4):  # two finned cylinders in a V
        barrel = Place(crank_x, crank_y, at.size, lean)
        c.poly(barrel.rect(-0.055, -0.24, 0.055, 0.02), Fade(lighter(steel, 0.1), darker(steel, 0.4)))
        for y in np.arange(-0.2, -0.02, 0.035):
            c.line(barrel([(-0.072, y), (0.072, y)]), 0.012 * s, black)
    c.poly(at.oval(-0.01, -0.2, 0.075, 0.075, 28), Ball(lighter(steel, 0.5), darker(steel, 0.3)))
    c.stroke(
        at([(0.14, -0.3), (0.19, -0.16), (0.05, -0.1), (-0.2, -0.1), (-0.36, -0.13)]),
        0.04 * s,
        lighter(steel, 0.2),
        0.045 * s,
    )
    c.poly(
        at(smooth([(-0.3, -0.16), (-0.5, -0.2), (-0.72, -0.22), (-0.72, -0.13), (-0.5, -0.1), (-0.3, -0.1)])),
        Fade(lighter(steel, 0.6), darker(steel, 0.4)),
    )
    c.stroke(at([(0.5, -0.25), (0.42, -0.48), (0.34, -0.72)]), 0.045 * s, steel, 0.05 * s)
    c.stroke(at([(0.28, -0.43), (0.42, -0.52), (0.58, -0.51), (0.7, -0.4)]), 0.035 * s, paint, 0.025 * s)
    c.blob(
        at(
            [
                (-0.5, -0.58),
                (-0.36, -0.56),
                (-0.2, -0.53),
                (-0.06, -0.57),
                (-0.04, -0.49),
                (-0.24, -0.45),
                (-0.46, -0.5),
            ]
        ),
        Fade(hour.on((96, 66, 50)), black),
    )
    c.blob(
        at([(-0.1, -0.52), (-0.02, -0.64), (0.14, -0.68), (0.3, -0.62), (0.33, -0.55), (0.2, -0.48), (-0.04, -0.46)]),
        Ball(lighter(paint, 0.45), darker(paint, 0.35)),
    )
    c.stroke(at([(0.0, -0.55), (0.14, -0.58), (0.27, -0.56)]), 0.02 * s, lighter(paint, 0.6), 0.008 * s)
    c.stroke(at([(0.34, -0.7), (0.3, -0.8), (0.16, -0.8)]), 0.028 * s, black, 0.035 * s)
    c.line(at([(0.31, -0.78), (0.27, -0.9)]), 0.01 * s, black)
    c.poly(at.oval(0.25, -0.91, 0.045, 0.028, 20), steel)
    c.poly(at.oval(0.4, -0.61, 0.07, 0.075, 28), Ball(lighter(steel, 0.3), darker(steel, 0.4)))
    c.poly(at.oval(0.44, -0.61, 0.04, 0.062, 24), (255, 250, 222))


def _rider(c: Canvas, at: Place, coat: Color, helmet: Color) -> None:
    jeans, s = mix(coat, (50, 70, 120), 0.6), at.size
    c.stroke(at([(-0.2, -0.56), (0.08, -0.54), (0.15, -0.48), (0.06, -0.2)]), 0.17 * s, jeans, 0.085 * s)
    c.poly(at(smooth([(-0.02, -0.2), (0.1, -0.22), (0.2, -0.13), (0.19, -0.09), (-0.02, -0.09)])), (36, 32, 34))
    c.blob(
        at(
            [
                (-0.32, -0.56),
                (-0.33, -0.75),
                (-0.24, -0.95),
                (-0.12, -1.02),
                (-0.02, -0.97),
                (-0.03, -0.78),
                (-0.1, -0.54),
            ]
        ),
        Fade(lighter(coat, 0.16), darker(coat, 0.3)),
    )
    c.stroke(at([(-0.13, -0.92), (-0.03, -0.76), (0.18, -0.79)]), 0.12 * s, lighter(coat, 0.1), 0.065 * s)
    c.poly(at.oval(0.19, -0.8, 0.045, 0.04, 18), (36, 32, 34))
    c.poly(at.oval(-0.04, -1.12, 0.135, 0.14, 40), Ball(lighter(helmet, 0.45), darker(helmet, 0.4)))
    c.poly(
        at(smooth([(0.09, -1.18), (0.1, -1.1), (0.06, -1.06), (-0.04, -1.09), (-0.03, -1.18)])),
        Fade((110, 130, 156), (26, 32, 46)),
    )


def _sound_motorbike(s: Synth, cues: Cues) -> Signal:
    rev = _throttle(cues, s.t)
    idle, reach = s.rng.uniform(26, 36), s.rng.uniform(60, 110)
    hz = (idle + reach * rev) * s.wander(14, 0.95, 1.05)
    stroke = np.cos(s.phase(hz))
    bang = np.exp(np.float32(9) * (stroke - 1)) * (1 + s.rng.uniform(0.2, 0.5) * np.cos(s.phase(hz / 2)))
    puff = s.noise(-2.5, 90, 4_500) * (0.25 + bang)
    body = s.rng.uniform(85, 130)
    peaks = [(body, 50, 0), (body * 2.6, 110, -2), (body * 5.3, 260, -7), (1_250, 500, -8), (2_700, 900, -13)]
    growl = s.formants((bang - bang.mean()).astype(np.float32), peaks, -28.0)
    out: Signal = (
        np.tanh(growl * 1.3 + puff * 1.3) * (0.55 + 0.45 * rev) + s.band(s.white(), 2_500, 6_000) * (1 + stroke) * 0.02
    )
    return out


SCENES = (
    Scene(
        "train passing",
        (
            "A train rushes past on the tracks through open country.",
            "The wheels of a passing train clatter over the rail joints.",
            "A locomotive pulls its wagons along the railway line.",
            "The rumble and rhythmic clacking of a train going by.",
            "A train sounds its horn as it passes.",
            "Railway carriages roll by under the overhead wires.",
        ),
        _draw_train,
        _sound_train,
        regular((0.15, 0.3), (0.75, 1.0)),
        still_s=0.0,
    ),
    Scene(
        "motorbike engine",
        (
            "A motorbike stands on the road with its engine running and smoke at the exhaust.",
            "A motorcycle engine idles and then revs up loudly.",
            "The deep growl of a motorbike as its rider opens the throttle.",
            "A shiny motorcycle by the roadside.",
            "Someone revs a motorcycle again and again.",
            "A biker warms up the engine before the ride.",
        ),
        _draw_motorbike,
        _sound_motorbike,
        _revs,
        still_s=0.6,
    ),
)
