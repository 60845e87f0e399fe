"""Damages real files in every way that comes to mind and watches what decoding makes of them.

    python -m tests.fuzz.fuzz_media --minutes 20 --seed 1 [--findings FOLDER]

Every case runs through a child process, as in the app: kind, decoding as each modality, thumbnail, and re-encoding to
what is kept. A finding is anything but a result that holds what is promised or an UnimmaError: another exception, a
child that dies or falls silent, too much memory, a file left behind, a path in a message, media that break a promise of
`unimma.types`, a kept file that cannot be read again. Prints the number of cases a file and the findings; the files of
findings are kept. The same seed gives the same cases in the same order. Ends with 1 where there was a finding.
"""

import argparse
import collections
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.looking import look
from tests.fuzz.mutations import mutated, real_files
from unimma.errors import MediaError
from unimma.media.child import Workers
from unimma.settings import Limits

# Shorter clocks than the app's, so that slow files do not eat up the time; everything else is as in the app
LIMITS = Limits(max_decode_seconds=5, max_encode_seconds=10)
# One case decodes a file ten times: only its silence may end it early
PATIENT = Limits(max_decode_seconds=300, max_encode_seconds=300)


def main() -> int:
    """Fuzz until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="folder for the files of findings")
    args = parser.parse_args()
    args.findings.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * args.minutes
    cases, kinds, num_findings = collections.Counter[str](), collections.Counter[str](), 0
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as empty, Workers(1, PATIENT) as workers:
        files = real_files(Path(made))
        for number, name in enumerate(itertools.cycle(files)):
            if time.monotonic() > deadline:
                break
            chance = random.Random(f"{args.seed} {number}")
            content = mutated(files[name], list(files.values()), chance) if number >= len(files) else files[name]
            kind, wrong = tried(workers, content, name, Path(empty))
            cases[name] += 1
            kinds[kind] += 1
            if wrong:
                num_findings += 1
                (args.findings / f"{args.seed}-{number}-{name}").write_bytes(content)
                print(f"FINDING {number} {name}:", *wrong, sep="\n  ", flush=True)
    for name, count in cases.items():
        print(f"{name:<20}{count:>8,}")
    print(f"{sum(cases.values()):,} cases, of these " + ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common()))
    print(f"{num_findings} findings")
    return 1 if num_findings else 0


def tried(workers: Workers, content: bytes, name: str, folder: Path) -> tuple[str, list[str]]:
    """One case: what the file is taken for, and what is wrong about that."""
    try:
        return workers.call(look, content, name, folder, LIMITS)
    except MediaError as error:  # `look` raises none: so its process died, fell silent or swallowed memory
        for path in folder.iterdir():
            path.unlink()
        return "lost", [str(error)]


if __name__ == "__main__":
    sys.exit(main())
