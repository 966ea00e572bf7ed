"""`align`: where two trainings part, and why."""

from __future__ import annotations

import dataclasses
import math
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.calling import explained as checked
from dnnbridge.doctor import starts
from dnnbridge.doctor.alignment import Alignment, Write
from dnnbridge.doctor.arguments import arguments_of
from dnnbridge.doctor.causes import Cause, explained, of_argument, unexplained
from dnnbridge.doctor.differences import Compared, Difference, compared
from dnnbridge.doctor.links import Allowances, Link
from dnnbridge.doctor.opening import Opened, layer_at, opened
from dnnbridge.doctor.reproducing import Case, writer
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.sides import STAGES, AbstractSide, Record, Stage, State
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
    data: tuple[Any, ...],
    steps: int = 20,
    batch_size: int = 32,
    *,
    validation_data: tuple[Any, ...] | None = None,
) -> Alignment:
    """Compare two trainings stage by stage: where they part, and why.

    Both start from the weights of `a` and get the same batches, in the order of the data. Each
    step starts from the state that `a` has reached, so an error does not spread to the next step.
    A difference counts if it is larger than 16 times the effect of random roundings on the float64
    reference. Then the argument that causes it is set to the value of `a`, and the comparison goes
    on, so independent differences are all found. A live model is also compared with a run of its
    own settings: what differs there is no argument, but the framework. Both subjects stay as they
    were.

    Args:
        a: a `Run`, a live compiled `keras.Model`, or a training of MindSpore: a tuple (Cell, loss,
            optimizer), or a `TrainOneStepCell` of a `WithLossCell`. Its weights and settings are
            those of both.
        b: another one of the same network: of another framework, on another backend, or with other
            arguments. Channels may be first in one and last in the other.
        data: inputs, labels and, if wanted, a weight for each example, as `Run.fit` takes them;
            inputs in the layout of `a`.
        steps: how many steps to compare.
        batch_size: examples per step.
        validation_data: examples to evaluate at the end of each epoch.

    Raises:
        DTypeError: a subject is none of these.
        DataError: the models are not of one network, or the data do not fit.
        ConversionError: a live model has parts without a counterpart here.

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
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        raise DataError(
            "must be (inputs, labels) or (inputs, labels, weights)",
            where="data",
            hint="Write (x, y).",
        )
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
        validation: tuple[Any, ...] | None,
        closing: ExitStack,
    ) -> None:
        self.lead, self.data = sides.lead, sides.data
        self.steps, self.validation, self.closing = steps, validation, closing
        self.notes, self.found = list(sides.notes), list[_Found]()
        self.writers, self.count = list[Write](), 0
        self.closest: Compared | None = None
        self.full, self.flips = False, 0
        allowances = Allowances(self.data, sides.a.experiment)
        self.main = Link(sides.a, sides.b, allowances.of(sides.a.experiment, False))
        self.links = [
            Link(spec, live, allowances.of(spec.experiment, True), native=True)
            for spec, live in sides.natives
        ]
        self.links.insert(0 if sides.lead is sides.a else 1, self.main)
        self.start = rounded(self.lead.named())
        for each in sides.rates:
            layer = layer_at(sides.a, each.addresses[0])
            gap = abs(float(each.here) - float(each.there))
            difference = Difference(1, "layer", layer, gap, 0.0)
            cause = of_argument(each, sides.a.experiment)
            self.found.append(_Found(difference, cause, None, None))
        if not self.data.start.step:
            self._starts(sides)

    def _starts(self, sides: Opened) -> None:
        """Note what starts otherwise, before both get the arrays of the first."""
        first, second = sides.a.experiment, sides.b.experiment
        self.found += [_Found(*each, None, None) for each in starts.of_slots(first, second)]
        live = [side for spec, side in sides.natives if spec is sides.b]
        for side in live:
            self.notes += starts.of_weights(first, self.start, side.named())

    def run(self) -> Alignment:
        state = self.start
        for step in range(self.steps):
            for each in {id(link.allowance): link.allowance for link in self.links}.values():
                each.begin(state, step)
            lead = self.lead.record(state, step)
            after = rounded(self.lead.named())
            for link in self.links:
                self._step(link, state, step, lead)
            if self.data.ends_epoch(step) or step == self.steps - 1:
                for link in self.links:
                    self._scores(link, after, step)
            state = after
            if self.full or all(link.ended for link in self.links):
                break
        order = sorted(self.found, key=_place)
        found = [(each.difference, self._with_effect(each)) for each in order]
        self._note_equal()
        return Alignment(
            min(step + 1, self.steps),
            self.count,
            found,
            self.closest,
            tuple(self.notes),
            tuple(self.writers),
        )

    def _note_equal(self) -> None:
        """Name the arguments that differ and make no difference here."""
        known = [str(each.cause.argument) for each in self.found]
        for each in arguments_of(self.main.a.experiment, self.main.b.experiment):
            if each.field != "seed" and str(each) not in known and not self.main.ended:
                self.notes.append(f"{each}, which makes no difference beyond rounding here.")

    def _step(self, link: Link, state: State, step: int, lead: Record) -> None:
        """Compare a step of two sides, and mend what differs until nothing does."""
        link.narrow = set()
        made = lead if link.a is self.lead else None
        while not link.ended and not self.full:
            made = link.a.record(state, step) if made is None else made
            other = lead if link.b is self.lead else link.b.record(state, step)
            worst = self._noted(link, compared(made, other, link.allowance))
            if worst is None:
                return

            def measure(
                side: AbstractSide, at: Compared = worst, made: Record = made
            ) -> Compared | None:
                again = compared(made, side.record(state, step), link.allowance)
                found = next((each for each in again if each.spot == at.spot), None)
                if found is None and at.spot.stage == "gradient":  # frozen on both sides
                    return Compared(at.spot, 0.0, at.allowed)
                return found

            case = Case(worst.spot, step, state, link.a, (made, other), self.data)
            if not self._mend(link, worst, step, measure, case):
                return

    def _noted(self, link: Link, results: list[Compared]) -> Compared | None:
        """Return the first result that rounding does not explain, and remember the closest."""
        self.count += len(results)
        for each in results:
            if not each.agrees and each.spot not in link.narrow:
                return each
            if each.agrees and (self.closest is None or each.ratio > self.closest.ratio):
                self.closest = each
        return None

    def _mend(
        self, link: Link, worst: Compared, step: int, measure: Any, case: Case | None
    ) -> bool:
        """Note a difference, and go on without it; False if the step cannot be judged."""
        found = None if link.native else explained(link.a, _run_of(link.b), worst, measure)
        if found is None and self._flips(link, worst):
            self.flips += 1
            self.notes.append(
                f"In step {step + 1} numbers lie within rounding of a kink "
                f"({link.allowance.near}); what follows the {worst.spot.stage} of "
                f"{worst.spot.where} was not judged there."
            )
            return False
        difference = Difference(step + 1, *worst.spot, worst.error, worst.allowed)
        if found is None and worst.ratio <= MARGIN:
            link.narrow.add(worst.spot)
            self.notes.append(f"Little above what rounding allows, and not counted: {difference}.")
            return True
        before = link.b
        if found is not None:
            cause = of_argument(found.argument, link.a.experiment, worst.spot.where)
            link.b = found.side
            self.closing.callback(link.b.close)
            after = link.b
        else:
            cause, after = self._unexplained(link, worst, case)
        self.found.append(_Found(difference, cause, before, after))
        self.full = len(self.found) >= MOST
        return True

    def _flips(self, link: Link, worst: Compared) -> bool:
        """Whether a number on the other side of its kink may make a difference."""
        after = worst.spot.stage in ("gradient", "update", "weights", "slots")
        return after and link.allowance.near > 0 and self.flips < FLIPS

    def _unexplained(
        self, link: Link, worst: Compared, case: Case | None
    ) -> tuple[Cause, AbstractSide]:
        """Return the cause, and the side to go on with: that of the first side's backend."""
        off = (math.nan, math.nan)
        if case is not None:
            self.writers.append(writer(case))
            off = tuple(  # type: ignore[assignment]
                link.allowance.off(worst.spot, made.get(worst.spot, np.asarray(math.nan)))
                for made in case.made
            )
        cause = unexplained(link.a, link.b, worst.spot, off)
        after: AbstractSide = link.a
        if link.native:
            link.ended = True
            self.notes.append(
                f"After step {case.step + 1 if case else self.steps} {link.b.title} is compared by "
                "its settings alone, so further differences of its own computation are not seen."
            )
        elif link.mended:
            link.ended = True
            self.notes.append("A second difference has no cause in the arguments: it ends here.")
        else:
            self.notes.append(
                f"After step {case.step + 1 if case else self.steps} the second training goes on "
                "as the first computes it, so further differences of its own kernels are not seen."
            )
            title, link.mended = link.b.title, True
            after = link.b = _run_of(link.a).sibling(link.b.experiment)
            after.title = title
        return cause, after

    def _scores(self, link: Link, state: State, step: int) -> None:
        """Compare losses and metrics of all examples, and of those for validation."""
        all = (self.data.x, self.data.y, self.data.weights)
        sets: list[tuple[Stage, tuple[Any, ...]]] = [("metrics", all)]
        sets += [("validation", self.validation)] if self.validation is not None else []
        for stage, examples in sets:
            link.narrow = set()
            while not link.ended and not self.full:
                link.allowance.scores(stage, state, step + 1, examples)
                made = self._score(link.a, stage, state, step, examples)
                other = self._score(link.b, stage, state, step, examples)
                worst = self._noted(link, compared(made, other, link.allowance))
                if worst is None:
                    break

                def measure(
                    side: AbstractSide,
                    at: Compared = worst,
                    made: Record = made,
                    stage: Stage = stage,
                    examples: tuple[Any, ...] = examples,
                ) -> Compared | None:
                    again = self._score(side, stage, state, step, examples)
                    results = compared(made, again, link.allowance)
                    return next((each for each in results if each.spot == at.spot), None)

                if not self._mend(link, worst, step, measure, None):
                    break

    def _score(
        self,
        side: AbstractSide,
        stage: Stage,
        state: State,
        step: int,
        examples: tuple[Any, ...],
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
        return side.evaluate(self.data.x, self.data.y, self.data.weights)["loss"]


def _place(found: _Found) -> tuple[int, int]:
    """Return where a difference comes in a training."""
    return found.difference.step, STAGES.index(found.difference.stage)


def _run_of(side: AbstractSide) -> RunSide:
    """Return a side of arguments, which is a run."""
    assert isinstance(side, RunSide)
    return side
