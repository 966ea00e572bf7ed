"""`Check`: one test that the suite runs on a backend; `all_checks` returns all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dnnbridge.backend.device import device_kind
from dnnbridge.backend.protocol import Deviation, Limitation
from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.program.precision import Float64
from dnnbridge.specs.spec import Spec, family_of, kind_of
from dnnbridge.testing.behaviours import BEHAVIOURS
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.hostile_cases import HOSTILE_CASE
from dnnbridge.testing.cases.initializer_cases import INITIALIZER_CASES, INITIALIZERS
from dnnbridge.testing.cases.journey_cases import JOURNEY_CASES
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES, OptimizerCase
from dnnbridge.testing.cases.precision_cases import PRECISION_CASES, ROUNDING_CASES
from dnnbridge.testing.cases.resynchronised_cases import RESYNCHRONISED_CASES
from dnnbridge.testing.cases.schedule_cases import BLOCK, SCHEDULE_CASES, STEPS, ScheduleCase
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.harness import build_case, rates_read, trajectory
from dnnbridge.testing.journeys import forms_of_data, measure_journey
from dnnbridge.testing.measurement import Measurement, close, holds, near, same
from dnnbridge.testing.precisions import measure_in_float64, measure_precision, measure_roundings
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.redrawing import other_gradients, other_inputs
from dnnbridge.testing.resynchronised import measure_resynchronised
from dnnbridge.testing.rounding import units
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import OTHER_NUMBERS, elementwise
from dnnbridge.testing.trainings import measure_resuming, measure_training

NOT_DOUBLED = {"MaxPool-nan", "stateful"}
"""Not measured in float64: a deviation, declared for float32, and a batch size of its own."""

Measure = Callable[[Subject], list[Measurement]]


@dataclass(frozen=True, eq=False)
class Check:
    """One test of a backend.

    Attributes:
        area: "operation", a family of specs such as "layer", "training" or "behaviour".
        entry: what it tests: the name of an operation, a kind of spec, a scenario.
        id: name of the check, unique in its area.
        measure: runs the backend and returns its errors.
        together: key of checks that share work, such as one training, and so should run in one
            process; empty if it shares none.
    """

    area: str
    entry: str
    id: str
    measure: Measure
    together: str = ""

    def require(self, subject: Subject) -> None:
        """Raise an error with the first measurement that exceeds its tolerance.

        Raises:
            AssertionError: the backend does not declare this error.
            DeclaredLimitationError: the backend declares it.
        """
        wrong = [each for each in self.measure(subject) if not each.ok]
        for measurement in sorted(wrong, key=lambda each: bool(each.declared)):
            if measurement.declared:
                raise DeclaredLimitationError(measurement.declared)
            raise AssertionError(f"{self.id} {measurement}")


def all_checks() -> list[Check]:
    """Return every check of the suite, the fast ones first."""
    return [
        *(*_of_operations(), *_of_equations(), *_of_initializers(), *_of_optimizers()),
        *(*_of_schedules(), *_of_precisions(), *_of_runs()),
    ]


def select(checks: Iterable[Check], *, words: str = "", quick: bool = False) -> list[Check]:
    """Return the checks whose area, entry or id contains one of the words.

    Args:
        checks: the checks to choose from.
        words: separated by commas; empty for all.
        quick: keep only the first check of every entry, and a third of all trainings, resumed
            ones included.

    Example:
        >>> [check.id for check in select(all_checks(), words="operation ArgMax", quick=True)]
        ['ArgMax-ties']
    """
    trainings = [*TRAINING_CASES, HOSTILE_CASE, *RESYNCHRONISED_CASES]
    third = {case.id for case in trainings[::3]}
    wanted = [word.strip().lower() for word in words.split(",") if word.strip()]
    seen: set[tuple[str, str]] = set()
    chosen = []
    for check in checks:
        text = f"{check.area} {check.entry} {check.id}".lower()
        if wanted and not any(word in text for word in wanted):
            continue
        if quick and (check.area, check.entry) in seen:
            continue
        if quick and check.area in ("training", "resuming") and check.entry not in third:
            continue
        seen.add((check.area, check.entry))
        chosen.append(check)
    return chosen


def _of_operations() -> Iterator[Check]:
    for case in OP_CASES:
        yield Check("operation", type(case.op).__name__, case.id, partial(_operation, case))


def _of_equations() -> Iterator[Check]:
    for case in EQUATION_CASES:
        subject = type(case.subject)
        area = family_of(subject) if issubclass(subject, Spec) else "structure"
        entry = kind_of(subject) if issubclass(subject, Spec) else subject.__name__
        yield Check(area or "structure", entry, case.id, partial(_equation, case))


def _of_optimizers() -> Iterator[Check]:
    for case in OPTIMIZER_CASES:
        yield Check("optimizer", kind_of(type(case.optimizer)), case.id, partial(_updates, case))


def _of_schedules() -> Iterator[Check]:
    """Yield a check per schedule. One program computes all of them, once per subject."""
    every = partial(measure_schedules, SCHEDULE_CASES, STEPS, BLOCK)
    for k, case in enumerate(SCHEDULE_CASES):
        kind = kind_of(type(case.schedule))
        own = partial(_one_of, "schedules", every, k)
        yield Check("schedule", kind, case.id, own, together="schedules")


def _of_initializers() -> Iterator[Check]:
    """Yield a check per initializer. One model uses all of them, once per subject."""
    for k, case in enumerate(INITIALIZER_CASES):
        kind = kind_of(type(case.initializer))
        own = partial(_one_of, "initializers", measure_initializers, k)
        yield Check("initializer", kind, case.id, own, together="initializers")


def _of_precisions() -> Iterator[Check]:
    for rounding in ROUNDING_CASES:
        kind = kind_of(type(rounding.precision))
        yield Check("precision", kind, rounding.id, partial(measure_roundings, rounding))
    for case in PRECISION_CASES:
        kind = kind_of(type(case.experiment.precision))
        yield Check("precision", kind, case.id, partial(measure_precision, case))
    for op in OP_CASES:
        if op.id not in NOT_DOUBLED:
            yield Check("precision", "Float64", f"Float64-{op.id}", partial(measure_in_float64, op))
    for training in TRAINING_CASES:
        if training.id not in NOT_DOUBLED:
            doubled = training.experiment.replace(precision=Float64())
            name, measure = f"Float64-train-{training.id}", partial(measure_program, doubled)
            yield Check("precision", "Float64", name, measure)


def _one_of(
    key: str, every: Callable[[Subject], list[Measurement]], k: int, subject: Subject
) -> list[Measurement]:
    return [subject.once(key, every)[k]]


def _of_runs() -> Iterator[Check]:
    for case in [*TRAINING_CASES, HOSTILE_CASE]:
        measure: Measure = partial(_training, case)
        name = f"train-{case.id}"
        yield Check("training", case.id, name, measure, together=name)
        for part in (case.experiment.loss_scale, case.experiment.optimizer.weight_decay):
            if isinstance(part, Spec):
                family = family_of(type(part)) or "training"
                yield Check(family, kind_of(type(part)), name, measure, together=name)
    for case in RESYNCHRONISED_CASES:
        yield Check("training", case.id, f"follow-{case.id}", partial(measure_resynchronised, case))
    for journey in JOURNEY_CASES:
        yield Check("training", journey.id, f"legs-{journey.id}", partial(measure_journey, journey))
    yield Check("training", "forms", "forms of data", forms_of_data)
    for case in TRAINING_CASES:
        resume = partial(measure_resuming, case)
        yield Check("resuming", case.id, f"resume-{case.id}", resume, together=f"train-{case.id}")
    for name, measure in BEHAVIOURS.items():
        yield Check("behaviour", name, name, measure)


def _operation(case: OpCase, subject: Subject) -> list[Measurement]:
    """Compare an operation.

    It fails if a declared limitation works or a declared deviation does not occur.
    """
    made = _equation(case, subject)
    for limit in subject.backend.limitations:
        if limit.op is type(case.op) and _concerns(limit, subject):
            made.append(holds(False, "declared as a limitation, but works", limit.reason))
    for deviation in subject.backend.deviations:
        if case.id in deviation.cases and _concerns(deviation, subject):
            if all(each.ok for each in made):
                seen = holds(False, "declared as a deviation, but within tolerance", str(deviation))
                return [*made, seen]
            made = [each if each.ok else replace(each, declared=str(deviation)) for each in made]
    return made


def _concerns(declared: Limitation | Deviation, subject: Subject) -> bool:
    return not declared.devices or device_kind(subject.device) in declared.devices


def _equation(case: OpCase | EquationCase, subject: Subject) -> list[Measurement]:
    built = build_case(other_inputs(case, subject.seed), subject.seed)
    actual = built.run(subject.backend, subject.device)
    reference, flushed = subject.reference.backend, built.flushed
    expected = built.run(reference)
    other = flushed.run(reference) if flushed else {}
    tolerance = elementwise(case.reduced)
    unit = units(built.run, expected) if case.relative else {}
    return [
        holds(actual.keys() == expected.keys(), "results", ", ".join(actual)),
        *(
            close(actual[n], e, tolerance, n, other.get(n), unit.get(n))
            for n, e in expected.items()
        ),
    ]


def _updates(case: OptimizerCase, subject: Subject) -> list[Measurement]:
    case = other_gradients(case, subject.seed)
    given = case.optimizer, case.start, case.gradients
    actual = trajectory(subject.backend, *given, device=subject.device)
    allowed, made = case.tolerance * (OTHER_NUMBERS if subject.seed else 1.0), []
    for name, expected in trajectory(subject.reference.backend, *given).items():
        made.append(near(actual[name], expected, allowed, name))
        for scale, part in case.parts(expected.shape):
            where = f"{name}, gradients of {scale:g}"
            made.append(near(actual[name][part], expected[part], 10 * allowed, where))
    return made


def _training(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Measure a training once, even if several checks use it."""
    return subject.once(("training", case), partial(measure_training, case))


def measure_initializers(subject: Subject) -> list[Measurement]:
    """The initial weights equal those of the reference bit for bit, for every initializer."""
    actual = subject.run(INITIALIZERS).parameters()
    expected = subject.reference.run(INITIALIZERS).parameters()
    names = [f"started/{case.id}" for case in INITIALIZER_CASES]
    return [same(actual[name], expected[name], name) for name in names]


def measure_schedules(
    cases: Iterable[ScheduleCase], steps: int, block: int, subject: Subject
) -> list[Measurement]:
    """Every step reads the schedule's float64 value, rounded to the dtype of the step."""
    schedules = {case.id: case.schedule for case in cases}
    read = rates_read(subject.backend, schedules, steps, block, subject.device)
    return [
        same(read[n], np.array(s.values(steps)).astype(read[n].dtype), f"{kind_of(type(s))} {n}")
        for n, s in schedules.items()
    ]
