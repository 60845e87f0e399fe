"""The one place where an error becomes a message on the page."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from unimma.errors import UnimmaError

log = logging.getLogger(__name__)
TITLE = "That did not work"
UNEXPECTED = "Something went wrong here, and it was written to the log. Please try another query or file."


@contextmanager
def readable_errors() -> Iterator[None]:
    """Our own errors as they are, all others as one sentence that gives nothing away; those are logged."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(in_words(error), title=TITLE, print_exception=False) from error


def in_words(error: Exception) -> str:
    """What people are told of an error; one that is not ours is logged."""
    if isinstance(error, UnimmaError):
        return str(error)
    log.error("a handler failed", exc_info=error)
    return UNEXPECTED
