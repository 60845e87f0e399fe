"""The named endpoints, called as programs call them, and the page that documents them."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.makers import write_clip, write_picture, write_tone
from tests.ui.conftest import COLOURS, apart, even
from unimma.settings import Quotas
from unimma.ui.defaults import completed

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
HIT_KEYS = {"rank", "id", "modality", "title", "score", "similarity", "span", "uri", "alike", "exact", "likely"}
ITEM_KEYS = {"id", "modality", "title", "span", "uri", "metadata", "text", "added", "duration_s", "num_bytes"}


@pytest.fixture(scope="module")
def client(running) -> Client:
    return Client(running.url, verbose=False)


def post(app: Any, endpoint: str, *data: Any, **body: Any) -> str:
    """What the endpoint answers to a bare HTTP client, as text."""
    sent = json.dumps({"data": data, **body}).encode()
    call = urllib.request.Request(f"{app.url}/gradio_api/call/{endpoint}", sent, {"Content-Type": "application/json"})
    number = json.load(urllib.request.urlopen(call))["event_id"]
    with urllib.request.urlopen(f"{app.url}/gradio_api/call/{endpoint}/{number}") as answer:
        return answer.read().decode()


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
    before = running.engine.gallery.count()
    files = [handle_file(name) for name in ("new.png", "page.html")]
    report = client.predict(files, api_name="/add")
    assert len(report["added"]) == 1 and [each["name"] for each in report["refused"]] == ["page.html"]
    assert running.engine.gallery.count() == before + 1
    assert client.predict(files[:1], api_name="/add")["already_there"] == report["added"]


def test_a_file_of_another_kind_is_refused_in_a_sentence(client, own_files):
    with pytest.raises(AppError, match=r"sound\.wav"):
        client.predict(handle_file("sound.wav"), 3, None, api_name="/search_image")


@pytest.mark.parametrize("meta", [True, False])
def test_a_file_of_the_server_that_was_not_uploaded_is_never_opened(client, running, meta):
    outside = write_picture(running.folder / "outside.png", even(COLOURS["red"]))
    value = {"path": str(outside)} | ({"meta": {"_type": "gradio.FileData"}} if meta else {})
    for endpoint, data in (("search_image", [value, 3]), ("search", [None, value]), ("add", [[value]])):
        events = post(running, endpoint, *data)
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
        apart(exec, compile(block.replace("http://127.0.0.1:7860", running.url), "docs/api.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "3 added, 0 already there" in shown and "the last is my photo" in shown and "3 deleted" in shown
    assert "['search', 'similar', 'list']" in shown, "the example for agents has run"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_documented_curl_runs(running, own_files):
    script = "set -e\n" + "\n".join(code_blocks("bash")).replace("http://127.0.0.1:7860", running.url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert "event: error" not in done.stdout and done.stdout.count("event: complete") == 10, done.stdout
    assert '"title": "red wall"' in done.stdout and '"title": "my photo"' in done.stdout
    assert '"deleted": 1' in done.stdout


def test_the_documented_javascript_runs(running):
    """In Node, else in the browser that the tests of the page use."""
    (code,) = code_blocks("javascript")
    code = code.replace("http://127.0.0.1:7860", running.url)
    if node := shutil.which("node"):
        command = [node, "--input-type=module", "--eval", code]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    else:
        shown = apart(in_a_page, running.url, code)
    assert re.search(r"\w+ wall sounds like (hum|whistle)", shown)
    assert re.search(r"the last of \d+ is mist like .+", shown)


def in_a_page(url: str, code: str) -> str:
    """What the code writes to the console of a page that the app serves."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("neither node nor chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        shown: list[str] = []
        page.on("console", lambda message: shown.append(message.text))
        page.evaluate(f"(async () => {{ {code} }})()")
        browser.close()
    return "\n".join(shown)


@pytest.mark.parametrize("language", ["python", "bash", "javascript"])
def test_every_endpoint_has_an_example_in_each_language(client, language):
    shown = "\n".join(code_blocks(language))
    for endpoint in client.view_api(return_format="dict")["named_endpoints"]:
        name = endpoint.removeprefix("/")
        assert re.search(rf"""(["]/{name}["]|call {name} |call\("{name}"[,)])""", shown), f"{endpoint} in {language}"


def test_the_documented_answer_has_the_real_keys(client):
    shown = json.loads(code_blocks("json")[0])
    real = client.predict("red", 1, None, api_name="/search_text")
    assert shown.keys() == real.keys() and shown["hits"][0].keys() == real["hits"][0].keys()


def test_one_endpoint_takes_whatever_comes(client, own_files):
    said = client.predict(text="red", k=1, modalities=["image"], api_name="/search")
    shown = client.predict(file=handle_file("photo.jpg"), k=1, modalities=["image"], api_name="/search")
    assert said["hits"][0]["title"] == shown["hits"][0]["title"] == "red wall"
    assert shown["query"] == {"modality": "image", "file": "photo.jpg"}
    for both_or_none in ({}, {"text": "red", "file": handle_file("photo.jpg")}):
        with pytest.raises(AppError, match="either text or file"):
            client.predict(**both_or_none, api_name="/search")


def test_an_item_finds_its_like_but_not_itself(client):
    wall = client.predict("red", 1, ["image"], api_name="/search_text")["hits"][0]
    answer = client.predict(wall["id"], k=5, api_name="/similar")
    assert answer["query"] == {"modality": "image", "id": wall["id"]}
    assert "a red wall" in {hit["title"] for hit in answer["hits"]}
    assert wall["id"] not in {hit["id"] for hit in answer["hits"]}
    with pytest.raises(AppError, match="nope"):
        client.predict("nope", api_name="/similar")


