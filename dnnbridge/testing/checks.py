"""`Check`: one question of the suite to a backend; `all_checks` has every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dnnbridge.backend.protocol import Deviation, Limitation
from dnnbridge.errors import DeclaredLimitationError
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
from dnnbridge.testing.cases.resynchronised_cases import RESYNCHRONISED_CASES
from dnnbridge.testing.cases.schedule_cases import BLOCK, SCHEDULE_CASES, STEPS, ScheduleCase
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.harness import build_case, rates_read, trajectory
from dnnbridge.testing.journeys import forms_of_data, measure_journey
from dnnbridge.testing.measurement import Measurement, close, holds, near, same
from dnnbridge.testing.redrawing import other_gradients, other_inputs
from dnnbridge.testing.resynchronised import measure_resynchronised
from dnnbridge.testing.rounding import units
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import OTHER_NUMBERS, elementwise
from dnnbridge.testing.trainings import measure_resuming, measure_training

Measure = Callable[[Subject], list[Measurement]]


@dataclass(frozen=True, eq=False)
class Check:
    """A question to a backend.

    Attributes:
        area: what it belongs to: "operation", a family of specs such as "layer", "training",
            "behaviour".
        entry: what it is about: the name of an operation, a kind of spec, a scenario.
        id: its own name, unique in its area.
        measure: asks a backend and returns how far it is off.
        together: a key of checks that make something of a subject once, such as a training, so
            that they belong in one process; empty where it shares nothing.
    """

    area: str
    entry: str
    id: str
    measure: Measure
    together: str = ""

    def require(self, subject: Subject) -> None:
        """Raise with the first measurement that is not within its tolerance.

        Raises:
            AssertionError: nothing declares it.
            DeclaredLimitationError: the backend declares that it deviates there.
        """
        wrong = [each for each in self.measure(subject) if not each.ok]
        for measurement in sorted(wrong, key=lambda each: bool(each.declared)):
            if measurement.declared:
                raise DeclaredLimitationError(measurement.declared)
            raise AssertionError(f"{self.id} {measurement}")


def all_checks() -> list[Check]:
    """Return every check of the suite, the small ones first."""
    return [
        *(*_of_operations(), *_of_equations(), *_of_initializers(), *_of_optimizers()),
        *(*_of_schedules(), *_of_runs()),
    ]


def select(checks: Iterable[Check], *, words: str = "", quick: bool = False) -> list[Check]:
    """Return those whose area, entry or id has one of the words, each case of an entry or one.

    Args:
        checks: of which to choose.
        words: separated by commas; empty for all.
        quick: keep the first check of every entry; of trainings, begun anew or resumed, a third.

    Example:
        >>> [check.id for check in select(all_checks(), words="ArgMax", quick=True)]
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
    """One program reads all of them; each check takes what is its own."""
    every = partial(measure_schedules, SCHEDULE_CASES, STEPS, BLOCK)
    for k, case in enumerate(SCHEDULE_CASES):
        kind = kind_of(type(case.schedule))
        own = partial(_one_of, "schedules", every, k)
        yield Check("schedule", kind, case.id, own, together="schedules")


def _of_initializers() -> Iterator[Check]:
    """One model starts with all of them; each check takes what is its own."""
    for k, case in enumerate(INITIALIZER_CASES):
        kind = kind_of(type(case.initializer))
        own = partial(_one_of, "initializers", measure_initializers, k)
        yield Check("initializer", kind, case.id, own, together="initializers")


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
    """Compare an operation: a declared limitation must be refused, a declared deviation seen."""
    made = _equation(case, subject)
    for limit in subject.backend.limitations:
        if limit.op is type(case.op) and _concerns(limit, subject):
            made.append(holds(False, "a declared limitation, which works", limit.reason))
    for deviation in subject.backend.deviations:
        if case.id in deviation.cases and _concerns(deviation, subject):
            if all(each.ok for each in made):
                seen = holds(False, "a declared deviation, which is not seen", str(deviation))
                return [*made, seen]
            made = [each if each.ok else replace(each, declared=str(deviation)) for each in made]
    return made


def _concerns(declared: Limitation | Deviation, subject: Subject) -> bool:
    return not declared.devices or subject.device in declared.devices


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
    """Measure it once, though several entries are about it."""
    return subject.once(("training", case), partial(measure_training, case))


def measure_initializers(subject: Subject) -> list[Measurement]:
    """Weights start as those of the reference do, bit for bit, whatever draws them."""
    actual = subject.run(INITIALIZERS).parameters()
    expected = subject.reference.run(INITIALIZERS).parameters()
    names = [f"started/{case.id}" for case in INITIALIZER_CASES]
    return [same(actual[name], expected[name], name) for name in names]


def measure_schedules(
    cases: Iterable[ScheduleCase], steps: int, block: int, subject: Subject
) -> list[Measurement]:
    """Every step reads the number of its type that is nearest to the schedule's float64."""
    schedules = {case.id: case.schedule for case in cases}
    read = rates_read(subject.backend, schedules, steps, block, subject.device)
    return [
        same(read[n], np.array(s.values(steps)).astype(read[n].dtype), f"{kind_of(type(s))} {n}")
        for n, s in schedules.items()
    ]
