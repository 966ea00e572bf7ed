"""Evaluate on all examples, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import closing

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.errors import DataError
from dnnbridge.training.checking.stored import Columns
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.ahead import ahead
from dnnbridge.training.feeding.batches import Batches, Block, examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import schedule_feeds
from dnnbridge.training.feeding.stream_blocks import StreamBlocks
from dnnbridge.training.fitting import automatic_steps
from dnnbridge.training.history import Logs
from dnnbridge.training.sources.passes import AGAIN
from dnnbridge.training.sources.reading import Reading
from dnnbridge.training.totals import Totals


def evaluate(engine: Engine, data: Columns | Reading, batch_size: int) -> Logs:
    """Return the loss and every metric, exact means over all examples.

    Args:
        engine: what computes.
        data: inputs, labels and weights by the names of their feeds, or batches of them.
        batch_size: examples per step of arrays, where there are as many.
    """
    program, step = engine.program, engine.state.position.step
    totals = Totals(program.objectives)
    if isinstance(data, Reading):
        made = _of_stream(engine, data)
    else:
        made = _of_arrays(engine, data, batch_size)
    with closing(made) as blocks:
        for block in blocks:
            feeds = block.feeds | schedule_feeds(program, [step] * len(block.feeds[MASK]))
            totals.add(engine.compute("evaluate", feeds, block.steps), block.counts)
    if isinstance(data, Reading) and not totals.count:
        source = data.source
        hint = AGAIN if source.once else "Give at least one batch."
        raise DataError("has no batch", where=data.where, got=source.name, hint=hint)
    return totals.means()


def _of_arrays(engine: Engine, data: Columns, batch_size: int) -> Generator[Block]:
    count = examples_of(data)
    size = min(batch_size, power_of_two(count))
    rows, buffers = automatic_steps(engine.program, data, size), engine.buffers["evaluate"]
    batches = Batches(data, np.arange(count), size, rows, buffers=buffers, check=engine.fed)
    return batches.blocks()


def _of_stream(engine: Engine, reading: Reading) -> Generator[Block]:
    """Yield the blocks of a pass; a thread prepares each while the previous one runs."""

    def rows(width: int, batch: Mapping[str, Array]) -> int:
        return automatic_steps(engine.program, batch, width)

    stop = threading.Event()
    reading.source.begin_epoch()
    blocks = StreamBlocks(reading.batches(), 0, 0, reading.steps, rows, Buffers(turns=2), stop)
    with closing(ahead(blocks.blocks(), stop)) as prepared:
        yield from prepared
    reading.source.end_epoch()
