"""Whether the app's pins install on the Python that ZeroGPU hosts run: python .ci/hosted.py

A dry run of pip for Python 3.12, from wheels alone. pip judges markers by the Python that it runs on, so this judges
ours itself.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

HOSTED_PYTHON = {"python_version": "3.12", "python_full_version": "3.12.12"}
PINS = Path(__file__).parent.parent / "requirements.txt"


def main() -> int:
    """Exit status 0 when everything resolves to wheels."""
    pins = [Requirement(line) for line in PINS.read_text().splitlines() if line and not line.startswith("#")]
    held = [f"{pin.name}{pin.specifier}" for pin in pins if pin.marker is None or pin.marker.evaluate(HOSTED_PYTHON)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(held) + "\n")
        target = ["--python-version", "3.12", "--only-binary", ":all:", "--target", folder]
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", *target, "-r", str(file)]
        status = subprocess.run(command, check=False).returncode
    print(f"{len(held)} pins {'resolve' if status == 0 else 'do NOT resolve'} for Python 3.12", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
