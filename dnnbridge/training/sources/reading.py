"""`Reading`: batches of a source, checked and named after the feeds of a program."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.program.program import Program
from dnnbridge.training.checking.arguments import Arguments
from dnnbridge.training.checking.array_like import kind_of
from dnnbridge.training.checking.stored import Column, whole
from dnnbridge.training.feeding.batches import examples_of
from dnnbridge.training.sources.recognising import Columns, source_of
from dnnbridge.training.sources.shuffled import Shuffled, mixed

Batch = dict[str, Array]
"""Checked arrays of one batch by the names of their feeds."""

UNBATCHED = (
    "The source gives single examples; let it make batches, such as dataset.batch(32) or "
    "DataLoader(…, batch_size=32)."
)


class Reading:
    """Checked batches of a source, pass by pass.

    Args:
        given: the source, perhaps `Shuffled`.
        arguments: checks the arrays.
        seed: of the experiment.
        shuffle: whether a source that gives each batch by its number has an order for each pass.
        class_weight: of `fit`.
        where: the argument, in messages.
        labels: whether labels are needed.
    """

    def __init__(
        self,
        given: Any,
        arguments: Arguments,
        seed: int = 0,
        shuffle: bool = False,
        class_weight: Any = None,
        where: str = "x",
        labels: bool = True,
    ) -> None:
        self.buffer: tuple[int, int] | None = None
        if isinstance(given, Shuffled):
            self.buffer = given.buffer, seed if given.seed is None else given.seed
            given = given.source
        self.source = source_of(given, seed if shuffle else None)
        self.arguments, self.class_weight = arguments, class_weight
        self.where, self.labels = where, labels

    @property
    def steps(self) -> int | None:
        """The batches of a pass; None if not known."""
        return None if self.buffer else self.source.steps

    @property
    def program(self) -> Program:
        """What is fed."""
        return self.arguments.program

    def first(self) -> Batch | None:
        """Return the first batch, if it can be read without beginning a pass."""
        found = [] if self.buffer else self.source.first()
        return self._checked(found[0], 0) if found else None

    def batches(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of a pass, from batch `start` on; both are counted from 0."""
        if self.buffer is None or self.source.once:
            checked = self._read(number, start)
            return checked if self.buffer is None else self._mixed(checked, number)
        return itertools.islice(self._mixed(self._read(number, 0), number), start, None)

    def _mixed(self, batches: Iterator[Batch], number: int) -> Iterator[Batch]:
        buffer, seed = self.buffer or (1, 0)
        return mixed(batches, buffer, randomness.generator(seed, "buffer", number))

    def _read(self, number: int, start: int) -> Iterator[Batch]:
        batches = iter(self.source.batches(number, start))
        for k in itertools.count(start):
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception as error:
                error.add_note(f"This came from {self.source.name}, asked for batch {k + 1}.")
                raise
            yield self._checked(batch, k)

    def _checked(self, batch: Any, k: int) -> Batch:
        place = f"batch {k + 1}" if self.where == "x" else f"{self.where}, batch {k + 1}"
        try:
            made = {name: whole(column) for name, column in self._named(batch).items()}
        except (DataError, DTypeError) as error:
            raise error.placed(": ".join(filter(None, (place, error.where)))) from None
        fixed = self.program.batch_size
        if fixed not in (None, examples_of(made)):
            raise DataError(
                f"must have {fixed} rows, the batch_size of the model's Input",
                where=place,
                got=f"{examples_of(made)} rows",
                hint="Leave out a short last batch, such as with drop_remainder=True.",
            )
        return made

    def _named(self, batch: Any) -> dict[str, Column]:
        x, *rest = self._parts(batch)
        self._check_batched(x)
        if not self.labels:
            return self.arguments.inputs(x)
        if not rest:
            raise DataError(
                "needs inputs and labels",
                got=kind_of(batch),
                hint="Let the source give (x, y), or (x, y, sample_weight).",
            )
        weight = rest[1] if len(rest) > 1 else None
        return self.arguments.data(x, rest[0], weight, self.class_weight)

    def _parts(self, batch: Any) -> tuple[Any, ...]:
        """Return inputs, labels and weights, as far as the batch has them."""
        if isinstance(batch, Columns):
            return self._of_columns(batch)
        if not isinstance(batch, list | tuple):
            return (batch,)
        if not 1 <= len(batch) <= 3:
            raise DataError(
                "must be (x, y) or (x, y, sample_weight)",
                got=f"{len(batch)} parts",
                hint="Put several inputs or labels into a list or dictionary: ([a, b], y).",
            )
        return tuple(batch)

    def _of_columns(self, columns: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the parts of named columns: those with the names of the inputs, else the first."""
        types, outputs = self.arguments.types, list(self.program.objectives)
        known = set(types) <= set(columns)
        inputs = list(types) if known else list(columns)[: len(types)]
        rest = [name for name in columns if name not in inputs]
        if len(inputs) < len(types) or len(rest) > len(outputs) + 1:
            raise DataError(
                f"needs the inputs {', '.join(types)}, then labels, then perhaps weights",
                got=f"columns {', '.join(columns)}",
                hint="Choose columns with dataset.project([…]).",
            )
        x = {name: columns[own] for name, own in zip(types, inputs, strict=True)}
        labels, weights = rest[: len(outputs)], rest[len(outputs) :]
        y = [columns[name] for name in labels]
        parts = [x, *([y if len(outputs) > 1 else y[0]] if y else [])]
        return (*parts, *(columns[name] for name in weights))

    def _check_batched(self, x: Any) -> None:
        """Raise if the source gives single examples."""
        if len(self.arguments.types) != 1 or isinstance(x, Mapping | list | tuple):
            return
        (type,) = self.arguments.types.values()
        shape = getattr(x, "shape", None)
        sizes = type.data_shape[1:]
        if shape is not None and tuple(shape) == sizes and np.ndim(x) != len(sizes) + 1:
            raise DataError(
                "needs one row per example", where="x", got=f"shape {tuple(shape)}", hint=UNBATCHED
            )
