"""Run the `construct` of a Cell on stand-ins, and write down the layers that it calls.

The Cell is not changed. `construct` runs as a copy of its function, in which the functions,
operators and Cells of MindSpore are replaced by ones that write down the call. Each call is also
made by MindSpore, on real tensors, so that shapes are known.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.mindspore.cells import RULES, Part, UnsupportedError
from dnnbridge.formats.mindspore.functions import followed
from dnnbridge.formats.mindspore.stand_ins import (
    Child,
    Itself,
    LastState,
    Module,
    Unseen,
    is_mindspore,
)
from dnnbridge.formats.mindspore.traced import Traced

RANDOM = ("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
"""Functions that change a tensor only in training, which cannot be seen in a prediction."""


class WholeNumbersError(Exception):
    """An embedding reads an input; its numbers must be whole and below `limit`."""

    def __init__(self, symbol: Any, limit: int) -> None:
        super().__init__(limit)
        self.symbol, self.limit = symbol, limit


@dataclass
class Follower:
    """The calls of a Cell so far.

    Attributes:
        root: the outermost Cell.
        findings: receives what cannot be followed.
        parts: the Cells that were called, by path, with what they are here.
        results: each result that is known here, by path, with MindSpore's value.
    """

    root: Any
    findings: Findings
    parts: dict[str, tuple[Any, list[Part]]] = field(default_factory=dict)
    results: list[tuple[str, Any, Any]] = field(default_factory=list)
    path: str = ""

    def __post_init__(self) -> None:
        self.names = {id(cell): name for name, cell in self.root.cells_and_names()}

    def call(self, cell: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a Cell."""
        before, self.path = self.path, self.names.get(id(cell), type(cell).__name__)
        try:
            kind = _native(cell)
            if kind == "SequentialCell":
                for each in cell:
                    args = (self.call(each, args, {}),)
                return args[0]
            if kind is not None:
                return self._layer(kind, cell, args, kwargs)
            construct = inspect.unwrap(type(cell).construct)
            return self.rebound(construct)(Itself(self, cell), *args, **kwargs)
        finally:
            self.path = before

    def _layer(self, kind: str, cell: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        inputs = [x for x in args if isinstance(x, Traced)]
        if kind == "Embedding" and inputs and getattr(inputs[0].symbol, "dtype", "") == "float32":
            raise WholeNumbersError(inputs[0].symbol, cell.vocab_size)
        result = cell(*map(_value, args), **{k: _value(v) for k, v in kwargs.items()})
        try:
            symbol = self._symbol(kind, cell, args, kwargs)
        except (UnsupportedError, DnnbridgeError) as error:
            self.findings.add(self.path, f"nn.{kind} with {error}")
            symbol = None
        if not isinstance(result, tuple):
            return self.traced(result, symbol)
        first, what = self.traced(result[0], symbol), f"the second result of nn.{kind}"
        states = kind in ("LSTM", "GRU", "RNN") and cell.num_layers == 1 and not cell.bidirectional
        last = LastState(what, first) if states else Unseen(what)
        return (first, (last, Unseen(f"the cell state of nn.{kind}")) if kind == "LSTM" else last)

    def _symbol(self, kind: str, cell: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        if kind not in RULES:
            raise UnsupportedError("no counterpart here")
        symbols = self._inputs(kind, args, kwargs)
        known = self.parts.get(self.path)
        parts = known[1] if known else self._named(RULES[kind](cell, args[0].ndim))
        self.parts[self.path] = (cell, parts)
        if None in symbols:
            return None
        for part in parts:
            symbols = [part.layer(*symbols)]
        return symbols[0]

    def _inputs(self, kind: str, args: tuple[Any, ...], kwargs: Any) -> list[Any]:
        if kind == "MultiheadAttention":
            if any(kwargs.get(name) is not None for name in ("attn_mask", "key_padding_mask")):
                raise UnsupportedError("a mask")
            query, key, value = args[:3]
            if len(args) > 3:
                raise UnsupportedError("a mask")
            if query is key is value:
                return [query.symbol]
            return [x.symbol for x in ((query, value) if key is value else (query, value, key))]
        if (len(args) > 1 and any(each is not None for each in args[1:])) or kwargs:
            raise UnsupportedError("a second argument of its call")
        return [args[0].symbol]

    def _named(self, parts: list[Part]) -> list[Part]:
        plain = self.path.replace(".", "_") or "layer"
        return [p._replace(layer=p.layer.replace(name=f"{plain}{p.end}")) for p in parts]

    def apply(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """Call a function, an operator or a method."""
        given = [each for value in (*args, *kwargs.values()) for each in _traced(value)]
        result = function(*map(_value, args), **{k: _value(v) for k, v in kwargs.items()})
        if not given:
            return result
        lost = any(each.symbol is None for each in given)
        symbol = None if lost or name in RANDOM else followed(name, result, args, kwargs)
        if symbol is None and not lost:
            more = ": use the Cell nn.Dropout" if name in RANDOM else ""
            shapes = " and ".join(str(each.shape) for each in given)
            self.findings.add(self.path, f"the operation {name} of {shapes}{more}")
        if isinstance(result, (tuple, list)):
            symbols = symbol if isinstance(symbol, tuple) else [None] * len(result)
            return tuple(self.traced(r, s) for r, s in zip(result, symbols, strict=True))
        return self.traced(result, symbol)

    def traced(self, value: Any, symbol: Any) -> Traced:
        if isinstance(symbol, AbstractSymbol):
            self.results.append((self.path, symbol, value))
        return Traced(self.apply, value, symbol)

    def rebound(self, function: Any) -> Any:
        """Return a copy of a function whose global names are replaced."""
        inner = inspect.unwrap(function)
        names = dict(inner.__globals__)
        for name in _global_names(inner.__code__):
            if name in names:
                names[name] = self.replaced(names[name])
        copy = types.FunctionType(
            inner.__code__, names, inner.__name__, inner.__defaults__, inner.__closure__
        )
        copy.__kwdefaults__ = inner.__kwdefaults__
        return copy

    def replaced(self, value: Any) -> Any:
        """Return what stands for a value in `construct`."""
        from mindspore import Parameter, nn, ops

        if isinstance(value, nn.Cell):
            return Child(self, value)
        if isinstance(value, ops.Primitive):
            return self._operator(value)
        if isinstance(value, Parameter):
            self.findings.add(self.path, f"the parameter {value.name}, outside of a layer")
            return self.traced(value, None)
        if isinstance(value, types.ModuleType):
            return Module(self, value) if is_mindspore(value.__name__) else value
        if isinstance(value, (list, tuple)) and any(isinstance(v, nn.Cell) for v in value):
            return [self.replaced(each) for each in value]
        if isinstance(value, type):
            made = issubclass(value, (nn.Cell, ops.Primitive))
            return (lambda *a, **k: self.replaced(value(*a, **k))) if made else value
        return self._function(value) if callable(value) else value

    def _function(self, value: Any) -> Any:
        if is_mindspore(getattr(value, "__module__", "")):
            return lambda *a, **k: self.apply(value.__name__, value, a, k)
        return self.rebound(value) if isinstance(value, types.FunctionType) else value

    def _operator(self, value: Any) -> Any:
        fixed = {
            key: each
            for key, each in (value.init_attrs or {}).items()
            if key in ("axis", "keep_dims", "alpha", "lambd", "approximate", "transpose_b")
            and each not in (False, None)
        }
        if isinstance(fixed.get("axis"), int) and value.name in ("Split",):
            fixed.pop("axis")

        def call(*args: Any) -> Any:
            def of_values(*given: Any, **_: Any) -> Any:
                return value(*given)

            return self.apply(value.name, of_values, args, fixed)

        return call


def _native(cell: Any) -> str | None:
    """Return the class of MindSpore whose `construct` a Cell runs; None if it is the user's."""
    classes = type(cell).__mro__
    owner = next(i for i, cls in enumerate(classes) if "construct" in vars(cls))
    if not is_mindspore(classes[owner].__module__):
        return None
    # The class that users write may only inherit its construct from one without a public name.
    native = [cls.__name__ for cls in classes if is_mindspore(cls.__module__)]
    return next((name for name in native if name in RULES), native[0])


def _global_names(code: types.CodeType) -> set[str]:
    """Return the names in a function and in the functions in it."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return {*code.co_names, *(name for each in inner for name in _global_names(each))}


def _traced(value: Any) -> Iterator[Traced]:
    if isinstance(value, Traced):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _traced(each)


def _value(given: Any) -> Any:
    """Return an argument with MindSpore's tensors."""
    if isinstance(given, Traced):
        return given.value
    if isinstance(given, (list, tuple)):
        return type(given)(map(_value, given))
    if isinstance(given, Unseen):
        given.refuse()
    return given
