"""A gallery that a running app has open, worked with through that app.

One process at a time can open a gallery's folder. The app that has it leaves `running.json` there: its address, and a
token that gives the host's rights, readable for the user who runs it. Whether it still runs is told by the lock alone;
what a killed app has left is passed over. An app can also be named by its address, without a token: as any visitor.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from unimma.errors import GalleryError, MediaError, UnimmaError
from unimma.gallery import AddReport
from unimma.gallery.lock import GalleryLock
from unimma.gallery.sources import expand
from unimma.gallery.where import Where
from unimma.settings import data_dir
from unimma.types import Hit, Item, Metadata, MetadataValue, Modality, Span

RUNNING = "running.json"
_BATCH = 16  # files that are sent at once
_CONNECT_S = 5.0  # the app is on this machine or answers soon; its work may take as long as it takes
_MOST_AT_ONCE = 1_000  # items of one call
_FILE = {"_type": "gradio.FileData"}
T = TypeVar("T")
Progress = Callable[[int, int], None]


def announce(folder: Path, url: str, token: str) -> None:
    """Leave word in a gallery's folder that the app at `url` has it open."""
    staged = folder / f"{RUNNING}.new"
    staged.unlink(missing_ok=True)
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"url": url.rstrip("/"), "token": token}, file)
    staged.replace(folder / RUNNING)


def withdraw(folder: Path) -> None:
    """Take the word back."""
    (folder / RUNNING).unlink(missing_ok=True)


