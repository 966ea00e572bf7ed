"""`Fitting`: one call of `fit`, from arrays to the losses of every step."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from dnnbridge.backend.device import device_kind
from dnnbridge.backend.protocol import Executable
from dnnbridge.emit.declarations import MASK
from dnnbridge.errors import DataError
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.program.program import Program
from dnnbridge.training.checking.fed import FedRows
from dnnbridge.training.checking.stored import Columns, Stored
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.ahead import ahead
from dnnbridge.training.feeding.batches import (
    Batches,
    Block,
    choose_steps,
    rows_bytes,
)
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.epochs import Epochs
from dnnbridge.training.feeding.feeds import random_bytes, random_feeds
from dnnbridge.training.position import Position
from dnnbridge.training.train_state import TrainState

MEMORY_VARIABLE = "DNNBRIDGE_RESIDENT_MIB"
"""Environment variable: largest size in MiB of the examples kept on the device."""

RESIDENT_MIB = 1024
"""Default of that variable on a device with separate memory.

On a CPU no examples are kept. NumPy gathers the rows of a step in 0.02 ms (50 rows of 784
numbers), as fast as the frameworks. A second thread does so while steps run, and needs no second
copy of all examples.
"""

BACKWARD = 3
"""Ratio of the arithmetic of a training step to that of a prediction."""


class Calls(NamedTuple):
    """How many steps a compiled call has."""

    most: int | None
    """The most steps of a call; None where the size of the first batch decides."""

    every: int | None
    """A call ends at each multiple of this number, counted over the life of the run."""


class Fitting:
    """The examples of a training, kept on the device if they fit, and the feeds of its steps.

    Args:
        program: the program to train.
        executable: the compiled program.
        device: name of the device.
        data: examples by the names of their feeds.
        epochs: which examples an epoch has, and in which order.
        calls: how many steps a compiled call has.
        buffers: memory for the feeds, with two turns.
        check: checks the rows before they are fed.
    """

    def __init__(
        self,
        program: Program,
        executable: Executable,
        device: str,
        data: Columns,
        epochs: Epochs,
        calls: Calls,
        buffers: Buffers,
        check: FedRows,
    ) -> None:
        self.check, self.buffers = check, buffers
        self.program, self.data, self.epochs = program, data, epochs
        self.batch_size = epochs.batch_size
        self.calls = calls
        kept = {
            name: column
            for name, column in data.items()
            if not name.startswith(WEIGHTS) and not isinstance(column, Stored)
        }
        fits = len(kept) > 0 and sum(a.nbytes for a in kept.values()) <= _budget(device)
        self.rows = executable.keep(kept) if fits else None
        self.kept = frozenset(kept if self.rows else ())

    @classmethod
    def of(
        cls,
        engine: Engine,
        data: Columns,
        epochs: Epochs,
        calls: Calls,
    ) -> Fitting:
        """Return the training of some examples by the steps of a run."""
        return cls(
            engine.program,
            engine.executable,
            engine.device,
            data,
            epochs,
            calls,
            engine.buffers["fit"],
            engine.fed,
        )

    @property
    def steps(self) -> int:
        """The steps of the first epoch."""
        return self.epochs.steps(0)

    def examples(self, epoch: int) -> int:
        """Return how many examples an epoch has."""
        return self.epochs.examples(epoch)

    def begin(self, state: TrainState) -> None:
        """Abandon a begun epoch of other data."""
        state.begin(self.examples(state.position.epoch), self.batch_size)

    def at_the_end(self, position: Position) -> bool:
        """Return whether all steps of the present epoch are done."""
        return position.batch == self.epochs.steps(position.epoch)

    def end_epoch(self) -> None:
        """Do nothing: arrays need not know that an epoch has ended."""

    def blocks(self, start: Position, epochs: int) -> Generator[Block]:
        """Yield the blocks of some epochs, starting at a position.

        A thread prepares each block while the previous one runs, unless there is little to do.
        """
        blocks = self._prepared(start, epochs)
        ready = not self.program.randoms and len(self.kept) == len(self.data)
        for block in blocks if ready else ahead(blocks):
            yield block if self.rows is None else _with(block, self.rows(block.index))

    def _prepared(self, start: Position, epochs: int) -> Iterator[Block]:
        step = start.step
        for epoch in range(start.epoch, start.epoch + epochs):
            batches = Batches(
                self.data,
                self.epochs.order(epoch),
                self.batch_size,
                self.calls.most or 1,
                self.kept,
                buffers=self.buffers,
                check=self.check,
            )
            first = start.batch if epoch == start.epoch else 0
            for block in batches.blocks(first, step, self.calls.every):
                keys = [("random", step + k) for k in range(block.steps)]
                randoms, rows = self.program.randoms, len(block.feeds[MASK])
                drawn = random_feeds(
                    randoms, self.epochs.seed, keys, self.batch_size, rows, self.buffers
                )
                step += block.steps
                yield _with(block, drawn)


def automatic_steps(program: Program, data: Columns, batch: int, times: int = 1) -> int:
    """Return the steps per call; a step needs `times` the arithmetic of an evaluation."""
    work = program.functions["evaluate"].graph.flops() * batch * times
    return choose_steps(rows_bytes(data, batch) + random_bytes(program, batch), work)


def _budget(device: str) -> int:
    given = os.environ.get(MEMORY_VARIABLE) or str(
        0 if device_kind(device) == "cpu" else RESIDENT_MIB
    )
    if not given.isdecimal():
        raise DataError("must be a whole number of MiB", where=MEMORY_VARIABLE, got=repr(given))
    return int(given) * 2**20


def _with(block: Block, feeds: Mapping[str, Any]) -> Block:
    return replace(block, feeds={**block.feeds, **feeds}) if feeds else block
