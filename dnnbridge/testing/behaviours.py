"""What every backend must do besides computing the right numbers."""

from __future__ import annotations

from collections.abc import Callable

from dnnbridge import ops
from dnnbridge.backend import STRUCTURE
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.measurement import Measurement, holds, same
from dnnbridge.testing.subject import Subject


def table_is_total(subject: Subject) -> list[Measurement]:
    """Every primitive is lowered or declared as a limitation, and not both."""
    backend = subject.backend
    declared = {limit.op for limit in backend.limitations if not limit.devices}
    missing = set(ops.PRIMITIVES) - set(backend.lowered) - declared
    twice = set(backend.lowered) & (declared | STRUCTURE)
    return [
        holds(not missing, "lowered or declared", ", ".join(sorted(op.__name__ for op in missing))),
        holds(not twice, "not both", ", ".join(sorted(op.__name__ for op in twice))),
    ]


def starting_weights(subject: Subject) -> list[Measurement]:
    """They are those of the reference, bit for bit: core draws them."""
    experiment = TRAINING_CASES[0].experiment
    expected = subject.reference.run(experiment).parameters()
    actual = subject.run(experiment).parameters()
    return [
        holds(list(actual) == list(expected), "names"),
        *(same(actual[name], array, name) for name, array in expected.items()),
    ]


def steps_per_call(subject: Subject) -> list[Measurement]:
    """How many steps run in a call does not change the numbers."""
    case = TRAINING_CASES[0]
    runs = [subject.run(case.experiment) for _ in range(2)]
    for run, steps in zip(runs, (1, None), strict=True):
        run.fit(case.x, case.y, case.batch_size, 2, steps_per_call=steps)
    state = runs[1].state()
    return [same(state[name], array, name) for name, array in runs[0].state().items()]


def written_state(subject: Subject) -> list[Measurement]:
    """A compiled step, evaluation and prediction all see weights that were set later."""
    case = TRAINING_CASES[0]
    run, other = (subject.run(case.experiment.replace(seed=seed)) for seed in (1, 2))
    run.fit(case.x, case.y, case.batch_size, 1, (case.x, case.y))
    run.predict(case.x)
    run.set_state(other.state(), other.progress)
    made = [same(run.predict(case.x), other.predict(case.x), "predictions")]
    evaluated = [each.evaluate(case.x, case.y) for each in (run, other)]
    made.append(holds(evaluated[0] == evaluated[1], "evaluation", f"{evaluated}"))
    for each in (run, other):
        each.fit(case.x, case.y, case.batch_size, 1, shuffle=False)
    state = run.state()
    return [*made, *(same(state[name], array, name) for name, array in other.state().items())]


BEHAVIOURS: dict[str, Callable[[Subject], list[Measurement]]] = {
    "table is total": table_is_total,
    "starting weights": starting_weights,
    "steps per call": steps_per_call,
    "written state": written_state,
}
"""By name; every backend is asked all of them."""