def find(folder: Path | None) -> "RemoteGallery | None":
    """The running app that has the gallery in `folder` open (None: the user's own); None where there is none."""
    folder = folder or data_dir() / "gallery"
    try:
        told = json.loads((folder / RUNNING).read_text(encoding="utf-8"))
        url, token = str(told["url"]), str(told["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with suppress(GalleryError):
        GalleryLock(folder).release()
        return None  # nobody has it open: what is written there is old
    app = RemoteGallery(url, token, folder)
    if app.answers():
        return app
    app.close()
    return None


@dataclass(frozen=True)
class Found:
    """The answer to a search.

    Attributes:
        model, fingerprint: what embedded the query.
        query: what was asked with: its modality, and its text or the name of its file.
    """

    model: str
    fingerprint: str
    query: Mapping[str, str]
    hits: list[Hit]


class RemoteGallery:
    """The gallery of a running app: read and changed as `unimma.gallery.Gallery` is, as far as a visit may.

    Every method raises a GalleryError where the app is gone, and what the app refuses as an UnimmaError with its words.

    Args:
        url: of the app.
        token: of its host; "" for a visitor.
        folder: of the gallery, where that is known.
    """

    def __init__(self, url: str, token: str = "", folder: Path | None = None) -> None:
        self.url, self.folder, self._is_host = url.rstrip("/"), folder, bool(token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(None, connect=_CONNECT_S)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, trust_env=not token)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answers(self) -> bool:
        """Whether the app is there and takes the token."""
        try:
            return self._http.get("/host", timeout=_CONNECT_S).is_success
        except httpx.HTTPError:
            return False

    def search(
        self,
        query: str | Path,
        k: int = 10,
        modalities: Sequence[Modality] | None = None,
        where: Where | None = None,
        *,
        as_modality: Modality | None = None,
    ) -> Found:
        """What fits a sentence (str) or a file (Path) best; the file is taken `as_modality`, as what it is for None."""
        how = (k, list(modalities) if modalities else None, where)
        if isinstance(query, str):
            answer = self._call("search_text", query, *how)
        elif as_modality in (None, Modality.TEXT):
            answer = self._call("search", None, self._sent(query), *how)
        else:
            answer = self._call(f"search_{as_modality}", self._sent(query), *how)
        hits = [self._hit(told) for told in answer["hits"]]
        return Found(answer["model"], answer["fingerprint"], answer["query"], hits)

    def get(self, item_id: str) -> Item:
        """The item with this id."""
        item = self.get_many([item_id]).get(item_id)
        if item is None:
            raise GalleryError(f"no item {item_id}", "the id of an item in the gallery", "List it to see them.")
        return item

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items with these ids, as far as there are any."""
        told = (
            self._call("list", None, None, 0, 0, "added", False, some)["items"] for some in batched(ids, _MOST_AT_ONCE)
        )
        return {each["id"]: self._item(each) for page in told for each in page}

    def list(
        self,
        modality: Modality | None = None,
        where: Where | None = None,
        offset: int = 0,
        limit: int = 50,
        *,
        order: str = "added",
        descending: bool = False,
    ) -> list[Item]:
        """One page of the items."""
        starts = range(offset, offset + limit, _MOST_AT_ONCE)
        pages = (
            self._call("list", modality, where, start, min(_MOST_AT_ONCE, offset + limit - start), order, descending)
            for start in starts
        )
        full = takewhile(lambda items: items, (page["items"] for page in pages))
        return [self._item(told) for items in full for told in items]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items there are, of one modality or in all."""
        counted = self._call("count", where)
        return int(counted["modalities"][modality] if modality else counted["count"])

    def add(
        self,
        sources: Iterable[str | Path],
        *,
        progress: Progress | None = None,
        metadata: Metadata | None = None,
    ) -> AddReport:
        """Add sentences (str), files and folders (Path); files are sent a few at a time.

        The metadata are for those that come in now, where they are the host's; visitors cannot give any.
        """
        given = [source.content for source in expand(sources, metadata)]
        whole, done = AddReport((), (), ()), 0
        for batch in batched(given, _BATCH):
            report = self._add_batch(batch)
            if metadata and self._is_host:
                for item_id in report.added:
                    self.update(item_id, metadata=metadata)
            whole = _joined(whole, report)
            done += len(batch)
            if progress:
                progress(done, len(given))
        return whole

    def update(self, item_id: str, *, title: str | None = None, metadata: Metadata | None = None) -> Item:
        """Give an item another title, other metadata, or both; a visitor may change its title and caption."""
        if self._is_host:
            changed = json.dumps({"title": title, "metadata": None if metadata is None else dict(metadata)}).encode()
            with self._answer("POST", f"/host/items/{quote(item_id, safe='')}", [changed]):
                return self.get(item_id)
        caption = None if metadata is None else metadata.get("caption", "")
        if metadata is not None and _but_for_the_caption(metadata) != _but_for_the_caption(self.get(item_id).metadata):
            came = "other metadata through an app of somebody else"
            raise GalleryError(came, "another title or caption", "Change those alone.")
        return self._item(self._call("update", item_id, title, caption))

    def delete(self, ids: Iterable[str]) -> int:
        """Delete items for good: how many were there."""
        return sum(int(self._call("delete", some)["deleted"]) for some in batched(ids, _MOST_AT_ONCE))

    # the host's alone

    def export(self, zip_path: str | Path, progress: Progress | None = None) -> int:
        """Write all items with their media into a zip here: how many."""
        self._check_host("export")
        path = Path(zip_path)
        staged = path.with_name(f".{path.name}.new")
        try:
            with self._answer("GET", "/host/export") as answer, staged.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)
                count = int(answer.headers["x-items"])
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
        return count

    def import_(self, zip_path: str | Path, progress: Progress | None = None) -> AddReport:
        """Add what another gallery exported."""
        self._check_host("import")
        path = Path(zip_path)
        with path.open("rb") as file:
            parts = iter(partial(file.read, 1 << 20), b"")
            with self._answer("POST", f"/host/import?name={quote(path.name)}", parts) as answer:
                return _report(json.loads(answer.read()))

    def reembed(self, progress: Progress | None = None) -> AddReport:
        """Give each item that has no vector of the app's model one."""
        self._check_host("reembed")
        with self._answer("POST", "/host/reembed") as answer:
            return _report(json.loads(answer.read()))

    def rebuild(self) -> None:
        """Make the search index anew."""
        self._check_host("rebuild")
        with self._answer("POST", "/host/rebuild"):
            pass

    def compact(self) -> None:
        """Write the database anew, without a trace of what was deleted."""
        self._check_host("compact")
        with self._answer("POST", "/host/compact"):
            pass

    # how

    def _check_host(self, act: str) -> None:
        if not self._is_host:
            came = f"{act} through an app of somebody else"
            raise GalleryError(came, "a gallery of your own", "Name its folder with --gallery.")

    def _add_batch(self, batch: Sequence[str | Path]) -> AddReport:
        files, refused = [], []
        for path in (source for source in batch if isinstance(source, Path)):
            try:
                files.append(self._sent(path))
            except MediaError as error:
                refused.append((path.name, str(error)))
        texts = [source for source in batch if isinstance(source, str)]
        report = _report(self._call("add", files, texts)) if files or texts else AddReport((), (), ())
        return _joined(report, AddReport((), (), tuple(refused)))

    def _sent(self, path: Path) -> dict[str, Any]:
        """A file of this machine as the app's endpoints take it.

        Raises:
            MediaError: it cannot be read, or is too large for the app.
        """
        try:
            with path.open("rb") as file, self._reaching():
                answer = self._http.post("/gradio_api/upload", files={"files": (path.name, file)})
        except OSError as error:
            todo = "Check its name and its rights."
            raise MediaError(f"{path.name}: {error.strerror}", "a file that can be read", todo) from error
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise MediaError(f"{path.name}: too large for the app", "a smaller file", "Shrink or cut it.")
        self._check(answer)
        return {"path": answer.json()[0], "meta": _FILE}

    def _call(self, name: str, *data: object) -> dict[str, Any]:
        """The answer of a named endpoint."""
        with self._reaching():
            begun = self._http.post(f"/gradio_api/call/{name}", json={"data": data})
            self._check(begun)
            ended = self._http.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}")
            self._check(ended)
        event, told = _last_event(ended.text)
        if event != "complete":
            raise _refusal((told or {}).get("error") if isinstance(told, dict) else told)
        answer: dict[str, Any] = told[0]
        return answer

    @contextmanager
    def _answer(self, verb: str, address: str, body: Iterable[bytes] | None = None) -> Iterator[httpx.Response]:
        with self._reaching(), self._http.stream(verb, address, content=body) as answer:
            if not answer.is_success:
                answer.read()
            self._check(answer)
            yield answer

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            came, todo = f"no answer from {self.url}", "Check the address, or start the app."
            raise GalleryError(came, "a running app of UniMMA", todo) from error

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        if answer.status_code in (403, 422):
            raise _refusal(answer.text)
        if answer.status_code == 503:
            raise GalleryError("an app that is busy", "a place in its queue", "Try again in a minute.")
        came, todo = f"{answer.status_code} from {self.url}", "Check the address."
        raise GalleryError(came, "a running app of UniMMA", todo)

    def _hit(self, told: Mapping[str, Any]) -> Hit:
        item = self._item(told)
        alike = tuple(replace(item, id=other, title="", uri="") for other in told.get("alike", ()))
        flags = {"exact": told.get("exact", False), "likely": told.get("likely", False)}
        return Hit(item, told["rank"], told["score"], told["similarity"], item.span, alike, **flags)

    def _item(self, told: Mapping[str, Any]) -> Item:
        return Item(
            modality=Modality(told["modality"]),
            title=told["title"],
            uri=self.url + told["uri"],
            id=told["id"],
            span=Span(*told["span"]) if told["span"] else None,
            metadata=told.get("metadata", {}),
            text=told.get("text"),
            added=told.get("added", ""),
            duration_s=told.get("duration_s"),
            num_bytes=told.get("num_bytes", 0),
        )


