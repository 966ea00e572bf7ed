"""Whole trainings, compared with those of the reference."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.measurement import Measurement, close, holds, near, relative_distance
from dnnbridge.testing.redrawing import other_examples
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import LOSS_CURVE, OTHER_EXAMPLES, TRAJECTORY
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import History
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

STEPS_PER_CALL = 3
"""Steps per call of an interrupted training, so that it stops within an epoch and a window of
accumulated steps."""


class _States(Callback):
    """Keep the weights after every step."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Array]] = []

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self.kept.append(run.parameters())


class _Stop(Callback):
    """Stop within the epoch after the given number of epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if run.position.epoch == self.epochs:
            run.stop()


def measure_training(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Compare weights, slots, all losses, metrics and predictions with the reference."""
    case = other_examples(case, subject.seed)
    runs = [begin(case, each) for each in (subject, subject.reference)]
    states = _States(), _States()
    given = case.x, case.y, case.batch_size, case.epochs, case.validation(33)
    actual, expected = (
        run.fit(
            *given,
            **case.weighted,
            callbacks=[kept],
            steps_per_call=case.steps_per_call,
            on_nonfinite="warn",
            verbose=0,
        )
        for run, kept in zip(runs, states, strict=True)
    )
    made = [weights_followed(states[0].kept, states[1].kept)]
    state = runs[0].state()
    made += [near(state[n], array, TRAJECTORY, n) for n, array in runs[1].state().items()]
    made += histories(actual, expected)
    predicted = [run.predict(case.x) for run in runs]
    if not isinstance(predicted[1], dict):
        predicted = [{"prediction": array} for array in predicted]
    made += [
        close(predicted[0][n], e, LOSS_CURVE, f"{n} predicted") for n, e in predicted[1].items()
    ]
    return allowed(made, subject)


def allowed(made: list[Measurement], subject: Subject) -> list[Measurement]:
    """Widen the tolerances if the subject has other numbers than the cases."""
    if not subject.seed:
        return made
    return [replace(each, tolerance=OTHER_EXAMPLES * each.tolerance) for each in made]


def weights_followed(
    actual: list[dict[str, Array]], expected: list[dict[str, Array]]
) -> Measurement:
    """Measure the largest relative L2 distance of a weight after every step."""
    rows = [
        [(relative_distance(a[name], array), name) for name, array in e.items()]
        for a, e in zip(actual, expected, strict=True)
    ]
    worst = [max(row) for row in rows]
    curve = tuple(np.inf if np.isnan(error) else error for error, _ in worst)
    where = int(np.argmax(curve))
    detail = f"{worst[where][1]}, after {where + 1} of {len(curve)}"
    return Measurement("weights after every step", curve[where], TRAJECTORY, detail, curve=curve)


def histories(actual: History, expected: History) -> list[Measurement]:
    """Compare the loss of every step, and losses and metrics of every epoch."""
    losses = np.array(actual.step_losses), np.array(expected.step_losses)
    return [
        close(*losses, LOSS_CURVE, "step losses"),
        *(
            close(np.array(actual.history[name]), np.array(values), LOSS_CURVE, name)
            for name, values in expected.history.items()
        ),
    ]


def measure_resuming(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Train on one backend, save within an epoch, resume on the other, and compare the results."""
    case = other_examples(case, subject.seed)
    progress, trained = subject.reference.once(("trained", case), partial(_train, case))
    given, done = (case.x, case.y, case.batch_size), case.epochs // 2
    made: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        for first, second in ((subject, subject.reference), (subject.reference, subject)):
            begun = begin(case, first)
            begun.fit(
                *given,
                case.epochs,
                **case.weighted,
                callbacks=[_Stop(done)],
                steps_per_call=STEPS_PER_CALL,
                verbose=0,
            )
            begun.save(path)
            resumed = second.load(path)
            resumed.fit(
                *given,
                case.epochs - done,
                **case.weighted,
                steps_per_call=STEPS_PER_CALL,
                verbose=0,
            )
            where = f"{first.backend.info.name} to {second.backend.info.name}"
            made.append(holds(begun.position.batch > 0, f"within an epoch, {where}"))
            made.append(holds(resumed.position == progress, f"progress, {where}"))
            state = resumed.state()
            made += [near(state[n], a, TRAJECTORY, f"{n}, {where}") for n, a in trained.items()]
    return allowed(made, subject)


def begin(case: TrainingCase, subject: Subject) -> Run:
    """Return an untrained run. It is compiled once for all checks of the case, and reset here."""
    run, start = subject.once(("run", case), partial(_compile, case))
    run.set_state(start, Position(), case.experiment.optimizer)
    return run


def _compile(case: TrainingCase, subject: Subject) -> tuple[Run, dict[str, Array]]:
    run = subject.run(case.experiment)
    return run, run.state()


def _train(case: TrainingCase, subject: Subject) -> tuple[Position, dict[str, Array]]:
    """Train to the end and return the final position and state."""
    run = begin(case, subject)
    run.fit(case.x, case.y, case.batch_size, case.epochs, **case.weighted, verbose=0)
    return run.position, run.state()
