"""Media that many tests want: one of each modality, small and real."""

from pathlib import Path

import pytest

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
