"""Cases of layers that broadcast, and of those that operators and indices make."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import get_args

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.layers.reducing import Reduction
from dnnbridge.testing.cases.equation_case import EquationCase, normal

_IMAGE, _PER_CHANNEL, _COLUMN = normal(3, 4, 5, 2), normal(3, 1, 1, 2), normal(3, 4, 1, 1)
_VECTOR, _PLANE = normal(3, 2), normal(3, 5, 1)

_MERGES: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Divide": np.divide,
    "Maximum": np.maximum,
}


def _with_rank(x: Array, rank: int) -> Array:
    return x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:])


def _merged(combine: Callable[[Array, Array], Array]) -> Callable[[Mapping[str, Array]], Array]:
    def witness(arrays: Mapping[str, Array]) -> Array:
        given = [a for name, a in arrays.items() if name.startswith("input_")]
        rank = max(x.ndim for x in given)
        return reduce(combine, [_with_rank(x, rank) for x in given])

    return witness


def _broadcast() -> list[EquationCase]:
    """Each merge with sizes of 1, on either side, and with fewer axes."""
    made = []
    for name, combine in _MERGES.items():
        layer, witness = getattr(layers, name)(), _merged(combine)
        for id, inputs in {
            "channels": (_IMAGE, _PER_CHANNEL),
            "first": (_PER_CHANNEL, _IMAGE),
            "both": (_COLUMN, _PER_CHANNEL),
            "rank": (_IMAGE, _VECTOR),
            "first_rank": (_PLANE, _IMAGE),
        }.items():
            # A number that is not near 0 divides.
            given = tuple(np.sign(x) + x for x in inputs) if name == "Divide" else inputs
            made.append(EquationCase(f"{name}-{id}", layer, given, reduced=60, witness=witness))
    three = (_PER_CHANNEL, _VECTOR, _IMAGE)
    return [
        *made,
        EquationCase("Add-three", layers.Add(), three, reduced=60, witness=_merged(np.add)),
        EquationCase("Average-three", layers.Average(), three, reduced=60),
    ]


_SIGNED, _POSITIVE = normal(4, 5), np.exp(normal(4, 5))
_TIES = np.array([[0.0, 0.5, -0.5], [-1.0, 1.0, 2.0]])

_ALONE: Mapping[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "erf": np.vectorize(math.erf),
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "negative": np.negative,
    "rsqrt": lambda x: x**-0.5,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "square": np.square,
}

_POWERS = (1, 2, 3, 5, -1, -2, -3, 0.5, -0.5, 0.3, 1.5, 2.6, -1.7)
"""Whole ones, square roots, and others below and above 1."""


def _of(compute: Callable[..., Array]) -> Callable[[Mapping[str, Array]], Array]:
    """Return the witness of a function of the inputs."""
    return lambda arrays: compute(*(a for n, a in arrays.items() if n.startswith("input_")))


def _alone(name: str, compute: Callable[[Array], Array]) -> EquationCase:
    x = _POSITIVE if name in ("log", "rsqrt", "sqrt") else _SIGNED
    layer = layers.Elementwise(name)  # type: ignore[arg-type]
    return EquationCase(f"Elementwise-{name}", layer, (x,), witness=_of(compute))


def _with(
    name: str,
    number: float,
    compute: Callable[[Array], Array],
    x: Array = _SIGNED,
    first: bool = False,
) -> EquationCase:
    layer = layers.Elementwise(name, number, first)  # type: ignore[arg-type]
    id = f"Elementwise-{name}_{'of_' * first}{number}"
    return EquationCase(id, layer, (x,), witness=_of(compute))


def _power(number: float) -> EquationCase:
    x = _SIGNED if number == int(number) else _POSITIVE
    return _with("power", number, lambda x: np.power(x, number), x)


def _elementwise() -> list[EquationCase]:
    zero = np.array([[0.0, 1.0, 2.0]])
    return [
        *(_alone(name, compute) for name, compute in _ALONE.items()),
        *map(_power, _POWERS),
        _with("power", 4.0, lambda x: x**4.0, zero),
        _with("power", 1.25, lambda x: x**1.25, zero),
        _with("add", -1.5, lambda x: x - 1.5),
        _with("subtract", 1.5, lambda x: x - 1.5),
        _with("subtract", 1.5, lambda x: 1.5 - x, first=True),
        _with("multiply", 0.1, lambda x: x * 0.1),
        _with("divide", 3.0, lambda x: x / 3.0),
        _with("divide", 3.0, lambda x: 3.0 / x, _POSITIVE, first=True),
        _with("power", 2.0, lambda x: 2.0**x, first=True),
        _with("power", 0.3, lambda x: 0.3**x, first=True),
        _with("maximum", 0.5, lambda x: np.maximum(x, 0.5), _TIES),
        _with("maximum", -0.5, lambda x: np.maximum(x, -0.5), _TIES, first=True),
        _with("minimum", 0.5, lambda x: np.minimum(x, 0.5), _TIES),
        _with("minimum", -0.5, lambda x: np.minimum(x, -0.5), _TIES, first=True),
    ]


def _slices() -> list[EquationCase]:
    x = normal(3, 7, 4, 2)
    given: Mapping[str, Callable[[Array], Array]] = {
        ":, 1:": lambda x: x[:, 1:],
        ":, 0": lambda x: x[:, 0],
        "..., -1": lambda x: x[..., -1],
        ":, 1:-2, None, ..., 1": lambda x: x[:, 1:-2, None, ..., 1],
        ":, ::2, ::2": lambda x: x[:, ::2, ::2],
        ":, ::-1": lambda x: x[:, ::-1],
        ":, -2:0:-3, 3:0:-2": lambda x: x[:, -2:0:-3, 3:0:-2],
        ":, 2:3, 1, ::-1": lambda x: x[:, 2:3, 1, ::-1],
        "..., None": lambda x: x[..., None],
    }
    return [
        EquationCase(f"Slice-{text.replace(' ', '')}", layers.Slice(text), (x,), witness=_of(take))
        for text, take in given.items()
    ]


def _reduced(layer: layers.Reduce) -> Callable[[Array], Array]:
    reduce = getattr(np, layer.operation)
    return lambda x: np.asarray(reduce(x, layer.axis, keepdims=layer.keepdims))


def _reductions() -> list[EquationCase]:
    ties = np.array([[2.0, 2.0, 1.0, -1.0, -1.0]])
    made = []
    for name in get_args(Reduction):
        for id, x, layer in (
            ("some", normal(3, 5, 4, 2), layers.Reduce(name, (1, -1))),
            ("kept", normal(3, 5, 4, 2), layers.Reduce(name, 2, keepdims=True)),
            ("ties", ties, layers.Reduce(name, 1)),
        ):
            witness = _of(_reduced(layer))
            made.append(
                EquationCase(f"Reduce-{name}-{id}", layer, (x,), reduced=10, witness=witness)
            )
    return made


def _products() -> list[EquationCase]:
    shapes = {
        "rank3": ((3, 4, 5), (3, 5, 2)),
        "heads": ((3, 2, 4, 5), (3, 2, 5, 4)),
        "broadcast": ((3, 1, 4, 5), (3, 2, 5, 3)),
    }
    return [
        EquationCase(
            f"MatMul-{id}",
            layers.MatMul(),
            (normal(*a), normal(*b)),
            reduced=10,
            witness=_of(np.matmul),
        )
        for id, (a, b) in shapes.items()
    ]


MERGING_CASES: list[EquationCase] = [
    *_broadcast(),
    *_elementwise(),
    *_slices(),
    *_reductions(),
    *_products(),
]
