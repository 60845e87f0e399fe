"""The measured numbers in README, from the model's own file: python .ci/numbers.py (add --check to only compare)."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
METRICS, README = ROOT / "assets" / "bundled" / "metrics.json", ROOT / "README.md"
SECTION = re.compile(r"(<!-- numbers: [^\n]*-->\n).*?(<!-- /numbers -->)", re.DOTALL)
COLUMNS = {
    "right class first": ("zeroshot_top1",),
    "right class among five": ("zeroshot_top5",),
    "sentence finds its photo, sound or clip first": ("text_to_image_r1", "text_to_audio_r1", "text_to_video_r1"),
    "among ten": ("text_to_image_r10", "text_to_audio_r10", "text_to_video_r10"),
}


def table(metrics: dict[str, Any]) -> str:
    """Markdown: a row for each set that has one of the measures; shares in per cent, each with its interval."""
    head = [f"| {metrics['split']} set | {' | '.join(COLUMNS)} |", "|---" * (1 + len(COLUMNS)) + "|"]
    rows = [
        f"| {stem} | {' | '.join(cells)} |"
        for stem, measured in sorted(metrics["sets"].items())
        if any(cells := [cell(measured, names) for names in COLUMNS.values()])
    ]
    return "\n".join(head + rows)


def cell(measured: dict[str, Any], names: tuple[str, ...]) -> str:
    """The one of these measures that the set has: value, interval, number of queries; empty where it has none."""
    found = [measured[name] for name in names if name in measured]
    return " · ".join(
        f"**{100 * m['value']:.1f}** ({100 * m['low']:.0f} to {100 * m['high']:.0f}; n {m['n']:,})" for m in found
    )


def main() -> int:
    """Write README's section; with --check say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    numbers = table(json.loads(METRICS.read_text()))
    old = README.read_text()
    new, count = SECTION.subn(lambda found: f"{found[1]}{numbers}\n{found[2]}", old)
    if count != 1 or (args.check and new != old):
        print("README's numbers are not those of the model. Run: python .ci/numbers.py", file=sys.stderr)
        return 1
    if not args.check:
        README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
