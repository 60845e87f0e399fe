"""Changes galleries in processes that kill themselves: python -m tests.gallery.victim FOLDER

FOLDER holds `before`, a closed gallery, `exported.zip` of one, and `files` to add. For each way to die a copy of
`before` is made under the name of that way, and a process of its own opens the copy, changes it, and ends by SIGKILL at
the point named.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.gallery.archive import Packed
from unimma.gallery.files import MediaFolder
from unimma.gallery.index import CandidateIndex
from unimma.gallery.items import ItemStore
from unimma.gallery.trash import Trash

BEFORE = ["red", "green", "blue", "low", "high", "red and green", *(f"word {number}" for number in range(14))]
ADDED = [f"sentence {number} of red" for number in range(20)]
NUM_DELETED = 3

# name: (act, class, method, which call, "before" it, "after" it, or "within": at the second thing of what it is given)
WAYS = {
    "stage-first": ("add", MediaFolder, "stage", 1, "after"),
    "stage-later": ("add", MediaFolder, "stage", 18, "before"),
    "keep-first": ("add", MediaFolder, "keep", 1, "before"),
    "keep-some": ("add", MediaFolder, "keep", 5, "after"),
    "settle": ("add", MediaFolder, "settle", 1, "after"),
    "insert-within": ("add", ItemStore, "insert", 1, "within"),
    "insert-after": ("add", ItemStore, "insert", 1, "after"),
    "insert-second": ("add", ItemStore, "insert", 2, "before"),
    "upsert-before": ("add", CandidateIndex, "upsert", 1, "before"),
    "upsert-after": ("add", CandidateIndex, "upsert", 2, "after"),
    "indexed-before": ("add", ItemStore, "set_indexed", 1, "before"),
    "indexed-after": ("add", ItemStore, "set_indexed", 2, "after"),
    "delete-before": ("delete", ItemStore, "delete", 1, "before"),
    "delete-after": ("delete", ItemStore, "delete", 1, "after"),
    "unindex-after": ("delete", CandidateIndex, "delete", 1, "after"),
    "unindexed": ("delete", ItemStore, "set_indexed", 1, "after"),
    "unlink-within": ("delete", MediaFolder, "delete", 1, "within"),
    "unlink-after": ("delete", MediaFolder, "delete", 1, "after"),
    "trash-before": ("trash", Trash, "put", 1, "before"),
    "trash-after": ("trash", Trash, "put", 1, "after"),
    "trash-unindexed": ("trash", CandidateIndex, "delete", 1, "after"),
    "restore-before": ("restore", Trash, "take_out", 1, "before"),
    "restore-after": ("restore", Trash, "take_out", 1, "after"),
    "restore-index": ("restore", CandidateIndex, "match", 2, "before"),
    "purge-before": ("purge", Trash, "empty", 2, "before"),
    "purge-after": ("purge", Trash, "empty", 2, "after"),
    "purge-unlink": ("purge", MediaFolder, "delete", 1, "within"),
    "purge-erase": ("purge", ItemStore, "erase_deleted", 1, "before"),
    "purge-erased": ("purge", ItemStore, "compact", 1, "after"),
    "reembed-within": ("reembed", ItemStore, "insert", 1, "within"),
    "reembed-first": ("reembed", ItemStore, "insert", 1, "after"),
    "reembed-index": ("reembed", CandidateIndex, "upsert", 1, "before"),
    "reembed-second": ("reembed", ItemStore, "insert", 2, "before"),
    "reembed-all": ("reembed", ItemStore, "drop_other_models", 1, "before"),
    "reembed-dropped": ("reembed", ItemStore, "drop_other_models", 1, "after"),
    "reembed-unindexed": ("reembed", CandidateIndex, "drop_other_models", 1, "after"),
    "compact-before": ("compact", ItemStore, "compact", 1, "before"),
    "compact-after": ("compact", ItemStore, "compact", 1, "after"),
    "compact-forgotten": ("compact", ItemStore, "forget_index", 1, "after"),
    "rebuild-wiped": ("rebuild", ItemStore, "forget_index", 1, "after"),
    "rebuild-match": ("rebuild", CandidateIndex, "match", 1, "after"),
    "import-unpacked": ("import", Packed, "unpack", 2, "after"),
    "import-within": ("import", ItemStore, "insert", 1, "within"),
    "import-after": ("import", ItemStore, "insert", 1, "after"),
    "mend-sweep": ("mend", MediaFolder, "sweep", 1, "after"),
    "mend-before": ("mend", CandidateIndex, "match", 1, "before"),
    "mend-after": ("mend", CandidateIndex, "match", 1, "after"),
}


class Turned(ToyModel):
    """Another model: the same as the toy, with all axes in reverse."""

    def __init__(self) -> None:
        super().__init__("turned", "0123456789ab")

    def embed(self, items: Any) -> Any:
        return super().embed(items)[:, ::-1].copy()


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(owner: type, method: str, call: int, moment: str) -> None:
    """Make the `call`-th call of a method the last thing that this process does."""
    original: Callable[..., Any] = getattr(owner, method)
    calls = 0

    def wrapped(self: Any, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and moment == "before":
            die()
        if calls == call and moment == "within":
            given = (dying(given[0]), *given[1:])
        result = original(self, *given)
        if calls == call and moment == "after":
            die()
        return result

    setattr(owner, method, wrapped)


def dying(things: Iterable[Any]) -> Iterator[Any]:
    for number, thing in enumerate(things):
        if number == 1:
            die()
        yield thing


def change(folder: Path, way: str) -> None:
    act, *point = WAYS[way]
    gallery = folder / way
    if act == "mend":  # first die with the index behind, then while that is mended
        run(lambda: (arm(CandidateIndex, "upsert", 1, "before"), changing("add", gallery, folder)))
        run(lambda: (arm(*point), Gallery.open(gallery, ToyModel())))
    else:
        run(lambda: (arm(*point), changing(act, gallery, folder)))


def changing(act: str, gallery: Path, folder: Path) -> None:
    with Gallery.open(gallery, Turned() if act == "reembed" else ToyModel()) as opened:
        first = [item.id for item in opened.list(limit=NUM_DELETED)]
        if act in ("restore", "purge"):
            opened.trash(first)
        match act:
            case "add":
                opened.add([*ADDED, folder / "files"])
            case "delete":
                opened.delete(first)
            case "trash":
                opened.trash(first)
            case "restore":
                opened.restore(first)
            case "purge":
                opened.purge()
            case "reembed":
                opened.reembed()
            case "compact":
                opened.compact()
            case "rebuild":
                opened.rebuild()
            case "import":
                opened.import_(folder / "exported.zip")


def run(act: Callable[[], object]) -> None:
    """Do it in a process of its own, which has to end by SIGKILL."""
    child = os.fork()  # nothing but imports has happened: no thread and no index is taken along
    if child == 0:
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"ended by itself: {status}"


if __name__ == "__main__":
    import chromadb  # noqa: F401  # once, for all the children

    for name in WAYS:
        shutil.copytree(Path(sys.argv[1], "before"), Path(sys.argv[1], name))
        change(Path(sys.argv[1]), name)
