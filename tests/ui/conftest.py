"""A running app over a toy model and a small real gallery, shared by the tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.makers import write_clip, write_picture, write_tone
from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.ui.app import serve
from unimma.ui.engine import Engine, Say

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
SENTENCES = ("a red wall", "green grass", "the blue sea", "a low hum", "a high whistle", "<img src=x onerror=alert(1)>")


@dataclass(frozen=True)
class Running:
    """An app that listens: its address, its engine, and a folder for the test's files."""

    url: str
    engine: Engine
    folder: Path


def even(colour: tuple[int, int, int]) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (48, 64, 3)).copy()


def fill(gallery: Gallery, folder: Path) -> None:
    """Three pictures, two sounds, one clip and six sentences."""
    pictures = [write_picture(folder / f"{name} wall.png", even(colour)) for name, colour in COLOURS.items()]
    sounds = [write_tone(folder / "hum.wav", hz=200.0), write_tone(folder / "whistle.wav", hz=4_000.0)]
    clip = write_clip(folder / "grey.mp4", sound_hz=440.0)
    report = gallery.add([*pictures, *sounds, clip, *SENTENCES])
    assert not report.refused


def toy_engine(folder: Path) -> Engine:
    """An engine over a toy model and a gallery of its own below `folder`."""

    def load(say: Say) -> tuple[ToyModel, Gallery]:
        say("Loading the model…", 0, 0)
        model = ToyModel()
        gallery = Gallery.open(folder / "gallery", model)
        fill(gallery, folder)
        return model, gallery

    return Engine(load)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("app")
    engine = toy_engine(folder)
    demo = serve(engine, host="127.0.0.1", port=None)
    assert engine.wait(120)
    yield Running(demo.local_url.rstrip("/"), engine, folder)
    demo.close()
    engine.close()
