"""Checkpoints through the libraries that made them: one clear error, with the next step, for whatever goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pickle import UnpicklingError

import torch

from unimma.errors import ModelError


@contextmanager
def loading(checkpoint: str, revision: str | None = None) -> Iterator[None]:
    """Around a library's own loading of a checkpoint (a repository on the Hub, or a folder).

    Raises:
        ModelError: what the library said, told in our words: no network, no such repository or revision, gated, damaged
            files, another architecture's weights, or too little memory.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
    from safetensors import SafetensorError

    name = _shown(checkpoint, revision)
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ModelError(f"{name} needs more memory than there is", "a smaller model", "Choose another one.") from error
    except (OSError, RuntimeError, ValueError, KeyError, SafetensorError, UnpicklingError) as error:
        causes = _causes(error)
        if any(isinstance(cause, GatedRepoError) for cause in causes):
            came, todo = f"{name} is given to those alone who agree to its terms", "Agree on the model's page."
            raise ModelError(came, "a token in HF_TOKEN of one who has", todo) from error
        if any(isinstance(cause, RevisionNotFoundError) for cause in causes):
            raise ModelError(f"no such revision: {name}", "one of its branches or commits", "Check it.") from error
        if any(isinstance(cause, RepositoryNotFoundError) for cause in causes):
            todo = "Check the name; a private one wants a token in HF_TOKEN."
            raise ModelError(f"no model {name} on the Hub", "a public model, or one of yours", todo) from error
        if "allocate memory" in str(error):  # how torch says it on a CPU
            came = f"{name} needs more memory than there is"
            raise ModelError(came, "a smaller model", "Choose another one.") from error
        if isinstance(error, OSError) and not isinstance(error, SafetensorError):
            came, todo = f"{name} cannot be fetched", "Check the network, or name a folder that holds it."
            raise ModelError(came, "an answer of the Hugging Face Hub", todo) from error
        came = f"{name} cannot be read"
        raise ModelError(came, "whole files of that architecture", "Fetch it again, or choose another one.") from error


def _shown(checkpoint: str, revision: str | None) -> str:
    """A folder's own name alone; of the Hub, the whole."""
    name = checkpoint.rstrip("/").rpartition("/")[2] if checkpoint.startswith(("/", ".")) else checkpoint
    return f"{name}@{revision}" if revision else name


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
