"""Twenty visitors at once, searching and adding: python -m benchmarks.visitors [--visitors 20] [--rounds 5]

Starts the app with the bundled model and a private library on this machine's loopback, waits until its starter gallery
is indexed, then lets every visitor do the same at once: search with a sentence, with a picture and with a sound, add
files that nobody else has, find them, and be unable to find or fetch those of the others. Prints errors, mix-ups, the
waits as visitors see them (queue included), and the memory of the app with its children before, at most and after.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import wave
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).parents[1]
READY_WITHIN_S = 900


@dataclass
class Figures:
    """What all visitors saw."""

    waits_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    mix_ups: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Count the block's wait, or its error."""
        start = time.perf_counter()
        try:
            yield
        except Exception as error:
            with self.lock:
                self.errors.append(f"{what}: {type(error).__name__}: {error}"[:300])
        else:
            with self.lock:
                self.waits_s[what].append(time.perf_counter() - start)


def main() -> int:
    """Exit status 0 if there was no error and no mix-up."""
    parser = argparse.ArgumentParser(description="Load test: visitors that search and add at once.")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gallery", type=Path, help="a gallery that is indexed already; made anew where left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, app(Path(folder), options.gallery) as (url, process):
        figures = Figures()
        memory = Memory(process.pid)
        with ThreadPoolExecutor(options.visitors) as pool:
            visits = [
                pool.submit(visit, url, number, options.rounds, Path(folder), figures)
                for number in range(options.visitors)
            ]
            places = dict(place for done in visits for place in [done.result()])
        for owner, uris in places.items():
            check_apart(url, owner, uris, figures)
        memory.stop()
    show(figures, memory, options.visitors, options.rounds)
    return 1 if figures.errors or figures.mix_ups else 0


@contextmanager
def app(folder: Path, gallery: Path | None) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The app in a process of its own, ready."""
    environment = os.environ | {"UNIMMA_DATA_DIR": str(folder / "data"), "UNIMMA_MAX_VISITOR_SECONDS": "100000"}
    environment |= {"GRADIO_TEMP_DIR": str(folder / "uploads")}
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0", "--library", "private"]
    command += ["--gallery", str(gallery or folder / "gallery")]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = next(line.split()[-1] for line in process.stdout if "UniMMA is at" in line).rstrip("/")
        client = Client(url, verbose=False)
        deadline = time.monotonic() + READY_WITHIN_S
        before = -1
        while time.monotonic() < deadline:  # until no more comes in
            count = client.predict(api_name="/count")["count"]
            if count == before:
                break
            before = count
            time.sleep(10)
        print(f"{before} items in the host's gallery", flush=True)
        yield url, process
    finally:
        process.terminate()
        process.wait(60)


def visit(url: str, number: int, rounds: int, folder: Path, figures: Figures) -> tuple[int, dict[str, str]]:
    """One visitor's doings: its number, and the addresses of its own items by id."""
    client = Client(url, verbose=False)
    mine: dict[str, str] = {}
    for turn in range(rounds):
        picture, sound, note = own_files(folder / f"visitor {number}", number, turn)
        with figures.timed("search, sentence"):
            client.predict("a dog barks at night", 12, None, api_name="/search_text")
        with figures.timed("search, picture"):
            client.predict(handle_file(str(picture)), 12, None, api_name="/search_image")
        with figures.timed("search, sound"):
            client.predict(handle_file(str(sound)), 12, None, api_name="/search_audio")
        with figures.timed("add three files"):
            report = client.predict([handle_file(str(path)) for path in (picture, sound, note)], api_name="/add")
            if len(report["added"]) != 3:
                raise RuntimeError(f"not all came in: {report}")
            mine |= dict.fromkeys(report["added"], "")
        with figures.timed("search, own text"):
            hits = client.predict(note.read_text(), 100, None, api_name="/search_text")["hits"]
            mine |= {hit["id"]: hit["uri"] for hit in hits if hit["id"] in mine}
            if hits[0]["id"] not in mine:
                figures.mix_ups.append(f"visitor {number} does not find their own text first: {hits[0]['title']}")
            titles = [hit["title"] for hit in hits if hit["title"].startswith("visitor ")]
            strange = [title for title in titles if not title.startswith(f"visitor {number} ")]
            if strange:
                figures.mix_ups.append(f"visitor {number} sees {strange}")
    return number, {item: uri for item, uri in mine.items() if uri}


def own_files(folder: Path, number: int, turn: int) -> tuple[Path, Path, Path]:
    """A picture, a sound and a text that no other visitor and no other turn has."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng([number, turn])
    picture, sound, note = (folder / f"visitor {number} turn {turn}.{ending}" for ending in ("jpg", "wav", "txt"))
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    coarse.resize((1600, 1200), Image.Resampling.BICUBIC).save(picture, quality=90)
    waveform = np.sin(np.arange(5 * 44_100) * rng.uniform(0.01, 0.2)) * 0.5 + rng.normal(0, 0.05, 5 * 44_100)
    packed = io.BytesIO()
    with wave.open(packed, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes((np.clip(waveform, -1, 1) * 32_767).astype("<i2").tobytes())
    sound.write_bytes(packed.getvalue())
    note.write_text(f"visitor {number} wrote note {turn} and nobody else has it")
    return picture, sound, note


def check_apart(url: str, owner: int, uris: dict[str, str], figures: Figures) -> None:
    """What one has added is at its own address, and at none that another could make up."""
    for item, uri in uris.items():
        for guess in (f"/media/gallery/{item}", uri.replace(uri.split("-")[-1].split("/")[0], "0" * 32)):
            try:
                urllib.request.urlopen(url + guess).close()
            except urllib.error.HTTPError as refused:
                if refused.code in (403, 404):
                    continue
            figures.mix_ups.append(f"an item of visitor {owner} is at {guess}")


class Memory:
    """Watches the resident memory of a process and its children, in megabytes."""

    def __init__(self, pid: int) -> None:
        self._pid, self._ended = pid, threading.Event()
        self.before = self.most = self.after = resident_mb(pid)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the last figure."""
        self._ended.set()
        self._thread.join()
        self.after = resident_mb(self._pid)

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.most = max(self.most, resident_mb(self._pid))


def resident_mb(pid: int) -> float:
    """Resident memory of a process and everything below it (Linux)."""
    pages = 0
    for each in [pid, *children(pid)]:
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue  # just ended
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def children(pid: int) -> list[int]:
    """All processes below one."""
    below = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            below += [child, *children(child)]
    return below


def show(figures: Figures, memory: Memory, visitors: int, rounds: int) -> None:
    """The figures, as a table."""
    print(f"{visitors} visitors, {rounds} rounds each, {os.cpu_count()} cores")
    for what, waits in figures.waits_s.items():
        p95 = statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else waits[0]
        spread = f"median {statistics.median(waits):6.2f} s   p95 {p95:6.2f} s   max {max(waits):6.2f} s"
        print(f"{what:20} n {len(waits):4}   {spread}")
    print(f"errors {len(figures.errors)}, mix-ups {len(figures.mix_ups)}")
    for line in [*figures.errors, *figures.mix_ups][:10]:
        print(f"  {line}")
    print(f"memory: {memory.before:,.0f} MB before, {memory.most:,.0f} MB at most, {memory.after:,.0f} MB after")
    print(json.dumps({"errors": len(figures.errors), "mix_ups": len(figures.mix_ups), "most_mb": round(memory.most)}))


if __name__ == "__main__":
    sys.exit(main())
