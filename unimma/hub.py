"""Models of the Hugging Face Hub: pinned by commit, checked by hash, kept in a folder of our own cache.

What was fetched is complete and right, or it is not there: files come into a folder beside, are compared with the
hashes that the Hub lists for the commit, and one rename puts them where models are loaded from. Their hashes lie with
them, so a file that goes bad on the disk later is found too, and fetched again.
"""

import hashlib
import json
import logging
import os
import re
import shutil
from pathlib import Path

from filelock import FileLock

from unimma.errors import ModelError
from unimma.hub_client import hub_error, quiet_client, unreachable
from unimma.settings import cache_dir

log = logging.getLogger(__name__)
REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{40}")
_NEEDED = ("config.json", "model.safetensors")
_TAKEN = (*_NEEDED, "README.md", "metrics.json")  # data and words; no code, no pickles
_HASHES = "hashes.json"


def model_folder(repository: str, revision: str) -> Path:
    """The folder of a model on the Hub; what was fetched once is not asked for again.

    Args:
        repository: user/repo.
        revision: the 40 hexadecimal digits of a commit.

    Raises:
        ModelError: no pinned revision, no such model or commit, no way to get it, or content of another hash.
    """
    if not _REVISION.fullmatch(revision):
        came = f"the model {repository} at {revision!r}" if revision else f"the model {repository} without a revision"
        todo = "Take the commit's from the history of the model's page: a name alone may mean another model tomorrow."
        raise ModelError(came, "no folder of that name, so user/repo@ and the 40 digits of a commit", todo)
    if (preloaded := _preloaded(repository, revision)) is not None:
        return preloaded
    place = cache_dir() / "hub" / repository.replace("/", "--") / revision
    if not _is_right(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock")):  # a second process waits for the first
            if not _is_right(place):
                _fetch(repository, revision, place)
    return place


def _preloaded(repository: str, revision: str) -> Path | None:
    """What a Space was told to preload: in the client's own cache, of links to files that are named by their hash."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(repository, name, revision=revision) for name in _NEEDED]
    except HFValidationError as error:
        raise hub_error(error, repository, revision) or unreachable(repository, revision) from error
    paths = [Path(path) for path in found if isinstance(path, str) and Path(path).is_symlink()]
    if len(paths) == len(_NEEDED) and all(_has_hash(path, path.readlink().name) for path in paths):
        return paths[0].parent
    return None


def _is_right(place: Path) -> bool:
    """Whether a folder holds what was fetched into it."""
    try:
        hashes: dict[str, str] = json.loads((place / _HASHES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    wrong = [name for name, listed in hashes.items() if not _has_hash(place / name, listed)]
    if wrong:
        log.warning("%s of a fetched model is damaged; it is fetched again.", wrong[0])
    return not wrong


def _fetch(repository: str, revision: str, place: Path) -> None:
    from httpx2 import HTTPError

    try:
        with quiet_client():
            _fetch_checked(repository, revision, place)
    except (HTTPError, OSError, RuntimeError, ValueError) as error:  # hf_xet raises RuntimeError
        raise hub_error(error, repository, revision) or unreachable(repository, revision) from error


def _fetch_checked(repository: str, revision: str, place: Path) -> None:
    """Bring the files to `place`; what an interrupted try has brought to the folder beside is not fetched twice."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.hf_api import RepoFile

    listed = {
        file.path: file.lfs.sha256 if file.lfs else file.blob_id
        for file in HfApi().list_repo_tree(repository, revision=revision)
        if isinstance(file, RepoFile) and file.path in _TAKEN
    }
    if missing := [name for name in _NEEDED if name not in listed]:
        came = f"{repository}@{revision[:7]} without {' and '.join(missing)}"
        raise ModelError(came, "a model that train.publish put there", "Check the name and the commit.")
    part = place.with_suffix(".part")
    for name, expected in listed.items():  # cache_dir: not from the client's own, where a bad one would come again
        hf_hub_download(repository, name, revision=revision, local_dir=part, cache_dir=part / ".cache")
        if not _has_hash(part / name, expected):
            shutil.rmtree(part)
            came = f"{name} of {repository}@{revision[:7]} came with another content"
            raise ModelError(came, f"the hash {expected[:12]}…", "Nothing of it was kept; try again.")
    shutil.rmtree(part / ".cache")  # the client's notes on an unfinished download
    (part / _HASHES).write_text(json.dumps(listed), encoding="utf-8")
    if place.is_dir():
        shutil.rmtree(place)
    os.replace(part, place)


def _has_hash(path: Path, listed: str) -> bool:
    """Whether a file has that hash: 64 digits are SHA-256; 40 are Git's own, which the Hub gives of small files."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        if len(listed) == 64:
            return hashlib.file_digest(stream, "sha256").hexdigest() == listed
        content = stream.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == listed
