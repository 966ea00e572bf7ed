"""Activations and gradients of a run, computed by its backend without changing the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.errors import DataError
from dnnbridge.program.probes import ACTIVATIONS, GRADIENTS
from dnnbridge.training.batch_sizes import batch_size_of
from dnnbridge.training.checking.data import check_bool
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import Batches, examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import random_feeds, schedule_feeds

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


@explained()
def activations_of(
    run: Run, x: Any, batch_size: int | None = None, training: bool = False
) -> dict[str, Array]:
    """Return what each layer makes of some examples, computed by the run's backend.

    The run stays as it is. The first call compiles one function more, which the run keeps.

    Args:
        run: a compiled experiment.
        x: inputs, as `Run.fit` takes them.
        batch_size: examples per step; by default 256, or the batch_size of the model's `Input`.
        training: compute what a training step does: dropout and noise are drawn as in the next
            steps, and normalisation uses the statistics of each batch. `Run.predict` with
            training=True draws too, but normalises with the running statistics.

    Returns:
        The output of each layer by its path, one row per example, in the order of computing:
        the layers in a nested model or a wrapper come before it. A layer with several outputs has
        one entry for each ("lstm_h"), and a layer that is called again gets a number ("dense:2").
        What happens within a loop over time has no entry of its own.

    Raises:
        DataError, DTypeError: the inputs do not fit the model.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(3, "relu"), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> {name: array.shape for name, array in activations_of(run, [[1.0, 2.0]]).items()}
        {'dense': (1, 3), 'dense_1': (1, 1)}
    """
    check_bool(training, "training")
    return run.with_engine(lambda engine: _activations(engine, x, batch_size, training))


@explained()
def gradients_of(run: Run, x: Any, y: Any, sample_weight: Any = None) -> dict[str, Array]:
    """Return the gradient of the loss of some examples by each trained weight.

    The examples are one batch. The loss is what `Run.fit` would minimise in its next step:
    with penalties, dropout and statistics of the batch. Gradients are those before clipping and
    other rules. The run stays as it is. The first call compiles one function more.

    Args:
        run: a compiled experiment.
        x: inputs, as `Run.fit` takes them.
        y: labels.
        sample_weight: a factor per example, as `Run.fit` takes it.

    Returns:
        An array of the weight's shape by its name, without frozen weights.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> run.set_weights({"dense/kernel": [[1.0], [1.0]], "dense/bias": [0.0]})
        >>> gradients_of(run, [[1.0, 2.0]], [[2.0]])["dense/kernel"].ravel()
        array([2., 4.])
    """
    return run.with_engine(lambda engine: _gradients(engine, x, y, sample_weight))


def _gradients(engine: Engine, x: Any, y: Any, sample_weight: Any) -> dict[str, Array]:
    data = engine.arguments.data(x, y, sample_weight)
    count, fixed = examples_of(data), engine.program.batch_size
    if fixed is not None and count != fixed:
        raise DataError(
            "must be one batch of the model",
            where="x",
            got=f"{count} rows for batch_size={fixed}",
            hint=f"Give {fixed} rows.",
        )
    batches = Batches(data, np.arange(count), count, 1, buffers=Buffers(), check=engine.fed)
    feeds = next(batches.blocks()).feeds | _drawn(engine, count, 0)
    made = engine.probes().run(GRADIENTS, feeds, 1)
    return {name: array[0] for name, array in made.items()}


def _activations(
    engine: Engine, x: Any, batch_size: int | None, training: bool
) -> dict[str, Array]:
    data, fixed = engine.arguments.inputs(x), engine.program.batch_size
    count, name = examples_of(data), ACTIVATIONS[training]
    if not count:
        raise DataError("there are no examples", where="x", hint="Give at least one row.")
    size = min(batch_size_of(batch_size, 256, fixed), fixed or power_of_two(count))
    batches = Batches(data, np.arange(count), size, 1, buffers=Buffers(), check=engine.fed)
    probes, parts = engine.probes(), list[Mapping[str, Array]]()
    for number, block in enumerate(batches.blocks()):
        feeds = block.feeds | _drawn(engine, size, number)
        parts.append(probes.run(name, feeds, 1))
    function = engine.probe_program.functions[name]
    outputs = zip(function.results, function.graph.outputs, strict=False)  # then carried states
    return {
        key: _joined([part[key][0] for part in parts], value.shape, count) for key, value in outputs
    }


def _joined(parts: list[Array], shape: tuple[int | None, ...], count: int) -> Array:
    """Return the rows of all batches without padding, along the axis of the examples."""
    if None not in shape:
        return parts[0]
    axis = shape.index(None)
    return np.concatenate(parts, axis).take(np.arange(count), axis)


def _drawn(engine: Engine, size: int, number: int) -> dict[str, Array]:
    """Return random arrays and host scalars of a step, counted from the run's next one."""
    program, step = engine.program, engine.state.position.step + number
    keys = [("random", step)]
    drawn = random_feeds(program.randoms, engine.experiment.seed, keys, size, 1, Buffers())
    return drawn | schedule_feeds(program, [step])
