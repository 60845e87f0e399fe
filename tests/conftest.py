"""Media that many tests want, one of each modality, small and real; and a Hub to publish to and load from."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import Hub, Process
from tests.makers import write_clip, write_picture, write_tone


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A JPEG of four coloured quarters, 64 x 48."""
    return write_picture(tmp_path / "quarters.jpg", quality=95)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A second of 440 Hz, 16 kHz, WAV."""
    return write_tone(tmp_path / "tone.wav", rate_hz=16_000)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds of rising grey with 440 Hz, MP4."""
    return write_clip(tmp_path / "rising.mp4", sound_hz=440.0)


@pytest.fixture
def silent_clip(tmp_path: Path) -> Path:
    """Two seconds of rising grey without sound, WebM."""
    return write_clip(tmp_path / "silent.webm", "libvpx-vp9")


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A sentence in a text file."""
    path = tmp_path / "note.txt"
    path.write_text("A dog barks at the falling rain.\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that hears, 8 MB: one of the bundled encoders, whose weights are in the checkpoint."""
    from unimma.heads import HeadConfig
    from unimma.loading import build_model
    from unimma.model import ModelConfig
    from unimma.types import Modality

    config = ModelConfig(
        name="tiny",
        dim=16,
        encoders={Modality.AUDIO: {"joined": ["yamnet-student"]}},
        heads={Modality.AUDIO: HeadConfig(kind="linear", num_features=1545, dim=16)},
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    build_model(config, card="# tiny\n\nA model for tests.\n").save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def _standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Process]]:
    hub = Hub()
    process = Process(hub, tmp_path_factory.mktemp("process"))
    yield hub, process
    process.close()
    hub.close()


@pytest.fixture
def hub(_standin: tuple[Hub, Process]) -> Hub:
    """A stand-in for the Hugging Face Hub that holds nothing yet."""
    _standin[0].clear()
    return _standin[0]


@pytest.fixture
def process(_standin: tuple[Hub, Process], hub: Hub) -> Process:
    """A process that knows this Hub and no other; it publishes and loads as it is told."""
    return _standin[1]


@pytest.fixture(scope="module")
def no_network() -> Iterator[None]:
    """No socket of this process reaches anything."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo")):
            patch.setattr(place, name, refuse)
        yield
