"""`messages_of`: what the workers of a training sum in each step, read from its program."""

from __future__ import annotations

import numpy as np

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.program.dividing import divided

MEETINGS = (ops.AllReduceSum, ops.AllReduceGradient)


def messages_of(experiment: db.Experiment) -> list[int]:
    """Return the bytes of each sum over all workers in a training step, in the program's order.

    An `AllReduceSum` sums its operand when it is computed, an `AllReduceGradient` the derivative of
    its operand, so each is one message of the operand's size. Loops have none: see `divided`.

    Example:
        >>> model = db.Sequential([db.Input((3,)), db.Dense(2)])
        >>> messages_of(db.Experiment(model, "mse", "sgd"))  # the loss; the gradient of 8 weights
        [4, 32]
    """
    graph = divided(experiment.program()).functions["train"].graph
    summed = [node.inputs[0].type for node in graph.walk() if isinstance(node.op, MEETINGS)]
    return [type.size() * np.dtype(type.dtype).itemsize for type in summed]
