"""`Check`: a comparison that `dnnbridge convert` makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array


@dataclass(frozen=True)
class Check:
    """A comparison.

    Attributes:
        what: what was compared.
        difference: the largest relative difference; None if it was not compared.
        allowed: the largest difference that passes.
        why: why it was not compared, or what the number means.
    """

    what: str
    difference: float | None = None
    allowed: float = 0.0
    why: str = ""

    @property
    def failed(self) -> bool:
        return self.difference is not None and not self.difference <= self.allowed

    @property
    def note(self) -> str:
        """The reason in brackets, if there is one."""
        return f" ({self.why})" if self.why else ""

    def __str__(self) -> str:
        if self.difference is None:
            return f"{self.what}: not compared: {self.why}"
        if not math.isfinite(self.difference):
            return f"{self.what}: FAILED: {self.why or 'a number is not finite'}"
        verdict = "FAILED" if self.failed else "passed"
        return (
            f"{self.what}: {verdict}, relative difference {self.difference:.1e}, "
            f"allowed {self.allowed:.0e}{self.note}"
        )

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON types; a difference that is not finite is null."""
        finite = self.difference is not None and math.isfinite(self.difference)
        difference = self.difference if finite else None
        return {**vars(self), "difference": difference, "failed": self.failed}


def broken(what: str, error: Exception) -> Check:
    """Return a check that failed because the file cannot be run."""
    return Check(what, math.inf, 0.0, f"the file raises {short(error)}")


def short(error: Exception) -> str:
    """Return an error as one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any("most recent call last" in line for line in lines):  # TensorFlow's reason comes last
        lines = [line for line in lines if not line.startswith(("[[", "File "))][-1:]
    text = f"{type(error).__name__}: {' '.join(lines)}"
    return text if len(text) <= 200 else f"{text[:199]}…"


def of_predictions(
    what: str, found: Sequence[Array], wanted: Sequence[Array], allowed: float
) -> Check:
    """Compare outputs, relative to the largest number of each."""
    shapes = [np.shape(a) for a in found], [np.shape(a) for a in wanted]
    if shapes[0] != shapes[1]:
        return Check(what, math.inf, allowed, f"shapes {shapes[0]}, expected {shapes[1]}")
    pairs = zip(found, wanted, strict=True)
    each = [float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)) for a, b in pairs]
    return Check(what, float(np.max(each)), allowed)


def of_losses(
    what: str, found: Sequence[float], wanted: Sequence[float], allowed: float, why: str = ""
) -> Check:
    """Compare losses step by step, relative to each; a loss near 0 to the largest."""
    a, b = np.array(found, np.float64), np.array(wanted, np.float64)
    if a.shape != b.shape:
        return Check(what, math.inf, allowed, f"{a.size} steps, expected {b.size}")
    scale = np.maximum(np.abs(b), 1e-3 * np.abs(b).max())
    return Check(what, float(np.max(np.abs(a - b) / np.maximum(scale, 1e-30))), allowed, why)
