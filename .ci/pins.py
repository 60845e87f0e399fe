"""Resolve every dependency once and write the exact pins: python .ci/pins.py (add --upgrade for newer versions).

One run of pip's resolver covers the app, training and the tools, so that what is tested is what is hosted.
requirements.txt is the part of it that the app reaches, requirements-dev.txt the rest. Pins that stand already are kept
unless a newer version is asked for. Run it with Python 3.11 and a CPU build of torch within pip's reach: a CUDA build
would add a dozen libraries that a machine without a GPU has no use for, and that torch itself pins where it needs them.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
APP, DEV = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
APP_EXTRAS, DEV_EXTRAS = {"app", "mcp", "encoders"}, {"train", "mteb", "dev"}

# Python 3.11 has the newest torch that everything else works with; hosts with ZeroGPU run Python 3.12 and list torch up
# to 2.11, which wants an older setuptools. torchvision pairs with exactly one torch.
NEWEST = {"torch": "2.13.0", "torchvision": "0.28.0"}
HOSTED = {"torch": "2.11.0", "torchvision": "0.26.0", "setuptools": "81.0.0"}
ONLY_WHERE = {"uvloop": 'sys_platform != "win32"'}

APP_HEAD = """\
# Exact pins of everything the app needs; written by .ci/pins.py from the ranges in pyproject.toml, in one resolve with
# requirements-dev.txt. The sound weights stand alone in requirements-weights.txt: their package pins old libraries.
"""
DEV_HEAD = """\
# The app's pins, and on top the exact pins of what testing and training need; written by .ci/pins.py.
-r requirements.txt
"""


def main() -> int:
    """Resolve, then write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="newer versions instead of the pins that stand")
    parser.add_argument("--constraint", type=Path, help="a further file of constraints")
    args = parser.parse_args()
    kept = [] if args.upgrade else [line for file in (APP, DEV) if file.exists() for line in pins_in(file)]
    extra = pins_in(args.constraint) if args.constraint else []
    resolved = resolve([*kept, *extra])
    app = closure(resolved, ranges(APP_EXTRAS))
    versions = {name: entry["metadata"]["version"].partition("+")[0] for name, entry in resolved.items()}
    write(APP, APP_HEAD, {name: versions[name] for name in sorted(app)})
    write(DEV, DEV_HEAD, {name: versions[name] for name in sorted(versions.keys() - app)})
    return 0


def pins_in(file: Path) -> list[str]:
    """The `name==version` lines of a file that hold for this Python."""
    requirements = [Requirement(line) for line in file.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)]
    return [f"{r.name}{r.specifier}" for r in requirements if r.marker is None or r.marker.evaluate()]


def name_of(pin: str) -> str:
    """The normalised name in `name==version`."""
    return canonicalize_name(Requirement(pin).name)


def ranges(extras: Iterable[str]) -> list[str]:
    """What pyproject.toml asks for: the package's own dependencies and those of the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *(line for e in sorted(extras) for line in project["optional-dependencies"][e])]


def resolve(constraints: Iterable[str]) -> dict[str, dict[str, Any]]:
    """pip's own report of everything that it would install, by normalised name."""
    pinned = {name_of(pin): pin for pin in constraints} | {name: f"{name}=={v}" for name, v in NEWEST.items()}
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / "constraints.txt", Path(folder) / "report.json"
        file.write_text("\n".join(pinned.values()) + "\n")
        command = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report), "-c", str(file)]
        subprocess.run([sys.executable, "-m", "pip", *command, *ranges(APP_EXTRAS | DEV_EXTRAS)], check=True)
        entries = json.loads(report.read_text())["install"]
    return {canonicalize_name(entry["metadata"]["name"]): entry for entry in entries}


def closure(resolved: dict[str, dict[str, Any]], roots: Iterable[str]) -> set[str]:
    """The names of everything that these requirements reach, themselves included."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(r.name), extra) for r in map(Requirement, roots) for extra in {"", *r.extras}]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for requirement in map(Requirement, resolved[name]["metadata"].get("requires_dist", [])):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(requirement.name), e) for e in {"", *requirement.extras}]
    return {name for name, _ in seen}


def write(file: Path, head: str, versions: dict[str, str]) -> None:
    """One line a pin; two where Python 3.12 gets another version."""
    lines = []
    for name, version in versions.items():
        if name in HOSTED:
            lines.append(f'{name}=={version}; python_version < "3.12"')
            lines.append(f'{name}=={HOSTED[name]}; python_version >= "3.12"')
        else:
            lines.append(f"{name}=={version}" + (f"; {ONLY_WHERE[name]}" if name in ONLY_WHERE else ""))
    file.write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
