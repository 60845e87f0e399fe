"""A drawing surface with soft edges: shapes in units of the picture's height, drawn oversampled, then reduced."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Color = tuple[int, int, int]
Points = Sequence[tuple[float, float]] | npt.NDArray[np.float64]

OVERSAMPLING = 2  # drawn twice as large each way: 3 costs twice the time and looks the same after WebP


@dataclass(frozen=True)
class Fade:
    """A linear gradient over a shape's own bounding box, from its top to its bottom (or left to right)."""

    start: Color
    end: Color
    sideways: bool = False


@dataclass(frozen=True)
class Ball:
    """A round gradient over a shape's bounding box: `light` where the light falls, `dark` at the far rim."""

    light: Color
    dark: Color
    x: float = 0.35
    y: float = 0.28


Fill = Color | Fade | Ball


def mix(a: Color, b: Color, amount: float) -> Color:
    """The colour that lies `amount` (0 to 1) of the way from a to b."""
    r, g, b_ = (round(p + (q - p) * min(max(amount, 0.0), 1.0)) for p, q in zip(a, b, strict=True))
    return r, g, b_


def lighter(color: Color, amount: float = 0.25) -> Color:
    """The colour mixed with white."""
    return mix(color, (255, 255, 255), amount)


def darker(color: Color, amount: float = 0.25) -> Color:
    """The colour mixed with a deep blue-black: shadows with a cold tint look less muddy than plain black."""
    return mix(color, (12, 14, 34), amount)


def hsv(hue: float, saturation: float, value: float) -> Color:
    """A colour by hue (turns, wraps), saturation and value (0 to 1)."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(r * 255), round(g * 255), round(b * 255)


def vary(rng: np.random.Generator, color: Color, amount: float = 0.06) -> Color:
    """A near neighbour of the colour in hue, saturation and value."""
    h, s, v = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    dh, ds, dv = rng.uniform(-1.0, 1.0, 3) * amount
    return hsv(h + dh * 0.35, s + ds, v + dv)


def choose(rng: np.random.Generator, *options: Color) -> Color:
    """One of the colours."""
    return options[int(rng.integers(len(options)))]


def smooth(points: Points, *, closed: bool = True, steps: int = 8) -> npt.NDArray[np.float64]:
    """A Catmull-Rom curve through the points: float64 [steps * (segments), 2]."""
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([p[0], p, p[-1]])
    a, b, c, d = (p[i : len(p) - 3 + i, None, :] for i in range(4))
    u = np.linspace(0.0, 1.0, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
    flat: npt.NDArray[np.float64] = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, p[-1]])


def turned(points: Points, angle: float, x: float, y: float) -> npt.NDArray[np.float64]:
    """The points turned clockwise on the picture by `angle` (radians) about (x, y)."""
    p = np.asarray(points, dtype=np.float64) - (x, y)
    c, s = np.cos(angle), np.sin(angle)
    rotated: npt.NDArray[np.float64] = p @ np.array([[c, s], [-s, c]]) + (x, y)
    return rotated


def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0, steps: int = 56) -> npt.NDArray[np.float64]:
    """Points of an ellipse about (x, y), turned by `angle` radians."""
    a = np.linspace(0.0, 2 * np.pi, steps, endpoint=False)
    return turned(np.stack([x + rx * np.cos(a), y + ry * np.sin(a)], axis=1), angle, x, y)


@lru_cache(maxsize=64)
def _round_mask(x: float, y: float, power: float) -> Image.Image:
    """Brightness falling from (x, y) to nothing at the unit circle's far side: "L", 128 x 128."""
    v, u = np.mgrid[0:128, 0:128] / 127.0
    reach = 0.5 if (x, y) == (0.5, 0.5) else 0.85
    fall = np.clip(1.0 - np.hypot(u - x, v - y) / reach, 0.0, 1.0) ** power
    return Image.fromarray((fall * 255).astype(np.uint8))


@lru_cache(maxsize=4)
def _vignette(size: tuple[int, int]) -> Image.Image:
    v, u = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    return Image.fromarray((np.clip(np.hypot(u, v) - 0.8, 0.0, 1.0) ** 1.6 * 95).astype(np.uint8))


