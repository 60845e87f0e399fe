"""What the server refuses: others' files, pages of other sites, addresses in place of files, too much at once."""

import hashlib
import http.client
import http.server
import json
import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.makers import write_picture
from tests.ui.conftest import Running, even, running_app
from tests.ui.test_serving import fetch
from unimma.ui.guard import is_local
from unimma.ui.visit import Library


def call(app: Running, endpoint: str, data: list[Any], session: str = "somebody") -> str:
    """What the endpoint answers to a bare HTTP client, as text."""
    body = json.dumps({"data": data, "session_hash": session}).encode()
    post = urllib.request.Request(f"{app.url}/gradio_api/call/{endpoint}", body, {"Content-Type": "application/json"})
    number = json.load(urllib.request.urlopen(post))["event_id"]
    with urllib.request.urlopen(f"{app.url}/gradio_api/call/{endpoint}/{number}") as answer:
        return answer.read().decode()


@pytest.fixture
def photo(tmp_path) -> Path:
    return write_picture(tmp_path / "my secret photo.png", even((130, 40, 90)))


# 24: the files of other visitors


def test_h24_what_a_visitor_adds_cannot_be_fetched_by_another_who_knows_its_id(private, photo):
    one, two = Client(private.url, verbose=False), Client(private.url, verbose=False)
    (mine,) = one.predict([handle_file(str(photo))], api_name="/add")["added"]
    hit = one.predict("red", 50, ["image"], api_name="/search_text")["hits"]
    uri = next(each["uri"] for each in hit if each["id"] == mine)
    place = uri.split("/")[2]
    assert fetch(private.url + uri)[0] == fetch(private.url + uri + "/thumb")[0] == 200
    assert mine not in {each["id"] for each in two.predict("red", 50, ["image"], api_name="/search_text")["hits"]}
    other = handle_file(str(write_picture(photo.parent / "b.png", even((1, 2, 3)))))
    (theirs,) = two.predict([other], api_name="/add")["added"]
    uri_of_two = next(
        each["uri"] for each in two.predict("x", 50, ["image"], api_name="/search_text")["hits"] if each["id"] == theirs
    )
    other_place = uri_of_two.split("/")[2]
    for guess in (
        f"/media/gallery/{mine}",
        f"/media/{other_place}/{mine}",  # a pass, but for another item of another visit
        f"/media/{place.partition('-')[0]}-{'0' * 32}/{mine}",
        f"/media/{place.partition('-')[0]}/{mine}",
        f"/media/{place}/{theirs}",
        f"/media//{mine}",
    ):
        for what in ("", "/thumb", "/download"):
            assert fetch(private.url + guess + what)[0] in (403, 404), guess


def test_h24_an_upload_cannot_be_found_by_who_knows_the_file_and_its_name(private, photo):
    paths = [handed_over(private, photo) for _ in range(2)]
    assert paths[0] != paths[1]  # the same file, by two visitors: neither learns of the other
    for path in paths:  # the path is the pass
        assert fetch(f"{private.url}/gradio_api/file={quote(path)}")[0] == 200
    folder = Path(paths[0]).parent
    by_content = folder.parent / hashlib.sha256(photo.read_bytes()).hexdigest() / photo.name
    for guess in (by_content, folder.parent / photo.name, folder.parent, folder, folder / "x.png"):
        assert fetch(f"{private.url}/gradio_api/file={quote(str(guess))}")[0] in (403, 404)


def handed_over(app: Running, file: Path) -> str:
    """The path at the server of a file that was uploaded."""
    edge = "edge-of-a-part"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    with urllib.request.urlopen(urllib.request.Request(f"{app.url}/gradio_api/upload", body, kind)) as answer:
        return json.load(answer)[0]


# 25: addresses


