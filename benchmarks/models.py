"""What every model that can be named costs: seconds to load, memory, milliseconds an item of each modality.

    python -m benchmarks.models [NAME …] [--items 8] [--device cpu] [--accept-license] [--checkpoint FILE]

Each is loaded in a process of its own, on this machine and with what is in its caches (what is not there is fetched, if
there is a network); one that cannot be loaded says why. Without names: `bundled` and every preset. Memory is what the
process held at most, in MB. Times are those of one item at a time, the median, decoding included; the items are of the
starter gallery, sentences those of `unimma.captions`.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from unimma.captions import captions
from unimma.catalogue import BUNDLED, presets
from unimma.settings import assets_dir
from unimma.types import Modality

FILES = {Modality.IMAGE: "*.webp", Modality.AUDIO: "*.mp3", Modality.VIDEO: "*.mp4"}


def main() -> None:
    """Print the table, or in a process of its own the costs of one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--accept-license", action="store_true")
    parser.add_argument("--checkpoint")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        return print(json.dumps(costs(args.names[0], args)))
    print(f"{'model':<20}{'load s':>8}{'MB':>8}" + "".join(f"{f'{modality} ms':>10}" for modality in Modality))
    for name in args.names or [BUNDLED, *presets()]:
        options = ["--items", str(args.items), "--device", args.device]
        options += ["--accept-license"] if args.accept_license else []
        options += ["--checkpoint", args.checkpoint] if args.checkpoint else []
        command = [sys.executable, "-m", "benchmarks.models", name, "--alone", *options]
        show(name, subprocess.run(command, capture_output=True, text=True, check=False))


def costs(name: str, args: argparse.Namespace) -> dict[str, float | str]:
    """Of the model of that name, in this process."""
    from unimma.errors import ModelError
    from unimma.loading import load_model

    start = time.perf_counter()
    try:
        model = load_model(name, checkpoint=args.checkpoint, accept_license=args.accept_license or None)
    except ModelError as error:
        return {"refused": str(error)}
    model.to(args.device)
    found: dict[str, float | str] = {"load_s": time.perf_counter() - start}
    for modality in model.modalities:
        model.embed([*items(modality, 1)])  # the first one warms up
        times_ms = []
        for item in items(modality, args.items):
            start = time.perf_counter()
            model.embed([item])
            times_ms.append(1000 * (time.perf_counter() - start))
        found[modality] = statistics.median(times_ms)
    found["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return found


def items(modality: Modality, count: int) -> list[str | Path]:
    """Sentences, or files of the starter gallery."""
    if modality is Modality.TEXT:
        return [caption.text for caption in captions()[:count]]
    return sorted((assets_dir() / "gallery").glob(FILES[modality]))[:count]


def show(name: str, done: subprocess.CompletedProcess[str]) -> None:
    """One line of the table."""
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        return print(f"{name:<20}failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
    found = json.loads(lines[-1])
    if "refused" in found:
        return print(f"{name:<20}{found['refused']}", flush=True)
    cells = "".join(f"{found[modality]:>10.1f}" if modality in found else f"{'':>10}" for modality in Modality)
    print(f"{name:<20}{found['load_s']:>8.1f}{found['mb']:>8,.0f}{cells}", flush=True)


if __name__ == "__main__":
    main()
