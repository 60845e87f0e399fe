"""A stand-in for the Hugging Face Hub: the part of its HTTP API that publishing and loading use, with faults to order.

Small files travel inside a commit, large ones (safetensors, .pt) by LFS: asked for in a batch, put, then named in the
commit. A download of a large file goes by way of another address. The real client talks to it, in a process of its own:
`Process` starts one that runs what it is told, one order after the other.
"""

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

ROOT = Path(__file__).parent.parent
WRITER, READER = "hf_may_write", "hf_may_read"
ACCOUNT = "somebody"
LARGE = (".safetensors", ".pt")
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Repository:
    """Attributes: commits: by their 40 digits, in order: path → content."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    def commit(self, files: dict[str, bytes]) -> str:
        listed = "".join(f"{path} {git_hash(files[path])}\n" for path in sorted(files))
        revision = hashlib.sha1(f"{len(self.commits)}\n{listed}".encode()).hexdigest()
        self.commits[revision] = files
        return revision


@dataclass
class Fault:
    """Attributes: break off requests of that method and address after so many bytes of the body, so many times."""

    method: str
    address: str
    after: int
    times: int


class Hub:
    """A Hub of its own.

    Attributes:
        asked: method and address of every request.
        messages: of the commits that were made over HTTP.
        faults, refused: what does not go as it should, by address.
        damaged: files that are sent with a byte changed.
    """

    def __init__(self) -> None:
        self._port = 0
        self.clear()
        self._start()

    def clear(self) -> None:
        """Nothing is held, asked for or ordered."""
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}  # by SHA-256
        self.asked: list[str] = []
        self.messages: list[str] = []
        self.faults: list[Fault] = []
        self.damaged: set[str] = set()
        self.refused: dict[str, int] = {}  # part of an address → the status that it is answered with

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def store(self) -> str:
        """The address of large files: another host, as far as the client can see."""
        return f"http://localhost:{self._port}"

    def add(self, name: str, files: dict[str, bytes], *, private: bool = False) -> str:
        """A repository with these files: its commit."""
        self.repositories[name] = Repository(private)
        self.repositories[name].commit({".gitattributes": b""})
        return self.repositories[name].commit(files)

    def hashes(self, name: str, *paths: str) -> dict[str, str]:
        """Of files of the newest commit, as the Hub lists them."""
        repository = self.repositories[name]
        listed = {path: entry(path, repository.commits[repository.head][path]) for path in paths}
        return {path: each["lfs"]["oid"] if "lfs" in each else each["oid"] for path, each in listed.items()}

    def break_off(self, method: str, address: str, *, after: int, times: int = 1) -> None:
        self.faults.append(Fault(method, address, after, times))

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens at the address."""
        self.close()
        try:
            yield
        finally:
            self._start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _start(self) -> None:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                hub.serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = _any

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{request.command} {request.path}")
        fault = self._fault(request)
        length = int(request.headers.get("Content-Length") or 0)
        if fault and request.command != "GET":
            request.rfile.read(min(fault.after, length))
            return request.connection.shutdown(socket.SHUT_RDWR)
        status, headers, content = self.answer(request, request.rfile.read(length))
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "HEAD":
            return None
        request.wfile.write(content[: fault.after] if fault else content)
        if fault:
            request.wfile.flush()
            request.connection.shutdown(socket.SHUT_RDWR)
        return None

    def _fault(self, request: BaseHTTPRequestHandler) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == request.command and fault.address in request.path:
                fault.times -= 1
                return fault
        return None

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        path = unquote(urlsplit(request.path).path)
        for part, status in self.refused.items():
            if part in path:
                return as_json({"error": "no"}, status)
        if path.startswith("/large/"):
            return self.large_file(request, path, body)
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in ("", WRITER, READER):
            return as_json({"error": "Invalid credentials"}, 401, error="Invalid credentials in Authorization header")
        if request.command == "POST" and not (refusal := self.forbids(token, path)):
            return self.change(path, body)
        if request.command == "POST":
            return refusal
        found = re.fullmatch(r"/(?:api/models/)?([\w.-]+/[\w.-]+)(?:/(tree|revision|resolve)/([^/]+)(?:/(.+))?)?", path)
        if not found or (found[1] not in self.repositories) or (self.repositories[found[1]].private and not token):
            return as_json({"error": "Repository not found"}, 404 if token else 401, code="RepoNotFound")
        return self.read(request, found[1], *found.groups()[1:])

    def forbids(self, token: str, path: str) -> Answer | None:
        if token == WRITER or path == "/api/validate-yaml":
            return None
        return as_json({"error": "no"}, 403 if token else 401, error="Forbidden" if token else "No credentials")

    def read(self, request: BaseHTTPRequestHandler, name: str, what: str | None, revision: str, path: str) -> Answer:
        repository = self.repositories[name]
        if revision == "main" or what is None:
            revision = repository.head
        if revision not in repository.commits:
            return as_json({"error": "Invalid rev id"}, 404, code="RevisionNotFound")
        files = repository.commits[revision]
        if what == "tree":
            return as_json([entry(path, content) for path, content in sorted(files.items())])
        if what != "resolve":
            listed = [{"rfilename": path} for path in sorted(files)]
            return as_json({"id": name, "sha": revision, "private": repository.private, "siblings": listed})
        if path not in files:
            return as_json({"error": "Entry not found"}, 404, code="EntryNotFound")
        content, linked = files[path], {"X-Repo-Commit": revision}
        if not path.endswith(LARGE):
            return 200, linked | {"ETag": f'"{git_hash(content)}"'}, self.sent(path, content)
        digest = hashlib.sha256(content).hexdigest()
        linked |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        self.large[digest] = content
        return 302, linked | {"Location": f"{self.store}/large/{digest}/{path}"}, b""

    def large_file(self, request: BaseHTTPRequestHandler, path: str, body: bytes) -> Answer:
        digest, _, name = path.removeprefix("/large/").partition("/")
        if request.command == "PUT":
            if hashlib.sha256(body).hexdigest() != digest:
                return as_json({"error": "content of another hash"}, 400)
            self.large[digest] = body
            return 200, {}, b""
        content = self.sent(name, self.large[digest])
        if span := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or ""):
            start = int(span[1])
            ends = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            return 206, ends, content[start:]
        return 200, {}, content

    def sent(self, path: str, content: bytes) -> bytes:
        return content[:-1] + bytes([content[-1] ^ 1]) if path in self.damaged else content

    def change(self, path: str, body: bytes) -> Answer:
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path == "/api/validate-yaml":
            return validated(json.loads(body)["content"])
        found = re.fullmatch(r"/(?:api/models/)?([\w.-]+/[\w.-]+?)(?:\.git/info/lfs/objects/batch|/(\w+)/main)", path)
        if not found or found[1] not in self.repositories:
            return as_json({"error": "Repository not found"}, 404, code="RepoNotFound")
        repository = self.repositories[found[1]]
        match found[2]:
            case "preupload":
                held = repository.commits[repository.head]
                return as_json({"files": [upload_mode(file["path"], held) for file in json.loads(body)["files"]]})
            case "commit":
                return self.commit(found[1], [json.loads(line) for line in body.splitlines()])
        return as_json({"transfer": "basic", "objects": [self.action(each) for each in json.loads(body)["objects"]]})

    def create(self, wanted: dict[str, Any]) -> Answer:
        name = f"{wanted.get('organization') or ACCOUNT}/{wanted['name']}"
        if not name.startswith(f"{ACCOUNT}/"):
            return as_json({"error": "no"}, 403, error="You have no rights to create a model in that namespace")
        if name in self.repositories:
            return as_json({"error": "You already created this model repo", "url": f"{self.url}/{name}"}, 409)
        self.add(name, {".gitattributes": b""}, private=wanted.get("visibility") == "private")
        return as_json({"url": f"{self.url}/{name}"})

    def action(self, wanted: dict[str, Any]) -> dict[str, Any]:
        put = {"actions": {"upload": {"href": f"{self.store}/large/{wanted['oid']}"}}}
        return wanted | ({} if wanted["oid"] in self.large else put)

    def commit(self, name: str, lines: list[dict[str, Any]]) -> Answer:
        repository = self.repositories[name]
        files = dict(repository.commits[repository.head])
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    message = value["summary"]
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile" if value["oid"] not in self.large:
                    return as_json({"error": f"{value['path']} was not uploaded"}, 400)
                case "lfsFile":
                    files[value["path"]] = self.large[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        revision = repository.commit(files)
        self.messages.append(message)
        url = f"{self.url}/{name}/commit/{revision}"
        return as_json({"success": True, "commitOid": revision, "commitUrl": url, "hookOutput": ""})


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def entry(path: str, content: bytes) -> dict[str, Any]:
    """As the tree of a commit lists it; of a large file Git holds a pointer."""
    listed: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if path.endswith(LARGE):
        digest = hashlib.sha256(content).hexdigest()
        listed |= {"oid": git_hash(digest.encode()), "lfs": {"oid": digest, "size": len(content), "pointerSize": 130}}
    return listed


def upload_mode(path: str, held: dict[str, bytes]) -> dict[str, Any]:
    large = path.endswith(LARGE)
    hashed = {name: hashlib.sha256(each).hexdigest() if large else git_hash(each) for name, each in held.items()}
    mode = "lfs" if large else "regular"
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": hashed.get(path)}


def validated(card: str) -> Answer:
    """The Hub's word on a card: its first lines are YAML, and a licence of no common kind has a name."""
    try:
        data = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)[1])
        wrong = "license_name is missing" if data["license"] == "other" and not data.get("license_name") else ""
    except (yaml.YAMLError, TypeError, KeyError) as error:
        wrong = str(error)
    if wrong:
        return as_json({"error": "no", "errors": [{"message": wrong}], "warnings": []}, 400)
    return as_json({"errors": [], "warnings": []})