class Marked(http.server.BaseHTTPRequestHandler):
    """A server of this machine that nobody may be made to ask."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/there":
            self.send_response(302)
            self.send_header("Location", "/marked.png")
        else:
            self.send_response(200)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def marked() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Marked)
    Marked.asked.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_h25_an_address_in_place_of_a_file_is_never_opened(running, marked, monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def watched(host: object, *rest: object, **more: object) -> object:
        asked.append(str(host))
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    addresses = [
        f"{marked}/marked.png",
        f"{marked}/there",
        "http://169.254.169.254/latest/meta-data/",
        "http://example.com/a.png",
        "https://example.com/a.png",
    ]
    for address in addresses:
        for meta in ({}, {"meta": {"_type": "gradio.FileData"}}):
            value = {"path": address, "url": address, **meta}
            assert "event: error" in call(running, "search_image", [value, 3, None])
            assert "event: error" in call(running, "add", [[value]])
        status = fetch(f"{running.url}/gradio_api/file={address}")[0]
        assert status in (400, 403, 404), address
    assert Marked.asked == [] and not {"example.com", "169.254.169.254"} & set(asked)


# 29: pages of other sites


def ask(app: Running, method: str, path: str, body: bytes = b"", **headers: str) -> int:
    host, _, port = app.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:1", "null", "http://127.0.0.1.evil.example"]
)
def test_h29_a_page_of_another_site_is_refused(running, photo, origin):
    own = running.url
    json_kind = "application/json"
    body = json.dumps({"data": ["red", 3, None]}).encode()
    part = b'--e\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nwords\r\n--e--\r\n'
    for path, payload, kind in (
        ("/gradio_api/call/search_text", body, json_kind),
        ("/gradio_api/upload", part, "multipart/form-data; boundary=e"),
        ("/gradio_api/queue/join", body, "text/plain"),
    ):
        assert ask(running, "POST", path, payload, Origin=origin, Content_Type=kind) == 403
    assert ask(running, "POST", "/gradio_api/call/search_text", body, Origin=own, Content_Type=json_kind) == 200
    assert ask(running, "POST", "/gradio_api/call/search_text", body, Content_Type=json_kind) == 200  # a program
    assert ask(running, "GET", "/config", Origin=origin) == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "192.168.0.7", "127.0.0.1.evil.example", "[::2]"]
)
def test_h29_a_foreign_name_that_leads_to_this_machine_is_refused(running, host):
    assert ask(running, "GET", "/config", Host=host) == 403
    assert ask(running, "GET", "/config", Host=host, X_Forwarded_Host="localhost") == 403


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost:7860", True), ("127.0.0.1", True), ("127.9.9.9:1", True), ("[::1]:80", True), ("LOCALHOST", True),
     ("0.0.0.0", False), ("example.com", False), ("", False), ("[", False), ("localhost.evil.example", False)],
)  # fmt: skip
def test_h29_names_of_this_machine(host, local):
    assert is_local(host) is local


# 26: too much at once


def test_h26_of_ten_thousand_files_at_once_each_is_settled(tmp_path):
    with running_app(tmp_path, Library.PRIVATE) as app:
        visit = app.engine.visits.of("one")
        files = [tmp_path / "many" / f"{number}.txt" for number in range(10_000)]
        files[0].parent.mkdir()
        for number, file in enumerate(files):
            file.write_text("" if number % 100 == 0 else f"the {number % 97}th of many sentences")
        job = visit.add(files)
        assert job.wait(400) and job.state == "done"
        assert len(job.added) == 97 and len(job.refused) == 100
        assert len(job.added) + len(job.already_there) + len(job.refused) == job.total == 10_000
        assert all("empty" in reason for _, reason in job.refused)


def test_h26_more_files_than_one_call_may_bring_are_refused_in_a_sentence(running, photo):
    path = handed_over(running, photo)
    answer = call(running, "add", [[{"path": path}] * 1_001])
    assert "event: error" in answer and "1 to 1000 files" in answer


def test_h26_a_file_over_the_limit_is_refused_at_the_door(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIMMA_MAX_FILE_BYTES", "100000")
    with running_app(tmp_path) as app:
        large, small = tmp_path / "large.txt", tmp_path / "small.txt"
        large.write_bytes(os.urandom(200_000))
        small.write_text("a small red text")
        client = Client(app.url, verbose=False)
        with pytest.raises(Exception, match=r"413|size"):
            client.predict([handle_file(str(large))], api_name="/add")
        assert client.predict([handle_file(str(small))], api_name="/add")["added"]
        job = app.engine.host.add([large, small])
        assert job.wait(60) and [name for name, _ in job.refused] == ["large.txt"]


def test_an_upload_of_a_picture_is_what_the_search_sees(running, photo):
    answer = Client(running.url, verbose=False).predict(handle_file(str(photo)), 1, ["image"], api_name="/search_image")
    assert answer["query"]["file"] == photo.name and answer["hits"]


def test_a_value_that_is_no_file_is_refused_in_a_sentence(running):
    with pytest.raises(AppError, match="uploaded file"):
        Client(running.url, verbose=False).predict({"no": "file"}, 1, None, api_name="/search_image")
