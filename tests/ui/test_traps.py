"""What is known to go wrong with Gradio as a server: each trap that the app could step into, asked of a running one."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import Running
from tests.ui.test_serving import fetch
from unimma.ui.app import build_app

PAGE = b"<html><script>alert(document.domain)</script></html>"


def config(app: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"{app.url}/config") as answer:
        return json.load(answer)


def post(url: str, body: dict[str, Any]) -> tuple[int, str]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def uploaded(app: Running, name: str, content: bytes) -> str:
    head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--edge--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    with urllib.request.urlopen(urllib.request.Request(f"{app.url}/gradio_api/upload", body, kind)) as answer:
        return str(json.load(answer)[0])


def test_nothing_passes_by_the_queue(running):
    for route in ("run", "api"):
        status, _ = post(f"{running.url}/gradio_api/{route}/search_text", {"data": ["red", 3, None, None]})
        assert status == 404


def test_files_of_the_working_directory_are_not_served(running):
    for name in ("app.py", "pyproject.toml", ".gitignore", "unimma/__init__.py", "docs/api.md"):
        assert Path(name).is_file(), "the tests run in the checkout"
        for shown in (name, f"./{name}", str(Path(name).resolve())):
            assert fetch(f"{running.url}/gradio_api/file={shown}")[0] in (403, 404), shown


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=..%2f..%2f..%2fetc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/routes.py",
        "/custom_component/x/client/component/..%2f..%2fapp.py",
        "/gradio_api/custom_component/x/client/component/..%2f..%2fapp.py",
        "/gradio_api/proxy=http://127.0.0.1:9/",
        "/gradio_api/proxy=https://elsewhere.hf.space/",
        "/gradio_api/stream/x/1/1/playlist.m3u8",
        "/monitoring",
        "/gradio_api/runs",
    ],
)
def test_no_way_leads_out_of_what_is_served(running, path):
    status, _, body = fetch(running.url + path)
    assert status in (400, 403, 404, 405) and b"root:" not in body and b"import " not in body


@pytest.mark.parametrize("name", ["page.html", "page.svg", "page.xhtml", "page.js", "page.unknown"])
def test_an_uploaded_page_is_a_download_and_never_shown(running, name):
    status, headers, _ = fetch(f"{running.url}/gradio_api/file={uploaded(running, name, PAGE)}")
    assert status == 200 and headers["content-disposition"].startswith("attachment")
    assert headers["content-type"].startswith("application/octet-stream")


def test_uploads_are_handed_on_as_they_came_and_no_program_converts_them(running):
    """Gradio would call ffmpeg, which follows playlists, where a format is asked for."""
    kinds = [each for each in config(running)["components"] if each["type"] in ("audio", "video")]
    for component in kinds:
        assert component["props"].get("format") is None, component["props"]
        assert component["props"].get("include_audio") in (None, True)


def test_nobody_is_counted_and_nothing_is_remembered_of_runs(running):
    told = config(running)
    assert told["analytics_enabled"] is False
    assert fetch(f"{running.url}/gradio_api/runs")[0] == 404


def test_handlers_that_are_not_listed_change_nothing_of_the_hosts_for_a_stranger(private):
    """`api_visibility="private"` hides a handler, and anybody can call it."""
    gallery = private.engine.gallery
    before = {item.id: item for item in gallery.list(limit=100)}
    sent = {"id": next(iter(before)), "ids": [*before], "title": "mine", "caption": "mine", "kind": "", "offset": "0"}
    hidden = [each for each in config(private)["dependencies"] if each["api_visibility"] == "private"]
    assert hidden
    for each in hidden:
        body = {"fn_index": each["id"], "session_hash": f"stranger{each['id']}", "data": [None] * len(each["inputs"])}
        for event in (None, sent):
            assert post(f"{private.url}/gradio_api/queue/join", {**body, "event_data": event})[0] == 200
    for each in hidden:  # until each has been answered
        with urllib.request.urlopen(f"{private.url}/gradio_api/queue/data?session_hash=stranger{each['id']}") as answer:
            told = answer.read().decode()
        assert "process_completed" in told, "it was called"
        assert str(private.folder) not in told and "Traceback" not in told
    assert {item.id: item for item in gallery.list(limit=100)} == before


def test_an_error_that_is_not_ours_gives_nothing_away(running, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"the secret lies in {os.sep}root{os.sep}secret")

    monkeypatch.setattr(type(running.engine.host), "counts", broken)
    _, told = post(f"{running.url}/gradio_api/call/count", {"data": [None]})
    with urllib.request.urlopen(f"{running.url}/gradio_api/call/count/{json.loads(told)['event_id']}") as answer:
        events = answer.read().decode()
    assert "event: error" in events and "secret" not in events and "Something went wrong" in events


def test_uploads_that_no_visit_knows_of_go_by_themselves(running):
    assert build_app(running.engine).delete_cache == (600, 3_600), "seconds: how often, and how old"
