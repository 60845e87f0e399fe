"""The client of the Hugging Face Hub, kept quiet, and what it says told in our words: one clear error, a next step."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from unimma.errors import ModelError

_COMMIT = re.compile(r"[0-9a-f]{40}")


@contextmanager
def quiet_client() -> Iterator[None]:
    """The Hub's client tells of every try that fails; here what comes of them all is raised, and said once.

    Its bars are for terminals alone.
    """
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    client = logging.getLogger("huggingface_hub")
    level, bars_stay = client.level, are_progress_bars_disabled() or sys.stderr.isatty()
    client.setLevel(logging.ERROR)
    if not bars_stay:
        disable_progress_bars()
    try:
        yield
    finally:
        client.setLevel(level)
        if not bars_stay:
            enable_progress_bars()


def pinned_name(repository: str, revision: str | None) -> str:
    """user/repo@revision for people: of a commit its first seven digits."""
    return f"{repository}@{_short(revision)}" if revision else repository


def hub_error(error: BaseException, repository: str, revision: str | None) -> ModelError | None:
    """What kept a repository's files from coming, looked for in an error and in those that it came of.

    None, where it has nothing to do with the Hub: what came could not be used, or memory ran out.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name, broken = pinned_name(repository, revision), False
    for cause in _causes(error):
        if isinstance(cause, HFValidationError):
            return ModelError(f"the model {repository}", "a name that the Hub allows", "Check the name.")
        if isinstance(cause, RevisionNotFoundError):
            came = f"no commit {_short(revision or 'main')} of {repository}"
            return ModelError(came, "one of its commits or branches", "Check it.")
        if isinstance(cause, GatedRepoError):
            came, todo = (
                f"the model {name} is given to those alone who agree to its terms",
                "Agree on the model's page.",
            )
            return ModelError(came, "a token in HF_TOKEN of one who has", todo)
        if isinstance(cause, RepositoryNotFoundError):
            todo = "Check the name; a private one wants a token in HF_TOKEN."
            return ModelError(f"no model {repository} on the Hub", "a public model, or one of yours", todo)
        if isinstance(cause, HfHubHTTPError) and cause.response.status_code in (401, 403):
            came, todo = f"the Hub refuses the token for {name}", "Put another one into HF_TOKEN, or none."
            return ModelError(came, "one that may read it", todo)
        if isinstance(cause, RemoteEntryNotFoundError) and not broken:
            return None  # the Hub has answered: that file is not among the repository's
        broken |= isinstance(cause, HTTPError | LocalEntryNotFoundError | ConnectionError | TimeoutError)
    return unreachable(repository, revision) if broken else None


def unreachable(repository: str, revision: str | None) -> ModelError:
    """The error of a repository whose files did not come, whatever the reason."""
    came = f"the model {pinned_name(repository, revision)} cannot be fetched"
    todo = "Check the network, or name a folder that holds it."
    return ModelError(came, "an answer of the Hugging Face Hub", todo)


def _short(revision: str) -> str:
    return revision[:7] if _COMMIT.fullmatch(revision) else revision


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, the one that it came of, the one that that came of, …"""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__
