"""The app as tools for agents (MCP): search, similar and list; add and delete where the host allows it.

A server of our own stands where Gradio's would: at /gradio_api/mcp/. Gradio's offers every endpoint, asks agents for
addresses to fetch, and lets all of them share one session; this one gives each agent a visit of its own, so that in a
private library none sees what another has added, and takes files as they are, in base64.
"""

import base64
import binascii
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import anyio
from gradio.route_utils import get_root_url
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from unimma.errors import ConfigError, MediaError
from unimma.media.source import clean_name
from unimma.types import Modality
from unimma.ui import calls
from unimma.ui.calls import Answer
from unimma.ui.engine import Engine
from unimma.ui.messages import in_words
from unimma.ui.visit import Library, Visit

log = logging.getLogger(__name__)
PLACE = "/gradio_api/mcp"  # where Gradio's own would be, and where Spaces look for it
ACCESS = ("read", "write")
MAX_REQUEST_BYTES = 32_000_000  # of one call: a file of 24 MB in base64
MAX_SESSIONS = 1_000
_ASKING, _WRITING = 2, 8  # calls at once; the latter mostly wait
_SESSION = "mcp-session-id"
_ABOUT = (
    "A library of pictures, sounds, clips and sentences, searchable with any of them. "
    "Scores are comparable over modalities; `likely` says whether a hit is probably meant."
)

_QUERY: Answer = {
    "k": {"type": "integer", "minimum": 1, "maximum": calls.MAX_K, "default": 8, "description": "How many hits."},
    "modalities": {
        "type": "array",
        "items": {"enum": [kind.value for kind in Modality]},
        "minItems": 1,
        "description": "Only hits of these kinds; all when left out.",
    },
    "where": {
        "type": "object",
        "description": 'Only items whose metadata say this: {"label": "campfire"}, {"added": {"gte": "2026-11-01"}}.',
    },
}
_FILE: Answer = {
    "type": "string",
    "description": "The content of a picture, sound, clip or text file, in base64 or as a data: URL; never an address.",
}
_NAME: Answer = {"type": "string", "description": "The file's name, such as rain.wav."}
_ID: Answer = {"type": "string", "description": "The id of an item, from search or list."}


@dataclass(frozen=True)
class Tool:
    """One thing that an agent can do: what it is told of it, and what is called with its arguments."""

    name: str
    description: str
    properties: Answer
    required: Sequence[str]
    call: Callable[[Engine, Visit, Mapping[str, Any]], Answer]
    writes: bool = False
    destroys: bool = False

    @property
    def schema(self) -> Answer:
        """JSON schema of the arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }


@dataclass
class Asker:
    """Whose visit it is: that of the agent's own session."""

    session_hash: str | None
    headers: Mapping[str, str]


def _search(engine: Engine, visit: Visit, given: Mapping[str, Any]) -> Answer:
    if ("text" in given) == ("file" in given):
        came = "a text and a file" if "text" in given else "no query"
        raise ConfigError(came, "either text or file", "Ask with one of them.")
    how = {"k": 8} | {name: given[name] for name in _QUERY if name in given}
    if "text" in given:
        return calls.search_text(engine, visit, given["text"], **how)
    with _uploaded(given["file"], given.get("name", "query")) as path:
        return calls.search_file(engine, visit, path, **how)


def _similar(engine: Engine, visit: Visit, given: Mapping[str, Any]) -> Answer:
    how = {"k": 8} | {name: given[name] for name in _QUERY if name in given}
    return calls.similar(engine, visit, given["id"], **how)


def _list(engine: Engine, visit: Visit, given: Mapping[str, Any]) -> Answer:
    return calls.listing(visit, **given)


def _add(engine: Engine, visit: Visit, given: Mapping[str, Any]) -> Answer:
    if ("text" in given) == ("file" in given):
        came = "a text and a file" if "text" in given else "nothing to add"
        raise ConfigError(came, "either text or file", "Add one at a time.")
    if "text" in given:
        return calls.add(visit, [given["text"]])
    with _uploaded(given["file"], given.get("name", "file")) as path:
        return calls.add(visit, [path])


def _delete(engine: Engine, visit: Visit, given: Mapping[str, Any]) -> Answer:
    return calls.delete(visit, given["ids"])


TOOLS = (
    Tool(
        "search",
        "Find what matches a sentence, or a file of any kind: pictures, sounds, clips and sentences, best first. "
        'Words in "quotation marks" must occur in the title, caption or text. Each hit tells its id, modality, title, '
        "score in [0, 1], whether it is a likely match, and the address of its media.",
        {"text": {"type": "string", "description": "What to look for."}, "file": _FILE, "name": _NAME} | _QUERY,
        (),
        _search,
    ),
    Tool(
        "similar",
        "Find what is like an item of the library, given its id; the item itself is left out.",
        {"id": _ID} | _QUERY,
        ("id",),
        _similar,
    ),
    Tool(
        "list",
        "List the items of the library, a page at a time: id, modality, title, text, metadata, when each was added, "
        "length, size and the address of its media; and how many there are in all.",
        {
            "modality": {"enum": [kind.value for kind in Modality], "description": "Only items of this kind."},
            "where": _QUERY["where"],
            "offset": {"type": "integer", "minimum": 0, "default": 0, "description": "How many items to pass over."},
            "limit": {"type": "integer", "minimum": 0, "maximum": calls.MAX_PAGE, "default": 50},
            "order": {"enum": list(calls.ORDERS), "default": "added"},
            "descending": {"type": "boolean", "default": False, "description": "Last, longest or largest first."},
        },
        (),
        _list,
    ),
    Tool(
        "add",
        "Add one sentence or one file to the library, so that it can be found. "
        "Answers with its id, or with the reason why it was refused.",
        {"text": {"type": "string", "description": "The sentence to add."}, "file": _FILE, "name": _NAME},
        (),
        _add,
        writes=True,
    ),
    Tool(
        "delete",
        "Delete items from the library for good, with their media. This cannot be undone.",
        {"ids": {"type": "array", "items": _ID, "minItems": 1, "maxItems": calls.MAX_IDS}},
        ("ids",),
        _delete,
        writes=True,
        destroys=True,
    ),
)


