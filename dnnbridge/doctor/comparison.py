"""`Comparison`: the steps of two trainings, compared stage by stage."""

from __future__ import annotations

import dataclasses
import math
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.doctor import starts
from dnnbridge.doctor.alignment import Alignment, Write
from dnnbridge.doctor.arguments import arguments_of
from dnnbridge.doctor.causes import Cause, explained, of_argument, unexplained
from dnnbridge.doctor.differences import Compared, Difference, compared
from dnnbridge.doctor.error_table import ErrorRecorder
from dnnbridge.doctor.links import Allowances, Link
from dnnbridge.doctor.opening import Opened, layer_at
from dnnbridge.doctor.reproducing import Case, writer
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.setting import environment, setting_of
from dnnbridge.doctor.sides import STAGES, AbstractSide, Record, Stage, State
from dnnbridge.program.precision import Float64
from dnnbridge.testing.harness import rounded

MARGIN = 4.0
"""Factor on what rounding allows for a difference that no argument explains: fewer samples than
steps and places have seen the largest effect of rounding."""

FLIPS = 2
"""Number of steps that a number near its kink may excuse; a wrong kernel is wrong in more."""

MOST = 32
"""Largest number of differences that are listed."""


class _Found(NamedTuple):
    """A difference, and the second side with it and without it."""

    difference: Difference
    cause: Cause
    before: AbstractSide | None
    after: AbstractSide | None


def _in_float64(sides: Opened) -> bool:
    """Whether both sides are runs in float64; live models have scalars of float32."""
    experiments = sides.a.experiment, sides.b.experiment
    return not sides.natives and all(isinstance(e.precision, Float64) for e in experiments)


class Comparison:
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
        self.errors, self.unjudged = ErrorRecorder(), list[int]()
        live = {id(spec): native for spec, native in sides.natives}
        here, there = (live.get(id(each), each) for each in (sides.a, sides.b))
        self.setting = setting_of(here, there, self.data, validation)
        self.closest: Compared | None = None
        self.full, self.flips = False, 0
        allowances = Allowances(self.data, sides.a.experiment, _in_float64(sides))
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
        for spec, live in sides.natives:
            if spec is sides.b:
                self.notes += starts.of_weights(first, self.start, live.named())

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
        notes, writers = tuple(self.notes), tuple(self.writers)
        steps, table, skipped = min(step + 1, self.steps), self.errors.table(), tuple(self.unjudged)
        more = (self.closest, notes, writers, table, skipped, self.setting, environment())
        return Alignment(steps, self.count, found, *more)

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
            worst = self._noted(link, compared(made, other, link.allowance), step)
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

    def _noted(self, link: Link, results: list[Compared], step: int) -> Compared | None:
        """Return the first result that rounding does not explain, and remember the closest."""
        self.count += len(results)
        self.errors.note(step + 1, results)
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
            self.unjudged.append(step + 1)
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
                worst = self._noted(link, compared(made, other, link.allowance), step)
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
