"""From how many vectors on Chroma is quicker than exact search, and what it misses.

    python -m benchmarks.search_switch [--sizes 1000 2000 5000 10000 20000 50000] [--dim 384] [--hits 10]

Made of clustered unit vectors, as embeddings are. Prints, for each number of vectors: the time of one exact search, the
time of one search through Chroma with exact re-ranking as `unimma.gallery` does it, their ratio (below 1: Chroma is
quicker), and the share of the exact hits that the latter finds (mean, worst query). Times depend on the machine and on
what else runs; the ratio hardly does.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma.gallery.exact import ExactIndex
from unimma.gallery.index import CandidateIndex
from unimma.gallery.vectors import num_candidates
from unimma.types import Modality

FloatArray = npt.NDArray[np.float32]
NUM_QUERIES = 200


def clustered(count: int, dim: int, rng: np.random.Generator) -> FloatArray:
    """float32 [count, dim], unit rows around one centre for every 50 of them."""
    centres = rng.standard_normal((max(20, count // 50), dim))
    rows = centres[rng.integers(0, len(centres), count)] + 0.7 * rng.standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def quiet_ms(search: Callable[[FloatArray], object], queries: FloatArray) -> float:
    """Time of one search where nothing came between: the tenth part that was quickest."""
    search(queries[0])
    times = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.quantiles(times, n=10)[0]


def measure(count: int, dim: int, hits: int, folder: Path) -> None:
    """One line of the table."""
    rng = np.random.default_rng(count)
    rows = clustered(count + NUM_QUERIES, dim, rng)
    vectors, queries, ids = rows[:count], rows[count:], [str(i) for i in range(count)]
    exact = ExactIndex(dim)
    exact.extend(ids, vectors)
    index = CandidateIndex(folder)
    index.upsert("model", Modality.IMAGE, ids, vectors)

    def through_chroma(query: FloatArray) -> list[tuple[str, float]]:
        return exact.nearest(query, hits, index.nearest("model", Modality.IMAGE, query, num_candidates(hits)))

    exact_ms = quiet_ms(lambda query: exact.nearest(query, hits), queries)
    chroma_ms = quiet_ms(through_chroma, queries)
    found = [len(set(exact.nearest(q, hits)) & set(through_chroma(q))) / hits for q in queries]
    index.close()
    print(
        f"{count:>8,} {exact_ms:>10.2f} {chroma_ms:>10.2f} {chroma_ms / exact_ms:>8.2f} "
        f"{np.mean(found):>8.4f} {min(found):>6.2f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 2_000, 5_000, 10_000, 20_000, 50_000])
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--hits", type=int, default=10)
    args = parser.parse_args()
    print(f"{'vectors':>8} {'exact ms':>10} {'chroma ms':>10} {'ratio':>8} {'recall':>8} {'worst':>6}")
    for count in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, args.dim, args.hits, Path(folder, "chroma"))


if __name__ == "__main__":
    main()
