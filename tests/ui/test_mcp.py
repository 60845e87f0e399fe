"""The tools for agents, called by the official MCP client through the running app."""

import base64
import importlib.metadata
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from gradio.utils import get_upload_folder

from tests.makers import write_picture, write_tone
from tests.ui.conftest import Running, apart, even, running_app
from unimma.ui import agents
from unimma.ui.visit import Library

mcp = pytest.importorskip("mcp", reason="the mcp extra is not installed")
from mcp import ClientSession  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402

READING = ["search", "similar", "list"]
Act = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def writable(tmp_path_factory, visits_here):
    with running_app(tmp_path_factory.mktemp("writable"), agents_may="write") as app:
        yield app


@pytest.fixture(scope="module")
def writable_private(tmp_path_factory, visits_here):
    with running_app(tmp_path_factory.mktemp("private"), Library.PRIVATE, agents_may="write") as app:
        yield app


def with_agents(app: Running, count: int, act: Act) -> Any:
    """What `act` returns that is given so many connected clients."""

    async def connected() -> Any:
        async with AsyncExitStack() as stack:
            clients = []
            for _ in range(count):
                streams = await stack.enter_async_context(streamable_http_client(f"{app.url}/gradio_api/mcp/"))
                client = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
                await client.initialize()
                clients.append(client)
            return await act(*clients)

    return apart(anyio.run, connected)


