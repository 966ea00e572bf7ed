"""Predict for all examples, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.backend.protocol import Executable
from dnnbridge.base.arrays import Array
from dnnbridge.program.program import Program
from dnnbridge.training.feeding.batches import examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_feeds, schedule_feeds


def predict(
    program: Program,
    executable: Executable,
    function: str,
    data: Mapping[str, Array],
    batch_size: int,
    seed: int,
    draw: int,
    step: int,
) -> dict[str, Array]:
    """Return every output for every example, in order.

    Fewer examples than a batch are padded to a power of two, so that few sizes are compiled.

    Args:
        program: the program to run.
        executable: the compiled program.
        function: "predict", or "sample" to draw noise and dropout.
        data: inputs by the names of their feeds.
        batch_size: examples per step.
        seed: seed of the run.
        draw: number of the sample, if several are drawn.
        step: step of the run, for values that follow a schedule.
    """
    count, outputs = examples_of(data), program.outputs
    if not count:
        return {name: np.zeros(type.concrete(0), type.dtype) for name, type in outputs.items()}
    size = min(batch_size, power_of_two(count))
    randoms = program.randoms if function == "sample" else ()
    parts: dict[str, list[Array]] = {name: [] for name in outputs}
    schedules = schedule_feeds(program, [step])
    for number, first in enumerate(range(0, count, size)):
        feeds = {name: _batch(array, first, size)[None] for name, array in data.items()}
        drawn = random_feeds(randoms, seed, [("sample", draw, number)], size, 1, Buffers())
        results = executable.run(function, feeds | schedules | drawn, 1)
        for name, rows in parts.items():
            rows.append(results[name][0])
    return {name: np.concatenate(rows)[:count] for name, rows in parts.items()}


def _batch(array: Array, first: int, size: int) -> Array:
    """Return `size` rows; copies of the last row fill up a short batch."""
    rows = array[first : first + size]
    missing = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, 0)]) if missing else rows
