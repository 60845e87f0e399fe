"""How things look on the preview: tiles of equal width, and the contact sheet that holds them all."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from unimma.encoders.spectrogram import MelSpectrogram
from unimma.types import Audio, Video

Pixels = npt.NDArray[np.uint8]
Waveform = npt.NDArray[np.float32]
TILE = (240, 160)  # width, height
STRIP = (5, 96, 72)  # frames, width and height of each
HOP_S, WINDOW_S = 0.01, 0.032
NUM_MELS, TOP_HZ = 96, 16_000
FLOOR_DB = -70.0
_GROUND, _INK, _FAINT = (250, 250, 249), (28, 25, 23), (120, 113, 108)
_MARGIN = (231, 229, 228)
_WAVE_RGB, _WAVE_GROUND = (13, 148, 136), (236, 240, 240)
_HEAT = np.array(  # from quiet to loud: dark to light in even steps, readable without telling colours apart
    [(8, 10, 30), (38, 32, 98), (94, 40, 128), (158, 52, 118), (216, 84, 84), (246, 148, 66), (252, 222, 140)], float
)


def picture(pixels: Pixels) -> Pixels:
    """A picture in the middle of a tile, whole."""
    shown = PillowImage.fromarray(pixels)
    scale = min(TILE[0] / shown.width, TILE[1] / shown.height)
    size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
    tile = PillowImage.new("RGB", TILE, _MARGIN)
    resized = shown.resize(size, PillowImage.Resampling.BICUBIC)
    tile.paste(resized, ((TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2))
    return np.asarray(tile)


def log_mel(audio: Audio) -> npt.NDArray[np.float32]:
    """Loudness in decibels, float32 [frames of 10 ms, bands from 0 to 16 kHz]; 0 is a full-scale tone."""
    window = round(WINDOW_S * audio.rate_hz)
    front_end = MelSpectrogram(
        rate_hz=audio.rate_hz,
        window=window,
        hop=round(HOP_S * audio.rate_hz),
        num_mels=NUM_MELS,
        high_hz=min(TOP_HZ, audio.rate_hz / 2),
        power=2.0,
        unit_sum=True,
        fft=2048,
    )
    power = front_end(torch.tensor(audio.waveform)).numpy() / (window / 4) ** 2
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), np.float32)


def sound(audio: Audio, width_s: float, loudness: npt.NDArray[np.float32] | None = None) -> Pixels:
    """A waveform above a spectrogram on a tile of `width_s` (longer is squeezed); `loudness` for the sound's own."""
    height = TILE[1] // 3
    width = max(1, round(TILE[0] * min(1.0, audio.duration_s / width_s)))
    wave = PillowImage.new("RGB", (width, height), _WAVE_GROUND)
    pen = ImageDraw.Draw(wave)
    for x, part in enumerate(np.array_split(audio.waveform, width)):
        if len(part):
            top, bottom = (height / 2 * (1 - edge) for edge in (part.max(), part.min()))
            pen.line((x, top, x, max(bottom, top + 1)), fill=_WAVE_RGB)
    shares = np.clip(1 - (log_mel(audio) if loudness is None else loudness) / FLOOR_DB, 0, 1).T[::-1]
    steps = np.linspace(0, 1, len(_HEAT))
    colours = np.stack([np.interp(shares, steps, channel) for channel in _HEAT.T], axis=2).astype(np.uint8)
    heat = PillowImage.fromarray(colours).resize((width, TILE[1] - height), PillowImage.Resampling.BOX)
    tile = np.full((TILE[1], TILE[0], 3), _MARGIN, np.uint8)
    tile[:, :width] = np.concatenate([np.asarray(wave), np.asarray(heat)])
    return tile


def strip(video: Video) -> Pixels:
    """Frames spread evenly over a clip, side by side."""
    count, width, height = STRIP
    which = np.linspace(0, len(video.frames) - 1, count).round().astype(int)
    shown = [PillowImage.fromarray(video.frames[i]).resize((width, height), PillowImage.Resampling.BOX) for i in which]
    gap = np.full((height, 2, 3), 255, np.uint8)
    parts = [part for frame in shown for part in (np.asarray(frame), gap)]
    return np.concatenate(parts[:-1], axis=1)


def contact_sheet(
    chapters: Sequence[tuple[str, Sequence[tuple[str, str, Sequence[tuple[Pixels, str]]]]]],
) -> PillowImage.Image:
    """Everything on one picture: a heading a chapter, a row a line of (name, parameters, tiles with their captions)."""
    label_width, gap, caption_height, heading_height = 190, 10, 34, 56
    rows = [row for _, lines in chapters for row in lines]
    width = label_width + gap + max(sum(tile.shape[1] + gap for tile, _ in tiles) for *_, tiles in rows)
    heights = [max(tile.shape[0] for tile, _ in tiles) + caption_height for *_, tiles in rows]
    sheet = PillowImage.new("RGB", (width, sum(heights) + heading_height * len(chapters) + gap), _GROUND)
    pen, y = ImageDraw.Draw(sheet), 0
    for title, lines in chapters:
        pen.text((gap, y + 18), title, _INK, ImageFont.load_default(24))
        y += heading_height
        for name, parameters, tiles in lines:
            pen.text((gap, y + 4), name, _INK, ImageFont.load_default(16))
            pen.multiline_text(
                (gap, y + 28), _folded(parameters, label_width - gap, 12), _FAINT, ImageFont.load_default(12)
            )
            x = label_width + gap
            for tile, caption in tiles:
                sheet.paste(PillowImage.fromarray(tile), (x, y))
                text = _folded(caption, tile.shape[1], 11, most=2)
                pen.multiline_text((x, y + tile.shape[0] + 2), text, _FAINT, ImageFont.load_default(11), spacing=1)
                x += tile.shape[1] + gap
            y += max(tile.shape[0] for tile, _ in tiles) + caption_height
    return sheet


def _folded(text: str, width: int, size: int, most: int = 4) -> str:
    """Text in lines of at most `width` pixels, at most so many of them."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + " …"]
    return "\n".join(lines)
