"""Resolve the expressions of the table: every name exists, and calls are made where possible."""

from __future__ import annotations

import ast
import inspect
import operator
from typing import Any

import numpy as np

import dnnbridge as db
import dnnbridge.datasets
from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Builder, TensorType, Value
from dnnbridge.specs.spec import Spec

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.USub: operator.neg,
}

EXPERIMENT = db.Experiment(db.Sequential([db.Input((3,)), db.Dense(2)]), "mse", db.SGD(0.1))

_graph = Builder("expressions")

NAMES = {name: getattr(db, name) for name in db.__all__} | {
    "db": db,
    "dnnbridge": dnnbridge,
    "numpy": np,
    "run": object.__new__(db.Run),
    "model": EXPERIMENT.model,
    "scope": object.__new__(Scope),
    "x": _graph.input("x", TensorType((3, 3))),
    "y": _graph.input("y", TensorType((3, 3))),
    "path": "run.safetensors",
    "values": {},
    "experiment": EXPERIMENT,
}
"""Names that an expression may use."""


def resolved(text: str) -> Any:
    """Return the value of an expression. A call that needs a training is checked, not made."""
    return _resolved(ast.parse(text, mode="eval").body)


def _resolved(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return NAMES[name]
        case ast.Attribute(value, name):
            return getattr(_resolved(value), name)
        case ast.List(items):
            return [_resolved(item) for item in items]
        case ast.UnaryOp(sign, operand):
            return OPERATORS[type(sign)](_resolved(operand))
        case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]):
            return OPERATORS[type(sign)](_resolved(left), _resolved(right))
        case ast.Call(function, args, keywords):
            given = [_resolved(arg) for arg in args]
            return _called(
                _resolved(function), given, {k.arg: _resolved(k.value) for k in keywords}
            )
    raise ValueError(f"no such expression: {ast.dump(node)}")


def _called(function: Any, args: list[Any], named: dict[str, Any]) -> Any:
    inspect.signature(function).bind_partial(*args, **named)
    if function is db.Experiment:
        return EXPERIMENT.replace(**named)
    if isinstance(function, type) and issubclass(function, Spec):
        return function(*args, **named)
    if function in vars(ops).values() and any(isinstance(arg, Value) for arg in args):
        return function(*args, **named)
    return NotImplemented
