"""Tables and a plot of the measurements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from speed.workloads import WORKLOADS, Workload

OURS = "dnnbridge"


def table(work: Workload, framework: str, found: dict[str, Any]) -> str:
    """Return a Markdown table; a ratio above 1 means that dnnbridge is that many times as fast."""
    mine = found.get(OURS)
    lines = [f"\n{work.title}, batch {work.batch}, on {framework}\n"]
    lines.append("| | ms per step | range | their time / ours | first step, s | peak, MiB |")
    lines.append("|---|---|---|---|---|---|")
    for name, each in found.items():
        ratio = f"{each['ms'] / mine['ms']:.2f}" if mine else ""
        low, high = min(each["all_ms"]), max(each["all_ms"])
        first = f"{each['first_step']:.2f}" if "first_step" in each else ""
        peak = f"{each['peak']:.0f}" if "peak" in each else ""
        cells = [name, f"{each['ms']:.3g}", f"{low:.3g} to {high:.3g}", ratio, first, peak]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


KINDS = {
    "fit": lambda name: name in ("keras fit", "Model.train"),
    "best settings": lambda name: name.startswith("keras fit, best"),
    "by hand": lambda name: "loop" in name,
}
"""Kinds of contestants; the fastest of each kind counts."""

DENSE = {"tensorflow": (4.0, 2.5, 0.9), "mindspore": (3.5, None, 0.9)}
OTHER = (1.15, None, 0.95)
"""The smallest target ratio, by kind of contestant."""


def summary(workloads: dict[str, Any], framework: str) -> str:
    """Return a Markdown table of ratios, with the target ratios in brackets."""
    rows = {n: each[framework] for n, each in workloads.items() if OURS in each.get(framework, {})}
    if not rows:
        return ""
    heads = ["", "ours, ms", *KINDS, "first step", "peak memory"]
    lines = [f"\nOn {framework}\n", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, found in rows.items():
        work, mine = WORKLOADS[name], found[OURS]
        cells = [f"{work.title}, batch {work.batch}", f"{mine['ms']:.3g}"]
        best = {kind: _fastest(found, belongs) for kind, belongs in KINDS.items()}
        aims = DENSE[framework] if work.dense else OTHER
        for rival, aim in zip(best.values(), aims, strict=True):
            ratio = f"{rival['ms'] / mine['ms']:.2f}" if rival else ""
            cells.append(ratio + (f" ({aim})" if rival and aim else ""))
        hand = best["by hand"]
        for key in ("first_step", "peak"):
            known = hand and key in hand and key in mine
            cells.append(f"{mine[key] / hand[key]:.2f}" if known else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _fastest(found: dict[str, Any], belongs: Callable[[str], bool]) -> dict[str, Any]:
    rivals = [each for name, each in found.items() if belongs(name)]
    return min(rivals, key=lambda each: each["ms"], default={})


def plot(workloads: dict[str, Any], path: Path) -> None:
    """Plot how many times as fast as each contestant dnnbridge is."""
    import matplotlib
    from matplotlib.figure import Figure

    pairs = [
        (framework, name)
        for framework in ("tensorflow", "mindspore")
        for name in workloads
        if OURS in workloads[name].get(framework, {})
    ]
    figure = Figure(figsize=(9, 1.2 + 0.62 * len(pairs)), layout="constrained")
    axes = figure.subplots()
    for row, (framework, name) in enumerate(pairs):
        found = workloads[name][framework]
        rivals = [rival for rival in found if rival != OURS]
        height = 0.8 / max(len(rivals), 1)
        for k, rival in enumerate(rivals):
            ratio = found[rival]["ms"] / found[OURS]["ms"]
            color = "C0" if "loop" in rival else "C1"
            at = row - 0.4 + (k + 0.5) * height
            axes.barh(at, ratio, height * 0.9, color=color)
            axes.text(max(ratio, 1.0) * 1.02, at, f"{rival}  {ratio:.2g}", va="center", fontsize=6)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(pairs)), [f"{WORKLOADS[n].name}\n{f}" for f, n in pairs], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("their time per step / dnnbridge's; orange: their fit, blue: by hand")
    axes.margins(x=0.25)
    with matplotlib.rc_context({"svg.fonttype": "none"}):  # text, not outlines
        figure.savefig(path)
