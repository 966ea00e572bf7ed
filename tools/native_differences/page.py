"""Write the page: a list of contents, then each row with its code and its results."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from native_differences import AREAS
from native_differences.measure import Result
from native_differences.prelude import PRELUDES
from native_differences.row import KINDS, Row

Results = Mapping[str, Result]
NATIVE = ("mindspore", "keras")
TITLES = {
    "mindspore": "MindSpore",
    "keras": "Keras",
    "expected": "right, in float64",
    "like_mindspore": "here, as MindSpore",
    "like_keras": "here, as Keras",
}
CLOSE = {"like_mindspore": "mindspore", "like_keras": "keras"}


def same(a: Result | None, b: Result | None, tolerance: float) -> bool:
    """Return whether two results are equal, relative to each element, or absolute if all are 0."""
    if a is None or b is None or "error" in a or "error" in b:
        return False
    x, y = a["value"], b["value"]
    if isinstance(x, str) or isinstance(y, str):
        return x == y
    if len(x) != len(y) and 1 not in (len(x), len(y)):
        return False
    one, other = np.broadcast_arrays(np.asarray(x), np.asarray(y))
    if not np.array_equal(np.isnan(one), np.isnan(other)):
        return False
    with np.errstate(invalid="ignore"):
        error = np.abs(np.where(one == other, 0.0, one - other))
    scale = np.abs(other) if np.any(other) else np.ones_like(other)
    return bool(np.all(np.isnan(other) | (error <= tolerance * np.maximum(scale, 1e-30))))


def status(row: Row, results: Results) -> str:
    """Return "still so", "fixed" or "cannot run here"."""
    ran = [side for side in NATIVE if side in results]
    if any(getattr(row, side) for side in NATIVE) and not ran:
        return "cannot run here"
    if row.expected:
        right = [same(results[side], results.get("expected"), row.tolerance) for side in ran]
        return "fixed" if all(right) else "still so"
    if len(ran) < 2:
        return "cannot run here"
    equal = same(results["mindspore"], results["keras"], row.tolerance)
    return "fixed" if equal else "still so"


def text(result: Result | None) -> str:
    """Return a result in at most nine numbers."""
    if result is None:
        return "not installed"
    if "error" in result:
        return f"`{result['error']}`".replace("|", "\\|")
    if isinstance(result["value"], str):
        return result["value"]
    shown = [f"{x:.6g}" for x in result["value"][:9]]
    return ", ".join(shown) + (" …" if len(result["value"]) > 9 else "")


def section(row: Row, results: Results) -> list[str]:
    """Return the lines of one row."""
    lines = [f'<a id="{row.id}"></a>', f"### {row.title}", ""]
    lines += [f"*{row.kind}, {status(row, results)}.* {row.says}", ""]
    for name, title in TITLES.items():
        code = getattr(row, name).strip("\n")
        if code:
            note = ""
            if name in CLOSE and CLOSE[name] in results:
                alike = same(results[CLOSE[name]], results[name], max(row.tolerance, 1e-4))
                note = " (the same)" if alike else " (**not the same**)"
            lines += [
                f"{title}: **{text(results.get(name))}**{note}",
                "",
                "```python",
                code,
                "```",
                "",
            ]
    return [*lines, row.here, ""] if row.here else lines


def contents(results: Mapping[str, Results]) -> list[str]:
    """Return the table of all rows."""
    lines = ["| | kind | MindSpore | Keras | right | |", "|---|---|---|---|---|---|"]
    for area, rows in AREAS.items():
        lines.append(f"| **{area}** | | | | | |")
        for row in rows:
            found = results[row.id]
            cells = [
                text(found.get(name)) if getattr(row, name) else ""
                for name in (*NATIVE, "expected")
            ]
            head = f"[{row.title}](#{row.id})"
            lines.append(f"| {head} | {row.kind} | {' | '.join(cells)} | {status(row, found)} |")
    return lines


def versions() -> str:
    """Return the versions of the installed frameworks."""
    found = []
    for name in ("mindspore", "tensorflow", "keras", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def page(results: Mapping[str, Results]) -> str:
    """Return the whole page."""
    rows = [row for rows in AREAS.values() for row in rows]
    found = [status(row, results[row.id]) for row in rows]
    lines = ["# Where MindSpore and Keras differ, from each other or from their documentation", ""]
    lines += [*INTRODUCTION, "", f"Measured by `make native-differences` on a CPU: {versions()}."]
    counts = {word: found.count(word) for word in ("still so", "fixed", "cannot run here")}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines += [f"{len(rows)} rows: {told}.", ""]
    lines += [f"- *{kind}*: {says}" for kind, says in KINDS.items()] + [""]
    lines += contents(results)
    for area, listed in AREAS.items():
        lines += ["", f"## {area}", ""]
        for row in listed:
            lines += section(row, results[row.id])
    lines += ["## Code that runs before each row", ""]
    for side, prelude in PRELUDES.items():
        lines += [f"`{side}`:", "", "```python", prelude.strip("\n"), "```", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


INTRODUCTION = (
    "Read this before you move a training from one framework to the other. Each row is code that ran",
    "when this page was written; its value is the last expression. *Right* is the result in float64, from",
    "the reference of dnnbridge or plain NumPy. *Here* is the dnnbridge code that gives the same numbers",
    "on every backend.",
)
