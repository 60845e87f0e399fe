"""How long a warm search takes in a large gallery.

    python -m benchmarks.search_speed [--items 10000] [--searches 60] [--hits 40] [--encoder]

Items of all four modalities with clustered unit vectors, previews of 8 kB, captions and labels; a picture has about a
dozen copies, and one sound and clip in five is long and has moments. The first table asks with an embedder that takes
no time; with --encoder, a second one has the bundled model's text encoder read each sentence as well. Prints the median
and the 95th percentile of the time of one search, in milliseconds on the clock, and of the processor's time, which
other programs hardly change. "Beside another" searches a gallery of 200 more items together with the large one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.search_switch import clustered
from unimma.gallery import Embedder, Gallery
from unimma.gallery.items import ItemStore, Record
from unimma.gallery.likeness import likeness
from unimma.gallery.searchable import Searchable
from unimma.gallery.union import Union
from unimma.loading import load_model
from unimma.retrieval import search
from unimma.types import Decoded, Image, Item, Modality, Text
from unimma.windows import spans

FloatArray = npt.NDArray[np.float32]
WORDS = ("rain", "dog", "red", "bus", "night", "sea", "bell", "train", "wind", "fire", "cat", "snow", "door", "bird")
NUM_LABELS = 50
NUM_LOOKS = 200  # different pictures
LONG_S = 60.0


class Instant:
    """Embeds at once: the sentence "17 …" is row 17 of some vectors."""

    name, fingerprint, modalities = "instant", "0" * 12, frozenset(Modality)

    def __init__(self, vectors: FloatArray) -> None:
        self.vectors, self.dim = vectors, vectors.shape[1]

    def embed(self, items: Sequence[str | Path | bytes | Decoded]) -> FloatArray:
        """float32 [n, dim]."""
        texts = [item.text if isinstance(item, Text) else str(item) for item in items]
        return np.stack([self.vectors[int(text.split()[0])] for text in texts])

    def embed_sequence(self, item: str | Path | bytes | Decoded) -> tuple[FloatArray, npt.NDArray[np.float64]]:
        """One window."""
        return self.embed([item]), np.zeros((1, 2))

    def null_similarity(self, query: Modality, gallery: Modality) -> tuple[float, float]:
        """Of unrelated unit vectors."""
        return 0.0, self.dim**-0.5


def records(vectors: FloatArray, seed: int) -> list[Record]:
    """An item for each row of float32 [n, dim], the modalities taking turns."""
    rng = np.random.default_rng(seed)
    hashes = [likeness(Image(rng.integers(0, 255, (8, 8, 3), np.uint8))) for _ in range(NUM_LOOKS)]
    times = np.array([(span.start, span.end) for span in spans(LONG_S)])
    made = []
    for row, vector in enumerate(vectors):
        modality = list(Modality)[row % 4]
        words = " ".join(rng.choice(WORDS, 6))
        is_text, is_timed = modality is Modality.TEXT, modality in (Modality.AUDIO, Modality.VIDEO)
        is_long = is_timed and row // 4 % 5 == 0
        label = f"label {row % NUM_LABELS}"
        item = Item(
            modality,
            title=words[:30],
            uri=f"{seed}-{row}.bin",
            id=f"{seed:08x}{row:024x}",
            metadata={
                "source": "made",
                "label": label,
                "caption": words,
                "year": 1990 + row % 30,
            },
            thumbnail=None if is_text else rng.bytes(8_000),
            text=words if is_text else None,
            added="2026-11-23T17:05:00Z",
            duration_s=(LONG_S if is_long else 6.0) if is_timed else None,
            num_bytes=100_000,
        )
        around = vector + 0.5 * rng.standard_normal((len(times), len(vector)))
        windows = (around / np.linalg.norm(around, axis=1, keepdims=True)).astype(np.float32)
        seen = hashes[rng.integers(NUM_LOOKS)] if modality is Modality.IMAGE else None
        made.append(Record(item, vector, (times, windows) if is_long else None, seen))
    return made


def fill(folder: Path, model: Embedder, vectors: FloatArray, seed: int) -> Gallery:
    """A gallery opened over items that were put into its database directly."""
    Gallery.open(folder, model).close()
    with closing(ItemStore(folder / "items.sqlite")) as store:
        store.insert(records(vectors, seed), model.fingerprint, model.name)
    return Gallery.open(folder, model)


CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "plain": ("{} a walk by the sea", {}),
    "without stacking": ("{} a walk by the sea", {"stack": False}),
    "one modality": ("{} a walk by the sea", {"modalities": ["image"]}),
    "where: a label (1 in 50)": ("{} a walk by the sea", {"where": {"label": "label 7"}}),
    "where: years (2 in 3)": ("{} a walk by the sea", {"where": {"year": {"gte": 2000}}}),
    "quoted: held by many": ('{} a walk by the "sea"', {}),
    "quoted: held by none": ('{} a walk by the "submarine"', {}),
    "quoted, where, one modality": ('{} "sea"', {"where": {"label": "label 7"}, "modalities": ["image"]}),
}


def measured(ask: Callable[[int], object], count: int) -> str:
    """Median and 95th percentile of `count` calls after three others, on the clock and of the processor."""
    times = []
    for number in range(count + 3):
        start, busy = time.perf_counter(), time.process_time()
        ask(number)
        times.append((1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy)))
    clock, processor = np.percentile(times[3:], [50, 95], axis=0).T
    return f"{clock[0]:>8.0f} {clock[1]:>8.0f} {processor[0]:>10.0f} {processor[1]:>8.0f}"


def table(name: str, galleries: Mapping[str, Searchable], hits: int, count: int) -> None:
    """Every case in every gallery."""
    print(f"{name:<44} {'median':>8} {'95%':>8} {'processor':>10} {'95%':>8}")
    for where, gallery in galleries.items():
        for case, (query, options) in CASES.items():

            def ask(number: int, gallery=gallery, query=query, options=options) -> object:  # type: ignore[no-untyped-def]
                return search(gallery, query.format(number), hits, **options)

            print(f"{where + case:<44} {measured(ask, count)}", flush=True)


class Spoken(Instant):
    """Lets the bundled model embed the query, and then takes a row all the same: what the encoder costs, no more."""

    def __init__(self, vectors: FloatArray) -> None:
        super().__init__(vectors)
        self.encoder = load_model("bundled")

    def embed(self, items: Sequence[str | Path | bytes | Decoded]) -> FloatArray:
        """float32 [n, dim]."""
        self.encoder.embed(list(items))
        return super().embed(items)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--hits", type=int, default=40)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--encoder", action="store_true")
    args = parser.parse_args()
    rows = clustered(args.items + 200 + args.searches + 3, args.dim, np.random.default_rng(0))
    host, own, queries = np.split(rows, [args.items, args.items + 200])
    models = {"embedding at once": Instant(queries)}
    if args.encoder:
        models["through the bundled model's text encoder"] = Spoken(queries)
    for name, model in models.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            fill(Path(folder, "host"), model, host, 1) as large,
            fill(Path(folder, "own"), model, own, 2) as small,
        ):
            table(name, {"": large, "beside another, ": Union([small, large])}, args.hits, args.searches)


if __name__ == "__main__":
    main()
