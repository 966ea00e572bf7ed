"""What rounding allows: the reference under random roundings, at each place of a step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnbridge.backend.protocol import Backend
from dnnbridge.base.arrays import Array
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.sides import Batched, Record, Spot, Stage, State
from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.specs.rewriting import rewritten
from dnnbridge.specs.spec import Spec
from dnnbridge.testing.kinks import KinkWatch
from dnnbridge.testing.rounding import RoundedBackend
from dnnbridge.testing.tolerances import (
    DOUBLE_EPSILON,
    DOUBLE_SAMPLED,
    EPSILON,
    ROUNDINGS,
    SMALLEST,
)
from dnnbridge.training.compiling import compile_for
from dnnbridge.training.run import Run

SAMPLES = 8
"""Number of random roundings of a step."""


NOISE = 0.1
"""Part of a number from which on rounding decides it, such as the gradient of a bias before a
normalisation, which is 0: such numbers are not compared."""


class Allowance:
    """The reference's numbers of each step, and how far rounding may move them.

    Roundings are drawn for the first step, and for each step that exceeds what they allow there.

    Args:
        experiment: of the first side.
        data: the examples.
        native: whether a side has an optimizer of a framework, which computes with its numbers,
            such as 1 - beta, in float32.
        first: of the first side, whose names the places have; by default this is the experiment.
        double: whether both sides compute in float64.
    """

    def __init__(
        self,
        experiment: Experiment,
        data: Batched,
        native: bool = False,
        first: Experiment | None = None,
        double: bool = False,
    ) -> None:
        self.spacing = DOUBLE_EPSILON if double else EPSILON
        self.drawn_spacing = DOUBLE_SAMPLED if double else EPSILON
        self.experiment, self.data, self.watch = experiment, data, KinkWatch()
        self.native = native
        backend = ReferenceBackend()
        backend.watch = self.watch
        self.first = first or experiment
        self.reference = _Watched(self.watch, backend, experiment, data, self.first)
        self.rounded: list[RunSide] = []
        self.constants = _constants(experiment, data, self.first) if native else []
        self.exact: Record = {}
        self.bounds: dict[Spot, float] = {}
        self.by_constants: dict[Spot, float] = {}
        self.still: set[Spot] = set()
        self._drawn = False

    def begin(self, state: Mapping[str, Array], step: int) -> None:
        """Compute a step exactly."""
        self._state, self._step = state, step
        self.exact, self._drawn = self.reference.record(state, step), False
        self.near = len(self.watch.near)
        moved = {spot for spot in self.still if np.any(self.exact.get(spot, 0.0))}
        for spot in moved:  # rounding decided them, as they were 0: by a rate of 0, say
            self.bounds.pop(spot, None)
            self.by_constants.pop(spot, None)
        if moved or not self.bounds:
            self.draw()

    def draw(self) -> bool:
        """Draw the roundings of the present step; False if they are drawn already."""
        if self._drawn:
            return False
        if not self.rounded:
            self.rounded = [
                _side(backend, self.experiment, self.data, self.first)
                for backend in self._rounding()
            ]
        for side in self.rounded:
            self._note(side.record(self._state, self._step), self.bounds)
        for side in self.constants:
            self._note(side.record(self._state, self._step), self.by_constants)
        self.still = {spot for spot, array in self.exact.items() if not np.any(array)}
        self._drawn = True
        return True

    def _rounding(self) -> list[Backend]:
        return [RoundedBackend(sample, spacing=self.drawn_spacing) for sample in range(SAMPLES)]

    def scores(self, stage: Stage, state: State, step: int, examples: tuple[Any, ...]) -> None:
        """Compute loss and metrics of examples exactly and with the roundings."""
        sides = [self.reference, *self.rounded]
        for side in sides:
            side.begin(state, step)
        self.exact = self.reference.scores(stage, *examples)
        for side in sides[1:]:
            self._note(side.scores(stage, *examples), self.bounds)
        self._drawn = True

    def _note(self, made: Record, bounds: dict[Spot, float]) -> None:
        for spot, array in made.items():
            found = self.error(spot, array, self.exact[spot])
            bounds[spot] = max(bounds.get(spot, 0.0), found)

    def error(self, spot: Spot, a: Array, b: Array) -> float:
        """Return the distance of two arrays, relative to the size of the reference's."""
        if np.shape(a) != np.shape(b):
            return math.inf
        exact = np.asarray(self.exact.get(spot, a), np.float64)
        distance = np.linalg.norm(np.asarray(a, np.float64) - np.asarray(b, np.float64))
        found = float(distance / (np.linalg.norm(exact) + SMALLEST))
        return math.inf if math.isnan(found) else found

    def allowed(self, spot: Spot) -> float:
        """Return the largest relative error that rounding explains."""
        bound = self.bounds.get(spot, 0.0)
        rounded = ROUNDINGS * bound if bound < NOISE else math.inf
        return max(rounded + self.by_constants.get(spot, 0.0), self.spacing * self._sizes(spot))

    def _sizes(self, spot: Spot) -> float:
        """Return how much larger the stored number is than what is compared: 1 but for updates."""
        stored = self.exact.get(Spot("weights", spot.where))
        if spot.stage != "update" or stored is None:
            return 1.0
        update = np.linalg.norm(self.exact[spot]) if spot in self.exact else 0.0
        return max(1.0, float(np.linalg.norm(stored) / (update + SMALLEST)))

    def off(self, spot: Spot, array: Array) -> float:
        """Return the relative distance of an array from the reference."""
        return self.error(spot, array, self.exact[spot]) if spot in self.exact else math.nan


