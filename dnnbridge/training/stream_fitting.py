"""`StreamFitting`: one call of `fit` with a source of batches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.errors import DataError
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.ahead import ahead
from dnnbridge.training.feeding.batches import Block, examples_of
from dnnbridge.training.feeding.feeds import random_feeds
from dnnbridge.training.feeding.stream_blocks import StreamBlocks
from dnnbridge.training.fitting import BACKWARD, Calls, automatic_steps
from dnnbridge.training.position import Position
from dnnbridge.training.sources.passes import AGAIN, Passes
from dnnbridge.training.train_state import TrainState

log = logging.getLogger(__name__)

NOTHING = Block({MASK: np.empty((0, 0))}, np.empty((0, 0)), 0, 0, np.empty(0), last=True)
"""Ends an epoch that has no further steps."""


class StreamFitting:
    """The batches of a training that come from a source, and the feeds of its steps.

    Nothing is read for the next epoch before an epoch has ended, as callbacks and the source itself
    may change what comes then.

    Args:
        engine: what computes.
        passes: which batches an epoch has.
        calls: how many steps a compiled call has; `most` is None where their size decides.

    Attributes:
        batch_size: examples per step where arrays are evaluated.
        steps: steps of an epoch; 0 if not known.
    """

    def __init__(self, engine: Engine, passes: Passes, calls: Calls) -> None:
        self.engine, self.passes, self.calls = engine, passes, calls
        self.batch_size = engine.program.batch_size or 256
        self.steps = passes.steps(0) or 0
        first = passes.reading.first()
        self._usual = examples_of(first) if first else 0

    def examples(self, epoch: int) -> int:
        """Return 0: the number of examples of an epoch is not known."""
        return 0

    def begin(self, state: TrainState) -> None:
        """Abandon a begun epoch of arrays."""
        state.begin(0, 0)

    def at_the_end(self, position: Position) -> bool:
        """Return False: a block without steps ends an epoch that has no further ones."""
        return False

    def end_epoch(self) -> None:
        """Tell the source that all steps of an epoch are done."""
        self.passes.reading.source.end_epoch()

    def blocks(self, start: Position, epochs: int) -> Generator[Block]:
        """Yield the blocks of some epochs, starting at a position."""
        step = start.step
        for epoch in range(start.epoch, start.epoch + epochs):
            batch = start.batch if epoch == start.epoch else 0
            width = start.batch_size if batch else self._usual
            self.passes.reading.source.begin_epoch()
            begun = step
            with closing(self._epoch(epoch, batch, width, step)) as blocks:
                for block in blocks:
                    step += block.steps
                    yield block
                    if block.last:
                        self._check_length(epoch, batch + step - begun)
            if step == begun:
                self._check_begun(epoch, batch)
                yield NOTHING

    def _epoch(self, epoch: int, batch: int, width: int, step: int) -> Generator[Block]:
        """Yield the blocks of an epoch; a thread prepares each while the previous one runs."""
        stop, length = threading.Event(), self.passes.steps(epoch)
        blocks = StreamBlocks(
            self.passes.epoch(epoch, batch),
            width,
            batch,
            None if length is None else max(length - batch, 0),
            self._rows,
            self.engine.buffers["fit"],
            stop,
        )
        drawn = self._drawn(blocks.blocks(step, self.calls.every), step)
        with closing(ahead(drawn, stop)) as prepared:
            yield from prepared

    def _drawn(self, blocks: Iterator[Block], step: int) -> Iterator[Block]:
        """Yield blocks with their random arrays."""
        seed, buffers = self.engine.experiment.seed, self.engine.buffers["fit"]
        for block in blocks:
            keys = [("random", step + k) for k in range(block.steps)]
            randoms, rows = self.engine.program.randoms, len(block.feeds[MASK])
            drawn = random_feeds(randoms, seed, keys, block.batch_size, rows, buffers)
            step += block.steps
            yield replace(block, feeds=block.feeds | drawn) if drawn else block

    def _rows(self, width: int, batch: Mapping[str, Array]) -> int:
        most, every = self.calls
        if most is None:
            most = automatic_steps(self.engine.program, batch, width, BACKWARD)
        return most if every is None else min(most, every)

    def _check_length(self, epoch: int, steps: int) -> None:
        """Warn if the source has ended before an epoch."""
        wanted, once = self.passes.steps_per_epoch, self.passes.reading.source.once
        if once and wanted is not None and steps < wanted:
            name = self.passes.reading.source.name
            ended = f"{name} ended after {steps} of {wanted} steps of epoch {epoch + 1}"
            log.warning("%s. %s", ended, AGAIN)

    def _check_begun(self, epoch: int, batch: int) -> None:
        """Raise if there is no batch for an epoch, of which none has been trained either."""
        if batch:
            return
        source = self.passes.reading.source
        raise DataError(
            f"has no batch for epoch {epoch + 1}",
            where=self.passes.reading.where,
            got=f"{source.name}, which has ended" if source.once else source.name,
            hint=AGAIN if source.once else "Give at least one batch.",
        )
