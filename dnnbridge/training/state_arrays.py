"""Arrays of a run: their initial values, and checks of arrays that replace them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import close_match, shorten, what
from dnnbridge.errors import DataError, DnnbridgeError, DTypeError, SpecError
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program.program import Program
from dnnbridge.training.checking.data import check_size
from dnnbridge.training.position import Position

PORTION = 2**22
"""Bytes from which arrays make a portion."""


def initial_arrays(program: Program, seed: int) -> Iterator[tuple[str, Array]]:
    """Return the arrays of a new run by name, drawn in float64 and rounded to float32."""
    for name, array in program.state.items():
        generator = randomness.generator(seed, "initial", name)
        try:
            drawn = array.initializer.sample(generator, array.shape)
        except DnnbridgeError as error:
            raise error.at(name) from None
        yield name, drawn.astype(np.float32)


def portions(arrays: Iterable[tuple[str, Array]]) -> Iterator[dict[str, Array]]:
    """Return copies of arrays in portions, so that not all copies are in memory at once."""
    portion: dict[str, Array] = {}
    size = 0
    for name, array in arrays:
        portion[name] = np.array(array)
        size += portion[name].nbytes
        if size >= PORTION:
            yield portion
            portion, size = {}, 0
    yield portion


def check_named(values: Any, where: str) -> None:
    """Raise unless this is a dictionary of arrays by name."""
    if not isinstance(values, Mapping):
        raise DTypeError(
            "needs a dictionary of arrays by name",
            where=where,
            got=what(values),
            hint="Give a dictionary such as {'dense/kernel': array}.",
        )


def checked_arrays(
    values: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    where: str,
    small: bool = True,
) -> dict[str, Array]:
    """Return the values as arrays with the expected shapes, or raise. Arrays are not copied.

    Args:
        values: arrays by name.
        shapes: the expected shapes of all known arrays, by name.
        where: the caller's name for `values`, used in messages.
        small: raise for finite numbers that are too large for float32.
    """
    check_named(values, where)
    checked = {}
    for name, value in values.items():
        if name not in shapes:
            raise DataError(
                "unknown name", where=where, got=repr(name), hint=close_match(name, shapes)
            )
        try:
            array = np.asarray(value)
        except ValueError as error:  # rows of different lengths
            raise DTypeError(
                "needs an array", where=f"{where}[{name!r}]", got=what(value), hint=f"{error}."
            ) from None
        if not np.issubdtype(array.dtype, np.floating):
            raise DTypeError(
                "needs floating-point values", where=f"{where}[{name!r}]", got=str(array.dtype)
            )
        if array.shape != shapes[name]:
            raise DataError(
                f"needs shape {shapes[name]}",
                where=f"{where}[{name!r}]",
                got=f"shape {array.shape}",
                hint="Kernels are (in, out).",
            )
        if small:
            check_size(array, f"{where}[{name!r}]")
        checked[name] = array
    return checked


def checked_position(given: Any) -> Position:
    """Return what says how far a run has been trained, or raise."""
    if not isinstance(given, Position):
        raise DTypeError(
            "must be a Position",
            where="position",
            got=what(given),
            hint="Give the position of the run that the state is from.",
        )
    return given


def checked_optimizer(given: AbstractOptimizer, compiled: AbstractOptimizer) -> AbstractOptimizer:
    """Return an optimizer that may replace the compiled one, or raise.

    The two may differ in the learning rate and the state of schedules, as these are fed.
    """
    if not isinstance(given, AbstractOptimizer):
        raise DTypeError("must be an optimizer", where="optimizer", got=shorten(given))
    if (made := _without_rates(given)) != (wanted := _without_rates(compiled)):
        names = [key for key in wanted if made.get(key) != wanted[key]]
        raise DataError(
            "may differ from the experiment's optimizer in its learning rate only",
            where="optimizer",
            got=f"{type(given).__name__}, which differs in {', '.join(names)}",
            hint="Compile the experiment with this optimizer.",
        )
    return given


def _without_rates(optimizer: AbstractOptimizer) -> dict[str, Any]:
    with suppress(SpecError):  # an optimizer without a learning rate
        optimizer = optimizer.with_rate(lambda _: 1.0)
    made: dict[str, Any] = _without_schedules(optimizer.to_dict())
    return made


def _without_schedules(value: Any) -> Any:
    """Return JSON data with every schedule replaced by the word "schedule"."""
    if isinstance(value, dict):
        if str(value.get("kind")).startswith("schedule."):
            return "schedule"
        return {key: _without_schedules(each) for key, each in value.items()}
    return [_without_schedules(each) for each in value] if isinstance(value, list) else value
