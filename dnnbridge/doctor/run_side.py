"""`RunSide`: a run of any backend as one side of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.sides import AbstractSide, Batched, Spot, State, renaming
from dnnbridge.emit.declarations import MASK
from dnnbridge.experiment import Experiment
from dnnbridge.graph import Value
from dnnbridge.program.probes import ACTIVATIONS, GRADIENTS
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import Batches, Block
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_feeds
from dnnbridge.training.run import Run

Compile = Callable[[Experiment], Run]


class RunSide(AbstractSide):
    """A run made for the comparison, which may be changed.

    Args:
        compile: compiles an experiment on the backend of the side.
        experiment: what to train.
        data: the examples.
        title: what it is called in sentences.
        first: what the first side trains, whose names the records have.
    """

    def __init__(
        self,
        compile: Compile,
        experiment: Experiment,
        data: Batched,
        title: str,
        first: Experiment | None = None,
    ) -> None:
        self.compile, self.experiment, self.data = compile, experiment, data
        self.title, self.first, self.run = title, first or experiment, compile(experiment)
        self.names = renaming(self.first, experiment)

    def sibling(self, experiment: Experiment) -> RunSide:
        return RunSide(self.compile, experiment, self.data, self.title, self.first)

    def state(self) -> State:
        return self.run.state()

    def place(self, state: Mapping[str, Array], step: int) -> None:
        self.run.set_state(state, self.data.position(step))

    def rate(self) -> float | None:
        return self.run.learning_rate

    def forward(self, step: int) -> Iterator[tuple[Spot, Array]]:
        return iter(self.run.with_engine(lambda engine: self._forward(engine, step)))

    def _forward(self, engine: Engine, step: int) -> list[tuple[Spot, Array]]:
        block, drawn = self._fed(engine, step)
        feeds = block.feeds | drawn | engine.state.feeds(block)
        count = int(block.counts[0])
        probes, function = engine.probes(), engine.probe_program.functions[ACTIVATIONS[True]]
        inputs = [n for n in block.feeds if n.startswith("input:")]
        made = [
            (Spot("input", n.partition(":")[2]), np.array(block.feeds[n][0][:count]))
            for n in inputs
        ]
        outputs = probes.run(ACTIVATIONS[True], _of(function.feeds, feeds), 1)
        for name, value in zip(function.results, function.graph.outputs, strict=False):
            made.append((Spot("layer", name), _real(outputs[name][0], value, count)))
        wanted = engine.probe_program.functions[GRADIENTS]
        self.before_gradients()
        gradients = engine.probes().run(GRADIENTS, _of(wanted.feeds, feeds), 1)
        return made + [(Spot("gradient", n), gradients[n][0]) for n in wanted.results]

    def close(self) -> None:
        """Nothing is to be restored: the run is a copy."""

    def before_gradients(self) -> None:
        """Called before gradients are computed."""

    def train(self, step: int) -> float:
        return self.run.with_engine(lambda engine: self._train(engine, step))

    def _train(self, engine: Engine, step: int) -> float:
        block, drawn = self._fed(engine, step)
        feeds = block.feeds | drawn | engine.state.feeds(block)
        results = engine.executable.run("train", feeds, 1)
        _, losses = engine.state.after(block, results, self.data.count)
        return float(losses[0])

    def _fed(self, engine: Engine, step: int) -> tuple[Block, dict[str, Array]]:
        """Return the examples of a step, and its random arrays, as `fit` draws them."""
        size = self.data.size
        data = engine.arguments.data(self.data.x, self.data.y, self.data.weights)
        order = np.arange(self.data.count)
        batches = Batches(data, order, size, 1, buffers=Buffers(), check=engine.fed)
        block = next(batches.blocks(step % self.data.per_epoch))
        randoms, seed = engine.program.randoms, engine.experiment.seed
        keys = [("random", engine.state.position.step)]
        return block, random_feeds(randoms, seed, keys, block.batch_size, 1, Buffers())

    def evaluate(self, x: Any, y: Any, weights: Any = None) -> Mapping[str, float]:
        found = self.run.evaluate(x, y, self.data.size, sample_weight=weights)
        return {n: float(v) for n, v in found.items() if isinstance(v, (int, float))}


def _of(wanted: tuple[Value, ...], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Return the feeds of a function, and the mask of the examples."""
    names = {value.name for value in wanted}
    return {n: a for n, a in feeds.items() if n in names or n == MASK}


def _real(array: Array, value: Value, count: int) -> Array:
    """Return the rows of an output that belong to examples."""
    if None not in value.shape:
        return np.array(array)
    return array.take(np.arange(count), value.shape.index(None))
