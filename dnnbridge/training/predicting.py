"""Predict for all examples, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import RandomInput
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.checking.stored import Columns, rows_of
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import Key, random_feeds, schedule_feeds
from dnnbridge.training.sources.reading import Reading

Feeds: TypeAlias = Mapping[str, Array]


def predict(
    engine: Engine,
    data: Columns | Reading,
    batch_size: int,
    training: bool = False,
    samples: int | None = None,
) -> dict[str, Array]:
    """Return every output for every example, in order.

    Args:
        engine: what computes.
        data: inputs by the names of their feeds, or batches of them.
        batch_size: examples per step of arrays.
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
    parts = _of_stream(data) if isinstance(data, Reading) else _of_arrays(data, batch_size)
    made = _predicted(engine, function, parts, samples or 1)
    return made if samples else {name: array[0] for name, array in made.items()}


def _predicted(
    engine: Engine, function: str, parts: Iterator[tuple[Feeds, int]], draws: int
) -> dict[str, Array]:
    """Return some predictions of all examples, along a new first axis."""
    program, outputs = engine.program, engine.program.outputs
    made: dict[str, list[Array]] = {
        name: [np.zeros((draws, *type.concrete(0)), type.dtype)] for name, type in outputs.items()
    }
    randoms = program.randoms if function == "sample" else ()
    schedules = schedule_feeds(program, [engine.state.position.step])
    for number, (batch, count) in enumerate(parts):
        feeds = {name: array[None] for name, array in batch.items()}
        keys = [("sample", draw, number) for draw in range(draws)]
        results = [_drawn(engine, function, feeds | schedules, randoms, key) for key in keys]
        for name, rows in made.items():
            rows.append(np.stack([each[name][0, :count] for each in results]))
    return {name: np.concatenate(rows, axis=1) for name, rows in made.items()}


def _drawn(
    engine: Engine, function: str, feeds: Feeds, randoms: Sequence[RandomInput], key: Key
) -> dict[str, Array]:
    """Return one prediction of a batch."""
    size = next(iter(feeds.values())).shape[1]
    drawn = random_feeds(randoms, engine.experiment.seed, [key], size, 1, Buffers())
    return engine.compute(function, {**feeds, **drawn}, 1)


def _of_arrays(data: Columns, batch_size: int) -> Iterator[tuple[Feeds, int]]:
    """Yield batches and how many rows of each count.

    Fewer examples than a batch are padded to a power of two, so that few sizes are compiled.
    """
    count = examples_of(data)
    size = min(batch_size, power_of_two(count))
    for first in range(0, count, size):
        rows = min(size, count - first)
        yield {n: _longer(rows_of(c, first, first + size), size) for n, c in data.items()}, rows


def _of_stream(reading: Reading) -> Iterator[tuple[Feeds, int]]:
    """Yield batches and how many rows of each count; see `StreamBlocks` for their sizes."""
    width = 0
    reading.source.begin_epoch()
    for batch in reading.batches():
        count = examples_of(batch)
        if count > width:
            width = power_of_two(count) if width else count
        yield {name: _longer(array, width) for name, array in batch.items()}, count
    reading.source.end_epoch()


def _longer(rows: Array, size: int) -> Array:
    """Return `size` rows; copies of the last row fill up a short batch."""
    missing = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, 0)]) if missing else rows
