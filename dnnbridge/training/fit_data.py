"""What `fit` was given to train on and to evaluate: arrays, or sources of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dnnbridge.base.messages import what
from dnnbridge.errors import ArgumentError, DataError
from dnnbridge.training.batch_sizes import batch_size_of, check_rows
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.checking.stored import Columns
from dnnbridge.training.engine import Engine
from dnnbridge.training.feeding.batches import examples_of
from dnnbridge.training.fit_arguments import calls_of, epochs_of
from dnnbridge.training.fitting import BACKWARD, Fitting, automatic_steps
from dnnbridge.training.sources.passes import Passes, check_ends, check_repeated
from dnnbridge.training.sources.reading import Reading
from dnnbridge.training.sources.recognising import is_source
from dnnbridge.training.sources.shuffled import Shuffled
from dnnbridge.training.stream_fitting import StreamFitting
from dnnbridge.training.validation import Data, Validation, check_comes, checked_freq, split

ALONE = {
    "y": "Leave it out: each batch is (x, y).",
    "batch_size": "Leave it out: each batch of the source is a step.",
    "sample_weight": "Leave it out: let the batches be (x, y, sample_weight).",
    "validation_split": "Leave it out: give a second source as validation_data.",
}
"""For arguments that do not go with a source of batches: what to do."""


@dataclass(frozen=True, eq=False)
class Given:
    """What `fit` was given to train on and to evaluate, as its arguments are called."""

    x: Any
    y: Any
    batch_size: Any
    sample_weight: Any
    class_weight: Any
    shuffle: Any
    steps_per_epoch: Any
    validation_data: Any
    validation_split: Any
    validation_freq: Any


def prepared(
    engine: Engine, given: Given, steps_per_call: Any, callbacks: Sequence[Callback], until: int
) -> tuple[Fitting | StreamFitting, Validation | None]:
    """Return what makes the steps of `fit`, and what to evaluate, or raise.

    Args:
        engine: whose model the data must fit.
        given: the data.
        steps_per_call: of `fit`.
        callbacks: which hear of the training.
        until: the last epoch, counted over the life of the run.
    """
    seed = engine.experiment.seed
    if is_source(given.x, lists=given.y is None):
        passes = _passes(engine, given, until - engine.state.position.epoch)
        validation = _validation(engine, given, until)
        calls = calls_of(steps_per_call, callbacks, None)
        return StreamFitting(engine, passes, calls), validation
    _check_labels_given("fit", given.y)
    size = batch_size_of(given.batch_size, 32, engine.program.batch_size)
    data, validation = _arrays(engine, given, until)
    order = epochs_of(data, seed, size, given.shuffle, given.steps_per_epoch)
    automatic = partial(automatic_steps, engine.program, data, order.batch_size, BACKWARD)
    return Fitting.of(
        engine, data, order, calls_of(steps_per_call, callbacks, automatic)
    ), validation


def to_evaluate(
    engine: Engine, x: Any, y: Any, batch_size: Any, sample_weight: Any
) -> tuple[Columns | Reading, int]:
    """Return what `evaluate` was given, and the examples per step of arrays, or raise."""
    size = batch_size_of(batch_size, 256, engine.program.batch_size)
    if is_source(x, lists=y is None):
        others = {"y": y, "batch_size": batch_size, "sample_weight": sample_weight}
        return _reading(engine, "evaluate", x, **others), size
    _check_labels_given("evaluate", y)
    return engine.arguments.data(x, y, sample_weight), size


def to_predict(engine: Engine, x: Any, batch_size: Any) -> tuple[Columns | Reading, int]:
    """Return what `predict` was given, and the examples per step of arrays, or raise."""
    size = batch_size_of(batch_size, 256, engine.program.batch_size)
    if isinstance(x, Shuffled):
        raise DataError(
            "predictions are in the order of the examples, which a shuffled source has not",
            where="predict: x",
            got="a Shuffled",
            hint="Give its source.",
        )
    if is_source(x) or _are_batches(x, next(iter(engine.arguments.types.values())).rank):
        return _reading(engine, "predict", x, batch_size=batch_size), size
    return engine.arguments.inputs(x), size


def _are_batches(given: Any, rank: int) -> bool:
    """Return whether a list holds batches (x, y), and not inputs or rows.

    A row that is a tuple of arrays has arrays of fewer axes than an input has.

    Example:
        >>> import numpy as np
        >>> x, y = np.zeros((5, 3)), np.zeros((5, 1))
        >>> _are_batches([(x, y), (x, y)], rank=2), _are_batches([(x, x)], rank=4)
        (True, False)
    """
    if not isinstance(given, list) or not given:
        return False
    if not all(isinstance(each, tuple) and each for each in given):
        return False
    first = given[0][0]
    several = isinstance(first, list | tuple) and first
    array = first[0] if several else first
    return isinstance(first, Mapping) or len(getattr(array, "shape", ())) == rank


def _check_labels_given(call: str, y: Any) -> None:
    """Raise if a call with arrays has no labels."""
    if y is None:
        raise ArgumentError(
            "missing argument y",
            where=call,
            hint=f"Give NumPy arrays: run.{call}(x, y); or batches of both: run.{call}(batches).",
        )


def _reading(engine: Engine, call: str, given: Any, **others: Any) -> Reading:
    """Return the batches of a source that `evaluate` or `predict` was given, or raise."""
    _check_alone(call, **others)
    reading = Reading(given, engine.arguments, labels=call != "predict")
    check_ends(reading, "Give a part of it, such as dataset.take(100).")
    return reading


def _check_alone(call: str, **others: Any) -> None:
    """Raise if a source of batches is given with what its batches decide."""
    for name, value in others.items():
        if value is not None:
            raise ArgumentError(
                "does not go with a source of batches, which gives it itself",
                where=f"{call}: {name}",
                got=what(value),
                hint=ALONE[name],
            )


def _passes(engine: Engine, given: Given, epochs: int) -> Passes:
    """Return which batches the epochs have."""
    check_bool(given.shuffle, "shuffle")
    _check_alone("fit", y=given.y, batch_size=given.batch_size, sample_weight=given.sample_weight)
    if isinstance(given.validation_split, bool) or given.validation_split != 0:
        _check_alone("fit", validation_split=given.validation_split)
    reading = Reading(
        given.x, engine.arguments, engine.experiment.seed, bool(given.shuffle), given.class_weight
    )
    if given.steps_per_epoch is not None:
        steps = check_positive(given.steps_per_epoch, "steps_per_epoch", ", or None")
        return Passes(reading, steps)
    check_ends(reading, "Say how many batches an epoch has: steps_per_epoch=100.")
    check_repeated(reading, epochs, "epochs")
    return Passes(reading)


def _validation(engine: Engine, given: Given, until: int) -> Validation | None:
    """Return what `validation_data` is, if it is given."""
    data, freq = given.validation_data, checked_freq(given.validation_freq)
    if data is None:
        return None
    check_comes(freq, engine.state.position.epoch, until)
    if not is_validation_source(data):
        return Validation(engine.arguments.validation(data), freq)
    reading = Reading(data, engine.arguments, where="validation_data")
    check_ends(reading, "Give a part of it, such as dataset.take(100).")
    found = Validation(reading, freq)
    begun = engine.state.position.epoch
    check_repeated(reading, sum(map(found.due, range(begun, until))), "evaluations")
    return found


def is_validation_source(given: Any) -> bool:
    """Return whether this gives batches; a list does if all it holds are tuples.

    Example:
        >>> pair = ([1.0], [2.0])
        >>> is_validation_source(pair), is_validation_source([pair, pair])
        (False, True)
    """
    if isinstance(given, list | tuple):
        pairs = all(isinstance(each, tuple) for each in given)
        return isinstance(given, list) and len(given) > 0 and pairs
    return is_source(given)


def _arrays(engine: Engine, given: Given, until: int) -> tuple[Data, Validation | None]:
    """Return the examples to train on, and what to evaluate."""
    arrays = (given.x, given.y, given.sample_weight, given.class_weight)
    data: Data = engine.arguments.data(*arrays)
    fraction, freq = given.validation_split, checked_freq(given.validation_freq)
    if given.validation_data is not None:
        if fraction:
            raise ArgumentError(
                "give validation_data or validation_split, not both", where="fit: validation_split"
            )
        return data, _validation(engine, given, until)
    if isinstance(fraction, bool) or fraction != 0:
        unweighted = engine.arguments.data(given.x, given.y, given.sample_weight)
        data, held_out = split(data, unweighted, fraction)
        for each in (data, held_out):
            check_rows(examples_of(each), engine.program.batch_size, "validation_split")
        check_comes(freq, engine.state.position.epoch, until)
        return data, Validation(held_out, freq)
    return data, None
