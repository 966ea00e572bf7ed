"""Predict for all examples, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.arrays import Array
from dnnbridge.backend import Executable
from dnnbridge.program import MASK, Program
from dnnbridge.training.batches import Batches, random_bytes, random_feeds, schedule_feeds


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

    Args:
        program: what is run.
        executable: where it runs.
        function: "predict", or "sample" with noise and dropout drawn.
        data: inputs by the names of their feeds.
        batch_size: examples per step.
        seed: of the run.
        draw: which sample of several.
        step: of the run, for what changes with it.
    """
    count, outputs = len(next(iter(data.values()))), program.outputs
    if not count:
        return {name: np.zeros(type.concrete(0), type.dtype) for name, type in outputs.items()}
    size = min(batch_size, count)
    randoms = program.randoms if function == "sample" else ()
    parts: dict[str, list[Array]] = {name: [] for name in outputs}
    first = 0
    extra = random_bytes(program, size) if randoms else 0
    for block in Batches(data, np.arange(count), size, None, extra).blocks():
        steps = len(block.feeds[MASK])
        keys = [("sample", draw, first + k) for k in range(steps)]
        drawn = random_feeds(randoms, seed, keys, size) | schedule_feeds(program, [step] * steps)
        results = executable.run(function, block.feeds | drawn, block.steps)
        for name, rows in parts.items():
            rows.append(results[name].reshape(-1, *results[name].shape[2:]))
        first += block.steps
    return {name: np.concatenate(rows)[:count] for name, rows in parts.items()}
