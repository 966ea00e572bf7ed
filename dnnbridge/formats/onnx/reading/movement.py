"""Operators that move elements: shapes, axes and parts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dnnbridge import layers
from dnnbridge.formats.onnx.reading.along_axis import array_beside, chosen
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.logic import truth
from dnnbridge.formats.onnx.reading.values import (
    MARKERS,
    CannotReadError,
    Known,
    Merged,
    Tensor,
    shape_with_markers,
)


def in_shape(call: Call, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return each example in another shape."""
    if shape == x.shape:
        return x
    if len(shape) == 1 and x.rank > 2:
        return call.layer(layers.Flatten(), x)
    return call.layer(layers.Reshape(shape), x)


def flatten(call: Call) -> Tensor:
    x = call.tensor()
    axis = int(call.get("axis", 1))
    call.require(axis % x.rank == 1, f"axis={axis}")
    return in_shape(call, x, (math.prod(x.shape),))


def transpose(call: Call) -> Tensor | Merged:
    x = call.input(0)
    if isinstance(x, Merged):
        return _transpose_merged(call, x)
    x = call.tensor()
    return _transposed(call, x, _order(call, x.rank))


def _order(call: Call, rank: int) -> tuple[int, ...]:
    order = tuple(call.get("perm", tuple(reversed(range(rank)))))
    call.require(sorted(order) == list(range(rank)), f"perm={order}")
    return order


def _transposed(call: Call, x: Tensor, order: tuple[int, ...]) -> Tensor:
    dims = tuple(x.place(axis) for axis in order if axis != x.batch)
    if dims != tuple(range(1, x.rank)):
        return replace(call.layer(layers.Permute(dims), x), batch=order.index(x.batch))
    return replace(x, batch=order.index(x.batch))


def _transpose_merged(call: Call, x: Merged) -> Merged:
    """Exchange the axes, with those that are one in the file side by side."""
    rank = len(x.places)
    start = x.tensor.batch - x.before
    more = x.before + x.after
    order = list[int]()
    for axis in _order(call, rank):
        if axis == start:
            order += range(start, start + more + 1)
        else:
            order.append(axis + (more if axis > start else 0))
    return replace(x, tensor=_transposed(call, x.tensor, tuple(order)))


def squeeze(call: Call) -> Tensor:
    x = call.tensor()
    axes = call.axes(1, x.rank)
    if axes is None:
        axes = tuple(i for i, n in enumerate(x.whole) if n == 1)
    call.require(x.batch not in axes, f"axis {x.batch}, the batch")
    call.require(all(x.whole[axis] == 1 for axis in axes), f"axes={axes} of {x.whole}")
    kept = [n for i, n in enumerate(x.whole) if i not in axes]
    shape = tuple(n for n in kept if n is not None)
    return replace(in_shape(call, x, shape), batch=kept.index(None))


def unsqueeze(call: Call) -> Tensor:
    x, given = call.tensor(), call.constant(1, "axes")
    if given is None:
        raise CannotReadError("no axes")
    rank = x.rank + given.size
    axes = {int(n) % rank for n in given.ravel()}
    rest = iter(x.whole)
    whole = [1 if i in axes else next(rest) for i in range(rank)]
    shape = tuple(n for n in whole if n is not None)
    return replace(in_shape(call, x, shape), batch=whole.index(None))


def slice_(call: Call) -> Tensor:
    x = call.tensor()
    starts, stops = (call.constant(index, name) for index, name in ((1, "starts"), (2, "ends")))
    if starts is None or stops is None:
        raise CannotReadError("no starts or ends")
    starts, stops = starts.ravel(), stops.ravel()
    axes = call.axes(3, x.rank)
    axes = tuple(call.place(i, x.rank) for i in range(len(starts))) if axes is None else axes
    given = call.constant(4)
    steps = np.ones(len(starts), int) if given is None else given.ravel()
    parts: list[slice] = [slice(None)] * x.rank
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        parts[axis] = _range(call, x, axis, (int(start), int(stop), int(step)))
    call.require(parts[0] == slice(None), "a part of the batch")
    if all(part == slice(None) for part in parts):
        return x
    return call.layer(layers.Slice(tuple(parts)), x)


