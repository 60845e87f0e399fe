"""Starting the app: options, and a page that is there before the model."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import app

ROOT = Path(__file__).parents[2]
OPTIONS = ("HOST", "PORT", "GALLERY", "ADD", "MODEL", "LIBRARY", "AGENTS", "SHARE")


@pytest.fixture
def clean(monkeypatch):
    for name in OPTIONS:
        monkeypatch.delenv(f"UNIMMA_{name}", raising=False)
    return monkeypatch


def test_the_defaults_listen_on_this_machine_alone(clean):
    options = app.parse([])
    assert (options.host, options.port, options.gallery, options.model) == ("127.0.0.1", 7860, None, "bundled")
    assert (options.library, options.agents, options.share) == ("shared", "read", False)


def test_each_option_is_also_an_environment_variable(clean, tmp_path):
    given = {"HOST": "0.0.0.0", "PORT": "7000", "GALLERY": str(tmp_path), "MODEL": "other", "SHARE": "1"}
    given |= {"LIBRARY": "read-only", "AGENTS": "write"}
    for name, value in given.items():
        clean.setenv(f"UNIMMA_{name}", value)
    options = app.parse([])
    assert (options.host, options.port, options.gallery) == ("0.0.0.0", 7000, tmp_path)
    assert (options.model, options.library, options.agents, options.share) == ("other", "read-only", "write", True)
    assert app.parse(["--port", "7001", "--model", "bundled"]).port == 7001


def test_a_folder_of_ones_own_must_be_there(clean, tmp_path, capsys):
    assert app.parse(["--add", str(tmp_path)]).add == tmp_path
    with pytest.raises(SystemExit):
        app.parse(["--add", str(tmp_path / "none")])
    assert "--add none: no such folder" in capsys.readouterr().err


def test_an_address_is_no_gallery_to_open(clean, capsys):
    with pytest.raises(SystemExit):
        app.parse(["--gallery", "http://127.0.0.1:7860"])
    assert "name a folder" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "known"), [("LIBRARY", "private, shared, read-only"), ("AGENTS", "read, write")])
def test_a_choice_that_there_is_not_is_refused_from_the_environment_too(clean, capsys, name, known):
    clean.setenv(f"UNIMMA_{name}", "everything")
    with pytest.raises(SystemExit):
        app.parse([])
    assert f"--{name.lower()} everything: choose one of {known}" in capsys.readouterr().err


def test_help_tells_each_variable():
    done = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in OPTIONS:
        assert f"UNIMMA_{name}" in done.stdout


def test_the_page_modules_import_neither_torch_nor_chroma():
    code = "import sys, unimma.ui.app; print(*{'torch', 'transformers', 'chromadb'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_model_that_cannot_be_loaded_leaves_a_page_that_says_so(tmp_path):
    """From a working directory of its own, as a Space starts it; nothing is written beside the code."""
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0", "--gallery", str(tmp_path / "g"), "--model", "nope"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line.startswith("UniMMA is at http://127.0.0.1:")
            url = line.split()[-1]
            with urllib.request.urlopen(url) as answer:
                assert "Drop anything in, find anything" in answer.read().decode()
            with pytest.raises(AppError, match="nope"):
                Client(url, verbose=False).predict("rain", 3, None, api_name="/search_text")
        finally:
            running.terminate()
