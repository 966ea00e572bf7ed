"""Compare a written model with the run, on random inputs, where ONNX Runtime is installed."""

from __future__ import annotations

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.randomness import generator
from dnnbridge.errors import ConversionError
from dnnbridge.formats.onnx.package import runtime
from dnnbridge.formats.trained import Trained

EXAMPLES = 2

TOLERANCE = 1e-3
"""Largest difference, in units of the largest output. Rounding alone gives less than 1e-5."""


def check_predictions(content: bytes, run: Trained) -> None:
    """Raise unless ONNX Runtime predicts what the run predicts; without it, do nothing."""
    package = runtime()
    if package is None or run.predict is None:
        return
    session = package.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = _random_inputs(run)
    expected = run.predict(feeds)
    made = dict(zip(expected, session.run(list(expected), feeds), strict=True))
    for name, array in expected.items():
        error = _difference(made[name], array)
        if not error <= TOLERANCE:
            raise ConversionError(
                "ONNX Runtime predicts other numbers than this run",
                where=name,
                got=f"a difference of {error:.1e} of the largest number",
                hint="Please report this, with the model.",
            )


def _random_inputs(run: Trained) -> dict[str, Array]:
    """Return random inputs by name; whole numbers are rows of the tables that they index."""
    made: dict[str, Array] = {}
    rows = run.experiment.program().rows
    for name, type in run.experiment.model.input_types.items():
        shape, rng = type.concrete(EXAMPLES), generator(0, "onnx", name)
        if type.dtype == "float32":
            made[name] = rng.normal(size=shape).astype(np.float32)
        else:
            count = rows.get(f"input:{name}", 2) if type.dtype == "int32" else 2
            made[name] = rng.integers(0, count, shape).astype(type.dtype)
    return made


def _difference(made: Array, expected: Array) -> float:
    """Return the largest difference, in units of the largest number; where both are NaN it is 0."""
    if made.shape != expected.shape or not np.array_equal(np.isfinite(made), np.isfinite(expected)):
        return float("inf")
    finite = np.isfinite(expected)
    unit = np.abs(expected[finite]).max(initial=1e-30)
    return float(np.abs(made[finite] - expected[finite]).max(initial=0.0) / unit)
