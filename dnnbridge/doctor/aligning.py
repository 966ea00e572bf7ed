"""`align`: where two trainings part, and why."""

from __future__ import annotations

import dataclasses
import math
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.calling import explained as checked
from dnnbridge.doctor.alignment import Alignment, Write
from dnnbridge.doctor.allowance import Allowance
from dnnbridge.doctor.arguments import arguments_of
from dnnbridge.doctor.causes import Cause, explained, of_argument, unexplained
from dnnbridge.doctor.differences import Compared, Difference, compared
from dnnbridge.doctor.error_table import ErrorRecorder
from dnnbridge.doctor.opening import Opened, layer_at, opened
from dnnbridge.doctor.reproducing import Case, writer
from dnnbridge.doctor.setting import environment, setting_of
from dnnbridge.doctor.sides import AbstractSide, Record, Spot, Stage, State
from dnnbridge.errors import DataError
from dnnbridge.testing.harness import rounded
from dnnbridge.training.checking.data import check_positive

MARGIN = 4.0
"""Factor on what rounding allows for a difference that no argument explains: fewer samples than
steps and places have seen the largest effect of rounding."""

FLIPS = 2
"""Number of steps that a number near its kink may excuse; a wrong kernel is wrong in more."""

MOST = 32
"""Largest number of differences that are listed."""


@checked()
def align(
    a: Any,
    b: Any,
    data: tuple[Any, Any],
    steps: int = 20,
    batch_size: int = 32,
    *,
    validation_data: tuple[Any, Any] | None = None,
) -> Alignment:
    """Compare two trainings stage by stage: where they part, and why.

    Both start from the weights of `a` and get the same batches, in the order of the data. Each
    step starts from the state that `a` has reached, so an error does not spread to the next step.
    A difference counts if it is larger than 16 times the effect of random roundings on the float64
    reference. Then the argument that causes it is set to the value of `a`, and the comparison goes
    on, so independent differences are all found. Both subjects stay as they were.

    Args:
        a: a `Run`, or a live compiled `keras.Model`; its weights and settings are those of both.
        b: another one, whose model has the same weights: on another backend, or with other
            arguments.
        data: inputs and labels, as `Run.fit` takes them.
        steps: how many steps to compare.
        batch_size: examples per step.
        validation_data: examples to evaluate at the end of each epoch.

    Raises:
        DTypeError: a subject is neither a run nor a Keras model.
        DataError: the models have other weights, or the data do not fit.

    Example:
        >>> import numpy as np
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> def run(**more):
        ...     experiment = db.Experiment(model, "mse", db.Adam(0.1, **more))
        ...     return db.compile(experiment, "reference")
        >>> x = np.linspace(-1, 1, 16).reshape(8, 2)
        >>> found = align(run(), run(epsilon=1e-3), (x, x[:, :1]), steps=2, batch_size=4)
        >>> found.first.step, found.first.stage, found.first.where
        (1, 'update', 'dense/kernel')
        >>> print(found.causes[0].explanation)
        epsilon of Adam is 1e-07 here and 0.001 there.
    """
    check_positive(steps, "steps")
    check_positive(batch_size, "batch_size")
    if not isinstance(data, tuple) or len(data) != 2:
        raise DataError("must be (inputs, labels)", where="data", hint="Write (x, y).")
    with ExitStack() as closing:
        sides = opened((a, b), data, batch_size, closing)
        return _Comparison(sides, steps, validation_data, closing).run()


class _Found(NamedTuple):
    """A difference, and the second side with it and without it."""

    difference: Difference
    cause: Cause
    before: AbstractSide | None
    after: AbstractSide | None


