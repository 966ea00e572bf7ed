"""Parts of an input by their indices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import EllipsisType
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Dim, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Converted, plain
from dnnbridge.specs.json_types import read_as
from dnnbridge.specs.spec import spec

Item = int | slice | EllipsisType | None

HINT = 'Write ":, 1:" for x[:, 1:]. The first index is the batch, which is kept whole.'

WHOLE = slice(None)

NUMBER = r"\s*-?\d*\s*"
PATTERN = re.compile(rf"{NUMBER}(:{NUMBER}(:{NUMBER})?)?|\s*\.\.\.\s*|\s*None\s*")


def indices(value: Any) -> tuple[Item, ...]:
    """Read indices, given as text or as Python's objects; raise unless they keep the batch whole.

    Example:
        >>> indices(":, 1:, 0")
        (slice(None, None, None), slice(1, None, None), 0)
    """
    made = tuple(map(_item, value.split(",") if isinstance(value, str) else _listed(value)))
    if not made or _text(made[0]) not in (":", "...") or made.count(...) > 1:
        raise SpecError("wrong indices", got=shorten(value), hint=HINT)
    return made


def text_of(value: Any) -> str:
    """Return indices as text, always in one form.

    Example:
        >>> text_of((slice(None), slice(1, None), 0, None))
        ':, 1:, 0, None'
    """
    return ", ".join(map(_text, indices(value)))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def _item(given: Any) -> Item:
    """Read the index of one axis."""
    if isinstance(given, str) and PATTERN.fullmatch(given) and given.strip():
        word = given.strip()
        if word in ("...", "None"):
            return ... if word == "..." else None
        parts = [int(part) if part.strip() else None for part in word.split(":")]
        given = slice(*parts) if len(parts) > 1 else parts[0]
    if given is None or given is ...:
        return given
    if isinstance(given, slice):
        start, stop, step = map(plain, (given.start, given.stop, given.step))
        if all(n is None or type(n) is int for n in (start, stop, step)) and step != 0:
            return slice(start, stop, step)
    elif type(plain(given)) is int:
        return int(given)
    raise SpecError("not an index of an axis", got=shorten(given), hint=HINT)


def _text(item: Item) -> str:
    if item is ...:
        return "..."
    if not isinstance(item, slice):
        return str(item)
    start, stop = ("" if n is None else n for n in (item.start, item.stop))
    return f"{start}:{stop}" + ("" if item.step in (None, 1) else f":{item.step}")


IndicesLike = str | Item | Sequence[Item]
IndicesField = Converted[
    str, Annotated[IndicesLike, PlainValidator(text_of), read_as({"type": "string"})]
]


@spec
class Slice(AbstractLayer):
    """A part of each example, as x[:, 1:, 0] of NumPy

    Indexing an input or an output of a layer makes this layer: `x[:, 1:]`.

    Args:
        indices: what stands between the brackets, as text or as Python's objects, and kept as text.
            The first index is the batch, which is kept whole. A range may have a step, also a
            negative one. A number removes its axis, `None` adds an axis of size 1, and `...`
            stands for all axes that are not named.

    Raises:
        SpecError: something else is given, or the batch is not kept whole.
        ShapeError: an index is not within the input, or nothing is left.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x = Input((7, 5))
        >>> Model(x, x[:, 1:, 0]).nodes[0].layer
        Slice(indices=':, 1:, 0')
        >>> Model(x, Slice("..., ::2")(x)).output_shape
        (None, 7, 3)
    """

    indices: IndicesField

    def emit(self, scope: Scope, x: Value) -> Value:
        items = _for_each_axis(scope, indices(self.indices), x)
        axis, shape = 0, list[Dim]()
        for item in items:
            if item is None:
                shape.append(1)
                continue
            x = _taken(scope, x, axis, item)
            if not isinstance(item, int):
                shape.append(x.shape[axis])
            axis += 1
        return x if tuple(shape) == x.shape else ops.reshape(x, tuple(shape))


def _for_each_axis(scope: Scope, items: tuple[Item, ...], x: Value) -> list[int | slice | None]:
    """Return the items with one for every axis, and `None` for every new axis."""
    missing = x.rank - sum(item is not None and item is not ... for item in items)
    scope.require(
        missing >= 0,
        "there are more indices than axes",
        got=f"{len(items)} for ({shape_text(x.shape)})",
    )
    made: list[int | slice | None] = []
    for item in (*items, *(() if ... in items else (...,))):
        if isinstance(item, EllipsisType):
            made += [WHOLE] * missing
        else:
            made.append(item)
    scope.require(
        isinstance(made[0], slice),
        "the batch axis must stay the first and be kept whole",
        got=_text(made[0]),
        hint=HINT,
    )
    return made


def _taken(scope: Scope, x: Value, axis: int, item: int | slice) -> Value:
    """Return the elements along one axis; a number leaves an axis of size 1."""
    size = x.shape[axis]
    if size is None:
        scope.require(item == WHOLE, "the batch axis must be kept whole", got=_text(item))
        return x
    if isinstance(item, int):
        scope.require(
            -size <= item < size,
            "an index is out of range",
            got=f"{item} for axis {axis} of ({shape_text(x.shape)})",
            hint=f"Use {-size} to {size - 1}.",
        )
        return _block(x, axis, item % size, 1)
    places = range(size)[item]
    scope.require(
        len(places) > 0,
        "nothing is left of an axis",
        got=f"{_text(item)} for axis {axis} of ({shape_text(x.shape)})",
    )
    if len(places) == 1 or places.step == 1:
        return _block(x, axis, places[0], len(places))
    if places.step > 0:
        return _stepped(x, axis, places[0], len(places), places.step)
    return _stepped(ops.reverse(x, axis), axis, size - 1 - places[0], len(places), -places.step)


def _block(x: Value, axis: int, start: int, size: int) -> Value:
    if size == x.shape[axis]:
        return x
    starts = tuple(start if i == axis else 0 for i in range(x.rank))
    return ops.slice(x, starts, _resized(x, axis, size))


def _resized(x: Value, axis: int, *sizes: int) -> tuple[Dim, ...]:
    """Return the shape with other sizes in the place of an axis."""
    return (*x.shape[:axis], *sizes, *x.shape[axis + 1 :])


def _stepped(x: Value, axis: int, start: int, count: int, step: int) -> Value:
    """Return every step-th element: the first column of a table with `step` columns."""
    size = x.shape[axis] or 0
    if step == 1:
        return _block(x, axis, start, count)
    if start + count * step <= size:
        block = _block(x, axis, start, count * step)
        table = ops.reshape(block, _resized(x, axis, count, step))
        return ops.reshape(_block(table, axis + 1, 0, 1), _resized(x, axis, count))
    last = _block(x, axis, start + (count - 1) * step, 1)
    return ops.concat([_stepped(x, axis, start, count - 1, step), last], axis)
