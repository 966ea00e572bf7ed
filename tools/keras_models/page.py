"""The page of all measurements."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from dnnbridge.base.machine import machine
from dnnbridge.formats.keras.layers import RULES
from dnnbridge.testing.tolerances import EPSILON, ROUNDINGS
from keras_models import folders, parts, resources
from keras_models.families import FAMILIES

OF_TEXTS = {"StringLookup"}
"""Layers of texts, which plain MindSpore cannot have; tests compare them with Keras."""

SMALLEST = 1e-5
"""Relative difference that needs no reason."""

TEXT = (Path(__file__).with_name("page.md")).read_text("utf-8")

FAMILY_COLUMNS = {
    "layers": ("reference", "layers"),
    "weights": ("keras", "weights"),
    "Keras to float64": ("reference", "keras to float64"),
    "roundings": ("reference", "rounded"),
    "TensorFlow": ("tensorflow", "to keras"),
    "MindSpore": ("mindspore", "to keras"),
    "50 steps: TensorFlow": ("train-tensorflow", "losses"),
    "MindSpore ": ("train-mindspore", "losses"),
    "reading": ("reference", "seconds"),
    "back": ("reference", "back"),
}

SMALL_COLUMNS = {
    "layers": ("reference", "layers"),
    "roundings": ("reference", "rounded"),
    "TensorFlow": ("tensorflow", "to keras"),
    "MindSpore": ("mindspore", "to keras"),
    "file": ("plain", "to keras"),
    "50 steps: TensorFlow": ("train-tensorflow", "losses"),
    "MindSpore ": ("train-mindspore", "losses"),
    "file ": ("command", "losses"),
    "back": ("reference", "back"),
}


class Measured:
    """What was measured of a model: a dictionary by part."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.parts = {part: folders.read_json(folder / f"{part}.json") for part in parts.PARTS}

    def cell(self, part: str, key: str) -> str:
        found = self.parts[part]
        value = found.get(key)
        if value is None:
            return "error" if "error" in found else "refused" if "refused" in found else "–"
        if isinstance(value, bool):
            return "same bytes" if value else "**differs**"
        if isinstance(value, int):
            return f"{value:,}"
        if key == "seconds":
            return f"{value:.1f} s"
        limit = self.limit(part)
        return f"{value:.1e}" if value <= limit else f"**{value:.1e}**"

    def limit(self, part: str) -> float:
        """Return the largest difference that rounding explains."""
        moved = self._moved(part)
        return max(SMALLEST, ROUNDINGS * moved + EPSILON)

    def remarks(self, columns: Sequence[tuple[str, str]]) -> list[str]:
        """Return a line for each result that is no plain number below the limit."""
        lines = []
        for part, key in columns:
            found, where = self.parts[part], f"`{self.name}`, {part}: "
            text = found.get("error") or found.get("refused") or found.get("why")
            if key not in found and text:
                lines.append(f"- {where}{' '.join(text.split())[:400]}")
            elif isinstance(value := found.get(key), float) and key != "seconds":
                lines += [f"- {where}{self._reason(part, value)}"] if value > SMALLEST else []
        return lines

    def _reason(self, part: str, value: float) -> str:
        if value > self.limit(part):
            return f"{value:.1e}, which rounding does not explain."
        moved = self._moved(part)
        if part == "command":
            return f"{value:.1e}. Weights that start one spacing of float32 off make {moved:.1e}."
        if self._of_steps(part):
            return (
                f"{value:.1e}. Keras' own `fit` differs by {moved:.1e} when it starts from weights "
                "that are off by one spacing of float32."
            )
        return f"{value:.1e}. One random rounding in each operation moves it by {moved:.1e}."

    def _moved(self, part: str) -> float:
        """Return the effect of rounding on what a part measures."""
        if part == "command":
            return self.parts["command"].get("nudged losses") or 0.0
        if self._of_steps(part):
            return self.parts["fit"].get("nudged losses") or 0.0
        return self.parts["reference"].get("rounded") or 0.0

    def _of_steps(self, part: str) -> bool:
        return part.startswith("train-")


def page(out: Path) -> str:
    """Return the page of all results in a folder."""
    found = [Measured(each) for each in sorted(out.iterdir()) if (each / "reference.json").exists()]
    found = [each for each in found if each.name != parts.RESNET]
    families = [each for each in found if each.name in FAMILIES]
    small = [each for each in found if each.name not in FAMILIES]
    used = {kind for each in found for kind in each.parts["keras"].get("kinds", ())}
    times = [path.stat().st_mtime for path in out.glob("*/*.json")]
    versions = (f"{name} {version(name)}" for name in ("tensorflow", "keras", "mindspore", "numpy"))
    return TEXT.format(
        processor=machine(),
        date=time.strftime("%Y-%m-%d", time.gmtime(max(times))),
        versions=", ".join(versions),
        families=_table(families, FAMILY_COLUMNS),
        small=_table(small, SMALL_COLUMNS),
        unused=", ".join(unused(used)) or "none",
        resnet=_resnet(folders.read_json(out / parts.RESNET / "resources.json")),
    )


def unused(used: set[str]) -> list[str]:
    """Return the layers that can be read and are not among these."""
    if "GroupQueryAttention" in used:  # Keras 3.15 writes the shorter name
        used = used | {"GroupedQueryAttention"}
    return sorted(RULES.keys() - used - OF_TEXTS)


def _table(found: Sequence[Measured], columns: dict[str, tuple[str, str]]) -> str:
    if not found:
        return "Not measured yet."
    lines = [f"| model | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for each in found:
        cells = (each.cell(*key) for key in columns.values())
        lines.append(f"| `{each.name}` | {' | '.join(cells)} |")
    remarks = [line for each in found for line in each.remarks(list(columns.values()))]
    return "\n".join([*lines, "", *remarks])


def _resnet(found: dict[str, Any]) -> str:
    if not found:
        return "Not measured yet."
    lines = ["| | seconds | of the processor | memory |", "|---|---|---|---|"]
    size = 4 * found["weights"]
    for kind, rows in found["runs"].items():
        wall, cpu, grown = (median(row[key] for row in rows) for key in ("wall", "cpu", "bytes"))
        what = resources.KINDS[kind]
        lines.append(f"| {what} | {wall:.1f} | {cpu:.1f} | {grown / size:.2f} times |")
    return "\n".join(lines)
