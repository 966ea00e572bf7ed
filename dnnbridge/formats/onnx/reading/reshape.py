"""Reshape, which may merge the batch with other axes and take it apart again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.movement import in_shape
from dnnbridge.formats.onnx.reading.values import (
    MARKERS,
    CannotReadError,
    Known,
    Merged,
    Tensor,
    shape_with_markers,
)

BATCH = MARKERS[0]
"""Stands for the size of the batch: it divides no other size."""


def reshape(call: Call) -> Tensor | Merged:
    """Read a reshape; a batch that becomes one axis with others is kept apart from them here."""
    value, given = call.input(0), call.input(1)
    sizes = list(given.sizes() if isinstance(given, Known) else call.get("shape", ()))
    call.require(len(sizes) > 0, "a shape that is not a constant, or without axes")
    x = value.tensor if isinstance(value, Merged) else call.tensor()
    whole = shape_with_markers(value if isinstance(value, Merged) else x).sizes()
    if not call.get("allowzero", 0):
        sizes = [whole[i] if n == 0 else n for i, n in enumerate(sizes)]
    for wanted in _alone(x, sizes, call.reader.batch):
        if (place := _place(x, wanted)) is not None and wanted[place] == BATCH:
            rest = (*wanted[:place], *wanted[place + 1 :])
            return replace(in_shape(call, x, rest), batch=place)
    found = [each for each in _merged(x, sizes, call.reader.batch) if _place(x, each) is not None]
    if not found:
        raise CannotReadError(f"the shape {_text(sizes)}, which mixes the batch of {_text(whole)}")
    call.require(
        len(found) == 1,
        f"the shape {_text(sizes)}, in which the batch may be any of several axes: "
        "export the model with a dynamic batch",
    )
    return _apart(call, x, found[0])


def _text(sizes: list[int] | tuple[int, ...]) -> str:
    """Return sizes as text, with n as the size of the batch."""
    names = [f"{n // BATCH}n" if n and n % BATCH == 0 and n != BATCH else str(n) for n in sizes]
    return f"({', '.join('n' if n == str(BATCH) else n for n in names)})"


def _alone(x: Tensor, sizes: list[int], batch: int | None) -> Iterator[list[int]]:
    """Yield the sizes with the batch as an axis of its own, wherever it may be."""
    if any(n % BATCH == 0 for n in sizes if n):
        places = [i for i, n in enumerate(sizes) if n == BATCH]
    else:
        places = [i for i, n in enumerate(sizes) if n in (-1, batch)]
    for place in places:
        wanted = [BATCH if i == place else n for i, n in enumerate(sizes)]
        if (made := _completed(wanted, BATCH * math.prod(x.shape))) is not None:
            yield made


def _merged(x: Tensor, sizes: list[int], batch: int | None) -> Iterator[list[int]]:
    """Yield the sizes with the batch as a part of an axis."""
    if batch is None or any(n % BATCH == 0 for n in sizes if n):
        if (made := _completed(sizes, BATCH * math.prod(x.shape))) is not None:
            yield made
        return
    numbers = _completed(sizes, batch * math.prod(x.shape)) or []
    for place, size in enumerate(numbers):
        if size % batch == 0:
            yield [n // batch * BATCH if i == place else n for i, n in enumerate(numbers)]


def _completed(sizes: list[int], elements: int) -> list[int] | None:
    """Return sizes with a number in the place of -1; None if their product is another one."""
    others = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1 or others <= 0 or elements % others:
        return None
    made = [elements // others if n == -1 else n for n in sizes]
    return made if math.prod(made) == elements else None


def _place(x: Tensor, sizes: list[int]) -> int | None:
    """Return the axis of the batch, if the same elements are before it and after it."""
    place = next((i for i, n in enumerate(sizes) if n % BATCH == 0), None)
    if place is None:
        return None
    before, given = math.prod(sizes[:place]), math.prod(x.shape[: x.batch])
    parts = sizes[place] // BATCH
    fits = before > 0 and given % before == 0 and parts % (given // before) == 0
    return place if fits else None


def _apart(call: Call, x: Tensor, sizes: list[int]) -> Tensor | Merged:
    """Return a tensor in these sizes, with the batch apart from what the file merges it with."""
    place = next(i for i, n in enumerate(sizes) if n % BATCH == 0)
    before = math.prod(x.shape[: x.batch]) // math.prod(sizes[:place])
    after = sizes[place] // BATCH // before
    more = [n for n in (before, after) if n > 1]
    made = in_shape(call, x, (*sizes[:place], *more, *sizes[place + 1 :]))
    tensor = replace(made, batch=place + (before > 1))
    return Merged(tensor, before > 1, after > 1) if more else tensor