def as_json(answer: object, status: int = 200, *, code: str = "", error: str = "") -> Answer:
    headers = {"Content-Type": "application/json", "X-Error-Code": code, "X-Error-Message": error}
    return status, {name: value for name, value in headers.items() if value}, json.dumps(answer).encode()


def environment(hub: Hub, home: Path, **more: str) -> dict[str, str]:
    """That of a process that knows this Hub and no other."""
    ours = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "OMP_NUM_THREADS": "1",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("HF_")} | ours | more


@dataclass(frozen=True)
class Done:
    """What came of an order: an exit code, and what was said."""

    code: int
    out: str
    err: str


class Process:
    """One that publishes and loads as it is told, and does not wait between the tries of a request.

    Attributes:
        home: where the Hub's client keeps what it keeps.
    """

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.home = folder / "home"
        self._said = (folder / "stderr").open("w+b")
        command = [sys.executable, "-m", "tests.hub"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(hub, self.home, UNIMMA_DATA_DIR=str(folder / "data")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def __call__(self, what: str, *arguments: str | Path, token: str = "", cache: Path | None = None) -> Done:
        """`what` is "publish" with the arguments of the command, "load" with a model's name, or "open" with that and a
        folder for the gallery, as the app does it.
        """
        assert self._process.stdin and self._process.stdout
        before = self._said.seek(0, os.SEEK_END)
        variables = {"HF_TOKEN": token, "UNIMMA_CACHE_DIR": str(cache or "")}
        self._process.stdin.write(json.dumps([what, list(map(str, arguments)), variables]) + "\n")
        self._process.stdin.flush()
        code, out = json.loads(self._process.stdout.readline())
        self._said.seek(before)
        return Done(code, out, self._said.read().decode())

    def close(self) -> None:
        self._process.communicate("", timeout=30)
        self._said.close()


def opened_by_the_app(name: str, folder: str) -> str:
    """The fingerprint of the model that the app has opened."""
    from unimma.ui.engine import Engine, loader

    engine = Engine(loader(name, Path(folder)))
    try:
        engine.start()
        engine.wait(60)
        return engine.model.fingerprint
    finally:
        engine.close()


def _obey() -> None:
    """The other side of `Process`."""
    import io
    import time
    from contextlib import redirect_stdout

    time.sleep = lambda seconds: None
    import unimma
    from train import publish

    answers = sys.stdout
    for line in sys.stdin:
        what, arguments, variables = json.loads(line)
        os.environ.update(variables)
        code, out = 0, io.StringIO()
        try:
            with redirect_stdout(out):
                if what == "publish":
                    code = publish.main(arguments)
                elif what == "load":
                    print(unimma.load_model(*arguments).fingerprint)
                else:
                    print(opened_by_the_app(*arguments))
        except unimma.ModelError as error:
            code = 2
            print(error, file=sys.stderr, flush=True)
        print(json.dumps([code, out.getvalue()]), file=answers, flush=True)


if __name__ == "__main__":
    _obey()
