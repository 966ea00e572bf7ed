"""Predict for all examples, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_feeds, schedule_feeds


def predict(
    engine: Engine,
    data: Mapping[str, Array],
    batch_size: int,
    training: bool = False,
    samples: int | None = None,
) -> dict[str, Array]:
    """Return every output for every example, in order.

    Args:
        engine: what computes.
        data: inputs by the names of their feeds.
        batch_size: examples per step.
        training: draw noise and dropout.
        samples: how many predictions to draw, along a new first axis.
    """
    check_bool(training, "training")
    if samples is not None:
        check_positive(samples, "samples")
        if not training:
            raise DataError(
                "is for predictions with training=True", where="samples", got=str(samples)
            )
        if engine.program.carried:
            raise DataError(
                "a model that carries states draws one prediction at a time",
                where="samples",
                got=str(samples),
                hint="Leave samples out; call run.reset_states() before each prediction.",
            )
    function = "sample" if training and "sample" in engine.program.functions else "predict"
    made = [_predicted(engine, function, data, batch_size, draw) for draw in range(samples or 1)]
    return {
        name: np.stack([each[name] for each in made]) if samples else made[0][name]
        for name in engine.program.outputs
    }


def _predicted(
    engine: Engine, function: str, data: Mapping[str, Array], batch_size: int, draw: int
) -> dict[str, Array]:
    """Return one prediction of all examples.

    Fewer examples than a batch are padded to a power of two, so that few sizes are compiled.
    """
    program, seed = engine.program, engine.experiment.seed
    count, outputs = examples_of(data), program.outputs
    if not count:
        return {name: np.zeros(type.concrete(0), type.dtype) for name, type in outputs.items()}
    size = min(batch_size, power_of_two(count))
    randoms = program.randoms if function == "sample" else ()
    parts: dict[str, list[Array]] = {name: [] for name in outputs}
    schedules = schedule_feeds(program, [engine.state.position.step])
    for number, first in enumerate(range(0, count, size)):
        feeds = {name: _batch(array, first, size)[None] for name, array in data.items()}
        drawn = random_feeds(randoms, seed, [("sample", draw, number)], size, 1, Buffers())
        results = engine.compute(function, feeds | schedules | drawn, 1)
        for name, rows in parts.items():
            rows.append(results[name][0])
    return {name: np.concatenate(rows)[:count] for name, rows in parts.items()}


def _batch(array: Array, first: int, size: int) -> Array:
    """Return `size` rows; copies of the last row fill up a short batch."""
    rows = array[first : first + size]
    missing = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, 0)]) if missing else rows
