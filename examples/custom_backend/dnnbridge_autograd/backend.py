"""The backend: core evaluates the graph with the table; autograd differentiates."""

from __future__ import annotations

from typing import ClassVar

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from autograd.builtins import tuple as traced_tuple
from autograd.tracer import getval

from dnnbridge import backend as core
from dnnbridge.backend import ops
from dnnbridge_autograd.lowerings import LOWERINGS
from dnnbridge_autograd.plugin import INFO

WHOLE = "tables are updated as a whole"


class AutogradBackend:
    info = INFO
    lowered = frozenset(LOWERINGS)
    claims: ClassVar[dict] = {}
    limitations = (core.Limitation(ops.PutRows, WHOLE), core.Limitation(ops.SumRepeats, WHOLE))
    deviations = ()

    def devices(self):
        return ("cpu",)

    def compile(self, program, device):
        return core.StepwiseExecutable(program, outputs_of)


def outputs_of(graph, inputs):
    return graph.results(values(graph, inputs))


def values(graph, inputs):
    return core.evaluate(graph, inputs, LOWERINGS, STRUCTURE)


def value_and_grad(node, inputs):
    outputs = []

    def loss(wrt):
        arguments = list(inputs)
        for position, value in zip(node.op.wrt, wrt, strict=True):
            arguments[position] = value
        made = outputs_of(node.body, arguments)
        outputs.extend(getval(value) for value in made)
        return made[0]

    given = traced_tuple(np.asarray(inputs[i], np.float64) for i in node.op.wrt)
    vjp, _ = make_vjp(loss)(given)
    return [*outputs, *vjp(np.ones(()))]


STRUCTURE = {
    core.Constant: lambda node, inputs: [node.op.value],
    core.ConstantArray: lambda node, inputs: [node.op.array],
    core.ValueAndGrad: value_and_grad,
    core.Scan: lambda node, inputs: core.scan(node, inputs, values, anp.stack),
}
