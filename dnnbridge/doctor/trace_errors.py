"""`errors_at`: how far the rows of two traces are apart at a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dnnbridge.doctor.trace_matching import Pair
from dnnbridge.formats.traces.reading import TraceFile
from dnnbridge.formats.traces.statistics import NONFINITE, NORM, distance, unlike

BOUND = 1e-30

Numbers = npt.NDArray[np.float64]


def errors_at(
    a: TraceFile, b: TraceFile, pairs: Sequence[Pair], step: int
) -> tuple[Numbers, Numbers]:
    """Return the relative differences of pairs, and how large the arrays of the first file are."""
    here, there = a.steps[step].rows, b.steps[step].rows
    errors, sizes = np.zeros(len(pairs)), np.zeros(len(pairs))
    for number, pair in enumerate(pairs):
        x, y = here[pair.a], there[pair.b]
        apart = _tensors(a, b, pair, step)
        if apart is None:
            apart = (distance if pair.ordered else unlike)(x, y)
        sizes[number] = max(x[NORM], 0.0)
        errors[number] = apart / (sizes[number] + BOUND) if apart else 0.0
        if x[NONFINITE] != y[NONFINITE] or not np.isfinite(errors[number]):
            errors[number] = np.inf
    return errors, sizes


def _tensors(a: TraceFile, b: TraceFile, pair: Pair, step: int) -> float | None:
    """Return the distance of two whole arrays, if both files have them."""
    stage, where = pair.place.stage, pair.place.where
    if (stage, where) not in a.steps[step].tensors or not pair.ordered:
        return None
    x = a.tensor(step, stage, where)
    y = b.tensor(step, stage, b.places[pair.b].where)
    if x is None or y is None or x.size != y.size:
        return None
    gap = x.reshape(-1).astype(np.float64) - y.reshape(-1).astype(np.float64)
    return float(np.linalg.norm(np.nan_to_num(gap, posinf=0.0, neginf=0.0)))
