"""Operations of `keras.ops` in Functional models, as layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dnnbridge import layers
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.formats.keras.activation_operations import ACTIVATIONS, Config, Operation
from dnnbridge.formats.keras.application_layers import OF_APPLICATIONS
from dnnbridge.formats.keras.logic import as_logical, is_logical
from dnnbridge.formats.keras.settings import dtype_of, serialized
from dnnbridge.formats.keras.whole_numbers import dtype_of_symbol
from dnnbridge.layers.elementwise import OfOne, OfTwo
from dnnbridge.layers.logic import Comparison, Connective
from dnnbridge.layers.reducing import Reduction

DTYPES: Mapping[str, Literal["float32", "int32"]] = {
    **{"float32": "float32", "int32": "int32", "int64": "int32"}
}
"""The dtype here of a cast, by Keras' dtype."""


def _with_number(name: OfTwo, merge: type[layers.AbstractLayer] | None = None) -> Operation:
    """Return the operation of two values, one of which may be a number."""

    def make(config: Config, x1: Any, x2: Any) -> AbstractSymbol | None:
        # Keras aligns the last axes of two ranks, so that examples meet other examples. Such a
        # model works for one size of the batch; no layer here makes it.
        if isinstance(x1, AbstractSymbol) and isinstance(x2, AbstractSymbol):
            return merge()(x1, x2) if merge else None
        first = isinstance(x2, AbstractSymbol)
        x, number = (x2, _number(x1)) if first else (x1, _number(x2))
        return None if number is None else layers.Elementwise(name, number, first)(x)

    return make


def _number(given: Any) -> float | None:
    """Read a constant number; None if it is something else, such as an array."""
    found = serialized(given)
    value = found.config.get("value") if found and found.kind == "__tensor__" else given
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None


def _added(config: Config, x1: Any, x2: Any) -> AbstractSymbol | None:
    """Add; two truths are added as "or" in Keras."""
    if is_logical(x1) and is_logical(x2):
        return layers.Logical("or")(x1, x2)
    return _with_number("add", layers.Add)(config, x1, x2)


def _compared(name: Comparison, turned: Comparison) -> Operation:
    """Return a comparison; `turned` is the one with the other operand first."""

    def make(config: Config, x1: Any, x2: Any) -> AbstractSymbol | None:
        if isinstance(x1, AbstractSymbol) and isinstance(x2, AbstractSymbol):
            return layers.Compare(name)(x1, x2)
        first = isinstance(x2, AbstractSymbol)
        number = _number(x1 if first else x2)
        if number is None:
            return None
        return layers.Compare(turned, number)(x2) if first else layers.Compare(name, number)(x1)

    return make


def _logical(name: Connective) -> Operation:
    def make(config: Config, *given: Any) -> AbstractSymbol | None:
        if not all(isinstance(each, AbstractSymbol) for each in given):
            return None
        return layers.Logical(name)(*map(as_logical, given))

    return make


def _where(config: Config, condition: Any, x1: Any = None, x2: Any = None) -> AbstractSymbol | None:
    if not isinstance(condition, AbstractSymbol):
        return None
    given = [each for each in (x1, x2) if isinstance(each, AbstractSymbol)]
    numbers = [None if isinstance(each, AbstractSymbol) else _number(each) for each in (x1, x2)]
    if len(given) != numbers.count(None):
        return None
    return layers.Where(*numbers)(as_logical(condition), *given)


def _quantified(name: Reduction) -> Operation:
    """Return `any` or `all` over axes."""

    def make(
        config: Config, x: Any, axis: Any = None, keepdims: bool = False
    ) -> AbstractSymbol | None:
        return _reduced(name)(config, as_logical(x), axis, keepdims)

    return make


def _alone(name: OfOne) -> Operation:
    return lambda config, x: layers.Elementwise(name)(x)


def _clip(config: Config, x: Any, x_min: Any = None, x_max: Any = None) -> AbstractSymbol | None:
    low, high = (_number(config.get(n, v)) for n, v in (("x_min", x_min), ("x_max", x_max)))
    if low is None or high is None:
        return None
    return layers.Elementwise("minimum", high)(layers.Elementwise("maximum", low)(x))


