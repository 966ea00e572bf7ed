"""The learning rate of the steps of a run, from its schedules and the metrics that they heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.experiment import rates_of
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.composed import updates_before
from dnnbridge.schedules.listening import heard, listens
from dnnbridge.schedules.moment import Moment, Past
from dnnbridge.training.history import numbers
from dnnbridge.training.run import Run

POINTS = 600
"""Largest number of steps that are shown."""

CHANGED = (
    "A callback or set_learning_rate has changed the rate while training; the chart shows the "
    "schedule of the experiment. The rate of the next step is {rate}."
)


def rate_panel(run: Run) -> tuple[Panel | None, str]:
    """Return a chart of the rate of each step that a run has trained, and a remark on it.

    Schedules that use metrics hear those of every epoch again. If they do not end where those of
    the run are, something else has changed the rate, and the remark says so.
    """
    position = run.position
    if not position.step:
        return None, ""
    rows = run.logs
    if listens(run.experiment.optimizer) and len(rows) != position.epoch:
        return None, "The learning rate depends on metrics of epochs that are not known."
    found, last = _rates(run, rows)
    curves = tuple(
        Curve(label if len(found) > 1 else "", list(rates), list(rates.values()), i, stairs=True)
        for i, (label, rates) in enumerate(found.items())
    )
    changed = last != run.optimizer
    now = "different for each group" if run.learning_rate is None else f"{run.learning_rate:.4g}"
    return Panel("learning rate", curves, "step"), CHANGED.format(rate=now) if changed else ""


def _rates(
    run: Run, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, dict[int, float]], AbstractOptimizer]:
    """Return the rate of some steps, counted from 1, for each rate; and the last optimizer."""
    position, optimizer = run.position, run.experiment.optimizer
    stride = max(1, -(-position.step // POINTS))
    found: dict[str, dict[int, float]] = {label: {} for label in rates_of(optimizer)}
    step, epoch, past = 0, 0, Past()
    for length, whole in _epochs(run):
        updater = run.experiment.updater(optimizer)
        schedules = list(rates_of(optimizer).values())
        for batch in range(-step % stride, length, stride):
            moment = Moment.at(step + batch, past, batch, batch == length - 1)
            for rates, schedule in zip(found.values(), schedules, strict=False):
                rates[step + batch + 1] = float(schedule(updates_before(updater, moment)))
        step, past = step + length, _after(past, length, whole)
        if whole and epoch < len(rows):
            row = {name: value for name, value in rows[epoch].items() if name != "epoch"}
            optimizer, epoch = heard(optimizer, numbers(row)), epoch + 1
    return found, optimizer


def _epochs(run: Run) -> list[tuple[int, bool]]:
    """Return the steps of each epoch, and whether it was finished."""
    known = [
        (length, bool(epochs))
        for length, epochs in run.position.past
        for _ in range(max(epochs, 1))
    ]
    batch = run.position.batch
    return [*known, (batch, False)] if batch else known


def _after(past: Past, length: int, whole: bool) -> Past:
    if past and whole and past[-1][0] == length and past[-1][1]:
        return (*past[:-1], (length, past[-1][1] + 1))
    return (*past, (length, int(whole)))
