"""What decoding in a child process costs a search.

    python -m benchmarks.isolation [--pairs 30]

Decodes a photo, a sound, a clip and a sentence in turns here and through a warm child, as the app does, and prints for
each both times where nothing came between (the tenth of the pairs that was quickest), their difference and their ratio.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image as PIL

from unimma.media import decode
from unimma.media.child import Workers
from unimma.types import Decoded


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Workers(1) as workers:
        print(f"{'':<24}{'here ms':>10}{'child ms':>10}{'more ms':>10}{'ratio':>8}")
        for title, source in sources(Path(folder)).items():
            here_ms, child_ms = compare(source, workers, args.pairs)
            here, child = (statistics.quantiles(times_ms, n=10)[0] for times_ms in (here_ms, child_ms))
            print(f"{title:<24}{here:>10.2f}{child:>10.2f}{child - here:>10.2f}{child / here:>8.2f}", flush=True)


def compare(source: str | Path, workers: Workers, pairs: int) -> tuple[list[float], list[float]]:
    """Milliseconds of decoding here and in the child, by turns."""
    here_ms, child_ms = list[float](), list[float]()
    workers.call(decode, source)
    for _ in range(pairs):
        here_ms.append(_milliseconds(lambda: decode(source)))
        child_ms.append(_milliseconds(lambda: workers.call(decode, source)))
    return here_ms, child_ms


def sources(folder: Path) -> dict[str, str | Path]:
    """What people search with."""
    rng = np.random.default_rng(0)
    coarse = PIL.fromarray(rng.integers(0, 256, (150, 200, 3), dtype=np.uint8))
    coarse.resize((4000, 3000), PIL.Resampling.BICUBIC).save(folder / "photo.jpg", quality=90)
    with av.open(str(folder / "sound.mp3"), "w") as output:
        _sing(output, output.add_stream("libmp3lame", rate=44_100, layout="mono"))
    with av.open(str(folder / "clip.mp4"), "w") as output:
        pictures = output.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        voice = output.add_stream("aac", rate=44_100, layout="mono")
        pictures.width, pictures.height, pictures.pix_fmt = 1280, 720, "yuv420p"
        for i in range(250):
            frame = av.VideoFrame.from_ndarray(
                np.asarray(coarse.crop((i % 40, 0, 160 + i % 40, 90)).resize((1280, 720)))
            )
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
        _sing(output, voice)
    return {
        "photo, 12 megapixels": folder / "photo.jpg",
        "sound, 10 s": folder / "sound.mp3",
        "clip, 10 s of 720p": folder / "clip.mp4",
        "sentence": "a dog barks at the falling rain",
    }


def _sing(output: av.container.OutputContainer, stream: av.AudioStream) -> None:
    """Ten seconds of a rising tone."""
    times_s = np.arange(441_000) / 44_100
    frame = av.AudioFrame.from_ndarray(
        np.sin(times_s * (2_000 + 300 * times_s))[None].astype(np.float32), "flt", "mono"
    )
    frame.rate, frame.pts, frame.time_base = 44_100, 0, Fraction(1, 44_100)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _milliseconds(act: Callable[[], Decoded]) -> float:
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
