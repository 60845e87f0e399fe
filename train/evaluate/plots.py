"""The measured numbers as pictures: PNG files beside metrics.json, in colours that the colour-blind tell apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from train.evaluate.on_sets import Classified, SetResult
from train.evaluate.report import BASELINES
from unimma.types import Modality

# Okabe and Ito 2008, Color Universal Design; every series has a marker or a line of its own, too.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#666666"
BASELINE_STYLES = {"conse": {"color": ORANGE, "marker": "^"}, "ridge": {"color": GREEN, "marker": "s"}}
MODALITY_STYLES = {
    Modality.TEXT: (GREY, "D"),
    Modality.IMAGE: (BLUE, "o"),
    Modality.AUDIO: (ORANGE, "^"),
    Modality.VIDEO: (PURPLE, "s"),
}
CURVES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (RED, ":"), (PURPLE, "-"), (GREY, "--"))
DPI = 110
CONFUSED_CLASSES = 12
MIN_ROWS_A_CLASS = 4  # of those that occur: with fewer, pairs of classes say nothing
POINTS = 300  # of each modality of a set, in the scatter plot
MAX_K = 30


def draw_all(metrics: Mapping[str, Any], details: Mapping[str, SetResult], folder: Path) -> list[Path]:
    """Write every picture that there are numbers for; returns their paths."""
    figures = {"zero-shot": zero_shot(metrics), "recall": recall(details), "space": space(details)}
    for stem, result in details.items():
        found = result.classified
        if found and len(found.truth) >= MIN_ROWS_A_CLASS * len(np.unique(found.truth)):
            figures[f"confusion-{stem}"] = confusion(found, f"{stem}, split {metrics['split']}")
    paths = []
    for name, figure in figures.items():
        if figure is not None:
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=DPI, metadata={"Software": None})
    return paths


def zero_shot(metrics: Mapping[str, Any]) -> Figure | None:
    """Top-1 and top-5 of every labelled set with intervals, beside both baselines."""
    stems = [stem for stem, measures in metrics["sets"].items() if "zeroshot_top1" in measures]
    if not stems:
        return None
    stems.sort(key=lambda stem: metrics["sets"][stem]["zeroshot_top1"]["value"])
    figure = Figure(figsize=(10, 2.4 + 0.36 * len(stems)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, measure, title in zip(axes, ("zeroshot_top1", "zeroshot_top5"), ("top-1", "top-5"), strict=True):
        _with_intervals(ax, [metrics["sets"][stem].get(measure) for stem in stems])
        for name, style in BASELINE_STYLES.items():
            other = metrics["baselines"].get(name, {}).get("sets", {})
            known = [(100 * other[s][measure]["value"], y) for y, s in enumerate(stems) if measure in other.get(s, {})]
            if known:
                ax.scatter(
                    *zip(*known, strict=True), s=34, label=BASELINES[name], facecolors="none", zorder=3, **_edged(style)
                )
        ax.set_title(f"Zero-shot {title}")
        ax.set_xlabel("right, % of rows")
        ax.set_xlim(0, 102)
        ax.grid(axis="x", alpha=0.3)
        ax.set_yticks(range(len(stems)), [f"{s}{' *' if s in _seen(metrics) else ''}" for s in stems])
        ax.margins(y=0.03)
    handles, labels = axes[0].get_legend_handles_labels()
    note = "\n* pictures of ImageNet, on which the picture encoder was trained" if _seen(metrics) & set(stems) else ""
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"{metrics['model']} on {metrics['split']}, with 95 % intervals{note}", fontsize=11)
    return figure


def recall(details: Mapping[str, SetResult]) -> Figure | None:
    """Recall@K between sentences and media, both ways, a curve a set."""
    ways = {
        "sentence → item": {s: (r, way) for s, r in details.items() for way in r.ranks if way.startswith("text_to_")},
        "item → sentence": {s: (r, way) for s, r in details.items() for way in r.ranks if way.endswith("_to_text")},
    }
    if not any(ways.values()):
        return None
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    for ax, (title, found) in zip(figure.subplots(1, 2, sharey=True), ways.items(), strict=True):
        for (stem, (result, way)), (colour, line) in zip(found.items(), _cycled(CURVES, len(found)), strict=True):
            ks = np.arange(1, min(MAX_K, result.gallery_size[way]) + 1)
            shares = 100 * (result.ranks[way][:, None] <= ks[None, :]).mean(axis=0)
            label = f"{stem} (of {result.gallery_size[way]})"
            ax.plot(ks, shares, line, color=colour, linewidth=1.8, label=label)
        ax.set_title(title)
        ax.set_xlabel("K")
        ax.set_xlim(1, MAX_K)
        ax.set_xticks([1, 5, 10, 15, 20, 25, 30])
        ax.set_ylim(0, 102)
        ax.grid(alpha=0.3)
        ax.legend(loc="lower right", fontsize=9, title="set (size of the gallery)", title_fontsize=9)
    figure.axes[0].set_ylabel("Recall@K, % of queries")
    return figure


def confusion(classified: Classified, title: str) -> Figure:
    """The classes that are taken for each other most, a row each: the share of its rows that went to each of them."""
    chosen = most_confused(classified, CONFUSED_CLASSES)
    counts = np.array([[np.sum((classified.truth == a) & (classified.predicted == b)) for b in chosen] for a in chosen])
    totals = np.array([np.sum(classified.truth == a) for a in chosen])
    shares = 100 * counts / np.maximum(totals, 1)[:, None]
    side = 2.6 + 0.5 * len(chosen)
    figure = Figure(figsize=(side + 1.2, side), layout="constrained")
    ax = figure.subplots()
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    names = [classified.labels[i] for i in chosen]
    ax.set_xticks(range(len(chosen)), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(chosen)), [f"{name} ({n})" for name, n in zip(names, totals, strict=True)])
    for (i, j), share in np.ndenumerate(shares):
        if share >= 0.5:
            ax.text(
                j, i, f"{share:.0f}", ha="center", va="center", fontsize=8, color="white" if share > 55 else "black"
            )
    ax.set_xlabel("taken for")
    ax.set_ylabel("is (number of rows)")
    whole = len(chosen) == len(classified.labels)
    what = "all classes" if whole else f"the {len(chosen)} most confused of {len(classified.labels)} classes"
    ax.set_title(f"{title}\n{what}", fontsize=11)
    figure.colorbar(image, ax=ax, label="% of the class's rows", shrink=0.8)
    return figure


def most_confused(classified: Classified, count: int) -> list[int]:
    """Numbers of the classes with the most mistakes between them: pairs are taken from the worst on, then sorted."""
    wrong = classified.truth != classified.predicted
    pairs, mistakes = np.unique(
        np.sort(np.stack([classified.truth[wrong], classified.predicted[wrong]], axis=1), axis=1),
        axis=0,
        return_counts=True,
    )
    chosen: dict[int, None] = {}
    for pair in pairs[np.argsort(-mistakes, kind="stable")].tolist():
        if len(set(chosen) | set(pair)) <= count:
            chosen.update(dict.fromkeys(pair))
    for number in range(len(classified.labels)):  # a set that makes few mistakes is shown with others of its classes
        if len(chosen) < count:
            chosen.setdefault(number)
    return sorted(chosen)


def space(details: Mapping[str, SetResult]) -> Figure | None:
    """The first two principal components of embeddings, by modality: how far apart the modalities lie."""
    rng = np.random.default_rng(0)
    points: dict[Modality, list[npt.NDArray[np.float32]]] = {}
    for result in details.values():
        for modality, z in ((result.media.rows[0].modality, result.media.z), (Modality.TEXT, result.texts)):
            points.setdefault(modality, []).append(z[rng.permutation(len(z))[:POINTS]])
    if len(points) < 2:
        return None
    joined = {modality: np.concatenate(parts) for modality, parts in points.items()}
    everything = np.concatenate(list(joined.values()))
    centre = everything.mean(axis=0)
    _, lengths, axes = np.linalg.svd(everything - centre, full_matrices=False)
    shares = 100 * lengths**2 / np.sum(lengths**2)
    figure = Figure(figsize=(7.5, 6.2), layout="constrained")
    ax = figure.subplots()
    for modality in (m for m in MODALITY_STYLES if m in joined):
        colour, marker = MODALITY_STYLES[modality]
        x, y = ((joined[modality] - centre) @ axes[:2].T).T
        ax.scatter(
            x, y, s=12, color=colour, marker=marker, alpha=0.35, linewidths=0.8, label=f"{modality} ({len(x):,})"
        )
        ax.scatter(x.mean(), y.mean(), s=190, color=colour, marker=marker, edgecolors="black", zorder=3)
    ax.set_xlabel(f"first principal component ({shares[0]:.0f} % of the variance)")
    ax.set_ylabel(f"second ({shares[1]:.0f} %)")
    ax.set_title("Embeddings by modality; the large marks are the means", fontsize=11)
    ax.grid(alpha=0.3)
    ax.legend()
    return figure


def _with_intervals(ax: Axes, found: Sequence[Mapping[str, float] | None]) -> None:
    known = [(y, m) for y, m in enumerate(found) if m]
    values = np.array([100 * m["value"] for _, m in known])
    errors = np.array([(100 * (m["value"] - m["low"]), 100 * (m["high"] - m["value"])) for _, m in known]).T
    rows = [y for y, _ in known]
    ax.errorbar(values, rows, xerr=errors, fmt="o", color=BLUE, markersize=6, capsize=3, label="this model")


def _edged(style: Mapping[str, str]) -> dict[str, Any]:
    return {"edgecolors": style["color"], "marker": style["marker"], "linewidths": 1.6}


def _seen(metrics: Mapping[str, Any]) -> set[str]:
    return {entry["set"] for entry in metrics["headline"] if entry["seen"]}


def _cycled(styles: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    return [styles[i % len(styles)] for i in range(count)]
