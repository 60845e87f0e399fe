"""Calls by bare HTTP may leave out arguments at the end, like those of gradio_client: Gradio itself wants them all."""

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CALLS = "/gradio_api/call/"


class FillsIn:
    """Completes the arguments of `POST /gradio_api/call/NAME` on their way in.

    Args:
        app: what comes next.
        defaults: of each endpoint, as `defaults_of` tells them.
    """

    def __init__(self, app: ASGIApp, defaults: Mapping[str, Sequence[Any]]) -> None:
        self._app, self._defaults = app, defaults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, such calls with all their arguments."""
        defaults = self._defaults.get(_name_of(scope))
        if not defaults:
            return await self._app(scope, receive, send)
        body = completed(await Request(scope, receive).body(), defaults)
        length = (b"content-length", str(len(body)).encode())
        headers = [header for header in scope["headers"] if header[0] != length[0]]
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        return await self._app({**scope, "headers": [*headers, length]}, again, send)


def defaults_of(demo: gr.Blocks) -> dict[str, list[Any]]:
    """Of each public endpoint the defaults of its arguments; `inspect.Parameter.empty` for one without."""
    public = [each for each in demo.fns.values() if each.api_visibility == "public" and each.fn and each.api_name]
    return {
        str(each.api_name): [
            parameter.default
            for parameter in inspect.signature(each.fn).parameters.values()
            if parameter.annotation is not gr.Request
        ]
        for each in public
        if each.fn
    }


def completed(body: bytes, defaults: Sequence[Any]) -> bytes:
    """The body of a call with the defaults of the arguments left out; as it is where there is nothing to complete."""
    try:
        call = json.loads(body)
    except ValueError:
        return body
    if not isinstance(call, dict) or not isinstance(call.get("data"), list):
        return body
    left_out = defaults[len(call["data"]) :]
    if not left_out or inspect.Parameter.empty in left_out:
        return body
    return json.dumps({**call, "data": [*call["data"], *left_out]}).encode()


def _name_of(scope: Scope) -> str:
    """The endpoint that a request calls; "" for every other request."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return ""
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    return path.removeprefix(_CALLS).rstrip("/") if path.startswith(_CALLS) else ""