def tools(engine: Engine, access: str) -> list[Tool]:
    """Those that agents are offered: with "read", and in a read-only library, the ones that change nothing."""
    may_write = access == "write" and engine.library is not Library.READ_ONLY
    return [tool for tool in TOOLS if may_write or not tool.writes]


def is_possible() -> bool:
    """Whether the MCP library of the generation that this speaks to is installed; says so in the log where not."""
    try:
        installed = version("mcp")
    except PackageNotFoundError:
        log.info("Agents cannot connect: the mcp extra is not installed.")
        return False
    if installed.partition(".")[0] != "1":
        log.warning("Agents cannot connect: mcp %s is installed, and this needs mcp 1.x.", installed)
        return False
    return True


def mount(engine: Engine, access: str) -> tuple[list[BaseRoute], Callable[[Any], AbstractAsyncContextManager[None]]]:
    """Routes for the server, and what has to be entered while it serves."""
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    logging.getLogger("mcp").setLevel(logging.WARNING)  # else a line a request
    logging.getLogger("mcp.server.streamable_http").setLevel(logging.CRITICAL)  # else an error a goodbye
    offered = {tool.name: tool for tool in tools(engine, access)}
    server, serving = _server(engine, offered), list[StreamableHTTPSessionManager]()

    class Handler:  # a class, since Starlette takes a function for one that answers requests
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            if request.method == "DELETE" and _SESSION in request.headers:  # the agent says goodbye
                await anyio.to_thread.run_sync(engine.visits.end, _visit_name(request))
            await serving[-1].handle_request(scope, receive, send)

    async def schema(request: Request) -> JSONResponse:
        meta = {"file_data_present": False, "mcp_type": "tool"}
        told = [(tool.name, tool.description, tool.schema) for tool in offered.values()]
        return JSONResponse([{"name": n, "description": d, "inputSchema": s, "meta": meta} for n, d, s in told])

    @asynccontextmanager
    async def while_serving(app: Any) -> AsyncIterator[None]:
        """A manager each time, since Gradio begins anew with the next port where one is taken."""
        manager = StreamableHTTPSessionManager(
            server, max_request_body_size=MAX_REQUEST_BYTES, max_sessions=MAX_SESSIONS
        )
        async with manager.run():
            serving.append(manager)
            yield

    handler = Handler()
    return [Route(f"{PLACE}/schema", schema), Route(PLACE, handler), Route(f"{PLACE}/", handler)], while_serving


def _server(engine: Engine, offered: Mapping[str, Tool]) -> Any:
    from mcp import types
    from mcp.server.lowlevel import Server

    import unimma

    server: Any = Server("unimma", version=unimma.__version__, instructions=_ABOUT)
    turns = {False: anyio.CapacityLimiter(_ASKING), True: anyio.CapacityLimiter(_WRITING)}

    async def list_tools() -> list[types.Tool]:
        return [
            types.Tool(
                name=tool.name,
                description=tool.description,
                inputSchema=tool.schema,
                annotations=types.ToolAnnotations(
                    readOnlyHint=not tool.writes, destructiveHint=tool.destroys, openWorldHint=False
                ),
            )
            for tool in offered.values()
        ]

    async def call_tool(name: str, given: Mapping[str, Any]) -> Answer:
        request: Request = server.request_context.request
        if name not in offered:
            raise ConfigError(f"the tool {name[:40]}", f"one of {', '.join(offered)}", "List the tools to see them.")
        tool = offered[name]
        turn = turns[tool.writes]
        answer = await anyio.to_thread.run_sync(_answered, engine, tool, request, given, limiter=turn)
        return _with_addresses(answer, get_root_url(request, PLACE, None))

    server.list_tools()(list_tools)
    server.call_tool()(call_tool)
    return server


class ToolError(Exception):
    """What the agent is told."""


def _answered(engine: Engine, tool: Tool, request: Request, given: Mapping[str, Any]) -> Answer:
    try:
        engine.wait()
        return tool.call(engine, engine.visit(Asker(_visit_name(request), request.headers)), given)
    except Exception as error:
        raise ToolError(in_words(error)) from error


def _visit_name(request: Request) -> str:
    return f"mcp-{request.headers.get(_SESSION, '')}"


def _with_addresses(answer: Answer, root: str) -> Answer:
    """With addresses that lead to the media from anywhere."""
    for shown in (*answer.get("hits", ()), *answer.get("items", ())):
        shown["uri"] = root + shown["uri"]
    return answer


@contextmanager
def _uploaded(content: str, name: str) -> Iterator[Path]:
    """The file that an agent sent, for as long as it is needed, where uploads are.

    Raises:
        MediaError: it is not base64.
    """
    head, is_address, body = content.partition(";base64,")
    coded = body if is_address and head.startswith("data:") else content
    try:
        data = base64.b64decode("".join(coded.split()), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        came = f"{clean_name(name)}: {json.dumps(content[:20])}"
        raise MediaError(came, "the file's content in base64 or a data: URL", "Encode the file.")
    root = Path(get_upload_folder())
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        path = Path(folder) / (clean_name(name)[-60:].lstrip(".") or "file")
        path.write_bytes(data)
        yield path
