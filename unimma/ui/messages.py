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
    except UnimmaError as error:
        raise gr.Error(str(error), title=TITLE, print_exception=False) from error
    except gr.Error:
        raise
    except Exception as error:
        log.exception("a handler failed")
        raise gr.Error(UNEXPECTED, title=TITLE, print_exception=False) from error