def _but_for_the_caption(metadata: Metadata) -> dict[str, MetadataValue]:
    return {key: value for key, value in metadata.items() if key != "caption"}


def batched(values: Iterable[T], count: int) -> Iterator[list[T]]:
    """Lists of `count` values each, the last with the rest."""  # itertools has it from Python 3.12 on
    remaining = iter(values)
    while some := list(islice(remaining, count)):
        yield some


def _last_event(stream: str) -> tuple[str, Any]:
    """Name and value of the last of the server's events."""
    lines = [line for line in stream.splitlines() if line.startswith(("event: ", "data: "))]
    if len(lines) < 2:
        return "", None
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def _refusal(sentence: str | None) -> UnimmaError:
    """The app's own error again, which was put into words as "came; expected this. Do that."."""
    came, _, rest = (sentence or "").partition("; expected ")
    expected, _, todo = rest.partition(". ")
    if not todo:
        return GalleryError(came or "an app that failed", "an answer", "The log of the app says why.")
    return MediaError(came, expected, todo)


def _report(told: Mapping[str, Any]) -> AddReport:
    refused = tuple((each["name"], each["reason"]) for each in told["refused"])
    return AddReport(tuple(told["added"]), tuple(told["already_there"]), refused)


def _joined(one: AddReport, other: AddReport) -> AddReport:
    return AddReport(one.added + other.added, one.already_there + other.already_there, one.refused + other.refused)