def _reduced(name: Reduction) -> Operation:
    def make(
        config: Config, x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> AbstractSymbol | None:
        axis = config.get("axis", axis)
        if axis is None or config.get("initial", initial) is not None:
            return None
        keepdims = bool(config.get("keepdims", keepdims))
        return layers.Reduce(name, tuple(axis) if isinstance(axis, list) else axis, keepdims)(x)

    return make


def _average(
    config: Config, x: Any, axis: Any = None, weights: Any = None
) -> AbstractSymbol | None:
    return _reduced("mean")(config, x, axis) if weights is None else None


def _variance(
    config: Config, x: Any, axis: Any = None, keepdims: bool = False
) -> AbstractSymbol | None:
    mean = _reduced("mean")({**config, "keepdims": True}, x, axis)
    if mean is None:
        return None
    squares = layers.Elementwise("square")(layers.Subtract()(x, mean))
    return _reduced("mean")(config, squares, axis, keepdims)


def _deviation(
    config: Config, x: Any, axis: Any = None, keepdims: bool = False
) -> AbstractSymbol | None:
    made = _variance(config, x, axis, keepdims)
    return made and layers.Elementwise("sqrt")(made)


def _at(axis: int, item: int | slice | None) -> layers.Slice | None:
    """Return the slice with one item on an axis; None if that is the batch."""
    if axis >= 0:
        return layers.Slice((*(slice(None),) * axis, item)) if axis else None
    return layers.Slice((..., item, *(slice(None),) * (-axis - 1)))


def _on_axes(x: Any, axes: Any, item: int | slice | None, removes: bool) -> AbstractSymbol | None:
    """Apply a slice to each of several axes, in an order in which none moves the next."""
    given = axes if isinstance(axes, list) else [axes]
    if not all(isinstance(axis, int) for axis in given) or len({axis < 0 for axis in given}) > 1:
        return None
    for axis in sorted(given, reverse=removes != (given[0] < 0)):
        layer = _at(axis, item)
        if layer is None:
            return None
        x = layer(x)
    return x  # type: ignore[no-any-return]


def _expand_dims(config: Config, x: Any, axis: Any = None) -> AbstractSymbol | None:
    return _on_axes(x, config.get("axis", axis), None, removes=False)


def _squeeze(config: Config, x: Any, axis: Any = None) -> AbstractSymbol | None:
    return _on_axes(x, config.get("axis", axis), 0, removes=True)


def _flip(config: Config, x: Any, axis: Any = None) -> AbstractSymbol | None:
    return _on_axes(x, config.get("axis", axis), slice(None, None, -1), removes=False)


def _get_item(config: Config, x: Any, key: Any) -> AbstractSymbol | None:
    items = []
    for each in key if isinstance(key, list) else [key]:
        found = serialized(each)
        if found and found.kind == "__slice__":
            each = slice(*(found.config.get(name) for name in ("start", "stop", "step")))
        elif found and found.kind == "__ellipsis__":
            each = ...
        items.append(each)
    return layers.Slice(tuple(items))(x)


def _transpose(config: Config, x: Any, axes: Any = None) -> AbstractSymbol | None:
    axes = config.get("axes", axes)
    order = tuple(axis % len(axes) for axis in axes or ())
    return layers.Permute(order[1:])(x) if order[:1] == (0,) else None


def _concatenate(config: Config, xs: Any, axis: int = 0) -> AbstractSymbol | None:
    return layers.Concatenate(config.get("axis", axis))(*xs)


def _stack(config: Config, xs: Any, axis: int = 0) -> AbstractSymbol | None:
    axis = config.get("axis", axis)
    layer = _at(axis, None)
    return layers.Concatenate(axis)(*(layer(x) for x in xs)) if layer else None


def _reshape(config: Config, x: Any, newshape: Any = None) -> AbstractSymbol | None:
    shape = config.get("newshape", newshape)
    if shape is None or shape[0] not in (-1, None):
        return None
    if list(shape[1:]) == [-1]:
        return layers.Flatten()(x)
    return layers.Reshape(tuple(shape[1:]))(x)


def _matmul(config: Config, x1: Any, x2: Any) -> AbstractSymbol | None:
    both = isinstance(x1, AbstractSymbol) and isinstance(x2, AbstractSymbol)
    return layers.MatMul()(x1, x2) if both else None


def _cast(config: Config, x: Any, dtype: Any = None) -> AbstractSymbol | None:
    named = dtype_of(config.get("dtype", dtype))
    if named == "bool":
        return as_logical(x)
    wanted, given = DTYPES.get(named), dtype_of_symbol(x)
    if wanted is None:
        return None
    return x if wanted == given else layers.Cast(wanted)(x)


ARITHMETIC: Mapping[str, Operation] = {
    "Absolute": _alone("abs"),
    "Add": _added,
    "Clip": _clip,
    "Divide": _with_number("divide", layers.Divide),
    "Erf": _alone("erf"),
    "Exp": _alone("exp"),
    "Expm1": _alone("expm1"),
    "Log": _alone("log"),
    "Maximum": _with_number("maximum", layers.Maximum),
    "Minimum": _with_number("minimum", layers.Minimum),
    "Multiply": _with_number("multiply", layers.Multiply),
    "Negative": _alone("negative"),
    "Power": _with_number("power"),
    "Reciprocal": lambda config, x: layers.Elementwise("divide", 1.0, number_first=True)(x),
    "Rsqrt": _alone("rsqrt"),
    "Sign": _alone("sign"),
    "Sqrt": _alone("sqrt"),
    "Square": _alone("square"),
    "Subtract": _with_number("subtract", layers.Subtract),
    "TrueDivide": _with_number("divide", layers.Divide),
}

LOGIC: Mapping[str, Operation] = {
    "All": _quantified("min"),
    "Any": _quantified("max"),
    "ConvertToTensor": lambda config, x: x,
    "Equal": _compared("equal", "equal"),
    "Greater": _compared("greater", "less"),
    "GreaterEqual": _compared("greater_equal", "less_equal"),
    "Less": _compared("less", "greater"),
    "LessEqual": _compared("less_equal", "greater_equal"),
    "LogicalAnd": _logical("and"),
    "LogicalNot": _logical("not"),
    "LogicalOr": _logical("or"),
    "LogicalXor": _logical("xor"),
    "NotEqual": _compared("not_equal", "not_equal"),
    "Where": _where,
}

REDUCTIONS: Mapping[str, Operation] = {
    "Amax": _reduced("max"),
    "Amin": _reduced("min"),
    "Average": _average,
    "Max": _reduced("max"),
    "Mean": _reduced("mean"),
    "Min": _reduced("min"),
    "Std": _deviation,
    "Sum": _reduced("sum"),
    "Var": _variance,
}

SHAPES: Mapping[str, Operation] = {
    "Cast": _cast,
    "Concatenate": _concatenate,
    "ExpandDims": _expand_dims,
    "Flip": _flip,
    "GetItem": _get_item,
    "Matmul": _matmul,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Transpose": _transpose,
}

OPERATIONS: Mapping[str, Operation] = {
    **{**ARITHMETIC, **LOGIC, **REDUCTIONS, **SHAPES},
    **{**ACTIVATIONS, **OF_APPLICATIONS},
}
"""The operation of each class, by Keras' name."""