def call(app: Running, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What one agent is answered, call by call."""

    async def act(client: ClientSession) -> list[Any]:
        return [await client.call_tool(name, given) for name, given in calls]

    return with_agents(app, 1, act)


def told(result: Any) -> str:
    assert result.isError
    return result.content[0].text


def in_base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def tools_of(app: Running) -> list[Any]:
    async def act(client: ClientSession) -> list[Any]:
        return (await client.list_tools()).tools

    return with_agents(app, 1, act)


def test_agents_are_offered_what_reads_alone(running):
    offered = tools_of(running)
    assert [tool.name for tool in offered] == READING
    assert all(tool.annotations.readOnlyHint and len(tool.description) > 60 for tool in offered)


def test_a_host_can_let_agents_write(writable):
    offered = {tool.name: tool for tool in tools_of(writable)}
    assert [*offered] == [*READING, "add", "delete"]
    assert offered["delete"].annotations.destructiveHint and not offered["add"].annotations.readOnlyHint


def test_in_a_read_only_library_nobody_writes(tmp_path):
    with running_app(tmp_path, Library.READ_ONLY, agents_may="write") as app:
        assert [tool.name for tool in tools_of(app)] == READING


@pytest.mark.parametrize("name", ["add", "delete", "update", "count", "search_text"])
def test_a_tool_that_is_not_offered_cannot_be_called_either(running, name):
    before = running.engine.gallery.count()
    (result,) = call(running, (name, {"text": "sneaked in", "ids": ["x"]}))
    assert name in told(result) and running.engine.gallery.count() == before


def test_a_sentence_finds_all_modalities(running):
    (result,) = call(running, ("search", {"text": "red", "k": 6}))
    answer = result.structuredContent
    assert json.loads(result.content[0].text) == answer
    assert {hit["modality"] for hit in answer["hits"]} == {"text", "image", "audio", "video"}
    with urllib.request.urlopen(answer["hits"][0]["uri"]) as media:
        assert media.status == 200


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_file_is_sent_as_it_is_and_not_kept(running, tmp_path, prefix):
    photo = write_picture(tmp_path / "wall.png", even((210, 30, 30)))
    before = {*Path(get_upload_folder()).glob("*")}
    asked = {"file": prefix + in_base64(photo), "name": "../../wall.png", "modalities": ["image"], "k": 1}
    (result,) = call(running, ("search", asked))
    assert result.structuredContent["query"] == {"modality": "image", "file": "wall.png"}
    assert result.structuredContent["hits"][0]["title"] == "red wall"
    assert {*Path(get_upload_folder()).glob("*")} == before


def test_one_hit_leads_to_its_like(running):
    ((found,),) = [call(running, ("search", {"text": "red", "modalities": ["image"], "k": 1}))]
    item_id = found.structuredContent["hits"][0]["id"]
    (result,) = call(running, ("similar", {"id": item_id, "k": 3}))
    assert item_id not in {hit["id"] for hit in result.structuredContent["hits"]}
    assert result.structuredContent["query"] == {"modality": "image", "id": item_id}


def test_the_library_is_listed_by_pages(running):
    (result,) = call(running, ("list", {"modality": "image", "limit": 2, "order": "title"}))
    assert result.structuredContent["count"] == 3
    assert [item["title"] for item in result.structuredContent["items"]] == ["blue wall", "green wall"]


def test_what_is_added_can_be_found_and_deleted(writable, tmp_path):
    tone = write_tone(tmp_path / "new.wav", hz=330.0)
    sentence, sound = call(
        writable,
        ("add", {"text": "a marmalade sky"}),
        ("add", {"file": in_base64(tone), "name": "new.wav"}),
    )
    ids = sentence.structuredContent["added"] + sound.structuredContent["added"]
    assert len(ids) == 2 and {*writable.engine.gallery.get_many(ids)} == {*ids}
    (gone,) = call(writable, ("delete", {"ids": [*ids, "nope"]}))
    assert gone.structuredContent == {"deleted": 2, "unknown": ["nope"]}
    assert not writable.engine.gallery.get_many(ids)


def test_agents_of_a_private_library_see_nothing_of_each_other(writable_private):
    async def act(one: ClientSession, two: ClientSession) -> None:
        added = (await one.call_tool("add", {"text": "a red secret"})).structuredContent["added"]
        asked = {"text": "red secret", "modalities": ["text"], "k": 50}
        seen = [(await client.call_tool("search", asked)).structuredContent["hits"] for client in (one, two)]
        assert [added[0] in {hit["id"] for hit in hits} for hits in seen] == [True, False]
        refused = await two.call_tool("similar", {"id": added[0]})
        assert refused.isError
        assert (await two.call_tool("delete", {"ids": added})).structuredContent["unknown"] == added
        assert (await one.call_tool("delete", {"ids": added})).structuredContent["deleted"] == 1

    with_agents(writable_private, 2, act)


def test_a_visit_goes_with_its_agent(writable_private):
    before = len(writable_private.engine.visits)

    async def act(client: ClientSession) -> None:
        await client.call_tool("add", {"text": "soon forgotten"})
        assert len(writable_private.engine.visits) == before + 1

    with_agents(writable_private, 1, act)
    assert len(writable_private.engine.visits) == before


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("search", {}, "either text or file"),
        ("search", {"text": "red", "file": "aGVsbG8="}, "either text or file"),
        ("search", {"file": "http://127.0.0.1/secret.png"}, "base64"),
        ("search", {"file": "data:text/plain,hello"}, "base64"),
        ("search", {"file": "/etc/passwd"}, "base64"),
        ("search", {"text": "red", "k": 0}, "0"),
        ("search", {"text": "red", "where": {"label": {"like": "x"}}}, "expected"),
        ("similar", {"id": "nope"}, "nope"),
        ("list", {"modality": "smell"}, "smell"),
        ("list", {"surprise": 1}, "surprise"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(running, name, given, says):
    (result,) = call(running, (name, given))
    assert says in told(result) and "/" + "tmp" not in told(result) and "Traceback" not in told(result)


def test_a_page_of_another_site_cannot_use_the_tools(running):
    post = urllib.request.Request(
        f"{running.url}/gradio_api/mcp/",
        b"{}",
        {"Content-Type": "application/json", "Origin": "https://elsewhere.test"},
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(post)


def test_spaces_are_told_the_tools(running):
    with urllib.request.urlopen(f"{running.url}/gradio_api/mcp/schema") as answer:
        assert [tool["name"] for tool in json.load(answer)] == READING


@pytest.mark.parametrize("installed", ["2.3.0", None])
def test_without_mcp_1_the_log_says_why_there_are_no_tools(monkeypatch, caplog, installed):
    def version(name: str) -> str:
        if installed is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(agents, "version", version)
    with caplog.at_level(logging.INFO, logger=agents.log.name):
        assert not agents.is_possible()
    assert "Agents cannot connect" in caplog.text


def test_a_port_that_is_taken_does_not_keep_the_app_from_the_next_one(running, tmp_path):
    """Gradio begins anew with each port that it tries."""
    assert running.url
    with running_app(tmp_path) as second:
        assert second.url != running.url and [tool.name for tool in tools_of(second)] == READING
