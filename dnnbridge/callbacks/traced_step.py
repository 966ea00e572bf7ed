"""`TracedStep`: compute the next step of a run as `fit` will, with all that is inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.callbacks.nearby import Moves
from dnnbridge.emit.declarations import MASK
from dnnbridge.formats.traces.places import TracePlace, TraceStage
from dnnbridge.graph import Value
from dnnbridge.program.probes import ACTIVATIONS, GRADIENTS, QUIET_GRADIENTS
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import Batches, Block, examples_of
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_feeds, schedule_feeds

Arrays = Mapping[str, Array]


class TracedStep:
    """The first step of the block that `fit` is about to run, which may be computed repeatedly.

    It writes the arrays of the run, which the caller restores.

    Args:
        engine: of the run.
        block: the feeds.
        probe: inputs and labels for outputs and gradients; by default the batch of the step.
    """

    def __init__(self, engine: Engine, block: Block, probe: tuple[Any, Any] | None) -> None:
        self.engine, self.count = engine, int(block.counts[0])
        self.before = engine.read()
        self.feeds: dict[str, Any] = block.feeds | engine.state.feeds(block)
        self.names = [n for n in self.feeds if n.startswith(("input:", "target:"))]
        self.probed = probe is not None
        self.within = {name: array[:1] for name, array in self.feeds.items()}
        self.examples = self.count
        if probe is not None:
            self.within, self.examples = _fed(engine, probe)

    def batch(self) -> list[Array]:
        """Return inputs and labels of the step."""
        return [np.asarray(self.feeds[name][0])[: self.count] for name in self.names]

    def made(self, moves: Moves | None = None) -> dict[TracePlace, Array]:
        """Compute the step, from a moved state if that is asked for."""
        engine, arrays = self.engine, self.before
        within = self.within
        if moves is not None:
            arrays = {name: moves.moved(name, array) for name, array in arrays.items()}
            within = _moved_feeds(within, moves)
        made = {TracePlace("state", n, a.shape): a for n, a in self._stored(arrays).items()}
        for name in self.names:
            if name.startswith("input:"):
                array = np.asarray(self.feeds[name][0])[: self.count]
                made[_place("input", name.partition(":")[2], array)] = array
        inside = self._inside(arrays, within)
        engine.write(arrays)
        loss = float(engine.executable.run("train", self.feeds, 1)["loss"][0])
        loss_of = np.asarray(inside.pop(TracePlace("loss", "loss"), loss))
        made |= {p: a for p, a in inside.items() if p.stage == "layer"}
        made[TracePlace("loss", "loss")] = loss_of
        made |= {p: a for p, a in inside.items() if p.stage == "gradient"}
        if (rate := engine.state.learning_rate) is not None:
            made[TracePlace("rate", "optimizer")] = np.asarray(rate)
        return made | self._changes(arrays, engine.read())

    def _stored(self, arrays: Arrays) -> dict[str, Array]:
        carried = self.engine.program.carried
        return {name: array for name, array in arrays.items() if name not in carried}

    def _changes(self, before: Arrays, after: Arrays) -> dict[TracePlace, Array]:
        weights, own = set(self.engine.program.parameters), set(self.engine.program.layers)
        made: dict[TraceStage, dict[TracePlace, Array]] = {"update": {}, "statistics": {}}
        made["slots"] = {}
        for name, array in self._stored(before).items():
            kind: TraceStage = "update" if name in weights else "statistics"
            kind = kind if name in own else "slots"
            made[kind][TracePlace(kind, name, array.shape)] = after[name] - array
        return made["update"] | made["statistics"] | made["slots"]

    def _inside(self, arrays: Arrays, feeds: Mapping[str, Any]) -> dict[TracePlace, Array]:
        """Return outputs of layers and gradients; the loss too, of a probe."""
        engine, made = self.engine, dict[TracePlace, Array]()
        outputs = ACTIVATIONS[not self.probed]
        function = engine.probe_program.functions[outputs]
        found = _run(engine, arrays, outputs, feeds)
        for name, value in zip(function.results, function.graph.outputs, strict=False):
            array = _real(found[name][0], value, self.examples)
            made[_place("layer", name, array)] = array
        gradients = QUIET_GRADIENTS if self.probed else GRADIENTS
        found = _run(engine, arrays, gradients, feeds)
        for name in engine.probe_program.functions[gradients].results:
            if name == "loss":
                made[TracePlace("loss", name)] = found[name][0]
            else:
                made[TracePlace("gradient", name, found[name][0].shape)] = found[name][0]
        return made


def _place(stage: TraceStage, name: str, array: Array) -> TracePlace:
    return TracePlace(stage, name, array.shape[1:])


def _run(engine: Engine, arrays: Arrays, name: str, feeds: Mapping[str, Any]) -> dict[str, Array]:
    wanted = {value.name for value in engine.probe_program.functions[name].feeds} | {MASK}
    given = {key: array for key, array in feeds.items() if key in wanted}
    return engine.probes(arrays).run(name, given, 1)


def _real(array: Array, value: Value, count: int) -> Array:
    """Return the rows of an output that belong to examples, examples first."""
    if None not in value.shape:
        return array[None]
    axis = value.shape.index(None)
    return np.moveaxis(array.take(np.arange(count), axis), axis, 0)


def _moved_feeds(feeds: Mapping[str, Any], moves: Moves) -> dict[str, Any]:
    """Return the feeds of a step whose inputs are moved by a spacing."""
    made, slight = dict(feeds), Moves(min(moves.scale, 2.0**-23), moves.rng)
    for name, array in feeds.items():
        if name.startswith("input:") and isinstance(array, np.ndarray):
            made[name] = slight.moved(name, array)
    return made


def _fed(engine: Engine, probe: tuple[Any, Any]) -> tuple[dict[str, Any], int]:
    """Return the feeds of a fixed batch."""
    data = engine.arguments.data(*probe)
    count = examples_of(data)
    batches = Batches(data, np.arange(count), count, 1, buffers=Buffers(), check=engine.fed)
    program, step = engine.program, engine.state.position.step
    keys = [("random", step)]
    drawn = random_feeds(program.randoms, engine.experiment.seed, keys, count, 1, Buffers())
    return next(batches.blocks()).feeds | drawn | schedule_feeds(program, [step]), count
