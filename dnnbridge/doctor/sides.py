"""`AbstractSide`: one of two trainings that are compared, computing one step at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.diagnose.subjects import rows
from dnnbridge.doctor.velocities import SLOT, unit_of
from dnnbridge.experiment import Experiment
from dnnbridge.program.probes import ACTIVATIONS, build_probes
from dnnbridge.training.feeding.batches import steps_of_epoch
from dnnbridge.training.position import Position

Stage = Literal[
    "start",
    "input",
    "layer",
    "loss",
    "gradient",
    "update",
    "weights",
    "statistics",
    "slots",
    "rate",
    "metrics",
    "validation",
]
"""What is compared, in the order of a step."""

STAGES: tuple[Stage, ...] = get_args(Stage)

State = dict[str, Array]


class Spot(NamedTuple):
    """What is compared: the stage, and the layer, weight or metric."""

    stage: Stage
    where: str


Record = dict[Spot, Array]
"""What a side has computed in a step, in the order of computing."""


@dataclass(frozen=True, eq=False)
class Batched:
    """The examples, in their own order, and how they are split.

    Attributes:
        x: inputs.
        y: labels.
        count: number of examples.
        size: examples per step.
        start: the position of the first step.
        weights: of the examples; None if all count the same.
    """

    x: Any
    y: Any
    count: int
    size: int
    start: Position
    weights: Any = None

    @property
    def per_epoch(self) -> int:
        """The steps of an epoch."""
        return steps_of_epoch(self.count, self.size)

    def rows(self, step: int) -> slice:
        """Return which examples a step has."""
        begin = (step % self.per_epoch) * self.size
        return slice(begin, min(begin + self.size, self.count))

    def batch(self, step: int) -> tuple[Any, Any]:
        """Return the examples of a step, counted from 0."""
        return self._of(self.x, step), self._of(self.y, step)

    def weights_of(self, step: int) -> Any:
        """Return the weights of the examples of a step; None if all count the same."""
        return None if self.weights is None else self._of(self.weights, step)

    def _of(self, values: Any, step: int) -> Any:
        found = self.rows(step)
        return rows(values, np.arange(found.start, found.stop))

    def ends_epoch(self, step: int) -> bool:
        """Whether a step is the last of its epoch."""
        return (step + 1) % self.per_epoch == 0

    def position(self, step: int) -> Position:
        """Return the position before a step."""
        made = self.start
        for k in range(step):
            made = made.after(1, self.count, self.size)
            made = made.next_epoch() if self.ends_epoch(k) else made
        return made


class AbstractSide(ABC):
    """One of two trainings. It works on a copy, or restores what it has changed in `close`.

    Attributes:
        experiment: what it trains, as a spec.
        title: what it is called in sentences.
        names: the names of the first side, by its own names, where they differ.
        first: what the first side trains.
        data: the examples.
        reached: the step that it is at.
    """

    experiment: Experiment
    title: str
    names: Mapping[str, str]
    first: Experiment
    data: Batched
    reached: int = 0

    @abstractmethod
    def state(self) -> State:
        """Return weights, statistics and slots, by own names."""

    @abstractmethod
    def place(self, state: Mapping[str, Array], step: int) -> None:
        """Set the arrays that it has, by own names, and go to a step."""

    @abstractmethod
    def forward(self, step: int) -> Iterator[tuple[Spot, Array]]:
        """Yield inputs, outputs of layers and gradients of a step; may move the state."""

    @abstractmethod
    def train(self, step: int) -> float:
        """Make a step from where it was placed, and return the loss of its batch."""

    @abstractmethod
    def rate(self) -> float | None:
        """Return the learning rate of the next step, if there is one."""

    @abstractmethod
    def evaluate(self, x: Any, y: Any, weights: Any = None) -> Mapping[str, float]:
        """Return loss and metrics of examples by the present weights."""

    @abstractmethod
    def close(self) -> None:
        """Restore what was changed."""

    def native(self, spot: Spot, error: float) -> str | None:
        """Return the rule of a difference that the framework itself makes at a place, if any.

        Args:
            spot: the place, by names of the first side.
            error: how far this side is from float64; not finite if its numbers are not.
        """
        return None

    def known(self, name: str) -> str:
        """Return the first side's name of a layer, weight or slot."""
        weight, colon, slot = name.partition(":")
        return self.names.get(weight, weight) + colon + slot

    def named(self) -> State:
        """Return the state by the names of the first side."""
        return {self.known(n): a * self._unit(n) for n, a in self.state().items()}

    def _unit(self, name: str) -> Any:
        """Return what makes an array that of the first side."""
        if name.partition(":")[2] != SLOT:
            return np.float32(1.0)
        step = self.data.position(self.reached).step
        return np.float32(unit_of(self.first, self.experiment, step))

    def begin(self, state: Mapping[str, Array], step: int) -> None:
        """Go to a step with the state of the first side, by its names."""
        own, self.reached = self.state(), step
        kept = self.kept_apart.setdefault(step, self._apart(own, state))
        given = {
            name: state[known] / self._unit(name) if (known := self.known(name)) in state else array
            for name, array in {**own, **kept}.items()
        }
        self.place({n: a if a.shape == own[n].shape else own[n] for n, a in given.items()}, step)

    def _apart(self, own: State, state: Mapping[str, Array]) -> State:
        """Return the arrays that the first side has not, such as a count of its own."""
        return {n: np.array(a) for n, a in own.items() if self.known(n) not in state}

    @cached_property
    def kept_apart(self) -> dict[int, State]:
        """Arrays that the first side has not, by step."""
        return {}

    def record(self, state: Mapping[str, Array], step: int) -> Record:
        """Compute a step from a state, and return all that it makes."""
        self.begin(state, step)
        before, rate = self.named(), self.rate()
        made = {Spot(s.stage, self.known(s.where)): a for s, a in self.forward(step)}
        self.begin(state, step)
        made[Spot("loss", "loss")] = np.asarray(self.train(step))
        self.reached = step + 1
        self.kept_apart[self.reached] = self._apart(self.state(), state)
        made |= self._moved(before)
        if rate is not None:
            made[Spot("rate", "optimizer")] = np.asarray(rate)
        return dict(sorted(made.items(), key=lambda item: STAGES.index(item[0].stage)))

    def _moved(self, before: State) -> Record:
        """Return what a step has made of the state."""
        after, program = self.named(), self.experiment.program()
        weights = {self.known(name) for name in program.parameters}
        kinds: dict[Stage, list[str]] = {"weights": [], "statistics": [], "slots": []}
        for name in after:
            kinds[
                "slots" if ":" in name else "weights" if name in weights else "statistics"
            ].append(name)
        made = {Spot("update", name): after[name] - before[name] for name in kinds["weights"]}
        return made | {Spot(s, name): after[name] for s, names in kinds.items() for name in names}

    def scores(self, stage: Stage, *examples: Any) -> Record:
        """Return loss and metrics of examples by the present weights."""
        return {Spot(stage, n): np.asarray(v) for n, v in self.evaluate(*examples).items()}


def paths(experiment: Experiment) -> list[str]:
    """Return weights and statistics, then the outputs of layers, by name."""
    program = experiment.program()
    probes = build_probes(
        experiment.model, experiment.heads, experiment.rules, experiment.precision
    )
    return [*program.layers, *probes.functions[ACTIVATIONS[True]].results]


def renaming(first: Experiment, other: Experiment) -> dict[str, str]:
    """Return the first model's names by those of the other one, which has the same layers."""
    ours, theirs = paths(first), paths(other)
    if len(ours) != len(theirs) or set(ours) == set(theirs):
        return {}
    return _differing(theirs, ours)


def _differing(theirs: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    return {a: b for a, b in zip(theirs, ours, strict=True) if a != b}
