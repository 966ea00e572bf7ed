"""Checks of what a backend must do besides computing the right numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.backend.protocol import STRUCTURE
from dnnbridge.experiment import Experiment
from dnnbridge.layers import LSTM, Add, Conv1D, Dense, Flatten, LayerNormalization
from dnnbridge.losses import AbstractLoss, MeanSquaredError
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.optimizers import Adam
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.cases.twice_cases import MadeOfLayers
from dnnbridge.testing.measurement import Measurement, close, holds, near, same
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import LOSS_CURVE, TRAJECTORY


def table_is_total(subject: Subject) -> list[Measurement]:
    """Every primitive is either lowered or declared as a limitation; deviations have cases."""
    backend = subject.backend
    declared = {limit.op for limit in backend.limitations if not limit.devices}
    missing = set(ops.PRIMITIVES) - set(backend.lowered) - declared
    cases = {(case.id, type(case.op)) for case in OP_CASES}
    shown = {(id, each.op) for each in backend.deviations for id in each.cases}
    without = [str(each) for each in backend.deviations if not each.cases]
    without += [f"{op.__name__}: {id}" for id, op in shown - cases]
    twice = set(backend.lowered) & (declared | STRUCTURE)
    return [
        holds(not missing, "lowered or declared", ", ".join(sorted(op.__name__ for op in missing))),
        holds(not twice, "not both", ", ".join(sorted(op.__name__ for op in twice))),
        holds(not without, "deviations are shown by cases", ", ".join(without)),
    ]


def starting_weights(subject: Subject) -> list[Measurement]:
    """The initial weights equal those of the reference bit for bit, because core draws them."""
    experiment = TRAINING_CASES[0].experiment
    expected = subject.reference.run(experiment).parameters()
    actual = subject.run(experiment).parameters()
    return [
        holds(list(actual) == list(expected), "names"),
        *(same(actual[name], array, name) for name, array in expected.items()),
    ]


def steps_per_call(subject: Subject) -> list[Measurement]:
    """The number of steps per call does not change the results, in a small or a large net."""
    case = TRAINING_CASES[0]
    made = _by_steps(subject, case.experiment, case.x, case.y)
    rng = np.random.default_rng(0)
    x = rng.random((30, 100), np.float32)
    model = Sequential([Input((100,)), Dense(128, "tanh"), LayerNormalization(), Dense(2)])
    large = Experiment(model, MeanSquaredError(), Adam(0.01))
    return made + _by_steps(subject, large, x, x[:, :2])


def _by_steps(subject: Subject, experiment: Experiment, x: Any, y: Any) -> list[Measurement]:
    states = []
    for steps in (1, 64):
        run = subject.run(experiment)
        run.fit(x, y, 7, 2, steps_per_call=steps, verbose=0)
        states.append(run.state())
    return [same(states[1][name], array, name) for name, array in states[0].items()]


def written_state(subject: Subject) -> list[Measurement]:
    """Training, evaluation and prediction, once compiled, use weights that are set later."""
    case = TRAINING_CASES[0]
    run, other = (subject.run(case.experiment.replace(seed=seed)) for seed in (1, 2))
    run.fit(case.x, case.y, case.batch_size, 1, (case.x, case.y), verbose=0)
    run.predict(case.x)
    run.set_state(other.state(), other.position)
    made = [same(run.predict(case.x), other.predict(case.x), "predictions")]
    evaluated = [each.evaluate(case.x, case.y) for each in (run, other)]
    made.append(holds(evaluated[0] == evaluated[1], "evaluation", f"{evaluated}"))
    for each in (run, other):
        each.fit(case.x, case.y, case.batch_size, 1, shuffle=False, verbose=0)
    state = run.state()
    return [*made, *(same(state[name], array, name) for name, array in other.state().items())]


def written_parameters(subject: Subject) -> list[Measurement]:
    """Setting one weight changes predictions and no other array."""
    case = TRAINING_CASES[0]
    run, other = (subject.run(case.experiment) for _ in range(2))
    run.fit(case.x, case.y, case.batch_size, 1, verbose=0)
    run.predict(case.x)
    name, array = next(iter(run.parameters().items()))
    expected = run.state() | {name: np.full_like(array, 0.25)}
    run.set_parameters({name: expected[name]})
    other.set_state(expected, run.position)
    state = run.state()
    made = [same(state[n], each, n) for n, each in expected.items()]
    return [*made, same(run.predict(case.x), other.predict(case.x), "predictions")]


def copies(subject: Subject) -> list[Measurement]:
    """Arrays that were read or set are copies.

    Training does not change arrays that were read before. Writing to an array that was read or
    set does not change the run.
    """
    case = TRAINING_CASES[0]
    run = subject.run(case.experiment)
    read = run.state()
    kept = {name: array.copy() for name, array in read.items()}
    run.fit(case.x, case.y, case.batch_size, 1, verbose=0)
    made = [same(read[name], array, f"{name}, read before") for name, array in kept.items()]
    given = {name: np.array(array) for name, array in run.parameters().items()}
    run.set_parameters(given)
    expected = {name: array.copy() for name, array in run.state().items()}
    for array in (*run.state().values(), *given.values()):
        if array.flags.writeable:
            array[...] = 7.0
    state = run.state()
    return [*made, *(same(state[n], array, f"{n}, kept") for n, array in expected.items())]


def few_examples(subject: Subject) -> list[Measurement]:
    """Results equal the reference's for 0 or 1 examples, batches of 1, and weights of 0."""
    case = TRAINING_CASES[0]
    loss = case.experiment.loss
    assert isinstance(loss, AbstractLoss)
    experiment = case.experiment.replace(loss=loss.replace(reduction="weighted_mean"))
    x, y = (np.asarray(each)[:5] for each in (case.x, case.y))
    weights = np.array([1.0, 0.0, 2.0, 0.0, 0.5])
    runs = [each.run(experiment) for each in (subject, subject.reference)]
    fits = [run.fit(x, y, 1, 2, sample_weight=weights, shuffle=False, verbose=0) for run in runs]
    actual, expected = (np.array(fit.step_losses) for fit in fits)
    made = [close(actual, expected, LOSS_CURVE, "losses of batches of one")]
    made.append(holds(not actual[[1, 3]].any(), "losses of examples that weigh 0", f"{actual}"))
    state = runs[0].state()
    made += [near(state[name], a, TRAJECTORY, name) for name, a in runs[1].state().items()]
    for count in (0, 1):
        found = [run.predict(x[:count]) for run in runs]
        made.append(close(found[0], found[1], LOSS_CURVE, f"predictions of {count}"))
    alone = [run.evaluate(x[:1], y[:1])["loss"] for run in runs]
    return [*made, close(np.array(alone[0]), np.array(alone[1]), LOSS_CURVE, "evaluation of one")]


