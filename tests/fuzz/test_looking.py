"""What the fuzzer would notice: each promise that is broken on purpose is a finding, and sound files give none."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fuzz import looking
from tests.fuzz.mutations import mutated, real_files
from unimma.errors import MediaError
from unimma.media import decode
from unimma.settings import Limits


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def found(monkeypatch: pytest.MonkeyPatch, name: str, act: Any, source: Path, empty: Path) -> str:
    """What is found wrong where a step does something else."""
    monkeypatch.setattr(looking, name, act)
    _, wrong = looking.look(source.read_bytes(), source.name, empty, Limits())
    return "\n".join(wrong)


def test_whole_files_give_no_finding(empty: Path, picture: Path, sound: Path, clip: Path, note: Path) -> None:
    for path, kind in ((picture, "image"), (sound, "audio"), (clip, "video"), (note, "text")):
        assert looking.look(path.read_bytes(), path.name, empty, Limits()) == (kind, [])


def test_media_that_break_a_promise_are_found(
    monkeypatch: pytest.MonkeyPatch, empty: Path, picture: Path, sound: Path, clip: Path
) -> None:
    tone, image, film = decode(sound), decode(picture), decode(clip)
    broken = {
        sound: (replace(tone, waveform=np.full(9, np.nan, np.float32)), "finite"),
        picture: (replace(image, pixels=image.pixels.copy()), "read-only"),
        clip: (replace(film, times=film.times[::-1]), "times"),
    }
    for source, (media, promise) in broken.items():
        assert f"decode: {promise}" in found(monkeypatch, "decode", lambda *_, m=media, **__: m, source, empty)


def test_other_errors_and_messages_with_paths_are_found(
    monkeypatch: pytest.MonkeyPatch, empty: Path, picture: Path
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    def tell(*_: Any, **__: Any) -> None:
        raise MediaError(f"{empty}/x.jpg: no", "yes", "Ask again.")

    assert "ZeroDivisionError" in found(monkeypatch, "kind_of", fail, picture, empty)
    assert "says" in found(monkeypatch, "kind_of", tell, picture, empty)


def test_files_left_behind_and_files_that_cannot_be_read_are_found(
    monkeypatch: pytest.MonkeyPatch, empty: Path, picture: Path
) -> None:
    def leave(*_: Any, **__: Any) -> None:
        (empty / "left.part").touch()
        raise MediaError("x.jpg: no", "yes", "Ask again.")

    def write_nothing(*_: Any, **__: Any) -> Path:
        (empty / "kept.webp").touch()
        return empty / "kept.webp"

    assert "left ['left.part']" in found(monkeypatch, "write_plain", leave, picture, empty)
    assert "what was kept cannot be read" in found(monkeypatch, "write_plain", write_nothing, picture, empty)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_too_much_memory_is_found(monkeypatch: pytest.MonkeyPatch, empty: Path, note: Path) -> None:
    held_before = np.ones(50_000_000)  # 400 MB of the process's own do not count
    monkeypatch.setattr(looking, "_MOST_MEGABYTES", 300)
    assert looking.look(note.read_bytes(), note.name, empty, Limits())[1] == []

    def waste(*_: Any, **__: Any) -> str:
        return str(held_before.copy().sum())

    assert "used" in found(monkeypatch, "kind_of", waste, note, empty)


def test_the_same_seed_damages_the_same_way(tmp_path: Path) -> None:
    import random

    files = real_files(tmp_path)
    once, again = (
        [mutated(content, list(files.values()), random.Random(f"7 {name}")) for name, content in files.items()]
        for _ in range(2)
    )
    assert once == again
    assert sum(one != whole for one, whole in zip(once, files.values(), strict=True)) > len(files) * 0.9
