"""Small pictures of media for cards: a photo, a poster frame, a drawn waveform."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image as PIL
from PIL import ImageDraw

from unimma.types import Audio, Decoded, Image, Video

_LONG_SIDE = 320  # pixels
_QUALITY = 80
_WAVE_SIZE = (320, 180)
_NUM_BARS = 48
_FROM_RGB, _TO_RGB = (99, 102, 241), (20, 184, 166)  # indigo to teal: both stand out on white and on black
_SMOOTH = 4  # drawn so many times larger, then shrunk: Pillow draws no soft edges


def thumbnail(decoded: Decoded) -> bytes | None:
    """A WebP of at most 320 pixels: the picture, a clip's poster frame, the drawn sound; None for text."""
    if isinstance(decoded, Image):
        return _webp(PIL.fromarray(decoded.pixels))
    if isinstance(decoded, Video):
        return _webp(PIL.fromarray(decoded.frames[poster_index(decoded.frames)]))
    if isinstance(decoded, Audio):
        return _webp(draw_waveform(decoded.waveform))
    return None


def poster_index(frames: npt.NDArray[np.uint8]) -> int:
    """Which of the frames [num_frames, height, width, 3] has the most contrast: neither black, nor a fade.

    Of the middle half alone: titles and credits stand at the ends, and have more contrast than what they are about.
    """
    quarter = len(frames) // 4
    contrasts = [frame[::4, ::4].astype(np.float32).std() for frame in frames[quarter : len(frames) - quarter]]
    return quarter + int(np.argmax(contrasts))


def draw_waveform(waveform: npt.NDArray[np.float32]) -> PIL.Image:
    """A sound as a row of rounded bars on a transparent ground, 320 x 180, the loudest bar full."""
    width, height = (side * _SMOOTH for side in _WAVE_SIZE)
    mask = PIL.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    pitch = width / (_NUM_BARS + 2)  # a bar's width is left free on either side
    for i, level in enumerate(_levels(waveform), start=1):
        half = max(pitch * 0.3, level * height * 0.42)
        left, right = (i + 0.2) * pitch, (i + 0.8) * pitch
        pen.rounded_rectangle((left, height / 2 - half, right, height / 2 + half), radius=pitch * 0.3, fill=255)
    blend = np.linspace(0, 1, _WAVE_SIZE[0])[None, :, None]
    colour = (1 - blend) * np.array(_FROM_RGB) + blend * np.array(_TO_RGB)
    drawn = PIL.fromarray(np.broadcast_to(colour, (_WAVE_SIZE[1], _WAVE_SIZE[0], 3)).astype(np.uint8)).convert("RGBA")
    drawn.putalpha(mask.resize(_WAVE_SIZE, PIL.Resampling.BOX))
    return drawn


def _levels(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Loudness of each bar's stretch, 0 to 1; the root lets quiet parts show."""
    stretches = np.array_split(waveform, _NUM_BARS)
    power = np.array([np.square(part, dtype=np.float64).mean() if len(part) else 0.0 for part in stretches])
    return np.asarray(np.sqrt(np.sqrt(power / power.max())) if power.max() > 0 else power)


def _webp(picture: PIL.Image) -> bytes:
    picture.thumbnail((_LONG_SIDE, _LONG_SIDE), PIL.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=_QUALITY)
    return file.getvalue()