class _Comparison:
    """The steps of a comparison.

    Args:
        sides: both sides.
        steps: how many steps.
        validation: examples to evaluate.
        closing: what restores sides.
    """

    def __init__(
        self,
        sides: Opened,
        steps: int,
        validation: tuple[Any, Any] | None,
        closing: ExitStack,
    ) -> None:
        self.a, self.b, self.data = sides.a, sides.b, sides.data
        self.steps, self.validation, self.closing = steps, validation, closing
        self.notes, self.found = list(sides.notes), list[_Found]()
        self.writers, self.count = list[Write](), 0
        self.errors, self.unjudged = ErrorRecorder(), list[int]()
        self.setting = setting_of(self.a, self.b, self.data, validation)
        self.closest: Compared | None = None
        self.lost, self.narrow, self.flips = False, set[Spot](), 0
        self.allowance = Allowance(self.a.experiment, self.data, sides.native)
        self.start = rounded(self.a.named())
        for each in sides.rates:
            layer = layer_at(self.a, each.addresses[0])
            gap = abs(float(each.here) - float(each.there))
            difference = Difference(1, "layer", layer, gap, 0.0)
            self.found.append(_Found(difference, of_argument(each, self.a.experiment), None, None))

    def run(self) -> Alignment:
        state = self.start
        for step in range(self.steps):
            self.allowance.begin(state, step)
            made = self.a.record(state, step)
            after = rounded(self.a.named())
            self._step(state, step, made)
            if self.data.ends_epoch(step) or step == self.steps - 1:
                self._scores(after, step)
            state = after
            if self.lost:
                break
        found = [(each.difference, self._with_effect(each)) for each in self.found]
        self._note_equal()
        notes, writers = tuple(self.notes), tuple(self.writers)
        steps, table, skipped = min(step + 1, self.steps), self.errors.table(), tuple(self.unjudged)
        more = (self.closest, notes, writers, table, skipped, self.setting, environment())
        return Alignment(steps, self.count, found, *more)

    def _note_equal(self) -> None:
        """Name the arguments that differ and make no difference here."""
        known = [str(each.cause.argument) for each in self.found]
        for each in arguments_of(self.a.experiment, self.b.experiment):
            if each.field != "seed" and str(each) not in known and not self.lost:
                self.notes.append(f"{each}, which makes no difference beyond rounding here.")

    def _step(self, state: State, step: int, made: Record) -> None:
        """Compare a step, and mend what differs until nothing does."""
        self.narrow = set()
        while not self.lost:
            other = self.b.record(state, step)
            results = compared(made, other, self.allowance)
            worst = self._noted(results, step)
            if worst is None:
                return

            def measure(side: AbstractSide, at: Compared = worst) -> Compared | None:
                again = compared(made, side.record(state, step), self.allowance)
                return next((each for each in again if each.spot == at.spot), None)

            case = Case(worst.spot, step, state, self.a, (made, other), self.data)
            if not self._mend(worst, step, measure, case):
                return

    def _noted(self, results: list[Compared], step: int) -> Compared | None:
        """Return the first result that rounding does not explain, and remember the closest."""
        self.count += len(results)
        self.errors.note(step + 1, results)
        for each in results:
            if not each.agrees and each.spot not in self.narrow:
                return each
            if each.agrees and (self.closest is None or each.ratio > self.closest.ratio):
                self.closest = each
        return None

    def _mend(self, worst: Compared, step: int, measure: Any, case: Case | None) -> bool:
        """Note a difference, and go on without it; False if the step cannot be judged."""
        found = explained(self.a, self.b, worst, measure)
        if found is None and self._flips(worst):
            self.flips += 1
            self.unjudged.append(step + 1)
            self.notes.append(
                f"In step {step + 1} numbers lie within rounding of a kink "
                f"({self.allowance.near}); what follows the {worst.spot.stage} of "
                f"{worst.spot.where} was not judged there."
            )
            return False
        difference = Difference(step + 1, *worst.spot, worst.error, worst.allowed)
        if found is None and worst.ratio <= MARGIN:
            self.narrow.add(worst.spot)
            self.notes.append(f"Little above what rounding allows, and not counted: {difference}.")
            return True
        before = self.b
        if found is not None:
            cause, self.b = of_argument(found.argument, self.a.experiment), found.side
        else:
            cause = self._unexplained(worst, case)
        self.closing.callback(self.b.close)
        self.found.append(_Found(difference, cause, before, self.b))
        self.lost = self.lost or len(self.found) >= MOST
        return True

    def _flips(self, worst: Compared) -> bool:
        """Whether a number on the other side of its kink may make a difference."""
        after = worst.spot.stage in ("gradient", "update", "weights", "slots")
        return after and self.allowance.near > 0 and self.flips < FLIPS

    def _unexplained(self, worst: Compared, case: Case | None) -> Cause:
        """Go on with the second experiment on the first side's backend."""
        off = (math.nan, math.nan)
        if case is not None:
            self.writers.append(writer(case))
            off = tuple(  # type: ignore[assignment]
                self.allowance.off(worst.spot, made.get(worst.spot, np.asarray(math.nan)))
                for made in case.made
            )
        cause = unexplained(self.a, self.b, worst.spot, off)
        if any(each.cause.argument is None for each in self.found):
            self.lost = True
            self.notes.append("A second difference has no cause in the arguments: it ends here.")
            return cause
        self.notes.append(
            f"After step {case.step + 1 if case else self.steps} the second training goes on as "
            "the first computes it, so further differences of its own kernels are not seen."
        )
        title = self.b.title
        self.b = self.a.sibling(self.b.experiment)
        self.b.title = title
        return cause

    def _scores(self, state: State, step: int) -> None:
        """Compare losses and metrics of all examples, and of those for validation."""
        sets: list[tuple[Stage, tuple[Any, Any]]] = [("metrics", (self.data.x, self.data.y))]
        sets += [("validation", self.validation)] if self.validation is not None else []
        for stage, examples in sets:
            self.narrow = set()
            while not self.lost:
                self.allowance.scores(stage, state, step + 1, examples)
                made = self._score(self.a, stage, state, step, examples)
                results = compared(
                    made, self._score(self.b, stage, state, step, examples), self.allowance
                )
                worst = self._noted(results, step)
                if worst is None:
                    break

                def measure(
                    side: AbstractSide,
                    at: Compared = worst,
                    made: Record = made,
                    stage: Stage = stage,
                    examples: tuple[Any, Any] = examples,
                ) -> Compared | None:
                    again = self._score(side, stage, state, step, examples)
                    results = compared(made, again, self.allowance)
                    return next((each for each in results if each.spot == at.spot), None)

                if not self._mend(worst, step, measure, None):
                    break

    def _score(
        self,
        side: AbstractSide,
        stage: Stage,
        state: State,
        step: int,
        examples: tuple[Any, Any],
    ) -> Record:
        side.begin(state, step + 1)
        return side.scores(stage, *examples)

    def _with_effect(self, found: _Found) -> Cause:
        if found.before is None or found.after is None:
            return dataclasses.replace(found.cause, effect=math.nan)
        effect = abs(self._end(found.before) - self._end(found.after))
        return dataclasses.replace(found.cause, effect=effect)

    def _end(self, side: AbstractSide) -> float:
        """Return the loss of all examples after the steps of one side alone."""
        side.begin(self.start, 0)
        for step in range(self.steps):
            side.train(step)
            side.place(side.state(), step + 1)
        return side.evaluate(self.data.x, self.data.y)["loss"]
