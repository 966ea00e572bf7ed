"""Run the `construct` of a Cell on stand-ins, and write down the layers that it calls.

The Cell is not changed. `construct` runs as a copy of its function, in which the functions,
operators and Cells of MindSpore are replaced by ones that write down the call. Each call is also
made by MindSpore, on real tensors, so that shapes are known.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.mindspore.arrays import Arrays, Known, known, moved
from dnnbridge.formats.mindspore.calls import attended, is_zero, native, traced_in, value_of
from dnnbridge.formats.mindspore.cells import RULES
from dnnbridge.formats.mindspore.functions import dropped, followed
from dnnbridge.formats.mindspore.refused import REFUSED
from dnnbridge.formats.mindspore.rule import Part, UnsupportedError
from dnnbridge.formats.mindspore.stand_ins import (
    Child,
    Itself,
    LastState,
    Module,
    Unseen,
    is_mindspore,
)
from dnnbridge.formats.mindspore.traced import CannotFollowError, Traced
from dnnbridge.formats.mindspore.turned import Turned, whole

RANDOM = ("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
"""Functions that change a tensor only in training, which cannot be seen in a prediction."""


FACTS = ("shape", "rank", "size", "dtype")
"""Functions whose result is no tensor."""

RECURRENT = ("LSTM", "GRU", "RNN")


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
        self.arrays = Arrays(self.parts)

    def call(self, cell: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a Cell."""
        before, self.path = self.path, self.names.get(id(cell), type(cell).__name__)
        try:
            kind = native(cell)
            if kind == "SequentialCell":
                for each in cell:
                    args = (self.call(each, args, {}),)
                return args[0]
            if kind is not None and kind in RULES:
                return self._layer(kind, cell, args, kwargs)
            if kind is not None:
                return self._inside(kind, cell, args, kwargs)
            return self._construct(cell, args, kwargs)
        finally:
            self.path = before

    def _construct(self, cell: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        construct = inspect.unwrap(type(cell).construct)
        return self.rebound(construct)(Itself(self, cell), *args, **kwargs)

    def _inside(self, kind: str, cell: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Follow a Cell of MindSpore without a rule; one finding stands for all in it."""
        outside, self.findings = self.findings, Findings()
        path = self.path
        try:
            if kind in REFUSED:
                raise CannotFollowError(REFUSED[kind])
            return self._construct(cell, args, kwargs)
        except (CannotFollowError, DnnbridgeError, TypeError, ValueError, AttributeError) as error:
            self.findings.add(path, str(error))
            result = cell(*map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()})
            many = isinstance(result, tuple)
            return (
                tuple(self.traced(r, None) for r in result) if many else self.traced(result, None)
            )
        finally:
            inside, self.findings, self.path = self.findings.found, outside, path
            if inside:
                self.findings.add(path, f"nn.{kind}: no counterpart here ({inside[0].what})")

    def _layer(self, kind: str, cell: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        inputs = [x for x in (*args, *kwargs.values()) if isinstance(x, Traced)]
        if kind == "Embedding" and inputs and getattr(inputs[0].symbol, "dtype", "") == "float32":
            raise WholeNumbersError(inputs[0].symbol, cell.vocab_size)
        result = cell(*map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()})
        try:
            symbol = self._symbol(kind, cell, args, kwargs, inputs[0].ndim)
        except (UnsupportedError, DnnbridgeError) as error:
            self.findings.add(self.path, f"nn.{kind} with {error}")
            symbol = None
        if not isinstance(result, tuple):
            return self.traced(result, symbol)
        first, what = self.traced(result[0], symbol), f"the second result of nn.{kind}"
        states = kind in RECURRENT and cell.num_layers == 1 and not cell.bidirectional
        last = LastState(what, first, not cell.batch_first) if states else Unseen(what)
        return (first, (last, Unseen(f"the cell state of nn.{kind}")) if kind == "LSTM" else last)

    def _symbol(self, kind: str, cell: Any, args: tuple[Any, ...], kwargs: Any, ndim: int) -> Any:
        symbols = self._inputs(kind, args, kwargs)
        known = self.parts.get(self.path)
        parts = known[1] if known else self._named(RULES[kind](cell, ndim))
        self.parts[self.path] = (cell, parts)
        if None in symbols:
            return None
        turned = kind in RECURRENT and not cell.batch_first
        if turned != any(isinstance(each, Turned) for each in symbols):
            raise UnsupportedError("an input whose batch is not where the Cell takes it")
        symbols = [whole(each).symbol for each in symbols]
        for part in parts:
            symbols = [part.layer(*symbols)]
        return Turned(symbols[0], 1) if turned else symbols[0]

    def _inputs(self, kind: str, args: tuple[Any, ...], kwargs: Any) -> list[Any]:
        if kind == "MultiheadAttention":
            return attended(args, kwargs)
        more = (*args[1:], *kwargs.values())
        if kind in RECURRENT and all(map(is_zero, more)):
            more = ()
        if any(each is not None for each in more):
            raise UnsupportedError("a second argument of its call")
        return [args[0].symbol]

    def _named(self, parts: list[Part]) -> list[Part]:
        plain = self.path.replace(".", "_") or "layer"
        return [p._replace(layer=p.layer.replace(name=f"{plain}{p.end}")) for p in parts]

    def apply(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """Call a function, an operator or a method."""
        args = tuple(self._array(each) for each in args)
        given = [each for value in (*args, *kwargs.values()) for each in traced_in(value)]

        def of_value(x: Any) -> Any:
            places = [x if each is given[0] else value_of(each) for each in args]
            return function(*places, **{k: value_of(v) for k, v in kwargs.items()})

        if len(given) == 1 and isinstance(given[0], Known):
            found = moved(given[0], self.apply, name, of_value)
            if found is not None:
                return found
        result = function(*map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()})
        if not given or name.lower() in FACTS:
            return result
        symbol = self._result(name, result, args, kwargs, given)
        if isinstance(result, (tuple, list)):
            symbols = symbol if isinstance(symbol, tuple) else [None] * len(result)
            return tuple(self.traced(r, s) for r, s in zip(result, symbols, strict=True))
        return self.traced(result, symbol)

    def _array(self, value: Any) -> Any:
        """Return what stands for an argument that is a constant array."""
        from mindspore import Tensor

        if isinstance(value, Tensor) and value.ndim and str(value.dtype).startswith("Float"):
            return known(self.apply, value)
        return value

    def _result(
        self, name: str, result: Any, args: tuple[Any, ...], kwargs: Any, given: list[Traced]
    ) -> Any:
        """Return the symbol of a result; None after a finding, or if one was lost before."""
        if any(each.symbol is None and not isinstance(each, Known) for each in given):
            return None
        shapes = " and ".join(str(each.shape) for each in given)
        arrays = ", ".join(each.source.name for each in given if isinstance(each, Known))
        why = f" with the parameter {arrays}" if arrays else ""
        random = name.removesuffix("_ext") in RANDOM
        try:
            if any(isinstance(each, Known) for each in given):
                return self.arrays.combined(name, self.path, args, bool(kwargs.get("transpose_b")))
            symbol = (dropped if random else followed)(name, result, args, kwargs)
            if symbol is not None:
                return symbol
            why += ": use the Cell nn.Dropout, or training=self.training" * random
        except (UnsupportedError, DnnbridgeError) as error:
            why += f": {error}"
        self.findings.add(self.path, f"the operation {name} of {shapes}{why}")
        return None

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
            return known(self.apply, value)
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


def _global_names(code: types.CodeType) -> set[str]:
    """Return the names in a function and in the functions in it."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return {*code.co_names, *(name for each in inner for name in _global_names(each))}
