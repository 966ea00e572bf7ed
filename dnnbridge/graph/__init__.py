"""The flat, typed program that specs emit and backends read."""

from dnnbridge.graph.builder import Builder
from dnnbridge.graph.evaluation import Structure, Table, evaluate, scan, steps
from dnnbridge.graph.exposed_calls import ExposedCall, with_calls_exposed
from dnnbridge.graph.inline import inline
from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.op import Op
from dnnbridge.graph.structure import (
    Call,
    Constant,
    ConstantArray,
    Recompute,
    Scan,
    ValueAndGrad,
)
from dnnbridge.graph.types import BATCH, LOWER, REAL, Dim, DType, TensorType, broadcast
from dnnbridge.graph.value import Operand, Value

__all__ = [
    "BATCH",
    "LOWER",
    "REAL",
    "Builder",
    "Call",
    "Constant",
    "ConstantArray",
    "DType",
    "Dim",
    "ExposedCall",
    "Graph",
    "Node",
    "Op",
    "Operand",
    "Recompute",
    "Scan",
    "Structure",
    "Table",
    "TensorType",
    "Value",
    "ValueAndGrad",
    "broadcast",
    "evaluate",
    "inline",
    "scan",
    "steps",
    "with_calls_exposed",
]
