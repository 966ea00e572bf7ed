"""Train any experiment on a backend and on the reference, and compare every step.

The experiment determines the data, so its JSON is enough to reproduce a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.graph import TensorType
from dnnbridge.losses import Target
from dnnbridge.models.vocabularies import vocabulary_of
from dnnbridge.ops.rounding import DIGITS
from dnnbridge.program.precision import AbstractPrecision
from dnnbridge.program.program import Program
from dnnbridge.testing.measurement import Measurement, holds, relative_distance
from dnnbridge.testing.rounding import RoundedBackend
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import (
    DOUBLE_EPSILON,
    DOUBLE_SAMPLED,
    EPSILON,
    LOWER_ROUNDINGS,
    ROUNDINGS,
    programs,
)
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.run import Run

EXAMPLES, BATCH = 11, 4
"""Three steps; the last batch lacks one example."""

SAMPLES = 6
"""Number of trainings with random roundings; the largest error of them counts."""

SIZE = 5
"""Bound of integer inputs that are not an index into a table of known size."""

LEAST = 1e-19
"""The smallest norm whose square float32 can represent. An optimizer that divides by the norm of a
weight sees a smaller norm as 0. The bias of an attention's keys, for example, has only rounding
errors as gradient."""

Arrays = Mapping[str, Array]


class _OneStep(Callback):
    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        run.stop()


def measure_program(experiment: Experiment, subject: Subject) -> list[Measurement]:
    """Compare each step, and then evaluation and predictions, from the same weights.

    Before every step all runs get the weights and slots of the reference, rounded to their
    type, so that rounding errors do not grow. The tolerance is the effect of rounding on this step.
    """
    x, y = data_for(experiment)
    actual, expected = subject.run(experiment), subject.reference.run(experiment)
    allowed = _Allowed.of(experiment.precision)
    backends = [RoundedBackend(k, spacing=allowed.spacing) for k in range(SAMPLES)]
    rounded = [Subject(backend).run(experiment) for backend in backends]
    made: list[Measurement] = []
    with np.errstate(all="ignore"):
        for step in range(-(-EXAMPLES // BATCH)):
            _synchronise([actual, expected, *rounded], expected)
            results = [_step(run, x, y) for run in (actual, expected, *rounded)]
            made += _compare(f"step {step}", results, allowed)
        _synchronise([actual, expected, *rounded], expected)
        results = [_evaluated(run, x, y) for run in (actual, expected, *rounded)]
    return [*made, *_compare("after", results, allowed)]


class _Allowed(NamedTuple):
    """How precisely a program computes: see `tolerances.programs`."""

    roundings: float
    spacing: float

    @classmethod
    def of(cls, precision: AbstractPrecision) -> _Allowed:
        lower = precision.compute_dtype in DIGITS
        double = precision.variable_dtype == "float64"
        if double:
            return cls(ROUNDINGS * DOUBLE_EPSILON / DOUBLE_SAMPLED, DOUBLE_SAMPLED)
        return cls(LOWER_ROUNDINGS if lower else ROUNDINGS, EPSILON)


def data_for(experiment: Experiment) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return inputs and labels that fit the spec. The same spec always gives the same data."""
    program = experiment.program()
    types = experiment.model.input_types
    known = vocabulary_of(experiment.model)
    x = {name: _input(name, type, program, known) for name, type in types.items()}
    y = {key: _labels(key, each.target) for key, each in program.objectives.items()}
    return x, y


def _input(name: str, type: TensorType, program: Program, known: Sequence[str]) -> Array:
    rng = randomness.generator(0, "program input", name)
    if type.text:
        shape = type.with_shape(type.data_shape).concrete(EXAMPLES)
        return np.asarray(rng.choice([*known, "", "Ünknown"], shape))
    if type.dtype == "int32":
        return rng.integers(0, program.rows.get(f"input:{name}", SIZE), type.concrete(EXAMPLES))
    return rng.normal(size=type.concrete(EXAMPLES)).astype(np.float32)


def _labels(key: str, target: Target) -> Array:
    rng, shape = randomness.generator(0, "program labels", key), target.type.concrete(EXAMPLES)
    if target.classes is not None:
        return rng.integers(0, target.classes, shape)
    if target.distribution:
        rows = np.exp(rng.normal(size=shape))
        return np.asarray(rows / rows.sum(-1, keepdims=True))
    if target.values is not None:
        return np.asarray(rng.choice(target.values, shape))
    if target.high is not None:
        return rng.uniform(target.low or 0.0, target.high, shape)
    drawn = rng.normal(size=shape)
    return drawn if target.low is None else np.asarray(target.low + np.abs(drawn))


def _synchronise(runs: Iterable[Run], expected: Run) -> None:
    """Give all runs the state of the reference; arrays with a norm up to `LEAST` become 0."""
    real = np.dtype(expected.experiment.precision.variable_dtype).type
    state = {
        name: real(array if np.linalg.norm(array) > LEAST else 0.0 * array)
        for name, array in expected.state().items()
    }
    progress = expected.position
    for run in runs:
        run.set_state(state, progress)


def _step(run: Run, x: Arrays, y: Arrays) -> dict[str, Array]:
    given = x, y if len(y) > 1 else next(iter(y.values()))
    history = run.fit(*given, BATCH, steps_per_call=1, callbacks=[_OneStep()], verbose=0)
    return {"loss": np.array(history.step_losses)} | run.state()


def _evaluated(run: Run, x: Arrays, y: Arrays) -> dict[str, Array]:
    given = x, y if len(y) > 1 else next(iter(y.values()))
    predicted = run.predict(x, BATCH)
    outputs = predicted if isinstance(predicted, dict) else {"prediction": predicted}
    return {"evaluated": np.array(run.evaluate(*given, BATCH)["loss"])} | outputs


def _compare(where: str, results: Sequence[Arrays], allowed: _Allowed) -> list[Measurement]:
    """Compare the first results with the second. All others, randomly rounded, set tolerances."""
    actual, expected, *rounded = results
    made = [holds(actual.keys() == expected.keys(), f"{where}, names", ", ".join(actual))]
    for name, exact in expected.items():
        off = [relative_distance(each[name], exact) for each in rounded]
        if np.shape(actual[name]) != np.shape(exact):
            made.append(holds(False, f"{where}, shape of {name}", f"{np.shape(actual[name])}"))
            continue
        made.append(_measured(f"{where}, {name}", actual[name], exact, programs(off, *allowed)))
    return made


def _measured(what: str, actual: Array, expected: Array, tolerance: float) -> Measurement:
    """Measure the relative L2 distance; a non-finite distance is a failure."""
    distance = relative_distance(actual, expected)
    detail = f"{np.ravel(actual)[:3]}, expected {np.ravel(expected)[:3]}"
    return Measurement(what, distance if np.isfinite(distance) else np.inf, tolerance, detail)