def compiled_once(subject: Subject) -> list[Measurement]:
    """A new learning rate, more epochs or a short last batch cause no new compilation.

    The check ignores the first change: in a process that has compiled many graphs, MindSpore
    compiles a graph again at its second call.
    """
    case = TRAINING_CASES[0]
    run = subject.run(case.experiment)
    counts = []
    for rate in (0.1, 0.05, 0.02):
        run.set_learning_rate(rate)
        run.fit(case.x, case.y, case.batch_size, 1, case.validation(33), verbose=0)
        run.predict(case.x)
        counts.append(run.compilations)
    return [holds(counts[1] == counts[2], "compilations", f"{counts[1]}, then {counts[2]}")]


def layers_called_twice(subject: Subject) -> list[Measurement]:
    """A layer called twice has one set of weights and sums the gradients of both calls.

    Running statistics move at each call.
    """
    series = [Input((4, 5), name=name) for name in ("a", "b")]
    body = Sequential([Input((4, 5)), LSTM(5, return_sequences=True), Conv1D(3, 2)])
    layers = (body, Flatten(), MadeOfLayers(6), Dense(2))
    ends: list[Any] = list(series)
    for layer in layers:
        ends = [layer(each) for each in ends]
    experiment = Experiment(Model(series, Add()(ends)), MeanSquaredError(), Adam(0.01))
    runs = [each.run(experiment) for each in (subject, subject.reference)]
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(9, 4, 5)).astype(np.float32) for name in ("a", "b")}
    for run in runs:
        run.fit(x, x["a"][:, 0, :2], 4, 2, verbose=0)
    actual, expected = (run.state() for run in runs)
    made = [holds(list(actual) == list(expected), "names of weights", ", ".join(actual))]
    made += [near(actual[name], array, TRAJECTORY, name) for name, array in expected.items()]
    found, wanted = (run.predict(x) for run in runs)
    return [*made, close(found, wanted, LOSS_CURVE, "predictions")]


BEHAVIOURS: dict[str, Callable[[Subject], list[Measurement]]] = {
    "table is total": table_is_total,
    "starting weights": starting_weights,
    "steps per call": steps_per_call,
    "written state": written_state,
    "written parameters": written_parameters,
    "copies": copies,
    "few examples": few_examples,
    "compiled once": compiled_once,
    "layers called twice": layers_called_twice,
}
"""All checks of this module by name. Every backend must pass them."""