class Canvas:
    """A picture being drawn. x runs from 0 to `w`, y from 0 (top) to 1, both in picture heights.

    Args:
        size: width and height of the finished picture in pixels.
        zoom: how much closer the camera stands (1 or more).
        centre: the point that the closer camera looks at, as fractions of width and height.
        mirrored: draw everything flipped left to right; lettering stays readable.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        zoom: float = 1.0,
        centre: tuple[float, float] = (0.5, 0.5),
        mirrored: bool = False,
    ) -> None:
        self.size = size
        self.w = size[0] / size[1]
        self._pixels_per_unit = size[1] * OVERSAMPLING * zoom
        self._left = (self.w - self.w / zoom) * centre[0]
        self._top = (1.0 - 1.0 / zoom) * centre[1]
        self.mirrored = mirrored
        self._image = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
        self._solid = ImageDraw.Draw(self._image)
        self._blend = ImageDraw.Draw(self._image, "RGBA")

    def _to_pixels(self, points: Points) -> npt.NDArray[np.float64]:
        p = np.asarray(points, dtype=np.float64)
        x = self.w - p[:, 0] if self.mirrored else p[:, 0]
        return np.stack([x - self._left, p[:, 1] - self._top], axis=1) * self._pixels_per_unit

    def poly(self, points: Points, fill: Fill, alpha: float = 1.0) -> None:
        """Fill a polygon."""
        xy = self._to_pixels(points)
        if isinstance(fill, tuple):
            flat = xy.ravel().tolist()
            if alpha >= 1.0:
                self._solid.polygon(flat, fill=fill)
            elif alpha > 0.0:
                self._blend.polygon(flat, fill=(*fill, round(255 * alpha)))
            return
        low, high = np.floor(xy.min(axis=0)).astype(int), np.ceil(xy.max(axis=0)).astype(int) + 1
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]), self._image.width), min(int(high[1]), self._image.height)
        if x0 >= x1 or y0 >= y1:
            return
        mask = Image.new("L", (x1 - x0, y1 - y0))
        ImageDraw.Draw(mask).polygon((xy - (x0, y0)).ravel().tolist(), fill=round(255 * min(alpha, 1.0)))
        paint = self._paint(fill, (int(low[0]), int(low[1]), int(high[0]), int(high[1])), (x0, y0, x1, y1))
        self._image.paste(paint, (x0, y0), mask)

    def _paint(self, fill: Fade | Ball, box: tuple[int, int, int, int], seen: tuple[int, int, int, int]) -> Image.Image:
        """The gradient over `box`, cut to the part of it that is `seen`."""
        size = (seen[2] - seen[0], seen[3] - seen[1])
        if isinstance(fill, Ball):
            mask = _round_mask(1.0 - fill.x if self.mirrored else fill.x, fill.y, 1.0)
            scale_x, scale_y = 128 / (box[2] - box[0]), 128 / (box[3] - box[1])
            part = (
                (seen[0] - box[0]) * scale_x,
                (seen[1] - box[1]) * scale_y,
                (seen[2] - box[0]) * scale_x,
                (seen[3] - box[1]) * scale_y,
            )
            weight = mask.resize(size, Image.Resampling.BILINEAR, box=part)
            return Image.composite(Image.new("RGB", size, fill.light), Image.new("RGB", size, fill.dark), weight)
        axis = 0 if fill.sideways else 1
        step = (np.arange(seen[axis], seen[axis + 2]) - box[axis]) / max(box[axis + 2] - box[axis], 1)
        step = 1.0 - step if fill.sideways and self.mirrored else step
        ramp = np.asarray(fill.start) + (np.asarray(fill.end) - fill.start) * step[:, None]
        strip = ramp.round().astype(np.uint8)
        strip = strip[None] if fill.sideways else strip[:, None]
        return Image.fromarray(strip).resize(size, Image.Resampling.NEAREST)

    def blob(self, points: Points, fill: Fill, alpha: float = 1.0) -> None:
        """Fill a rounded shape whose outline runs smoothly through the points."""
        self.poly(smooth(points), fill, alpha)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, fill: Fill, alpha: float = 1.0, angle: float = 0.0
    ) -> None:
        """Fill an ellipse about (x, y), turned by `angle` radians."""
        steps = int(min(max(max(rx, ry) * self._pixels_per_unit * 0.9, 10), 96))
        self.poly(oval(x, y, rx, ry, angle, steps), fill, alpha)

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, fill: Fill, alpha: float = 1.0, radius: float = 0.0
    ) -> None:
        """Fill an upright rectangle, its corners rounded by `radius`."""
        if radius <= 0.0:
            self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, alpha)
            return
        r = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        arc = np.linspace(0.0, np.pi / 2, 8)
        corners = ((x1 - r, y1 - r, 0.0), (x0 + r, y1 - r, 1.0), (x0 + r, y0 + r, 2.0), (x1 - r, y0 + r, 3.0))
        points = [
            np.stack([cx + r * np.cos(arc + k * np.pi / 2), cy + r * np.sin(arc + k * np.pi / 2)], axis=1)
            for cx, cy, k in corners
        ]
        self.poly(np.concatenate(points), fill, alpha)

    def line(self, points: Points, width: float, color: Color, alpha: float = 1.0) -> None:
        """Draw straight strokes through the points; the thickness is in picture heights."""
        flat = self._to_pixels(points).ravel().tolist()
        thick = max(round(width * self._pixels_per_unit), 1)
        if alpha >= 1.0:
            self._solid.line(flat, fill=color, width=thick, joint="curve")
        else:
            self._blend.line(flat, fill=(*color, round(255 * alpha)), width=thick)

    def stroke(self, points: Points, width: float, fill: Fill, end: float | None = None, alpha: float = 1.0) -> None:
        """Draw one smooth stroke through the points, `width` thick at its start and `end` thick at its end."""
        path = smooth(points, closed=False, steps=6)
        along = np.gradient(path, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.hypot(*along.T)[:, None] + 1e-9)
        half = np.linspace(width, width if end is None else end, len(path))[:, None] / 2
        self.poly(np.vstack([path + normal * half, (path - normal * half)[::-1]]), fill, alpha)
        if alpha >= 1.0 and isinstance(fill, tuple):
            for (x, y), r in ((path[0], half[0, 0]), (path[-1], half[-1, 0])):
                self.ellipse(float(x), float(y), float(r), float(r), fill)

    def glow(self, x: float, y: float, rx: float, color: Color, alpha: float = 1.0, ry: float | None = None) -> None:
        """Lay a soft round haze of colour over the picture: light, or with a dark colour a soft shadow."""
        (px, py), ry = self._to_pixels([(x, y)])[0], rx if ry is None else ry
        w, h = int(2 * rx * self._pixels_per_unit), int(2 * ry * self._pixels_per_unit)
        left, top = int(px) - w // 2, int(py) - h // 2
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, self._image.width), min(top + h, self._image.height)
        if x0 >= x1 or y0 >= y1:
            return
        part = ((x0 - left) * 128 / w, (y0 - top) * 128 / h, (x1 - left) * 128 / w, (y1 - top) * 128 / h)
        mask = _round_mask(0.5, 0.5, 1.6).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=part)
        if alpha < 1.0:
            mask = mask.point([round(v * max(alpha, 0.0)) for v in range(256)])
        self._image.paste(color, (x0, y0, x1, y1), mask)

    def text(self, x: float, y: float, words: str, height: float, color: Color) -> None:
        """Write words centred on (x, y)."""
        font = ImageFont.load_default(max(height * self._pixels_per_unit, 4.0))
        px, py = self._to_pixels([(x, y)])[0]
        self._solid.text((float(px), float(py)), words, fill=color, font=font, anchor="mm")

    def tint(self, color: Color, alpha: float) -> None:
        """Lay one colour thinly over all that has been drawn: mist, dusk, a flash."""
        self._image.paste(Image.blend(self._image, Image.new("RGB", self._image.size, color), alpha))

    def multiply(self, color: Color) -> None:
        """Darken all that has been drawn by a coloured light."""
        self._image.paste(ImageChops.multiply(self._image, Image.new("RGB", self._image.size, color)))

    def soften(self, radius: float) -> None:
        """Put all that has been drawn so far out of focus; the radius is in picture heights."""
        small = self._image.reduce(4).filter(ImageFilter.GaussianBlur(radius * self._pixels_per_unit / 4))
        self._image.paste(small.resize(self._image.size, Image.Resampling.BILINEAR))

    def pixels(self) -> npt.NDArray[np.uint8]:
        """The finished picture: uint8 [height, width, 3], corners darkened a little."""
        image = self._image.reduce(OVERSAMPLING)
        image.paste((10, 10, 30), (0, 0), _vignette(self.size))
        return np.array(image)
