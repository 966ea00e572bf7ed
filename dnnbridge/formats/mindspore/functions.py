"""Operators, functions and methods in `construct`, as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import layers
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.mindspore.activations import FUNCTIONS, of_function
from dnnbridge.formats.mindspore.stand_ins import Training
from dnnbridge.formats.mindspore.traced import Traced
from dnnbridge.formats.mindspore.turned import Turned, item, parts, permuted, whole

Function = Callable[..., Any]
"""(result, *arguments) -> the symbol of the result, or several; None if it cannot be followed.

`result` is what MindSpore returned. Each tensor among the arguments is a `Traced`.
"""


def _numbered(operation: str) -> Function:
    """Return the function of two values, one of which may be a number."""
    python: dict[str, Callable[[Any, Any], Any]] = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "power": lambda a, b: a**b,
    }
    merges = {"maximum": layers.Maximum, "minimum": layers.Minimum}

    def make(result: Any, a: Any, b: Any) -> Any:
        left, right = _operand(a), _operand(b)
        if left is None or right is None:
            return None
        if operation in python:
            return python[operation](left, right)
        if isinstance(left, AbstractSymbol) and isinstance(right, AbstractSymbol):
            return merges[operation]()(left, right)
        if isinstance(left, AbstractSymbol):
            return layers.Elementwise(operation, right)(left)  # type: ignore[arg-type]
        return layers.Elementwise(operation, left, True)(right)  # type: ignore[arg-type]

    return make


def _operand(value: Any) -> Any:
    """Return the symbol of a tensor or a number; None for anything else, such as an array."""
    if isinstance(value, Traced):
        return value.symbol
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    shape = getattr(value, "shape", None)
    return float(value.asnumpy()) if shape == () and hasattr(value, "asnumpy") else None


def _alone(operation: str) -> Function:
    return lambda result, x: layers.Elementwise(operation)(x.symbol)  # type: ignore[arg-type]


def _reshaped(result: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """All of these keep the order of the elements, so the shape of the result says all."""
    if not isinstance(x, Traced) or result.shape[0] != x.shape[0]:
        return None
    if result.shape == x.value.shape:
        return x.symbol
    if result.ndim == 2 and x.value.ndim > 2:
        return layers.Flatten()(x.symbol)
    return layers.Reshape(tuple(result.shape[1:]))(x.symbol)


def _transposed(result: Any, x: Any, *axes: Any, **kwargs: Any) -> Any:
    given = kwargs.get("input_perm", kwargs.get("dims", axes[0] if len(axes) == 1 else axes))
    rank = x.value.ndim
    order = tuple(int(axis) % rank for axis in given) if given else tuple(reversed(range(rank)))
    return permuted(x.symbol, order)


def _exchanged(result: Any, x: Any, axis0: int, axis1: int) -> Any:
    rank = x.value.ndim
    order = list(range(rank))
    first, second = axis0 % rank, axis1 % rank
    order[first], order[second] = order[second], order[first]
    return permuted(x.symbol, tuple(order))


def _reduced(operation: str) -> Function:
    def make(
        result: Any,
        x: Any,
        axis: Any = None,
        keep_dims: bool = False,
        *,
        dim: Any = None,
        keepdims: bool = False,
        keepdim: bool = False,
    ) -> Any:
        axis = dim if axis is None else axis
        if axis is None or axis == ():
            return None
        rank = x.value.ndim
        given = axis if isinstance(axis, (tuple, list)) else (axis,)
        axes = tuple(int(each) % rank for each in given)
        if 0 in axes:
            return None
        kept = bool(keep_dims or keepdims or keepdim)
        return layers.Reduce(operation, axes, kept)(x.symbol)  # type: ignore[arg-type]

    return make


def _concatenated(result: Any, values: Any, axis: Any = 0, *, dim: Any = None) -> Any:
    place = int(axis if dim is None else dim) % result.ndim
    symbols: list[Any] = [each.symbol if isinstance(each, Traced) else None for each in values]
    return None if place == 0 or None in symbols else layers.Concatenate(place)(*symbols)


def _stacked(result: Any, values: Any, axis: Any = 0, *, dim: Any = None) -> Any:
    place = int(axis if dim is None else dim) % result.ndim
    if place == 0 or not all(isinstance(each, Traced) for each in values):
        return None
    index = (*(slice(None),) * place, None)
    return layers.Concatenate(place)(*(layers.Slice(index)(each.symbol) for each in values))


def _parts(result: Any, x: Any, sizes: Any, axis: Any = 0, *, dim: Any = None) -> Any:
    place = int(axis if dim is None else dim) % x.value.ndim
    given = whole(x.symbol)
    return None if place == given.batch else parts(given, x.value.ndim, result, place, True)


def _unstacked(result: Any, x: Any, axis: Any = 0, *, dim: Any = None) -> Any:
    place = int(axis if dim is None else dim) % x.value.ndim
    given = whole(x.symbol)
    return None if place == given.batch else parts(given, x.value.ndim, result, place, False)


def _item(result: Any, x: Any, key: Any) -> Any:
    if isinstance(x.symbol, Turned):
        return item(x.symbol, x.value.ndim, key)
    return layers.Slice(key)(x.symbol)


def _product(result: Any, a: Any, b: Any, *, transpose_b: bool = False) -> Any:
    if not (isinstance(a, Traced) and isinstance(b, Traced)):
        return None
    rank = b.value.ndim
    second = permuted(b.symbol, (*range(rank - 2), rank - 1, rank - 2)) if transpose_b else b.symbol
    return layers.MatMul()(a.symbol, second)


def _unchanged(result: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return x.symbol


RESHAPES = (
    *("reshape", "view", "flatten", "squeeze", "expanddims", "unsqueeze", "unflatten"),
    *("view_as", "reshape_as"),
)

TABLE: Mapping[str, Function] = {
    "add": _numbered("add"),
    **dict.fromkeys(("sub", "subtract"), _numbered("subtract")),
    **dict.fromkeys(("mul", "multiply"), _numbered("multiply")),
    **dict.fromkeys(("div", "truediv", "realdiv", "divide"), _numbered("divide")),
    "pow": _numbered("power"),
    "maximum": _numbered("maximum"),
    "minimum": _numbered("minimum"),
    **{name: _alone(name) for name in ("abs", "erf", "exp", "expm1", "log", "rsqrt", "sign")},
    **{name: _alone(name) for name in ("sqrt", "square")},
    "neg": _alone("negative"),
    **dict.fromkeys(RESHAPES, _reshaped),
    **dict.fromkeys(("transpose", "permute"), _transposed),
    **dict.fromkeys(("swapaxes", "swapdims"), _exchanged),
    **dict.fromkeys(("mean", "reducemean"), _reduced("mean")),
    **dict.fromkeys(("sum", "reducesum"), _reduced("sum")),
    **dict.fromkeys(("amax", "reducemax"), _reduced("max")),
    **dict.fromkeys(("amin", "reducemin"), _reduced("min")),
    **dict.fromkeys(("concat", "cat"), _concatenated),
    "stack": _stacked,
    **dict.fromkeys(("split", "chunk"), _parts),
    **dict.fromkeys(("unstack", "unbind"), _unstacked),
    "getitem": _item,
    **dict.fromkeys(("matmul", "bmm", "batchmatmul"), _product),
    **dict.fromkeys(("identity", "contiguous"), _unchanged),
}
"""The function of each operation, by its name in lower case without "_"."""


DROPOUTS: Mapping[str, Callable[[float], layers.AbstractLayer]] = {
    "dropout": layers.Dropout,
    "dropout1d": lambda rate: layers.SpatialDropout1D(rate, data_format="channels_first"),
    "dropout2d": lambda rate: layers.SpatialDropout2D(rate, data_format="channels_first"),
    "dropout3d": lambda rate: layers.SpatialDropout3D(rate, data_format="channels_first"),
}
"""The layer of each function that drops numbers in training."""


def dropped(name: str, result: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the symbol of a dropout that acts in training alone; None for any other."""
    names = ("input", "p", "training")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if not isinstance(given.get("training"), Training) or given.keys() - {*names, "seed"}:
        return None
    make = DROPOUTS.get(name.removesuffix("_ext"))
    return make and make(float(given.get("p", 0.5)))(args[0].symbol)


TURNED = (
    "transpose",
    "permute",
    "swapaxes",
    "swapdims",
    "split",
    "chunk",
    "unstack",
    "unbind",
    "getitem",
)
"""Operations on tensors whose batch is not the first axis."""


def followed(name: str, result: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the symbols of the result of a call; None if it cannot be followed."""
    plain = name.removeprefix("mint_").lower().replace("_", "")
    if any(isinstance(getattr(x, "symbol", None), Turned) for x in args) and plain not in TURNED:
        return None
    kwargs = {key: value for key, value in kwargs.items() if value is not None}
    if plain in FUNCTIONS and args and isinstance(args[0], Traced):
        found = of_function(plain, *args[1:], **kwargs)
        return None if found is None else layers.Activation(found)(args[0].symbol)
    try:
        return TABLE[plain](result, *args, **kwargs)
    except (KeyError, TypeError, ValueError, AttributeError, DnnbridgeError):
        return None
