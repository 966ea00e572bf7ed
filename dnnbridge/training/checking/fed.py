"""Check rows when they are fed, as an array may have changed since `fit` checked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError
from dnnbridge.graph import TensorType
from dnnbridge.losses import Target
from dnnbridge.losses.target import check_range
from dnnbridge.program.program import Program
from dnnbridge.training.checking.data import check_numbers
from dnnbridge.training.checking.labels import check_not_negative


class Check(Protocol):
    """Raises `DataError` unless an array may be fed."""

    def __call__(self, array: Array, /, *, where: str) -> None: ...


class FedRows:
    """Checks the feeds whose errors the loss does not reveal.

    Arrays with the right dtype are not copied, so a callback or another thread can change them
    during training. An invalid class label then gives a loss of 0, and an invalid row number of a
    table reads nothing. The checks look at the rows gathered for a block, which no other code
    can change. Non-finite inputs give a non-finite loss, which `NonFiniteGuard` finds: looking for
    them here would take 1.5 ms for 128 batches of 50 rows of 784 numbers.

    Args:
        types: types of the model's inputs, by name.
        program: the program that is fed.
    """

    def __init__(self, types: Mapping[str, TensorType], program: Program) -> None:
        self._checks: dict[str, tuple[str, Check]] = {}
        for name in types:
            place = "x" if len(types) == 1 else f"x[{name!r}]"
            if count := program.rows.get(f"input:{name}"):
                check = partial(check_numbers, count=count)
                self._checks[f"input:{name}"] = place, check
        for key, objective in program.objectives.items():
            several = f"[{key!r}]" if len(program.objectives) > 1 else ""
            self._checks[objective.labels_feed] = f"y{several}", _of_labels(objective.targets)
            self._checks[objective.weights_feed] = f"sample_weight{several}", check_not_negative

    def __call__(self, name: str, rows: Array, numbers: Array) -> None:
        """Raise if a row of a feed is invalid; `numbers` are the numbers of the examples."""
        if name not in self._checks:
            return
        place, check = self._checks[name]
        rows = rows.reshape(-1, *rows.shape[2:])
        try:
            check(rows, where=place)
        except DataError as error:
            found = _first(check, rows)
            raise DataError(
                f"was changed during training: {error.what}",
                where=f"{place}[{numbers.ravel()[found]}]",
                got=error.got,
                hint="Give a copy, or change the array between calls only.",
            ) from None


def _of_labels(targets: Sequence[Target]) -> Check:
    def check(array: Array, where: str) -> None:
        for target in targets:
            check_range(array, target, where)

    return check


def _first(check: Check, rows: Array) -> int:
    """Return the first row that a check refuses."""
    for k in range(len(rows)):
        try:
            check(rows[k : k + 1], where="")
        except DataError:
            return k
    return 0
