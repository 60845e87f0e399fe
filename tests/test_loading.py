"""Models of the Hugging Face Hub: pinned, data alone, fetched once. Against a small stand-in of the Hub."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unimma import loading
from unimma.errors import ModelError
from unimma.settings import assets_dir

ROOT = Path(__file__).parent.parent
REPOSITORY, REVISION = "somebody/some-model", "0123456789abcdef0123456789abcdef01234567"
HOSTILE = {"pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit('code of the model ran')"}


@dataclass
class Hub:
    """A stand-in that knows one repository with one commit.

    Attributes:
        asked: every address that was asked for.
        public: whether it admits that it knows it.
    """

    files: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)
    public: bool = True
    url: str = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        if not self.public:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if REVISION not in path:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        if path.startswith(f"/api/models/{REPOSITORY}/tree/{REVISION}"):
            tree = [
                {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                for name, body in self.files.items()
            ]
            return 200, {"Content-Type": "application/json"}, json.dumps(tree).encode()
        name = path.partition(f"/resolve/{REVISION}/")[2].partition("?")[0]
        if name not in self.files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        body = self.files[name]
        return 200, {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": REVISION}, body


@pytest.fixture
def hub() -> Iterator[Hub]:
    bundled = {path.name: path.read_bytes() for path in (assets_dir() / "bundled").iterdir() if path.is_file()}
    standin = Hub(bundled | HOSTILE)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = standin.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    standin.url = f"http://127.0.0.1:{server.server_port}"
    yield standin
    server.shutdown()
    server.server_close()


@pytest.fixture
def load(tmp_path: Path, hub: Hub):
    """Loads a model in a process of its own, which knows no other Hub: its fingerprint, or what was wrong."""
    code = (
        "import sys, unimma\n"
        "try: print(unimma.load_model(sys.argv[1]).fingerprint)\n"
        "except unimma.ModelError as error: print(error)"
    )
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "UNIMMA_CACHE_DIR": str(tmp_path / "cache"),
        "NO_PROXY": "127.0.0.1",
    }

    def load_(name: str, **more: str) -> str:
        command = [sys.executable, "-c", code, name]
        done = subprocess.run(
            command, cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return load_


def test_h31_hub_models_are_pinned_by_revision(hub: Hub, load, tmp_path: Path):
    """And only data are taken: what a repository holds of code or pickles is neither fetched nor run."""
    bundled = loading.load_model("bundled").fingerprint
    assert load(f"{REPOSITORY}@{REVISION}") == bundled
    fetched = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_symlink()}
    assert fetched == {name for name in hub.files if name not in HOSTILE and not name.startswith(".")}
    assert not [path for path in hub.asked if any(name in path for name in HOSTILE)]
    hub.public = False  # gone from the Hub, still here
    asked = len(hub.asked)
    assert load(f"{REPOSITORY}@{REVISION}") == bundled and len(hub.asked) == asked


@pytest.mark.parametrize(
    "revision", ["", "@", "@main", "@v1.0", "@0123456", "@" + "0123456789" * 4 + "0", "@" + "Z" * 40]
)
def test_h31_a_model_without_a_pinned_revision_is_refused_before_anything_is_asked(hub: Hub, monkeypatch, revision):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    with pytest.raises(ModelError, match="40 digits of a commit"):
        loading.load_model(REPOSITORY + revision)
    assert not hub.asked


def test_a_commit_that_is_not_there_is_named(load):
    assert load(f"{REPOSITORY}@{'f' * 40}").startswith("no commit fffffff of somebody/some-model; expected")


def test_a_model_that_is_not_there_is_named(hub: Hub, load):
    hub.public = False
    assert load(f"{REPOSITORY}@{REVISION}").startswith("no model somebody/some-model on the Hub; expected")


def test_without_a_network_the_sentence_says_so(load, tmp_path: Path):
    said = load(f"{REPOSITORY}@{REVISION}", HF_ENDPOINT="http://127.0.0.1:9")
    assert said.startswith("the model somebody/some-model@0123456 cannot be fetched; expected")
    assert "\n" not in said and str(tmp_path) not in said
    assert "cannot be fetched" in load(f"{REPOSITORY}@{REVISION}", HF_HUB_OFFLINE="1")


def test_a_model_that_a_space_has_preloaded_is_not_fetched(hub: Hub, load, tmp_path: Path):
    snapshot = tmp_path / "home" / "hub" / "models--somebody--some-model" / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).write_bytes(hub.files[name])
    assert len(load(f"{REPOSITORY}@{REVISION}")) == 12 and not hub.asked


def test_a_folder_goes_before_the_hub(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "model").mkdir(parents=True)
    with pytest.raises(ModelError, match="a folder with config"):
        loading.load_model("some/model")


def test_an_encoder_with_options_that_it_does_not_have_is_refused(tmp_path: Path):
    config = json.loads((assets_dir() / "bundled" / "config.json").read_text())
    config["encoders"]["text"] = {"name": "minilm", "trust_remote_code": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="trust_remote_code"):
        loading.load_model(tmp_path)