def _range(call: Call, x: Tensor, axis: int, given: tuple[int, int, int]) -> slice:
    start, stop, step = given
    if axis == 0:
        return slice(None) if (start, step) == (0, 1) and stop >= 2**31 - 1 else slice(start, stop)
    size = x.shape[axis - 1]
    call.require(step != 0, "a step of 0")
    # ONNX clips what lies before the first element; Python counts it from the end.
    places = range(*slice(start, stop if stop >= -size else None, step).indices(size))
    if step > 0 and stop < -size:
        places = range(0)
    call.require(len(places) > 0, f"nothing left of axis {axis}")
    if places == range(size):
        return slice(None)
    last = places[-1] + (1 if step > 0 else -1)
    return slice(places[0], None if last < 0 else last, step)


def split(call: Call) -> list[Tensor]:
    x = call.tensor()
    axis = call.axis(0, x.rank)
    call.require(axis > 0, "axis=0, the batch")
    size, count = x.shape[axis - 1], len(call.node.output)
    given = call.constant(1, "split")
    each = math.ceil(size / count)
    sizes = [each] * (count - 1) + [size - each * (count - 1)]
    sizes = sizes if given is None else given.ravel().tolist()
    call.require(sum(sizes) == size and len(sizes) == count, f"sizes {sizes} of {size}")
    before, made, start = (slice(None),) * axis, [], 0
    for n in sizes:
        made.append(call.layer(layers.Slice((*before, slice(start, start + n))), x))
        start += n
    return made


def concat(call: Call) -> Tensor:
    like = next((x for x in call.inputs if isinstance(x, Tensor)), None)
    if like is None:
        raise CannotReadError("no tensor of the model")
    axis = call.axis(1, like.rank)
    call.require(axis > 0, "axis=0, the batch")
    tensors = [
        array_beside(call, like, axis, x) if isinstance(x, Known) else call.tensor(index)
        for index, x in enumerate(call.inputs)
    ]
    return tensors[0] if len(tensors) == 1 else call.layer(layers.Concatenate(axis), *tensors)


def expand(call: Call) -> Tensor:
    """Repeat the axes of size 1 up to a shape."""
    x, sizes = call.tensor(), call.weight(1).sizes()
    rank = max(x.rank, len(sizes))
    call.require(rank == x.rank, f"a shape with {rank} axes for rank {x.rank}")
    sizes = (1,) * (rank - len(sizes)) + sizes
    call.require(sizes[0] in (1, MARKERS[0], call.reader.batch), f"the shape {sizes}")
    for axis, (n, size) in enumerate(zip(sizes[1:], x.shape, strict=True), 1):
        if n not in (1, size):
            call.require(size == 1, f"the shape {sizes} for {x.shape}")
            x = chosen(call, x, axis, np.zeros(n, int))
    return x


def tile(call: Call) -> Tensor:
    x, times = call.tensor(), call.weight(1).fixed.ravel().tolist()
    call.require(len(times) == x.rank and times[0] == 1, f"repeats={times}")
    for axis, count in enumerate(times[1:], 1):
        if count != 1:
            call.require(count > 0, f"repeats={times}")
            x = chosen(call, x, axis, np.tile(np.arange(x.shape[axis - 1]), count))
    return x


def shape(call: Call) -> Known:
    x = call.input(0)
    whole = shape_with_markers(x if isinstance(x, Merged) else call.tensor())
    part = slice(call.get("start", 0), call.get("end", None))
    return Known(whole.array[part], whole.other[part])


DTYPES = {1: "float32", 6: "int32", 7: "int32"}
"""The dtype here by the number of the dtype in ONNX."""

BOOL = 9


def cast(call: Call) -> Tensor:
    x, kind = call.tensor(), int(call.get("to", 0))
    if kind == BOOL:
        return truth(call, x)
    if kind not in DTYPES:
        raise CannotReadError(f"to={kind}: only bool, float32, int32 and int64 can be read")
    if DTYPES[kind] == x.dtype:
        return x
    return call.layer(layers.Cast(DTYPES[kind]), x)  # type: ignore[arg-type]


def constant(call: Call) -> Known:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        value = call.get(name, None)
        if value is not None:
            dtype = np.float32 if "float" in name else np.int64
            array = value if name == "value" else np.array(value, dtype)
            return Known(array, array)
    raise CannotReadError(f"no numbers: {', '.join(call.attributes)}")
