"""The about tab: the model's card, its measured numbers with their intervals, the limits, and where things are kept."""

import os
from collections.abc import Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.settings import Limits
from unimma.ui.engine import Engine

_SHARES = ("zeroshot_", "_r1", "_r5", "_r10", "map", "_p10")
_WORDS = {
    "zeroshot": "zero-shot",
    "r1": "recall@1",
    "r5": "recall@5",
    "r10": "recall@10",
    "p10": "precision@10",
    "map": "mean average precision",
    "top1": "top-1",
    "top5": "top-5",
    "to": "→",
}


class AboutTab:
    """Everything that tells a visitor how far to trust the answers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with gr.Tab("About", id="about", elem_id="tab-about"), gr.Row(elem_classes="about"):
            with gr.Column(scale=3, min_width=320):
                self.card = gr.Markdown("The model is being loaded.", elem_id="model-card", container=False)
            with gr.Column(scale=2, min_width=320):
                self.numbers = gr.HTML("", elem_id="numbers")
                gr.HTML(str(terms(Limits.from_env(), on_space="SPACE_ID" in os.environ)), elem_id="terms")

    def first_look(self) -> tuple[str, str]:
        """The card and the numbers, as soon as the model is there, for `self.fresh`."""
        return self.engine.model.card, str(numbers(self.engine.model.metrics))

    @property
    def fresh(self) -> list[Any]:
        """The components that `first_look` fills."""
        return [self.card, self.numbers]


def numbers(metrics: Mapping[str, Any]) -> Markup:
    """A table, folded, of all that was measured, one block a data set: value, interval and number of queries.

    Args:
        metrics: what `python -m train.evaluate --json` prints.
    """
    sets = {name: found for name, found in metrics.get("sets", {}).items() if found}
    blocks = [_block(name, found) for name, found in sets.items()]
    if not blocks:
        return Markup("<h2>Measured</h2><p>No measurements came with this model.</p>")
    return Markup(
        "<h2>Measured</h2><p>On the {} split, which this model was not trained on; the card shows the main numbers and "
        "says which pictures its encoders had seen before.</p>"
        "<details><summary>Every measure, with 95% intervals</summary>"
        '<table class="numbers"><thead><tr><th scope="col">Measure</th><th scope="col">Value</th>'
        '<th scope="col">Interval</th><th scope="col">n</th></tr></thead>{}</table></details>'
    ).format(metrics.get("split", "val"), Markup("").join(blocks))


def terms(limits: Limits, *, on_space: bool) -> Markup:
    """The limits of one file, where files go, and the licences."""
    rows = (
        ("One file", f"{limits.max_file_bytes // 1_000_000} MB"),
        ("A picture", f"{limits.max_image_pixels // 1_000_000} megapixels"),
        ("A sound", f"{limits.max_audio_seconds / 60:.0f} minutes"),
        ("A clip", f"{limits.max_video_seconds / 60:.0f} minutes"),
        ("A text", f"{limits.max_text_chars:,} characters"),
    )
    kept = "in the data folder of this Space" if on_space else "in a folder on the machine that runs this app"
    return Markup(
        '<h2>Limits</h2><table class="numbers"><tbody>{}</tbody></table>'
        "<h2>Where things are kept</h2><p>What you search with is held for an hour or so, then removed. What you add "
        "to the library is re-encoded, freed of hidden tags such as positions, and kept {} until it is deleted there. "
        "Nothing is sent anywhere else.</p>"
        "<h2>Licences</h2><p>The code is under Apache-2.0. The weights have terms of their own, since some of the data "
        "they were trained on is for non-commercial use or states no terms; the model card lists them.</p>"
    ).format(
        Markup("").join(Markup('<tr><th scope="row">{}</th><td>up to {}</td></tr>').format(*row) for row in rows), kept
    )


def measure_name(measure: str) -> str:
    """A measure's short name as words: "text_to_image_r5" → "text → image recall@5"."""
    return " ".join(_WORDS.get(part, part) for part in measure.split("_"))


def _block(name: str, found: Mapping[str, Mapping[str, float]]) -> Markup:
    row = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{} – {}</td><td>{:,}</td></tr>')
    rows = [
        row.format(measure_name(measure), *(_shown(measure, m[key]) for key in ("value", "low", "high")), int(m["n"]))
        for measure, m in found.items()
        if isinstance(m, Mapping) and {"value", "low", "high", "n"} <= m.keys()
    ]
    title = Markup('<tr class="set"><th scope="rowgroup" colspan="4">{}</th></tr>').format(name.replace("-", " "))
    return Markup("<tbody>{}{}</tbody>").format(title, Markup("").join(rows)) if rows else Markup("")


def _shown(measure: str, value: float) -> str:
    is_share = measure.startswith("zeroshot_") or measure.endswith(_SHARES[1:])
    return f"{value:.1%}" if is_share else f"{value:.3g}"
