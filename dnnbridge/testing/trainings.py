"""Whole trainings, held to those of the reference."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from dnnbridge.arrays import Array
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.measurement import Measurement, close, holds, near
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import LOSS_CURVE, TRAJECTORY
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run


def measure_training(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Weights, slots, every loss, the metrics and predictions follow the reference."""
    runs = [begin(case, each) for each in (subject, subject.reference)]
    given = case.x, case.y, case.batch_size, case.epochs, case.validation(33)
    actual, expected = (run.fit(*given, sample_weight=case.sample_weight) for run in runs)
    state = runs[0].state()
    made = [near(state[n], array, TRAJECTORY, n) for n, array in runs[1].state().items()]
    losses = np.array(actual.step_losses), np.array(expected.step_losses)
    made.append(close(*losses, LOSS_CURVE, "step losses"))
    for name, values in expected.history.items():
        made.append(close(np.array(actual.history[name]), np.array(values), LOSS_CURVE, name))
    predicted = [run.predict(case.x) for run in runs]
    if not isinstance(predicted[1], dict):
        predicted = [{"prediction": array} for array in predicted]
    made += [
        close(predicted[0][n], e, LOSS_CURVE, f"{n} predicted") for n, e in predicted[1].items()
    ]
    return made


def measure_resuming(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Begin on one backend, save, go on with the other: the trajectory is the same."""
    progress, trained = subject.reference.once(("trained", case), partial(_train, case))
    given = case.x, case.y, case.batch_size
    weights = case.sample_weight
    made: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        for first, second in ((subject, subject.reference), (subject.reference, subject)):
            begun = begin(case, first)
            begun.fit(*given, case.epochs // 2, sample_weight=weights)
            begun.save(path)
            resumed = second.load(path)
            resumed.fit(*given, case.epochs - case.epochs // 2, sample_weight=weights)
            where = f"{first.backend.info.name} to {second.backend.info.name}"
            made.append(holds(resumed.progress == progress, f"progress, {where}"))
            state = resumed.state()
            made += [near(state[n], a, TRAJECTORY, f"{n}, {where}") for n, a in trained.items()]
    return made


def begin(case: TrainingCase, subject: Subject) -> Run:
    """Return a run that has not been trained; it is compiled once, for all checks of the case."""
    run, start = subject.once(("run", case), partial(_compile, case))
    run.set_state(start, Position())
    run.optimizer = case.experiment.optimizer
    return run


def _compile(case: TrainingCase, subject: Subject) -> tuple[Run, dict[str, Array]]:
    run = subject.run(case.experiment)
    return run, run.state()


def _train(case: TrainingCase, subject: Subject) -> tuple[Position, dict[str, Array]]:
    """Train to the end, and return where that is and what it made."""
    run = begin(case, subject)
    run.fit(case.x, case.y, case.batch_size, case.epochs, sample_weight=case.sample_weight)
    return run.progress, run.state()
