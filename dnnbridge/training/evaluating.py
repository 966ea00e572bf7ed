"""Evaluate on all examples, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import Batches, examples_of, power_of_two
from dnnbridge.training.feeding.feeds import schedule_feeds
from dnnbridge.training.fitting import automatic_steps
from dnnbridge.training.history import Logs
from dnnbridge.training.totals import Totals


def evaluate(engine: Engine, data: Mapping[str, Array], batch_size: int) -> Logs:
    """Return the loss and every metric, exact means over all examples.

    Args:
        engine: what computes.
        data: inputs, labels and weights by the names of their feeds.
        batch_size: examples per step, where there are as many.
    """
    program, step = engine.program, engine.state.position.step
    totals, count = Totals(program.objectives), examples_of(data)
    size = min(batch_size, power_of_two(count))
    rows, buffers = automatic_steps(program, data, size), engine.buffers["evaluate"]
    batches = Batches(data, np.arange(count), size, rows, buffers=buffers, check=engine.fed)
    for block in batches.blocks():
        feeds = block.feeds | schedule_feeds(program, [step] * len(block.feeds[MASK]))
        totals.add(engine.compute("evaluate", feeds, block.steps), block.counts)
    return totals.means()
