"""`messages_of`: what the workers of a training sum in each step, read from its program."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.graph import Graph, Scan
from dnnbridge.program.dividing import divided

MEETINGS = (ops.AllReduceSum, ops.AllReduceGradient)


def messages_of(experiment: db.Experiment) -> list[int]:
    """Return the bytes of each sum over all workers in a training step, in the program's order.

    An `AllReduceSum` sums its operand when it is computed, an `AllReduceGradient` the derivative of
    its operand, so each is one message of the operand's size.

    Example:
        >>> model = db.Sequential([db.Input((3,)), db.Dense(2)])
        >>> messages_of(db.Experiment(model, "mse", "sgd"))  # the loss; the gradient of 8 weights
        [4, 32]
    """
    graph = divided(experiment.program()).functions["train"].graph
    return list(_messages(graph))


def _messages(graph: Graph) -> Iterator[int]:
    for node in graph.nodes:
        if node.body is not None:
            inner = list(_messages(node.body))
            if inner and isinstance(node.op, Scan):
                raise NotImplementedError(f"{node.path}: a loop sums over workers; count its steps")
            yield from inner
        if isinstance(node.op, MEETINGS):
            (x,) = node.inputs
            yield x.type.size() * np.dtype(x.type.dtype).itemsize
