"""What rounding allows between two traces, whose states are never equal for long.

A file of ours says how far changes of the state move each place of a step: by a spacing of
float32, by 1e-5, by 1e-3. How far the states of two trainings are apart before a step is known from
their files. So what a step may differ by is read off, between the two sizes around it. And the
states may move apart by the sum of what the steps in between may differ by.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dnnbridge.callbacks.nearby import NOISE, SCALES, SPACING
from dnnbridge.doctor.trace_matching import Pair
from dnnbridge.formats.traces.places import TraceStage
from dnnbridge.formats.traces.reading import TraceFile
from dnnbridge.formats.traces.statistics import NORM
from dnnbridge.testing.tolerances import ROUNDINGS

Numbers = npt.NDArray[np.float64]

USUAL: dict[TraceStage, tuple[float, float, float]] = {
    "layer": (8 * SPACING, 1e-4, 1e-2),
    "loss": (8 * SPACING, 1e-4, 1e-2),
    "gradient": (32 * SPACING, 1e-3, 0.1),
    "update": (64 * SPACING, 1e-3, 0.1),
    "statistics": (32 * SPACING, 1e-3, 0.1),
    "slots": (64 * SPACING, 1e-3, 0.1),
}
"""What changes of each size make where no file has measured it: above what was measured for an MLP
with Adam, a CNN with batch normalisation and an LSTM in 1600 steps."""

CONSTANTS = 2e-4
"""What an optimizer of a framework may differ by: it rounds numbers such as 1 - beta_2."""

UNDECIDED = 0.5
"""Allowance from which on a comparison says nothing."""

BENT = (0.8, 1.25)
"""Powers between which an effect is proportional to the change."""

CROSSINGS = 4.0
"""How many numbers may cross their kinks from one recorded step to the next."""

LOOPS = 256
"""Most parts of the way from one recorded step to the next."""

SHRUNK = 100.0
"""How much smaller a number may be than where it was measured."""

BOUND = 1e-30

MOVED = ("update", "statistics", "slots")
"""Stages that say what a step adds to an array."""

DERIVED = ("gradient", *MOVED)


class Allowed(NamedTuple):
    """What is allowed at a step, for each pair.

    Attributes:
        errors: relative errors; infinite where nothing can be said.
        noise: whether a spacing decides the number, such as the gradient of a bias before a
            normalisation.
        grown: whether the states are so far apart that nothing can be said any more.
    """

    errors: Numbers
    noise: npt.NDArray[np.bool_]
    grown: npt.NDArray[np.bool_]


class _Near(NamedTuple):
    """What changes of the state make of a step, for the pairs."""

    step: int
    sizes: Numbers
    moved: Numbers


class TraceAllowance:
    """Allowances of the pairs of two files.

    Args:
        a: the first file.
        b: the second.
        pairs: which rows are compared.
    """

    def __init__(self, a: TraceFile, b: TraceFile, pairs: tuple[Pair, ...]) -> None:
        self.pairs = pairs
        self.predicts = a.head.get("probe") is not None
        self.native = any(file.head.get("kind") != "run" for file in (a, b))
        self.near = _near(a, [p.a for p in pairs]) + _near(b, [p.b for p in pairs])
        self.usual = np.array([USUAL.get(p.place.stage, (0.0, 0.0, 0.0)) for p in pairs]).T
        names = [p.place.where for p in pairs]
        known = {b.places[p.b].where: p.place.where for p in pairs}
        said = {n for near in a.near.values() for n in near.free}
        said |= {known.get(n, n) for near in b.near.values() for n in near.free}
        self.free = self._free(names, said)
        self.bent = self._bent()
        self.later = np.array([p.place.stage in MOVED for p in pairs], bool)
        self.derived = np.array([p.place.stage in DERIVED for p in pairs], bool)
        states = [i for i, p in enumerate(pairs) if p.place.stage == "state"]
        self.states = np.array(states, int)
        changes = {p.place.where: i for i, p in enumerate(pairs) if p.place.stage in MOVED}
        self.changes = np.array([changes.get(names[i], -1) for i in states], int)
        self.slots = np.array([":" in names[i] for i in states], bool)
        kinds = [pairs[i].place.stage if i >= 0 else "" for i in self.changes]
        spoilt = self.free.any()  # a bias that rounding decides is in the statistics after it
        self.decided = np.array(
            [
                not self.free[i] and not (spoilt and kind == "statistics")
                for i, kind in zip(states, kinds, strict=True)
            ],
            bool,
        )

    def _free(self, names: list[str], said: set[str]) -> npt.NDArray[np.bool_]:
        """Return which rows belong to an array that rounding decides."""
        found = set(said)
        for each in self.near:
            for pair, gap in zip(self.pairs, each.moved[0], strict=True):
                if pair.place.stage in DERIVED and gap >= NOISE:
                    found.add(pair.place.where)
        weights = {name.partition(":")[0] for name in found}
        arrays = ("state", "gradient", *MOVED)
        return np.array(
            [
                p.place.stage in arrays and (n in found or n.partition(":")[0] in weights)
                for p, n in zip(self.pairs, names, strict=True)
            ],
            bool,
        )

    def _bent(self) -> npt.NDArray[np.bool_]:
        """Return where an effect is not proportional: a number has crossed a kink."""
        bent = np.zeros(len(self.pairs), bool)
        for each in self.near:
            with np.errstate(all="ignore"):
                powers = np.diff(np.log(each.moved[1:]), axis=0)
                powers = powers / math.log(SCALES[2] / SCALES[1])
            bent |= ((powers < BENT[0]) | (powers > BENT[1])).any(0) if len(powers) else False
        return bent

    def at(self, step: int, sizes: Numbers) -> Numbers:
        """Return what each scale makes at a step, (scales, pairs): the largest up to there.

        A number that is smaller here than where it was measured, as gradients become, may have the
        same absolute error.

        Args:
            step: its number.
            sizes: norms of the pairs at the step.
        """
        made = np.full((len(SCALES), len(self.pairs)), np.nan)
        steps = sorted({each.step for each in self.near})
        until = min((s for s in steps if s >= step), default=step)
        for each in self.near:
            if each.step <= until:
                with np.errstate(all="ignore"):
                    larger = np.clip(each.sizes / sizes, 1.0, SHRUNK)
                made = np.fmax(made, each.moved * np.nan_to_num(larger, nan=1.0))
        made = np.where(np.isnan(made), self.usual, made)
        known = self.changes >= 0
        rows = self.changes[known]
        with np.errstate(all="ignore"):
            stored = SPACING / 4 * sizes[self.states[known]] / sizes[rows]
        made[:, rows] = np.fmax(made[:, rows], stored)
        return made

    def effect(self, made: Numbers, eta: float, jumps: bool = True) -> Numbers:
        """Return what changes of a size make of each pair.

        Args:
            made: the result of `at`.
            eta: the relative size of the change.
            jumps: whether a number may have crossed its kink.
        """
        eta = max(eta, SPACING)
        low = 0 if eta <= SCALES[1] else 1
        with np.errstate(all="ignore"):
            ends = np.log(np.maximum(made[low : low + 2], 1e-30))
            part = math.log(eta / SCALES[low]) / math.log(SCALES[low + 1] / SCALES[low])
            found = np.exp(ends[0] + part * (ends[1] - ends[0]))
        beyond = made[2] * eta / SCALES[2]
        found = np.where(eta > SCALES[2], np.maximum(made[2], beyond), found)
        found = np.maximum(found, made[0])
        if jumps and eta > 2 * SPACING:
            found = np.maximum(found, self._jump(made, eta))
        return np.asarray(found)

    def _jump(self, made: Numbers, eta: float) -> Numbers:
        """Return what one number that crosses its kink makes: the effect grows like a root."""
        jump = made[2] * min(math.sqrt(eta / SCALES[2]), 1.0)
        return np.where(self.bent & self.derived, jump, 0.0)

    def step(self, step: int, errors: Numbers, sizes: Numbers) -> Allowed:
        """Return what is allowed at a step.

        Args:
            step: its number.
            errors: the relative differences of the pairs.
            sizes: norms of the pairs.
        """
        weights, slots = (self.apart(errors, slots=each) for each in (False, True))
        made = self.at(step, sizes)
        effect = self.effect(made, weights)
        if self.predicts:  # with running statistics
            ours = self.states[~self.slots & ~self.free[self.states]]
            inner = self.effect(made, float(errors[ours].max(initial=0.0)))
            effect = np.where(self.later, effect, inner)
        allowed = ROUNDINGS * (effect + self._stored(weights, slots, sizes))
        allowed = np.maximum(allowed, 16 * SPACING)
        if self.native:
            allowed = np.where(self.later, allowed + CONSTANTS, allowed)
        noise = self.free | (made[0] >= NOISE)
        grown = ~noise & (allowed >= UNDECIDED)
        return Allowed(np.where(noise | grown, np.inf, allowed), noise, grown)

    def _stored(self, weights: float, slots: float, sizes: Numbers) -> Numbers:
        """Return what differences of stored arrays make of their changes: they are in proportion.

        A change of a running statistic or slot is the difference of a new number and the old one.
        """
        found = np.zeros(len(self.pairs))
        known = self.changes >= 0
        rows = self.changes[known]
        with np.errstate(all="ignore"):
            shares = np.maximum(sizes[self.states[known]] / sizes[rows], 1.0)
        statistics = np.array([self.pairs[row].place.stage == "statistics" for row in rows], bool)
        updates = np.array([self.pairs[row].place.stage == "update" for row in rows], bool)
        found[rows] = np.where(updates, slots, np.where(statistics, weights, slots) * shares)
        return np.nan_to_num(found, nan=0.0, posinf=1.0)

    def apart(self, errors: Numbers, slots: bool) -> float:
        """Return the largest relative difference of weights and statistics, or of slots."""
        chosen = self.states[self.decided & (self.slots == slots)]
        found = errors[chosen]
        return float(found.max(initial=0.0))

    def states_after(
        self, before: int, step: int, errors: Numbers, sizes: Numbers
    ) -> npt.NDArray[np.float64]:
        """Return how far the states may be apart at a step, by pair of `states`.

        Args:
            before: the recorded step before.
            step: the step.
            errors: the relative differences at the step before.
            sizes: norms of the pairs at the step.
        """
        made = np.fmax(self.at(before, sizes), self.at(step, sizes))
        changed = np.where(self.changes >= 0, sizes[self.changes], 0.0)
        moves = changed / (sizes[self.states] + BOUND)
        count = step - before
        parts = min(count, LOOPS)
        eta = np.maximum(errors[self.states], SPACING)
        known = self.changes >= 0
        weights, slots = self.decided & ~self.slots, self.decided & self.slots
        crossed = self._jump(made, float(eta[weights].max(initial=SPACING)))
        crossings = CROSSINGS * np.where(known, crossed[self.changes], 0.0) * moves
        for _ in range(parts):
            size = float(eta[weights].max(initial=SPACING))
            if size >= 1:
                break
            effect = self.effect(made, size, jumps=False)
            effect = effect + (CONSTANTS if self.native else 0.0)
            own = np.where(known, effect[self.changes], 0.0)
            own = own + np.where(self.slots, 0.0, eta[slots].max(initial=0.0))
            eta = np.minimum(eta + count / parts * own * moves, 1.0)
        return np.where(self.decided, ROUNDINGS * eta + crossings, np.inf)


def _near(file: TraceFile, rows: list[int]) -> list[_Near]:
    return [
        _Near(near.step, file.steps[near.step].rows[rows, NORM], near.moved[:, rows])
        for near in file.near.values()
        if near.scales == SCALES and near.step in file.steps
    ]
