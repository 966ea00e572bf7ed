"""Trainings whose every step starts from the reference's state, so that a flip cannot spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.harness import rounded
from dnnbridge.testing.keep_gradients import GRADIENT, KeepGradients
from dnnbridge.testing.kinks import Kink, KinkWatch, flips_allowed
from dnnbridge.testing.measurement import Measurement, relative_distance
from dnnbridge.testing.rounding import RoundedBackend
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import ONE_STEP_LOSS, programs
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

State = dict[str, Array]

SQUARED = 2.0
"""Factor on the tolerance of state: slots may hold squares of gradients, with twice the relative
error."""

TRIED = 4
"""All subsets of this many nearest kinks are tried."""

ROUNDED = 4
"""Number of random roundings of a step that exceeds the tolerance of its case."""


@dataclass(frozen=True, eq=False)
class Step:
    """A step of the reference.

    Attributes:
        before: the state before the step, rounded to float32.
        after: the state after the step; "…:gradient" is the gradient of a weight.
        loss: loss of the batch.
        near: the kinks that rounding may decide.
        expected: the number of such kinks expected by chance.
    """

    before: State
    after: State
    loss: float
    near: list[Kink]
    expected: float


class Errors(NamedTuple):
    """The errors of a step against the reference, for arrays as relative L2 distances.

    Attributes:
        gradients: the largest error of a gradient, and its name.
        state: the largest error of a weight, buffer or slot, and its name.
        loss: |actual - expected| / (1 + |expected|).
    """

    gradients: tuple[float, str]
    state: tuple[float, str]
    loss: float

    def within(self, tolerance: float) -> bool:
        allowed = tolerance, SQUARED * tolerance, ONE_STEP_LOSS
        made = self.gradients[0], self.state[0], self.loss
        return all(error <= limit for error, limit in zip(made, allowed, strict=True))


class Judged(NamedTuple):
    """A step of the subject, held against the reference.

    Attributes:
        errors: the errors of the step.
        tolerance: the error allowed for its gradients.
        kinks: the flips that explain the difference, if any do.
    """

    errors: Errors
    tolerance: float
    kinks: tuple[Kink, ...] = ()


def measure_resynchronised(case: TrainingCase, subject: Subject) -> list[Measurement]:
    """Compare gradients, weights and losses of every step, each from the reference's state.

    If a step exceeds its tolerance and numbers lie within rounding of a kink, the reference
    repeats the step with those numbers on the other side. If the step is within its tolerance
    then, the difference is reported as a flip. Any other difference fails, and so do more flips
    than chance explains.

    In some steps rounding alone has a large effect. A step without a flip that exceeds its
    tolerance is computed with random roundings too, and may have the error that they explain.
    """
    lead = Lead(case)
    follow = _Follow(lead.steps)
    history = _fit(subject.run(lead.experiment), case, case.epochs, follow)
    steps = [
        _judged(lead, k, state, loss)
        for k, (state, loss) in enumerate(zip(follow.states, history, strict=True))
    ]
    flips = [(k, kink) for k, step in enumerate(steps) for kink in step.kinks]
    return [*_measured(steps), _of_flips(lead.steps, flips)]


class Lead:
    """The training of the reference, which gives the state before every step.

    Attributes:
        case: the case, with the data.
        experiment: experiment of the case, with an optimizer that keeps gradients.
        steps: steps of the training.
    """

    def __init__(self, case: TrainingCase) -> None:
        self.case, self._watch = case, KinkWatch()
        optimizer = KeepGradients(optimizer=case.experiment.optimizer)
        self.experiment = case.experiment.replace(optimizer=optimizer)
        backend = ReferenceBackend()
        backend.watch = self._watch
        self._run = Subject(backend).run(self.experiment)
        recorded = _Record(self._watch)
        losses = _fit(self._run, case, case.epochs, recorded)
        self.steps = [
            replace(step, loss=loss) for step, loss in zip(recorded.steps, losses, strict=True)
        ]

    def again(self, k: int, forced: tuple[Kink, ...]) -> Step:
        """Repeat step k with some kinks flipped, and return it."""
        self._begin(self._run, k)
        self._watch.begin(forced)
        return self._step(self._run, k)

    def rounded(self, k: int) -> Iterator[Errors]:
        """Yield the errors of step k with random roundings."""
        for sample in range(ROUNDED):
            run = Subject(RoundedBackend(sample)).run(self.experiment)
            self._begin(run, k)
            made = self._step(run, k)
            yield _errors(made.after, made.loss, self.steps[k])

    def _begin(self, run: Run, k: int) -> None:
        per_epoch = -(-self.case.count // self.case.batch_size)
        epoch, batch = divmod(k, per_epoch)
        place = Position(k, epoch, batch, self.case.count, self.case.batch_size)
        run.set_state(self.steps[k].before, place)

    def _step(self, run: Run, k: int) -> Step:
        (loss,) = _fit(run, self.case, 1, _One())
        return replace(self.steps[k], after=run.state(), loss=loss)


class _Record(Callback):
    """Round the state to float32 before every step of the reference, and record the step."""

    def __init__(self, watch: KinkWatch) -> None:
        self.steps: list[Step] = []
        self._watch = watch

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._before = rounded(run.state())
        run.set_state(self._before, run.position)
        self._watch.begin()

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        seen = self._watch.near, self._watch.expected
        self.steps.append(Step(self._before, run.state(), losses[0], *seen))
        self.on_train_begin(run, 0, 0)


class _Follow(Callback):
    """Start every step of the subject from the state of the reference."""

    def __init__(self, steps: list[Step]) -> None:
        self.states: list[State] = []
        self._steps = steps

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        run.set_state(self._steps[0].before, run.position)

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self.states.append(run.state())
        if len(self.states) < len(self._steps):
            run.set_state(self._steps[len(self.states)].before, run.position)


class _One(Callback):
    """Stop after one step."""

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        run.stop()


def _fit(run: Run, case: TrainingCase, epochs: int, callback: Callback) -> list[float]:
    """Train step by step and return the losses."""
    return run.fit(
        case.x,
        case.y,
        case.batch_size,
        epochs,
        **case.weighted,
        callbacks=[callback],
        steps_per_call=1,
        on_nonfinite="warn",
        verbose=0,
    ).step_losses


def _judged(lead: Lead, k: int, state: State, loss: float) -> Judged:
    """Return the errors of a step with the flips, or the roundings, that explain them."""
    step, tolerance = lead.steps[k], lead.case.one_step
    plain = _errors(state, loss, step)
    if plain.within(tolerance):
        return Judged(plain, tolerance)
    for kinks in _choices(step.near):
        errors = _errors(state, loss, lead.again(k, kinks))
        if errors.within(tolerance):
            return Judged(errors, tolerance, kinks)
    rounded = [max(made.gradients[0], made.state[0] / SQUARED) for made in lead.rounded(k)]
    return Judged(plain, max(tolerance, programs(rounded)))


def _choices(near: list[Kink]) -> Iterator[tuple[Kink, ...]]:
    nearest = sorted(near, key=lambda kink: kink.share)[:TRIED]
    sizes = range(1, len(nearest) + 1)
    return chain.from_iterable(combinations(nearest, size) for size in sizes)


def _errors(state: Mapping[str, Array], loss: float, step: Step) -> Errors:
    found = {n: _distance(state[n], array) for n, array in step.after.items()}
    of_gradients = {name for name in found if name.endswith(f":{GRADIENT}")}
    gradients, others = (
        max(((found[name], name) for name in names), default=(0.0, ""))
        for names in (of_gradients, found.keys() - of_gradients)
    )
    return Errors(gradients, others, abs(loss - step.loss) / (1.0 + abs(step.loss)))


def _distance(actual: Array, expected: Array) -> float:
    distance = relative_distance(actual, expected)
    return np.inf if np.isnan(distance) else distance


def _measured(steps: list[Judged]) -> list[Measurement]:
    made = []
    for what, factor in (("gradients", 1.0), ("state", SQUARED)):
        pairs = [getattr(step.errors, what) for step in steps]
        allowed = [factor * step.tolerance for step in steps]
        worst = max(range(len(pairs)), key=lambda k: pairs[k][0] / allowed[k])
        curve = tuple(float(error) for error, _ in pairs)
        detail = f"{pairs[worst][1]} at step {worst}"
        made.append(Measurement(what, curve[worst], allowed[worst], detail, curve=curve))
    losses = tuple(step.errors.loss for step in steps)
    worst = int(np.argmax(losses))
    return [*made, Measurement("loss", losses[worst], ONE_STEP_LOSS, f"step {worst}", curve=losses)]


def _of_flips(steps: list[Step], flips: list[tuple[int, Kink]]) -> Measurement:
    expected = sum(step.expected for step in steps)
    near = sum(len(step.near) for step in steps)
    note = "; ".join(f"flip at step {k}, {kink}" for k, kink in flips)
    detail = f"{near} near kinks, {expected:.2g} expected by chance"
    return Measurement("flips", float(len(flips)), flips_allowed(expected), detail, note)
