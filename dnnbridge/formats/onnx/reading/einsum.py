"""Einsum of two values: a layer with a kernel, or a product of matrices."""

from __future__ import annotations

import math

from dnnbridge import layers
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.movement import in_shape
from dnnbridge.formats.onnx.reading.values import Known, Tensor


def einsum(call: Call) -> Tensor:
    text = str(call.get("equation", "")).replace(" ", "")
    given, _, y = text.partition("->")
    terms = given.split(",")
    plain = all(term.isalpha() and len({*term}) == len(term) for term in (*terms, y))
    call.require(len(terms) == 2 == len(call.inputs) and plain, f"the equation {text}")
    values = list(zip(terms, call.inputs, strict=True))
    if isinstance(values[0][1], Known):
        values.reverse()
    (a, x), (b, other) = values
    call.require(isinstance(x, Tensor) and len(a) == x.rank, f"the equation {text}")
    assert isinstance(x, Tensor)
    sizes = dict(zip(a[1:], x.shape, strict=True))
    if isinstance(other, Known):
        sizes |= dict(zip(b, other.fixed.shape, strict=True))
        call.require(y[0] == a[0] and a[0] not in b, f"the batch in {text}")
        made = layers.EinsumDense(f"{a},{b}->{y}", tuple(sizes[c] for c in y[1:]))
        return call.layer(made, x, weights={"kernel": other.fixed}, sources=(other,))
    call.require(isinstance(other, Tensor) and len(b) == other.rank, f"the equation {text}")
    assert isinstance(other, Tensor)
    call.require(y[0] == a[0] == b[0], f"the batch in {text}")
    return _product(call, (a, x), (b, other), y)


def _product(call: Call, first: tuple[str, Tensor], second: tuple[str, Tensor], y: str) -> Tensor:
    """Multiply two tensors as matrices, for each element of the axes that all three have."""
    (a, x), (b, z) = first, second
    sizes = dict(zip(a[1:], x.shape, strict=True)) | dict(zip(b[1:], z.shape, strict=True))
    known = {*a, *b}
    call.require({*y} <= known, f"the result {y}")
    outer = "".join(c for c in y[1:] if c in a and c in b)
    summed = "".join(c for c in a if c in b and c not in y)
    rows = "".join(c for c in y if c in a and c not in b)
    columns = "".join(c for c in y if c in b and c not in a)
    alone = {*a, *b} - {a[0], *outer, *summed, *rows, *columns}
    call.require(not alone, f"a sum over {sorted(alone)} of one input")
    left = _matrices(call, x, a, (outer, rows, summed), sizes)
    right = _matrices(call, z, b, (outer, summed, columns), sizes)
    made = call.layer(layers.MatMul(), left, right)
    letters = outer + rows + columns
    made = in_shape(call, made, tuple(sizes[c] for c in letters))
    order = tuple(letters.index(c) + 1 for c in y[1:])
    same = order == tuple(range(1, len(y)))
    return made if same else call.layer(layers.Permute(order), made)


def _matrices(
    call: Call, x: Tensor, letters: str, groups: tuple[str, str, str], sizes: dict[str, int]
) -> Tensor:
    """Return a tensor with its axes in three groups, the last two as one axis each."""
    outer, rows, columns = groups
    order = tuple(letters.index(c) for c in outer + rows + columns)
    if order != tuple(range(1, len(letters))):
        x = call.layer(layers.Permute(order), x)
    ends = (math.prod(sizes[c] for c in rows), math.prod(sizes[c] for c in columns))
    return in_shape(call, x, (*(sizes[c] for c in outer), *ends))
