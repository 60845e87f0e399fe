"""The about tab: the model's card, its measured numbers with their intervals, the limits, and where things are kept."""

import os
from collections.abc import Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.settings import Limits, Quotas
from unimma.ui.engine import Engine
from unimma.ui.notice import UNDO_WITHIN_S
from unimma.ui.visit import IDLE_AFTER_S, LEFT_AFTER_S, Library

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
    "4khz": "below 4 kHz",
    "10s": "of 10 s,",
    "mb": "MB",
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
                here = terms(Limits.from_env(), engine.library, engine.quotas, on_space="SPACE_ID" in os.environ)
                gr.HTML(str(here), elem_id="terms")

    def first_look(self) -> tuple[str, str]:
        """The card and the numbers, as soon as the model is there, for `self.fresh`."""
        return self.engine.model.card, str(numbers(self.engine.model.metrics))

    @property
    def fresh(self) -> list[Any]:
        """The components that `first_look` fills."""
        return [self.card, self.numbers]


def numbers(metrics: Mapping[str, Any]) -> Markup:
    """What the model is judged by beside its baselines, and, folded, all that was measured, one block a data set.

    Args:
        metrics: what `python -m train.evaluate --json` prints.
    """
    sets = {name: found for name, found in metrics.get("sets", {}).items() if found}
    blocks = [_block(name, found) for name, found in [*sets.items(), ("cost", metrics.get("cost", {}))]]
    if not sets:
        return Markup("<h2>Measured</h2><p>No measurements came with this model.</p>")
    return Markup(
        "<h2>Measured</h2><p>On the {} split, which this model was not trained on, with 95% intervals.</p>{}"
        "<details><summary>Every measure</summary>"
        '<table class="numbers"><thead><tr><th scope="col">Measure</th><th scope="col">Value</th>'
        '<th scope="col">Interval</th><th scope="col">n</th></tr></thead>{}</table></details>'
    ).format(metrics.get("split", "val"), _headline(metrics), Markup("").join(blocks))


def terms(limits: Limits, library: Library, quotas: Quotas | None, *, on_space: bool) -> Markup:
    """The limits of one file and of one visitor, where files go, and the licences."""
    rows = [
        ("One file", f"{limits.max_file_bytes // 1_000_000} MB"),
        ("A picture", f"{limits.max_image_pixels // 1_000_000} megapixels"),
        ("A sound", f"{limits.max_audio_seconds / 60:.0f} minutes"),
        ("A clip", f"{limits.max_video_seconds / 60:.0f} minutes"),
        ("A text", f"{limits.max_text_chars:,} characters"),
    ]
    if quotas is not None and library is not Library.READ_ONLY:
        rows += [
            ("What you add", f"{quotas.max_visitor_items:,} items, {quotas.max_visitor_bytes // 1_000_000:,} MB"),
        ]
    if quotas is not None:
        rows += [("Computing for you", f"{quotas.max_visitor_seconds / 60:.0f} minutes an hour")]
    place = "on the disk of this Space" if on_space else "on the machine that runs this app"
    return Markup(
        '<h2>Limits</h2><table class="numbers"><tbody>{}</tbody></table>'
        "<h2>Where things are kept</h2>{}<p>Nothing is sent anywhere else. “Delete everything now”, at the top of the "
        "page, does not wait for any of this.</p>"
        "<h2>Licences</h2><p>The code is under Apache-2.0. The weights have terms of their own, since some of the data "
        "they were trained on is for non-commercial use or states no terms; the model card lists them.</p>"
    ).format(
        Markup("").join(Markup('<tr><th scope="row">{}</th><td>up to {}</td></tr>').format(*row) for row in rows),
        Markup("").join(Markup("<p>{}</p>").format(sentences) for sentences in _kept(library, place)),
    )


def measure_name(measure: str) -> str:
    """A measure's short name as words: "text_to_image_r5" → "text → image recall@5"."""
    return " ".join(_WORDS.get(part, part) for part in measure.split("_"))


def _kept(library: Library, place: str) -> list[str]:
    """Where files go and when they vanish, a paragraph each for what is searched with and what is added."""
    soon = f"within {-(-LEFT_AFTER_S // 60)} minutes of closing this page"
    late = f"at the latest {IDLE_AFTER_S // 60} minutes after the last sign of you"
    cleaned = "re-encoded, freed of hidden tags such as positions"
    asked = f"What you search with lies {place} while the page is open. It is deleted {soon}, {late}."
    match library:
        case Library.PRIVATE:
            own = (
                f"What you add is {cleaned}, and seen by you alone: nobody else can search it, and its addresses "
                f"cannot be guessed. It lies {place}, and goes with what you search with."
            )
        case Library.SHARED:
            own = (
                f"What you add is {cleaned}, and kept {place}. Everyone who opens this app finds it, and can edit and "
                f"delete it. What is deleted is in no result from that moment; for {UNDO_WITHIN_S} seconds or so it "
                "can be brought back."
            )
        case Library.READ_ONLY:
            own = "Nothing can be added here: what can be searched was put there by the host."
    return [asked, own]


def _headline(metrics: Mapping[str, Any]) -> Markup:
    """The few numbers that say most: value, interval, and what two baselines without contrastive training reach."""
    entries = metrics.get("headline", [])
    if not entries:
        return Markup("")
    row = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>')
    rows = []
    for entry in entries:
        stem, measure = entry["set"], entry["measure"]
        m = metrics["cost"][measure] if stem == "cost" else metrics["sets"][stem][measure]
        others = [_baseline(metrics, name, stem, measure) for name in ("conse", "ridge")]
        title = entry["title"] + (" *" if entry["seen"] else "")
        rows.append(row.format(title, _shown(measure, m["value"]), _interval(measure, m), *others))
    seen = "* Its pictures are of ImageNet, on which the picture encoder was trained: not unseen. "
    return Markup(
        '<table class="numbers"><thead><tr><th scope="col">Measure</th><th scope="col">Value</th>'
        '<th scope="col">Interval</th><th scope="col">ConSE</th><th scope="col">Ridge</th></tr></thead>'
        "<tbody>{}</tbody></table><p>{}ConSE and ridge are baselines from the same frozen encoders: the mean of the "
        "sentences of the classes that they predict, and ridge regression to sentences.</p>"
    ).format(Markup("").join(rows), seen if any(entry["seen"] for entry in entries) else "")


def _baseline(metrics: Mapping[str, Any], name: str, stem: str, measure: str) -> str:
    measured = metrics.get("baselines", {}).get(name, {}).get("sets", {}).get(stem, {}).get(measure)
    return _shown(measure, measured["value"]) if measured else ""


def _interval(measure: str, m: Mapping[str, float]) -> str:
    low, high = (_shown(measure, m[end]) for end in ("low", "high"))
    return f"{low.removesuffix('%')} – {high}" if m["low"] < m["high"] else ""


def _block(name: str, found: Mapping[str, Mapping[str, float]]) -> Markup:
    row = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{:,}</td></tr>')
    rows = [
        row.format(measure_name(measure), _shown(measure, m["value"]), _interval(measure, m), int(m["n"]))
        for measure, m in found.items()
        if isinstance(m, Mapping) and {"value", "low", "high", "n"} <= m.keys()
    ]
    title = Markup('<tr class="set"><th scope="rowgroup" colspan="4">{}</th></tr>').format(name.replace("-", " "))
    return Markup("<tbody>{}{}</tbody>").format(title, Markup("").join(rows)) if rows else Markup("")


def _shown(measure: str, value: float) -> str:
    is_share = measure.startswith("zeroshot_") or measure.endswith(_SHARES[1:])
    if is_share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