def test_hits_are_filtered_by_their_metadata(client):
    asked = {"query": "red", "k": 20, "api_name": "/search_text"}
    assert client.predict(**asked, where={"label": "no such label"})["hits"] == []
    assert client.predict(**asked, where={"added": {"gte": "2020"}})["hits"]
    for senseless in ({"label": {"like": "x"}}, {"label": []}):
        with pytest.raises(AppError, match="expected"):
            client.predict(**asked, where=senseless)


def test_quoted_words_are_marked_and_come_first(client):
    hit = client.predict('"blue sea" red', 3, ["text"], api_name="/search_text")["hits"][0]
    assert (hit["title"], hit["exact"], hit["likely"]) == ("the blue sea", True, True)


def test_the_library_is_listed_in_pages(client):
    page = client.predict("video", limit=1, api_name="/list")
    assert [item["title"] for item in page["items"]] == ["grey"] and page["items"][0]["duration_s"] > 1
    pictures = client.predict("image", order="title", api_name="/list")
    titles = [item["title"] for item in pictures["items"]]
    assert titles == sorted(titles) and {"blue wall", "green wall", "red wall"} <= {*titles}
    assert all(item.keys() == ITEM_KEYS and item["added"].endswith("Z") for item in pictures["items"])
    rest = client.predict("image", offset=1, limit=1, order="title", api_name="/list")
    assert [item["title"] for item in rest["items"]] == titles[1:2] and rest["count"] == len(titles)
    counted = client.predict(api_name="/count")
    assert counted["count"] == sum(counted["modalities"].values()) and counted["modalities"]["image"] == len(titles)


@pytest.mark.parametrize(
    "senseless", [{"modality": "smell"}, {"limit": -1}, {"limit": 1001}, {"order": "id"}, {"offset": "first"}]
)
def test_a_page_that_makes_no_sense_is_refused_in_a_sentence(client, senseless):
    with pytest.raises(AppError, match="expected"):
        client.predict(**senseless, api_name="/list")


def test_an_item_is_renamed_and_deleted(client):
    (item_id,) = client.predict([], ["an orange kite"], api_name="/add")["added"]
    item = client.predict(item_id, caption="over the dunes", api_name="/update")
    assert item["metadata"]["caption"] == "over the dunes" and item["title"] == "an orange kite"
    assert client.predict(item_id, title="kite", api_name="/update")["metadata"]["caption"] == "over the dunes"
    assert "caption" not in client.predict(item_id, caption="", api_name="/update")["metadata"]
    assert client.predict([item_id, "nope"], api_name="/delete") == {"deleted": 1, "unknown": ["nope"]}
    with pytest.raises(AppError, match=item_id):
        client.predict(item_id, title="gone", api_name="/update")


@pytest.mark.parametrize(("files", "texts"), [([], None), ([], []), ("photo.jpg", None), ([], "a sentence")])
def test_adding_nothing_or_no_list_is_refused_in_a_sentence(client, files, texts):
    with pytest.raises(AppError, match="expected"):
        client.predict(files, texts, api_name="/add")


def test_a_private_library_keeps_what_a_session_adds_and_shows_it_to_no_other(private):
    one, two = (Client(private.url, verbose=False) for _ in range(2))
    (item_id,) = one.predict([], ["a red secret"], api_name="/add")["added"]
    found = [client.predict("red secret", 50, ["text"], api_name="/search_text")["hits"] for client in (one, two)]
    assert [item_id in {hit["id"] for hit in hits} for hits in found] == [True, False]
    uri = next(hit["uri"] for hit in found[0] if hit["id"] == item_id)
    with urllib.request.urlopen(private.url + uri) as media:
        assert media.read().decode() == "a red secret"
    assert two.predict([item_id], api_name="/delete")["unknown"] == [item_id]
    assert one.predict([item_id], api_name="/delete")["deleted"] == 1


def test_a_call_without_a_session_stands_alone(private, own_files):
    visits = len(private.engine.visits)
    assert "event: complete" in post(private, "search_text", "red", 3, None)
    refused = post(private, "add", [], ["kept for nobody"])
    assert "session_hash" in refused and len(private.engine.visits) == visits
    assert "event: complete" in post(private, "add", [], ["kept for me"], session_hash="only I know this")
    mine = post(private, "search_text", '"kept for me"', 1, session_hash="only I know this")
    assert '"exact": true' in mine and '"exact": true' not in post(private, "search_text", '"kept for me"', 50)


def test_arguments_at_the_end_may_be_left_out(running):
    assert "red wall" in post(running, "search_text", "red")
    assert "event: error" in post(running, "search_text"), "but not the query"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"data": 3}', b'{"data": ["a", 1, 2]}', b"\xff"])
def test_a_body_that_cannot_be_completed_stays_as_it_is(body):
    assert completed(body, ["", 1]) == body


def test_the_documented_limits_are_the_real_ones():
    text, quotas = DOCS.read_text(encoding="utf-8"), Quotas()
    for limit in (
        quotas.max_visitor_items,
        quotas.max_visitor_bytes,
        int(quotas.max_visitor_seconds),
        quotas.max_visits,
    ):
        assert f"| {limit:,} |" in text
