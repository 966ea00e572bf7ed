"""`Fitting`: one call of `fit`, from arrays to the losses of every step."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dnnbridge.backend.protocol import Executable
from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.errors import DataError
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.program.program import Program
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.checking.fed import FedRows
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.ahead import ahead
from dnnbridge.training.feeding.batches import (
    Batches,
    Block,
    choose_steps,
    examples_of,
    rows_bytes,
    steps_of_epoch,
)
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_bytes, random_feeds
from dnnbridge.training.position import Position

MEMORY_VARIABLE = "DNNBRIDGE_RESIDENT_MIB"
"""Environment variable: mebibytes of examples that are kept on the device."""

RESIDENT_MIB = 1024
"""The same without it, on a device with a memory of its own.

On a CPU nothing is kept: NumPy gathers the rows of a step in 0.02 ms (50 rows of 784 numbers), as
fast as the frameworks, in a thread beside the steps, and without a second copy of all examples.
"""

BACKWARD = 3
"""Arithmetic of a step of training, over that of a prediction."""


class Fitting:
    """The examples of a training, on the device where they fit, and the feeds of its steps.

    Args:
        program: what is trained.
        executable: where it runs.
        device: kind of device that is.
        data: examples by the names of their feeds.
        batch_size: examples per step.
        steps_per_call: steps per compiled call, or "auto".
        seed: of the run, for orders and random arrays.
        shuffle: whether each epoch has its own order.
        buffers: where feeds are written, in two turns.
        check: what rows must be to be fed.
    """

    def __init__(
        self,
        program: Program,
        executable: Executable,
        device: str,
        data: Mapping[str, Array],
        batch_size: int,
        steps_per_call: int | str,
        seed: int,
        shuffle: bool,
        buffers: Buffers,
        check: FedRows,
    ) -> None:
        self.check = check
        self.program, self.data, self.batch_size = program, data, batch_size
        self.seed, self.shuffle, self.buffers = seed, shuffle, buffers
        self.rows_per_block = (
            automatic_steps(program, data, batch_size, BACKWARD)
            if isinstance(steps_per_call, str)
            else steps_per_call
        )
        kept = {name: a for name, a in data.items() if not name.startswith(WEIGHTS)}
        fits = sum(array.nbytes for array in kept.values()) <= _budget(device)
        self.rows = executable.keep(kept) if fits else None
        self.kept = frozenset(kept if self.rows else ())

    @classmethod
    def of(
        cls,
        engine: Engine,
        data: Mapping[str, Array],
        batch_size: int,
        steps_per_call: int | str,
        shuffle: bool,
    ) -> Fitting:
        """Return the training of some examples by the steps of a run."""
        return cls(
            engine.program,
            engine.executable,
            engine.device,
            data,
            batch_size,
            steps_per_call,
            engine.experiment.seed,
            shuffle,
            engine.buffers["fit"],
            engine.fed,
        )

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return steps_of_epoch(examples_of(self.data), self.batch_size)

    def blocks(self, start: Position, epochs: int) -> Generator[Block]:
        """Yield the blocks of some epochs from a position on.

        A thread prepares each while the one before it runs, unless there is little to prepare.
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
                self._order(epoch),
                self.batch_size,
                self.rows_per_block,
                self.kept,
                buffers=self.buffers,
                check=self.check,
            )
            for block in batches.blocks(start.batch if epoch == start.epoch else 0):
                keys = [("random", step + k) for k in range(block.steps)]
                randoms, rows = self.program.randoms, len(block.feeds[MASK])
                drawn = random_feeds(randoms, self.seed, keys, self.batch_size, rows, self.buffers)
                step += block.steps
                yield _with(block, drawn)

    def _order(self, epoch: int) -> Array:
        count = examples_of(self.data)
        return randomness.permutation(self.seed, epoch, count) if self.shuffle else np.arange(count)


def checked_steps(value: Any) -> int | str:
    """Return `steps_per_call` as it may be given, or raise."""
    if value == "auto":
        return "auto"
    return check_positive(value, "steps_per_call", ', or "auto"')


def automatic_steps(program: Program, data: Mapping[str, Array], batch: int, times: int = 1) -> int:
    """Return how many steps a call makes, whose arithmetic is so many times that of the model."""
    work = program.functions["evaluate"].graph.flops() * batch * times
    return choose_steps(rows_bytes(data, batch) + random_bytes(program, batch), work)


def _budget(device: str) -> int:
    given = os.environ.get(MEMORY_VARIABLE) or str(0 if device == "cpu" else RESIDENT_MIB)
    if not given.isdecimal():
        raise DataError("is a number of mebibytes", where=MEMORY_VARIABLE, got=repr(given))
    return int(given) * 2**20


def _with(block: Block, feeds: Mapping[str, Any]) -> Block:
    return replace(block, feeds={**block.feeds, **feeds}) if feeds else block
