"""The named endpoints, called as programs call them, and the page that documents them."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.makers import write_clip, write_picture, write_tone
from tests.ui.conftest import COLOURS, even

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
HIT_KEYS = {"rank", "id", "modality", "title", "score", "similarity", "span", "uri"}


@pytest.fixture(scope="module")
def client(running) -> Client:
    return Client(running.url, verbose=False)


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def own_files(tmp_path, monkeypatch) -> Path:
    """The files that the documentation speaks of, in the working directory."""
    write_picture(tmp_path / "photo.jpg", even((200, 60, 60)))
    write_tone(tmp_path / "sound.wav", hz=300.0)
    write_clip(tmp_path / "clip.mp4", sound_hz=500.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sentence_finds_all_modalities(client):
    answer = client.predict("red", 8, None, api_name="/search_text")
    assert answer["query"] == {"modality": "text", "text": "red"}
    assert {hit["modality"] for hit in answer["hits"]} == {"text", "image", "audio", "video"}
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, 9))
    assert all(hit.keys() == HIT_KEYS for hit in answer["hits"])
    assert next(hit for hit in answer["hits"] if hit["modality"] == "image")["title"] == "red wall"


def test_the_media_of_a_hit_lie_at_its_uri(client, running):
    hit = client.predict("red", 1, ["image"], api_name="/search_text")["hits"][0]
    with urllib.request.urlopen(running.url + hit["uri"]) as answer:
        assert answer.headers["content-type"] == "image/webp"


def test_no_answer_names_a_folder_of_the_server(client, running, own_files):
    answers = [
        client.predict("red", 8, None, api_name="/search_text"),
        client.predict(handle_file("photo.jpg"), 8, None, api_name="/search_image"),
    ]
    assert str(running.folder) not in json.dumps(answers)
    assert answers[1]["query"] == {"modality": "image", "file": "photo.jpg"}


def test_each_kind_of_file_finds_its_like(client, own_files):
    picture = client.predict(handle_file("photo.jpg"), 2, ["image"], api_name="/search_image")
    assert picture["hits"][0]["title"] == "red wall"
    sound = client.predict(handle_file("sound.wav"), 1, ["audio"], api_name="/search_audio")
    assert sound["hits"][0]["title"] == "hum"
    clip = client.predict(handle_file("clip.mp4"), 1, ["video"], api_name="/search_video")
    assert clip["hits"][0]["title"] == "grey"


def test_the_sound_of_a_clip_can_be_searched_with(client, own_files):
    answer = client.predict(handle_file("clip.mp4"), 1, ["audio"], api_name="/search_audio")
    assert answer["query"]["modality"] == "audio" and answer["hits"][0]["title"] == "hum"


def test_adding_tells_what_came_in_and_what_was_refused(client, running, own_files):
    (own_files / "page.html").write_text("<html><script>alert(1)</script></html>")
    write_picture(own_files / "new.png", even((10, 120, 200)))
    before = running.engine.counts()
    files = [handle_file(name) for name in ("new.png", "page.html")]
    report = client.predict(files, api_name="/add")
    assert len(report["added"]) == 1 and [each["name"] for each in report["refused"]] == ["page.html"]
    assert running.engine.counts()["image"] == before["image"] + 1
    assert client.predict(files[:1], api_name="/add")["already_there"] == report["added"]


def test_a_file_of_another_kind_is_refused_in_a_sentence(client, own_files):
    with pytest.raises(AppError, match=r"sound\.wav"):
        client.predict(handle_file("sound.wav"), 3, None, api_name="/search_image")


@pytest.mark.parametrize("meta", [True, False])
def test_a_file_of_the_server_that_was_not_uploaded_is_never_opened(client, running, meta):
    outside = write_picture(running.folder / "outside.png", even(COLOURS["red"]))
    value = {"path": str(outside)} | ({"meta": {"_type": "gradio.FileData"}} if meta else {})
    for endpoint, data in (("search_image", [value, 3, None]), ("add", [[value]])):
        body = json.dumps({"data": data}).encode()
        call = urllib.request.Request(
            f"{running.url}/gradio_api/call/{endpoint}", body, {"Content-Type": "application/json"}
        )
        number = json.load(urllib.request.urlopen(call))["event_id"]
        with urllib.request.urlopen(f"{running.url}/gradio_api/call/{endpoint}/{number}") as answer:
            events = answer.read().decode()
        assert "event: error" in events and str(running.folder) not in events


@pytest.mark.parametrize(
    ("k", "modalities"), [(0, None), (101, None), ("many", None), (5, ["smell"]), (5, []), (5, "image"), (True, None)]
)
def test_arguments_without_sense_are_refused_in_a_sentence(client, k, modalities):
    with pytest.raises(AppError, match="expected"):
        client.predict("red", k, modalities, api_name="/search_text")


def test_an_empty_sentence_is_refused_in_a_sentence(client):
    with pytest.raises(AppError, match="expected"):
        client.predict("  ", 5, None, api_name="/search_text")


def test_only_the_documented_endpoints_are_offered(client):
    offered = client.view_api(return_format="dict")["named_endpoints"]
    documented = re.findall(r"^\| `(/\w+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(offered) == sorted(documented)


def test_the_documented_python_runs(running, own_files, capsys):
    for block in code_blocks("python"):
        exec(compile(block.replace("http://127.0.0.1:7860", running.url), "docs/api.md", "exec"), {})
    assert "2 added, 0 already there" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_documented_curl_runs(running, own_files):
    script = "set -e\n" + "\n".join(code_blocks("bash")).replace("http://127.0.0.1:7860", running.url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("event: complete") == 2, done.stdout
    assert '"title": "red wall"' in done.stdout


def test_the_documented_answer_has_the_real_keys(client):
    (shown,) = map(json.loads, code_blocks("json"))
    real = client.predict("red", 1, None, api_name="/search_text")
    assert shown.keys() == real.keys() and shown["hits"][0].keys() == real["hits"][0].keys()
