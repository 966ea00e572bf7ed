"""Parameters and constant arrays that `construct` uses outside of Cells, as weights of layers."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.mindspore.functions import RESHAPES
from dnnbridge.formats.mindspore.rule import Part, UnsupportedError
from dnnbridge.formats.mindspore.traced import Apply, Traced
from dnnbridge.formats.mindspore.turned import Turned
from dnnbridge.formats.mindspore.weights import Entry, Layout
from dnnbridge.layers import AbstractLayer

LETTERS = "abcdefgh"

MOVES = {*RESHAPES, "transpose", "permute", "swapaxes", "swapdims", "getitem"}
"""Operations that only move the numbers of an array, or leave some out."""


class Fixed(NamedTuple):
    """A constant array, with what a `Parameter` has."""

    array: Array
    name: str = ""
    requires_grad: bool = False

    def asnumpy(self) -> Array:
        return self.array


class Known(Traced):
    """Stands for a `Parameter` or a constant array.

    Attributes:
        source: the `Parameter`, or `Fixed`.
        places: for each number, its place in the flat array of the source.
    """

    def __init__(self, apply: Apply, value: Any, source: Any, places: Array) -> None:
        super().__init__(apply, value, None)
        self.source, self.places = source, places

    @property
    def array(self) -> Array:
        return np.asarray(self.source.asnumpy()).reshape(-1)[self.places]


def known(apply: Apply, value: Any) -> Known:
    """Return what stands for a parameter or a constant array."""
    from mindspore import Parameter

    source = value if isinstance(value, Parameter) else Fixed(value.asnumpy())
    places = np.arange(value.size, dtype=np.int32).reshape(value.shape)
    return Known(apply, value, source, places)


def moved(given: Known, apply: Apply, name: str, function: Callable[[Any], Any]) -> Known | None:
    """Return an array after an operation that moves its numbers; None for another operation."""
    from mindspore import Tensor

    if name.lower().replace("_", "") not in MOVES:
        return None
    places = function(Tensor(given.places)).asnumpy()
    if len(np.unique(places)) < places.size:
        return None
    return Known(apply, function(given.value), given.source, places)


class Made(NamedTuple):
    """A layer for an array, and the places of each of its weights; a number counts ones."""

    layer: AbstractLayer
    weights: Mapping[str, Array | int]


@dataclass
class Arrays:
    """The layers for arrays so far.

    Attributes:
        parts: receives each layer by its name, with what holds its arrays.
    """

    parts: dict[str, tuple[Any, list[Part]]]
    used: dict[str, Made] = field(default_factory=dict)

    def combined(self, name: str, path: str, args: tuple[Any, ...], transposed: bool) -> Any:
        """Return the symbol of an operation of a tensor and arrays.

        Raises:
            UnsupportedError: it has no counterpart.
        """
        plain = name.lower().replace("_", "")
        if plain in ("dense", "linear"):
            return self._linear(path, *args)
        if plain not in RULES or len(args) != 2:
            raise UnsupportedError(f"the operation {name}")
        first = isinstance(args[0], Known)
        x, given = (args[1], args[0]) if first else args
        if not isinstance(x, Traced) or isinstance(x, Known) or isinstance(x.symbol, Turned):
            raise UnsupportedError(f"the operation {name} of two arrays")
        if transposed:
            given = Known(given._apply, given.value, given.source, given.places.T)
        return RULES[plain](self, path, x, given, first)

    def call(self, path: str, x: Any, given: Known, made: Made, **more: Known) -> Any:
        """Call a layer whose weights are arrays; a parameter that is used again has one layer."""
        name = _plain(given.source.name) or f"{_plain(path)}_array{len(self.used)}".lstrip("_")
        before = self.used.get(name)
        if before is not None and not _equal(before, made):
            raise UnsupportedError("another operation with the same parameter before")
        self.used[name] = made
        holder, entries = types.SimpleNamespace(), []
        for key, array in made.weights.items():
            source = more.get(key, given).source
            if isinstance(array, int):
                source, array = Fixed(np.ones(array, np.float32)), np.arange(array)
            setattr(holder, key, source)
            entries.append(Entry(key, (key,), Layout(_placed(array), lambda a: (a,))))
        layer = before.layer if before else made.layer.replace(name=name)
        self.used[name] = made._replace(layer=layer)
        self.parts[f"{name} "] = (holder, [Part(layer, tuple(entries))])
        return layer(x)

    def _linear(self, path: str, x: Any, weight: Any, bias: Any = None) -> Any:
        if not isinstance(weight, Known) or not isinstance(bias, (Known, types.NoneType)):
            raise UnsupportedError("a product with computed weights")
        made: dict[str, Any] = {"kernel": weight.places.T}
        more = {}
        if bias is not None:
            made["bias"], more["bias"] = bias.places, bias
        layer = layers.Dense(weight.shape[0], use_bias=bias is not None)
        return self.call(path, x.symbol, weight, Made(layer, made), **more)


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _equal(a: Made, b: Made) -> bool:
    same = a.layer.replace(name=None) == b.layer.replace(name=None)
    return same and all(np.array_equal(a.weights[key], b.weights[key]) for key in a.weights)


def _placed(places: Array) -> Callable[..., Array]:
    return lambda array: np.asarray(array).reshape(-1)[places]


def _fitted(x: Traced, given: Known) -> tuple[Array, str, str]:
    """Return the places of an array without sizes of 1, its letters, and those of x."""
    rank, letters = x.ndim, LETTERS[: x.ndim]
    shape = (1,) * (rank - given.places.ndim) + given.places.shape
    fits = len(shape) == rank and shape[0] == 1
    if not fits or any(n not in (1, size) for n, size in zip(shape, x.shape, strict=True)):
        raise UnsupportedError(f"an array of shape {given.shape} with a tensor of {x.shape}")
    kept = "".join(letter for letter, n in zip(letters, shape, strict=True) if n != 1)
    return given.places.reshape([n for n in shape if n != 1]), kept, letters


def _added(arrays: Arrays, path: str, x: Traced, given: Known, first: bool) -> Any:
    return _sum(arrays, path, x, x.symbol, given)


def _sum(arrays: Arrays, path: str, x: Traced, symbol: Any, given: Known) -> Any:
    """Return x plus an array: a bias along any axes is that of an EinsumDense with kernel 1."""
    places, kept, letters = _fitted(x, given)
    if not kept:
        shape = (*x.shape[1:], 1)
        add = layers.EinsumDense(f"{letters}z,z->{letters}z", shape, bias_axes="z")
        made = Made(add, {"kernel": 1, "bias": given.places.reshape(1)})
        found = arrays.call(path, layers.Reshape(shape)(symbol), given, made)
        return layers.Reshape(x.shape[1:])(found)
    if x.ndim == 3 and kept == "bc":
        table = layers.PositionEmbedding(places.shape[0])
        return arrays.call(path, symbol, given, Made(table, {"embeddings": places}))
    one, first = kept[-1], letters.index(kept[0])
    # The bias of an EinsumDense has sizes of 1 after its first axis.
    sizes = [n if c in kept else 1 for c, n in zip(letters[first:], x.shape[first:], strict=True)]
    einsum = layers.EinsumDense(f"{letters},{one}->{letters}", x.shape[1:], bias_axes=kept)
    return arrays.call(
        path,
        symbol,
        given,
        Made(einsum, {"kernel": x.shape[letters.index(one)], "bias": places.reshape(sizes)}),
    )


def _subtracted(arrays: Arrays, path: str, x: Traced, given: Known, first: bool) -> Any:
    """x - p = -(-x + p), so that p is the weight, and not -p."""
    negative = layers.Elementwise("negative")
    found = _sum(arrays, path, x, negative(x.symbol), given)
    return found if first else negative(found)


def _multiplied(arrays: Arrays, path: str, x: Traced, given: Known, first: bool) -> Any:
    return _product(arrays, path, x, x.symbol, given)


def _product(arrays: Arrays, path: str, x: Traced, symbol: Any, given: Known) -> Any:
    places, kept, letters = _fitted(x, given)
    if not kept:
        made = Made(layers.LayerScale(1.0, 1), {"gamma": given.places.reshape(1)})
        found = arrays.call(path, layers.Reshape((*x.shape[1:], 1))(symbol), given, made)
        return layers.Reshape(x.shape[1:])(found)
    if kept == letters[-1]:
        scale = layers.LayerScale(1.0, places.size)
        return arrays.call(path, symbol, given, Made(scale, {"gamma": places}))
    einsum = layers.EinsumDense(f"{letters},{kept}->{letters}", x.shape[1:])
    return arrays.call(path, symbol, given, Made(einsum, {"kernel": places}))


def _divided(arrays: Arrays, path: str, x: Traced, given: Known, first: bool) -> Any:
    if first:
        inverse = layers.Elementwise("divide", 1.0, True)(x.symbol)
        return _product(arrays, path, x, inverse, given)
    if not isinstance(given.source, Fixed):
        raise UnsupportedError("a division by a parameter")
    inverted = Fixed((1.0 / given.array.astype(np.float64)).astype(np.float32))
    places = np.arange(inverted.array.size).reshape(given.places.shape)
    changed = Known(given._apply, given.value, inverted, places)
    return _product(arrays, path, x, x.symbol, changed)


def _matrix(arrays: Arrays, path: str, x: Traced, given: Known, first: bool) -> Any:
    if first or given.places.ndim != 2:
        raise UnsupportedError(f"a product with a parameter of shape {given.shape} in this place")
    made = layers.Dense(given.places.shape[1], use_bias=False)
    return arrays.call(path, x.symbol, given, Made(made, {"kernel": given.places}))


Rule = Callable[[Arrays, str, Traced, Known, bool], Any]

RULES: Mapping[str, Rule] = {
    "add": _added,
    **dict.fromkeys(("sub", "subtract"), _subtracted),
    **dict.fromkeys(("mul", "multiply"), _multiplied),
    **dict.fromkeys(("div", "truediv", "realdiv", "divide"), _divided),
    "matmul": _matrix,
}
"""What an operation of a tensor and an array is here, by its name in lower case without "_"."""
