"""Trainings in several legs, and trainings whose data have other dtypes, layouts or containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.testing.cases.journey_cases import JourneyCase
from dnnbridge.testing.cases.resynchronised_cases import RESYNCHRONISED_CASES
from dnnbridge.testing.measurement import Measurement, holds, near, same
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import TRAJECTORY
from dnnbridge.testing.trainings import histories
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.run import Run


class _SetRates(Callback):
    """Set learning rates after given numbers of steps; record the number of compilations."""

    def __init__(self, rates: Mapping[int, float | AbstractSchedule]) -> None:
        self.rates = rates
        self.compilations: list[int] = []

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self.compilations.append(run.compilations)
        if run.position.step in self.rates:
            run.set_learning_rate(self.rates[run.position.step])


def measure_journey(case: JourneyCase, subject: Subject) -> list[Measurement]:
    """Compare every leg with the reference. A new learning rate must not cause a compilation."""
    runs = [each.run(case.legs[0].training.experiment) for each in (subject, subject.reference)]
    made: list[Measurement] = []
    for number, leg in enumerate(case.legs):
        training = leg.training
        if number:
            runs = [run.with_experiment(training.experiment) for run in runs]
        given = training.x, training.y, training.batch_size, training.epochs
        hands = [_SetRates(leg.rates) for _ in runs]
        actual, expected = (
            run.fit(*given, callbacks=[hand], steps_per_call=1, on_nonfinite="warn", verbose=0)
            for run, hand in zip(runs, hands, strict=True)
        )
        # Skip the first count: after a leg that trained a head, MindSpore compiles at step 2 again.
        compiled = hands[0].compilations[1:]
        state, found = runs[0].state(), [holds(len(set(compiled)) == 1, "compiled once")]
        found += histories(actual, expected)
        found += [near(state[n], a, TRAJECTORY, n) for n, a in runs[1].state().items()]
        made += [replace(each, what=f"{training.id}: {each.what}") for each in found]
    return made


def _read_only(array: Array) -> Array:
    made = array.copy()
    made.flags.writeable = False
    return made


FORMS: dict[str, Callable[[Any], Any]] = {
    "larger numbers": lambda a: a.astype(np.float64 if a.dtype.kind == "f" else np.int64),
    "smaller numbers": lambda a: a.astype(np.float16 if a.dtype.kind == "f" else np.int8),
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder("S")),
    "Fortran order": np.asfortranarray,
    "every second of more": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every second column": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "read-only": _read_only,
    "backwards in memory": lambda a: a[::-1].copy()[::-1],
    "lists": lambda a: a.tolist(),
    "tuples": lambda a: tuple(map(tuple, a)) if a.ndim == 2 else tuple(a),
}
"""Conversions of a float32 or int32 array by name. All numbers must be exact in float16 or int8."""

CONTAINERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dictionary": dict,
    "dictionary in another order": lambda given: dict(reversed(given.items())),
    "list": lambda given: list(given.values()),
    "tuple": lambda given: tuple(given.values()),
}


def forms_of_data(subject: Subject) -> list[Measurement]:
    """The dtype, memory order and container of the data do not change any bit of the results.

    The model has an integer and a float input.
    """
    case = next(case for case in RESYNCHRONISED_CASES if case.id == "mixed-inputs")
    assert isinstance(case.x, dict)
    plain = {
        "words": case.x["words"].astype(np.int32),
        "numbers": (np.round(64.0 * case.x["numbers"]) / 64.0).astype(np.float32),
    }
    labels = np.asarray(case.y, np.int32)
    run = subject.run(case.experiment)
    start = run.state(), run.position

    def trained(x: Any, y: Any) -> dict[str, Any]:
        run.set_state(*start)
        run.fit(x, y, case.batch_size, 1, verbose=0)
        return {**run.state(), "predicted": run.predict(x)}

    expected = trained(plain, labels)
    given = {n: ({k: f(a) for k, a in plain.items()}, f(labels)) for n, f in FORMS.items()}
    given |= {name: (contain(plain), labels) for name, contain in CONTAINERS.items()}
    made = []
    for name, (x, y) in given.items():
        state = trained(x, y)
        made += [same(state[n], array, f"{n}, {name}") for n, array in expected.items()]
    return made
