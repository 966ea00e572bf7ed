"""`profile`: where the time of training goes, measured from outside the compiled steps."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from dnnbridge.backend.flattening import flatten
from dnnbridge.backend.protocol import (
    Backend,
    BackendInfo,
    Claim,
    Deviation,
    Executable,
    Limitation,
    Rows,
)
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Call, Op
from dnnbridge.program.program import Program

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


@dataclass(frozen=True)
class Profile:
    """Where the time of a run's training went. All times are in seconds.

    Attributes:
        first_call: the first compiled call of training, in which the step is compiled.
        step: a step of training as `fit` makes it, the median over the epochs after the first.
        compiled: the part of it within compiled calls.
        forward: a step of evaluation of as many examples: without gradients and update.
        steps: how many steps an epoch has.
        calls: compiled calls of an epoch.
        flops: floating-point operations of the model, forward, for one batch.
        operations: how many of each the backend lowers in a step; claimed ones as a whole.
        in_place: how many weights and slots a step changes where they lie.
    """

    first_call: float
    step: float
    compiled: float
    forward: float
    steps: int
    calls: int
    flops: int
    operations: Mapping[str, int]
    in_place: int

    @property
    def outside(self) -> float:
        """Time of a step outside compiled calls: batches, host scalars, losses, callbacks."""
        return self.step - self.compiled


class _TimedExecutable:
    """An executable that notes how long each of its calls takes."""

    def __init__(self, inner: Executable, seconds: list[float]) -> None:
        self.inner, self.seconds = inner, seconds

    @property
    def compilations(self) -> int:
        return self.inner.compilations

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        start = time.perf_counter()
        made = self.inner.run(function, feeds, steps)
        self.seconds.append(time.perf_counter() - start)
        return made

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        return self.inner.keep(arrays)

    def read(self) -> dict[str, Array]:
        return self.inner.read()

    def write(self, values: Mapping[str, Array]) -> None:
        self.inner.write(values)


@dataclass(frozen=True)
class TimedBackend:
    """A backend whose executables note how long each of their calls takes.

    Each of them is compiled for the run that it serves.

    Attributes:
        inner: what compiles.
        seconds: of each call, in order.
    """

    inner: Backend
    seconds: list[float] = field(default_factory=list)

    @property
    def info(self) -> BackendInfo:
        return replace(self.inner.info, reuses=False)

    @property
    def lowered(self) -> Collection[type[Op]]:
        return self.inner.lowered

    @property
    def claims(self) -> Mapping[type, Claim]:
        return self.inner.claims

    @property
    def limitations(self) -> tuple[Limitation, ...]:
        return self.inner.limitations

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        return self.inner.deviations

    def devices(self) -> tuple[str, ...]:
        return self.inner.devices()

    def compile(self, program: Program, device: str) -> Executable:
        return _TimedExecutable(self.inner.compile(program, device), self.seconds)


def profile(
    run: Run, backend: TimedBackend, x: Any, y: Any, batch_size: int = 32, epochs: int = 5
) -> Profile:
    """Train for some epochs and say where the time went.

    Args:
        run: a new one, compiled for that backend: its first call compiles.
        backend: what times its calls.
        x: inputs, as `fit` takes them.
        y: labels.
        batch_size: examples per step.
        epochs: how many to time, after one that is not.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> from dnnbridge.reference.backend import ReferenceBackend
        >>> from dnnbridge.training.compiling import compile_for
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> backend = TimedBackend(ReferenceBackend())
        >>> run = compile_for(backend, db.Experiment(model, "mse", db.SGD(0.1)), "cpu")
        >>> found = profile(run, backend, np.ones((8, 2)), np.ones((8, 1)), batch_size=4)
        >>> found.steps, found.operations["MatMul"]
        (2, 1)
    """
    seconds, start = backend.seconds, run.position.step
    seconds.clear()
    run.fit(x, y, batch_size, verbose=0)
    steps, calls, first = run.position.step - start, len(seconds), seconds[0]
    turns = [_seconds(lambda: run.fit(x, y, batch_size, verbose=0), seconds) for _ in range(epochs)]
    run.evaluate(x, y, batch_size)
    forward = median(
        _seconds(lambda: run.evaluate(x, y, batch_size), seconds)[1] for _ in range(epochs)
    )
    program = run.experiment.program()
    flat = flatten(program.functions["train"], backend.claims, backend.info.by_rows)
    return Profile(
        first,
        median(whole for whole, _ in turns) / steps,
        median(inside for _, inside in turns) / steps,
        forward / steps,
        steps,
        calls,
        program.functions["evaluate"].graph.flops() * batch_size,
        dict(Counter(_name(node.op) for node in flat.walk()).most_common()),
        sum(len(place.names) for place in flat.places.values()),
    )


def _name(op: Op) -> str:
    return type(op.spec if isinstance(op, Call) else op).__name__


def _seconds(work: Callable[[], object], seconds: list[float]) -> tuple[float, float]:
    """Return the time of some work, and that of compiled calls within it."""
    seconds.clear()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start, sum(seconds)
