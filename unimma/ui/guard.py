"""What stands before Gradio: against pages of other sites, uploads that others could find, addresses to fetch."""

import hashlib
import ipaddress
import secrets
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from gradio import processing_utils, route_utils, routes
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from unimma.errors import MediaError

_MADE = route_utils.GradioUploadFile.__init__  # Gradio's own, so that a second app does not wrap the first one's
_LOCAL_NAMES = ("localhost", "localhost.localdomain")


class OwnPagesOnly:
    """Refuses what a page from elsewhere sends to an app that is not meant for the public.

    A browser says where a request comes from (`Origin`); a page of another site that talks to the app on its visitor's
    own machine is refused, and so is one that reached it under a foreign name (DNS rebinding). Programs send no origin.

    Args:
        app: what comes next.
        only_here: whether the app listens on this machine alone, so that no foreign name may lead to it.
    """

    def __init__(self, app: ASGIApp, only_here: bool) -> None:
        self._app, self._only_here = app, only_here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] in ("http", "websocket") and (refusal := self._refusal(Headers(scope=scope))):
            return await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host = headers.get("host", "")
        if self._only_here and not is_local(host):
            return "This app answers on its own machine alone. Open it as localhost."
        origin = headers.get("origin")
        ours = {
            host.lower(),
            headers.get("x-forwarded-host", host).lower(),
        }  # the latter from a proxy; no page can set it
        if origin is not None and urlsplit(origin).netloc.lower() not in ours:
            return "This app does not answer the pages of other sites."
        return ""


def is_local(host: str) -> bool:
    """Whether a host, with or without a port, names this machine: "localhost:7860", "127.0.0.1", "[::1]:80"."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def keep_uploads_apart() -> None:
    """Give each upload a folder of its own with a name that cannot be guessed.

    Gradio names the folder by the file's content and serves it to whoever knows the path, so that the owner of a file
    could learn whether another visitor has uploaded it too, and under which name.
    """
    route_utils.GradioUploadFile.__init__ = _with_a_secret(_MADE)  # type: ignore[method-assign]


def fetch_no_addresses() -> None:
    """Make every place where Gradio would fetch an address given in place of a file refuse it."""
    processing_utils.async_ssrf_protected_get = _refuse_address
    processing_utils.async_ssrf_protected_download = _refuse_address
    routes.secure_url_stream_response = _refuse_to_pass_on  # type: ignore[attr-defined, assignment]


def _with_a_secret(made: Any) -> Any:
    def made_apart(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        self.sha = hashlib.sha256(secrets.token_bytes(32))

    return made_apart


async def _refuse_address(*_: object, **__: object) -> Any:
    error = MediaError("an address", "a file", "Download it, then upload the file itself.")
    raise gr.Error(str(error), print_exception=False)


async def _refuse_to_pass_on(*_: object) -> Any:
    raise HTTPException(403, "This app fetches no addresses.")
