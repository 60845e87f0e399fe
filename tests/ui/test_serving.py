"""The app's own routes for media, through the running server."""

import urllib.error
import urllib.request
from typing import Any

import pytest

from unimma.types import Item, Modality


def fetch(url: str, **headers: str) -> tuple[int, Any, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def first(running: Any, kind: Modality) -> Item:
    return running.engine.host.shelf(kind, 0, 1)[0]


@pytest.mark.parametrize(
    ("kind", "mime"),
    [(Modality.IMAGE, "image/webp"), (Modality.AUDIO, "audio/mpeg"), (Modality.VIDEO, "video/mp4")],
)
def test_media_come_with_a_fixed_type_that_browsers_may_not_doubt(running, kind: Modality, mime: str):
    status, headers, body = fetch(f"{running.url}/{first(running, kind).uri}")
    assert (status, headers["content-type"], headers["x-content-type-options"]) == (200, mime, "nosniff")
    assert len(body) == int(headers["content-length"])


def test_a_text_is_sent_as_plain_text(running):
    item = next(item for item in running.engine.host.shelf(Modality.TEXT, 0, 50) if "onerror" in (item.text or ""))
    status, headers, body = fetch(f"{running.url}/{item.uri}")
    assert status == 200 and headers["content-type"].startswith("text/plain")
    assert headers["x-content-type-options"] == "nosniff"
    assert body.decode() == item.text


def test_a_player_can_ask_for_a_stretch(running):
    url = f"{running.url}/{first(running, Modality.AUDIO).uri}"
    whole = fetch(url)[2]
    status, headers, part = fetch(url, Range="bytes=100-199")
    assert status == 206 and headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert part == whole[100:200]


def test_previews_are_webp(running):
    status, headers, body = fetch(f"{running.url}/{first(running, Modality.AUDIO).uri}/thumb")
    assert (status, headers["content-type"], body[:4], body[8:12]) == (200, "image/webp", b"RIFF", b"WEBP")


@pytest.mark.parametrize("name", ["nope", "..", "%2e%2e%2fitems.sqlite", "..%2f..%2fitems.sqlite", "%2fetc%2fpasswd"])
@pytest.mark.parametrize("place", ["gallery", "nowhere", "..", "%2e%2e%2f"])
@pytest.mark.parametrize("what", ["", "/thumb", "/download"])
def test_h23_names_that_are_no_ids_lead_nowhere(running, place: str, name: str, what: str):
    assert fetch(f"{running.url}/media/{place}/{name}{what}")[0] in (400, 403, 404)


def test_a_hit_can_be_kept_as_a_file_under_a_generated_name(running):
    item = first(running, Modality.IMAGE)
    status, headers, body = fetch(f"{running.url}/{item.uri}/download")
    assert status == 200 and headers["content-disposition"] == f"attachment; filename=image-{item.id[:12]}.webp"
    assert body == fetch(f"{running.url}/{item.uri}")[2] and item.title not in headers["content-disposition"]


def test_the_gallery_folder_is_not_served_by_gradio(running):
    item = running.engine.gallery.list(Modality.IMAGE, limit=1)[0]
    for path in (item.uri, str(running.engine.gallery.folder / "items.sqlite")):
        assert fetch(f"{running.url}/gradio_api/file={path}")[0] in (403, 404)


def test_no_record_of_runs_is_kept(running):
    assert fetch(f"{running.url}/gradio_api/runs")[0] == 404
    assert fetch(f"{running.url}/monitoring")[0] in (403, 404)
