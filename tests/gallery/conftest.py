"""A handful of real media files, a toy model, and galleries over them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from tests.toy import ToyModel
from unimma.gallery import Gallery

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


def write_picture(path: Path, colour: tuple[int, int, int], seed: int = 0) -> Path:
    noise = np.random.default_rng(seed).integers(-15, 16, (48, 64, 3))
    PIL.Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def write_tone(path: Path, frequency_hz: float, duration_s: float = 0.5, rate_hz: int = 16_000) -> Path:
    wave = np.sin(2 * np.pi * frequency_hz * np.arange(int(duration_s * rate_hz)) / rate_hz)
    samples = (0.5 * 32767 * wave).astype(np.int16)[np.newaxis]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def write_clip(path: Path, colour: tuple[int, int, int], num_frames: int = 8) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = np.full((48, 64, 3), colour, np.uint8)
        for _ in range(num_frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def model() -> ToyModel:
    return ToyModel()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three pictures, two sounds, two clips."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, colour in COLOURS.items():
        write_picture(folder / f"a_{name}-wall.png", colour)
    write_tone(folder / "hum.wav", 200.0)
    write_tone(folder / "whistle.wav", 4_000.0)
    write_clip(folder / "red clip.mp4", COLOURS["red"])
    write_clip(folder / "blue clip.mp4", COLOURS["blue"])
    return folder


@pytest.fixture
def open_gallery(tmp_path: Path, model: ToyModel) -> Iterator[Callable[..., Gallery]]:
    """Opens galleries below the test's folder and closes them at its end."""
    opened: list[Gallery] = []

    def open_(name: str = "gallery", with_model: ToyModel | None = model) -> Gallery:
        opened.append(Gallery.open(tmp_path / name, with_model))
        return opened[-1]

    yield open_
    for gallery in opened:
        gallery.close()
