"""`followed`: the layers of a Cell, by running its `construct` on stand-ins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import what
from dnnbridge.convert.comparing import Values
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.mindspore.following import Follower, WholeNumbersError
from dnnbridge.formats.mindspore.traced import CannotFollowError, Traced
from dnnbridge.formats.mindspore.turned import Turned
from dnnbridge.models import Input

FAULTS = (TypeError, ValueError, RuntimeError, AttributeError, LookupError)
"""What a `construct` that does not run raises."""

BATCH = 3
"""Examples in the batch that is given to both sides."""


@contextmanager
def predicting(cell: Any) -> Iterator[None]:
    """Set a Cell to predict, and back."""
    modes = [(each, each.training) for _, each in cell.cells_and_names()]
    cell.set_train(False)
    try:
        yield
    finally:
        for each, training in modes:
            each.set_train(training)


@contextmanager
def in_pynative() -> Iterator[None]:
    """Let MindSpore compute at once, as hooks need it, and set its mode back."""
    import mindspore

    mode = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    try:
        yield
    finally:
        mindspore.set_context(mode=mode)


def inputs_of(given: Any) -> list[Input]:
    if isinstance(given, Input):
        return [given]
    if all(isinstance(size, int) for size in given):
        return [Input(tuple(given))]
    return [each if isinstance(each, Input) else Input(tuple(each)) for each in given]


def followed(
    cell: Any, inputs: list[Input], findings: Findings
) -> tuple[Follower, list[Traced], Values]:
    """Run `construct`, again if an embedding turns out to read an input."""
    from mindspore import Tensor

    limits: dict[int, int] = {}
    while True:
        follower = Follower(cell, Findings())
        values = [_sample(each, index, limits) for index, each in enumerate(inputs)]
        given = [follower.traced(Tensor(array), symbol) for symbol, array in values]
        try:
            made = follower.call(cell, tuple(given), {})
        except WholeNumbersError as found:
            index = next((i for i, (s, _) in enumerate(values) if s is found.symbol), None)
            if index is None:
                findings.add(follower.path, "an embedding of numbers that were computed")
                return follower, [], values
            limits[index] = found.limit
            continue
        except CannotFollowError as error:
            follower.findings.add(follower.path, str(error))
            made = ()
        except (DnnbridgeError, *FAULTS) as error:
            text = str(error).strip().partition("\n")[0]  # MindSpore adds its own stack
            follower.findings.add(follower.path, f"construct: {type(error).__name__}: {text}")
            made = ()
        results = made if isinstance(made, (tuple, list)) else (made,)
        if not all(isinstance(each, Traced) for each in results):
            follower.findings.add("", f"a result that is not a tensor: {what(made)}")
        elif any(isinstance(each.symbol, Turned) for each in results):
            follower.findings.add("", "a result whose first axis is not the batch")
        findings.found += follower.findings.found
        return follower, list(results), values


def _sample(given: Input, index: int, limits: Mapping[int, int]) -> tuple[Input, Array]:
    """Return an input, and random numbers for it."""
    random = np.random.default_rng(index)
    shape = (BATCH, *given.shape)
    limit = limits.get(index)
    if limit is None and given.dtype == "float32":
        return Input(given.shape, given.dtype, given.name), random.normal(size=shape).astype("f4")
    whole = random.integers(0, 2 if limit is None else limit, shape).astype(np.int32)
    return Input(given.shape, "int32", given.name), whole