class _Watched(RunSide):
    """The reference, which notes the numbers near a kink when it computes gradients."""

    def __init__(
        self,
        watch: KinkWatch,
        backend: ReferenceBackend,
        experiment: Experiment,
        data: Batched,
        first: Experiment,
    ) -> None:
        def compiled(given: Experiment) -> Run:
            return compile_for(backend, given, "cpu")

        super().__init__(compiled, experiment, data, "the reference", first)
        self.watch = watch

    def before_gradients(self) -> None:
        self.watch.begin()


def _constants(experiment: Experiment, data: Batched, first: Experiment) -> list[RunSide]:
    """Return sides with the optimizer's numbers moved: in the graph, and in what is fed to it."""
    moved = rewritten(experiment.optimizer, _moved)
    backend = ReferenceBackend()
    return [
        _side(backend, experiment.replace(optimizer=moved), data, first),
        _OtherScalars(
            lambda given: compile_for(backend, given, "cpu"), experiment, data, "", first
        ),
    ]


class _OtherScalars(RunSide):
    """The reference, whose steps are fed the scalars of an optimizer with moved numbers."""

    def place(self, state: Mapping[str, Array], step: int) -> None:
        own = self.experiment.optimizer
        self._replace(own)
        super().place(state, step)
        moved = rewritten(own, _moved)
        assert isinstance(moved, AbstractOptimizer)
        self._replace(moved)

    def _replace(self, optimizer: AbstractOptimizer) -> None:
        self.run.with_engine(lambda engine: engine.state.replace_optimizer(optimizer))


def _moved(spec: Spec) -> Spec:
    """Return a spec with its numbers moved by a spacing of float32.

    Frameworks round 1 - beta, and its powers, in other places than the equations here.
    """
    values = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}  # type: ignore[arg-type]
    near = {
        n: float(np.nextafter(np.float32(v), np.float32(0)))
        for n, v in values.items()
        if isinstance(v, float) and v
    }
    return spec.replace(**near) if near else spec


def _side(backend: Backend, experiment: Experiment, data: Batched, first: Experiment) -> RunSide:
    def compiled(given: Experiment) -> Run:
        return compile_for(backend, given, "cpu")

    return RunSide(compiled, experiment, data, "roundings", first)
