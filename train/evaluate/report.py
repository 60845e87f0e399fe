"""The measured numbers as people read them: a table on a terminal, and Markdown. Both from what metrics.json holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from train.evaluate.headline import SEEN_NOTE, measure_name

BASELINES = {"conse": "ConSE", "ridge": "ridge"}
BASELINES_NOTE = (
    "ConSE (Norouzi et al. 2013): the mean of the sentences of the classes that the picture encoder, or YAMNet, "
    "predicts; nothing is trained. ridge: ridge regression from the frozen features to sentences."
)
_REPEATED = ("median_rank", "map")  # short names of what "text_to_…" holds too
_COST_UNITS = {"mb": "MB", "ms": "ms"}


def headline_rows(metrics: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Of each entry of the headline: title, value, interval, conse, ridge, goal and n, as they are shown."""
    for entry in metrics["headline"]:
        stem, measure, goal = entry["set"], entry["measure"], entry["goal"]
        cells = _cells(metrics, stem, measure)
        below = "≤ " if stem == "cost" else ""
        wanted = "" if goal is None else f"{below}{shown(measure, goal)}"
        yield {"title": entry["title"] + (" *" if entry["seen"] else ""), **cells, "goal": wanted}


def all_rows(metrics: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Of every measure: set, measure, value, interval, conse, ridge and n; the set stands on its first line alone."""
    seen = {entry["set"] for entry in metrics["headline"] if entry["seen"]}
    for stem, measures in [*metrics["sets"].items(), ("cost", metrics["cost"])]:
        title = stem + (" *" if stem in seen else "")
        for measure in measures:
            if measure not in _REPEATED:
                yield {"set": title, "measure": measure_name(measure), **_cells(metrics, stem, measure)}
                title = ""


def table(metrics: Mapping[str, Any]) -> Group:
    """What `python -m train.evaluate` prints: the headline with its goals, then every measure; 100 columns do."""
    first = _table("measure", "value", "95 % interval", *BASELINES.values(), "goal", "n")
    for row in headline_rows(metrics):
        first.add_row(*(row[key] for key in ("title", "value", "interval", *BASELINES, "goal", "n")))
    every = _table("set", "measure", "value", "95 % interval", *BASELINES.values(), "n")
    for row in all_rows(metrics):
        if row["set"] and every.row_count:
            every.add_section()
        every.add_row(*(row[key] for key in ("set", "measure", "value", "interval", *BASELINES, "n")))
    title = Text(f"{metrics['model']} {metrics['fingerprint']}, split {metrics['split']}", style="bold")
    return Group(title, first, Text(f"{notes(metrics)}\n"), every)


def markdown(metrics: Mapping[str, Any]) -> str:
    """The same as Markdown: metrics.md."""
    return "\n\n".join(
        [
            f"# {metrics['model']}, split {metrics['split']}",
            f"Fingerprint `{metrics['fingerprint']}`.",
            headline_markdown(metrics),
            "## Every measure",
            pipes(
                ("set", "measure", "value", "95 % interval", *BASELINES.values(), "n"),
                [list(row.values()) for row in all_rows(metrics)],
            ),
        ]
    ) + "\n"  # fmt: skip


def headline_markdown(metrics: Mapping[str, Any], *, goals: bool = True) -> str:
    """The headline as a Markdown table with its notes below; the model card has it without the goals."""
    keys = ["title", "value", "interval", *BASELINES, *(["goal"] if goals else []), "n"]
    head = ["measure", "value", "95 % interval", *BASELINES.values(), *(["goal"] if goals else []), "n"]
    rows = [[row[key] for key in keys] for row in headline_rows(metrics)]
    return f"{pipes(head, rows)}\n\n{notes(metrics).replace('* ', '`*` ')}"


def notes(metrics: Mapping[str, Any]) -> str:
    """What a reader has to know about the numbers, a line each."""
    said = ["Shares in per cent; zero-shot classes are all labels of a set; intervals by bootstrap over queries."]
    if metrics["baselines"]:
        said.append(BASELINES_NOTE)
    if any(entry["seen"] for entry in metrics["headline"]):
        said.append(SEEN_NOTE)
    said.append(f"Times: one item from decoded media to embedding, threads: {metrics['threads']}.")
    return "\n".join(said)


def shown(measure: str, value: float) -> str:
    """A value as people read it: shares in per cent without the sign, sizes and times with two digits or three."""
    if measure.rsplit("_", 1)[-1] in _COST_UNITS:
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"
    if measure.endswith("median_rank"):
        return f"{value:g}"
    return f"{value:.2f}" if measure in ("gap", "hubness") else f"{100 * value:.1f}"


def _cells(metrics: Mapping[str, Any], stem: str, measure: str) -> dict[str, str]:
    found = metrics["cost"][measure] if stem == "cost" else metrics["sets"][stem][measure]
    low, high = shown(measure, found["low"]), shown(measure, found["high"])
    cells = {
        "value": shown(measure, found["value"]),
        "interval": f"{low} – {high}" if found["low"] < found["high"] else "",
    }
    for name in BASELINES:
        other = metrics["baselines"].get(name, {}).get("sets", {}).get(stem, {}).get(measure)
        cells[name] = shown(measure, other["value"]) if other else ""
    return cells | {"n": f"{found['n']:,}"}


def _table(*columns: str) -> Table:
    shape = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in columns:
        is_words = column in ("set", "measure")
        shape.add_column(column, justify="left" if is_words else "right", no_wrap=not is_words)
    return shape


def pipes(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
