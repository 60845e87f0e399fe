"""A running app over a toy model and a small real gallery, shared by the tests of a module."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from tests.makers import write_clip, write_picture, write_tone
from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.settings import Quotas
from unimma.ui.app import serve
from unimma.ui.engine import Call, Engine, Say
from unimma.ui.visit import Library

T = TypeVar("T")
COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
SENTENCES = ("a red wall", "green grass", "the blue sea", "a low hum", "a high whistle", "<img src=x onerror=alert(1)>")


@dataclass(frozen=True)
class Running:
    """An app that listens: its address, its engine, and a folder for the test's files."""

    url: str
    engine: Engine
    folder: Path


def apart(function: Callable[..., T], *args: object) -> T:
    """What the function returns in a thread of its own: this one may have the event loop of a browser running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def even(colour: tuple[int, int, int]) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (48, 64, 3)).copy()


def fill(gallery: Gallery, folder: Path) -> None:
    """Three pictures, two sounds, one clip and six sentences."""
    pictures = [write_picture(folder / f"{name} wall.png", even(colour)) for name, colour in COLOURS.items()]
    sounds = [write_tone(folder / "hum.wav", hz=200.0), write_tone(folder / "whistle.wav", hz=4_000.0)]
    clip = write_clip(folder / "grey.mp4", sound_hz=440.0)
    report = gallery.add([*pictures, *sounds, clip, *SENTENCES])
    assert not report.refused


def toy_engine(folder: Path, library: Library = Library.SHARED, quotas: Quotas | None = None) -> Engine:
    """An engine over a toy model and a gallery of its own below `folder`."""

    def load(say: Say, call: Call) -> tuple[ToyModel, Gallery]:
        say("Loading the model…", 0, 0)
        model = ToyModel()
        gallery = Gallery.open(folder / "gallery", model, call=call)
        fill(gallery, folder)
        return model, gallery

    return Engine(load, library=library, quotas=quotas)


@contextmanager
def running_app(
    folder: Path, library: Library = Library.SHARED, quotas: Quotas | None = None, *, agents_may: str = "read"
) -> Iterator[Running]:
    """An app over `toy_engine`, listening."""
    engine = toy_engine(folder, library, quotas)
    demo = serve(engine, host="127.0.0.1", port=None, agents_may=agents_may)
    try:
        assert engine.wait(120)
        yield Running(demo.local_url.rstrip("/"), engine, folder)
    finally:
        demo.close()
        engine.close()


@pytest.fixture(scope="module", autouse=True)
def visits_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What visitors add lies in the test's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIMMA_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, visits_here: None) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, visits_here: None) -> Iterator[Running]:
    """An app where each visitor has a library of their own."""
    with running_app(tmp_path_factory.mktemp("private"), Library.PRIVATE, Quotas()) as app:
        yield app
