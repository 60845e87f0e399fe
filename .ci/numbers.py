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
MEASURES = {
    "zeroshot_top1": "right class first",
    "zeroshot_top5": "right class among five",
    "text_to_image_r1": "sentence → photo, first",
    "text_to_image_r10": "sentence → photo, among ten",
    "text_to_audio_r1": "sentence → sound, first",
    "text_to_audio_r10": "sentence → sound, among ten",
    "text_to_video_r1": "sentence → clip, first",
    "text_to_video_r10": "sentence → clip, among ten",
}


def table(metrics: dict[str, Any]) -> str:
    """Markdown: a row for each set and measure that README tells of; shares in per cent."""
    rows = [
        f"| {stem} | {words} | {percent(m['value'])} | {percent(m['low'])} to {percent(m['high'])} | {m['n']:,} |"
        for stem, measured in sorted(metrics["sets"].items())
        for measure, words in MEASURES.items()
        if (m := measured.get(measure)) is not None
    ]
    return "\n".join([f"| {metrics['split']} set | measure | % | interval | queries |", "|---|---|---|---|---|", *rows])


def percent(share: float) -> str:
    """One decimal, without the sign."""
    return f"{100 * share:.1f}"


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
