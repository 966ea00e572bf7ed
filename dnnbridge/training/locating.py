"""Find what was not finite first: repeat steps from a state that was kept, and look into them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array, is_finite
from dnnbridge.base.interrupts import Move, Waiting
from dnnbridge.emit.declarations import MASK
from dnnbridge.optimizers.loss_scale import AbstractLossScale
from dnnbridge.program.probes import ACTIVATIONS, GRADIENTS
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import Block
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.fitting import Calls, Fitting
from dnnbridge.training.nonfinite import not_finite
from dnnbridge.training.train_state import Now

Kind = Literal["output", "loss", "gradient", "update"]


class Found(NamedTuple):
    """What was not finite first.

    Attributes:
        step: the step, counted from 1 over the life of the run.
        kind: "output" of a layer, "loss", "gradient" of a weight, or "update" of an array.
        where: path of the layer, or name of the loss, the weight or the array.
        example: the first number that is not finite.
        bad: how many numbers are not finite.
        size: of how many.
    """

    step: int
    kind: Kind
    where: str
    example: float
    bad: int
    size: int


@dataclass(frozen=True, eq=False)
class Kept:
    """The state of a run before a step, from which steps can be repeated.

    Attributes:
        arrays: all arrays, by name.
        now: the rest of the state.
        seconds: how long it took to copy them.
        loss_scale: that of the run, which may let an overflow pass.
    """

    arrays: Mapping[str, Array]
    now: Now
    seconds: float
    loss_scale: AbstractLossScale | None = None

    @classmethod
    def of(cls, engine: Engine, loss_scale: AbstractLossScale | None = None) -> Kept:
        """Copy the state of a run."""
        begun = time.perf_counter()
        arrays = engine.read()
        return cls(arrays, engine.state.now, time.perf_counter() - begun, loss_scale)


def locate(engine: Engine, fitting: Fitting, kept: Kept, until: int) -> Found | None:
    """Repeat steps one by one until something is not finite, and return what it is.

    The run has its state again afterwards.

    Args:
        engine: of the run that is being fitted.
        fitting: its examples.
        kept: the state before a step of the same epoch.
        until: the last step that may be repeated, counted from 1 over the life of the run.

    Returns:
        None if the repeated steps are finite: a callback has changed the run in between.
    """
    single = Fitting(
        *(engine.program, engine.executable, "cpu", fitting.data, fitting.epochs),
        *(Calls(1, None), Buffers(turns=2), engine.fed),
    )
    with put_back(engine):
        engine.write(kept.arrays)
        engine.state.go_to(kept.now)
        with closing(single.blocks(kept.now.position, 1)) as blocks:
            return _first(engine, fitting, blocks, kept, until)


@contextmanager
def put_back(engine: Engine) -> Iterator[None]:
    """Give a run its arrays and state again; signals wait until then."""
    with Waiting() as waiting, Move(waiting, engine.tear) as move:
        arrays, now = engine.read(), engine.state.now
        try:
            yield
        finally:
            engine.write(arrays)
            engine.state.go_to(now)
            move.done()


def _first(
    engine: Engine,
    fitting: Fitting,
    blocks: Iterator[Block],
    kept: Kept,
    until: int,
) -> Found | None:
    state, before = engine.state, kept.arrays
    examples = fitting.epochs.examples(state.position.epoch)
    for block in blocks:
        feeds = block.feeds | state.feeds(block)
        results = engine.executable.run("train", feeds, 1)
        after, losses = state.after(block, results, examples)
        arrays = engine.read()
        spoilt = not_finite(arrays, kept.loss_scale)
        if spoilt or not np.isfinite(losses).all():
            engine.write(before)
            step = after.position.step
            found = _within(engine, feeds, step, losses[0])
            return found or _of(step, "update", spoilt[0], arrays[spoilt[0]])
        if after.position.step >= until:
            return None
        state.go_to(after)
        before = arrays
    return None


def _within(engine: Engine, feeds: Mapping[str, Array], step: int, loss: float) -> Found | None:
    """Return the first layer whose output is not finite in a step, or the first such gradient.

    Gradients are computed from the last layer to the first, and so they are looked at.
    """
    outputs = _probed(engine, ACTIVATIONS[True], feeds)
    real = np.flatnonzero(np.asarray(feeds[MASK])[0])
    types = engine.probe_program.functions[ACTIVATIONS[True]].graph.outputs
    for (name, array), value in zip(outputs.items(), types, strict=False):
        axis = value.shape.index(None) if None in value.shape else None
        rows = array if axis is None else array.take(real, axis)
        if not is_finite(rows):
            return _of(step, "output", name, rows)
    if not np.isfinite(loss):
        return Found(step, "loss", "loss", loss, 1, 1)
    for name, array in reversed(_probed(engine, GRADIENTS, feeds).items()):
        if not is_finite(array):
            return _of(step, "gradient", name, array)
    return None


def _probed(engine: Engine, name: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
    function = engine.probe_program.functions[name]
    wanted = {value.name for value in function.feeds}
    given = {key: array for key, array in feeds.items() if key in wanted}
    made = engine.probes().run(name, given, 1)
    return {key: made[key][0] for key in function.results}


def _of(step: int, kind: Kind, where: str, array: Array) -> Found:
    bad = array[~np.isfinite(array)]
    return Found(step, kind, where, float(bad[0]), bad.size, array.size)
