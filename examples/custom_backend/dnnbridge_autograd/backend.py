"""The backend: interpret the graph with the table, differentiate with autograd, keep the state."""

from __future__ import annotations

from typing import ClassVar

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from autograd.builtins import tuple as traced_tuple
from autograd.tracer import getval

from dnnbridge.backend import Constant, ConstantArray, Limitation, Scan, ValueAndGrad, inline, ops
from dnnbridge_autograd.lowerings import LOWERINGS
from dnnbridge_autograd.plugin import INFO

WHOLE = "tables are updated as a whole"


class AutogradBackend:
    info = INFO
    lowered = frozenset(LOWERINGS)
    claims: ClassVar[dict] = {}
    limitations = (Limitation(ops.PutRows, WHOLE), Limitation(ops.SumRepeats, WHOLE))
    deviations = ()

    def devices(self):
        return ("cpu",)

    def compile(self, program, device):
        return AutogradExecutable(program)


class AutogradExecutable:
    compilations = 0

    def __init__(self, program):
        self._functions = program.functions
        self._graphs = {name: inline(f.graph) for name, f in program.functions.items()}
        self._state = {name: np.zeros(array.shape) for name, array in program.state.items()}

    def run(self, function, feeds, steps):
        described, graph = self._functions[function], self._graphs[function]
        count = len(described.results)
        rows = []
        for k in range(steps):
            inputs = [
                self._state[described.state[v]]
                if v in described.state
                else np.asarray(feeds[v.name][k])
                for v in graph.inputs
            ]
            with np.errstate(all="ignore"):
                outputs = evaluate(graph, inputs)
            self._state |= dict(zip(described.writes, outputs[count:], strict=True))
            rows.append(outputs[:count])
        columns = zip(*rows, strict=True)
        return {n: np.stack(c) for n, c in zip(described.results, columns, strict=True)}

    def keep(self, arrays):
        return None

    def read(self):
        return {name: array.copy() for name, array in self._state.items()}

    def write(self, values):
        self._state |= {name: np.array(value, np.float64) for name, value in values.items()}


def evaluate(graph, inputs):
    known = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        arguments = [known[value] for value in node.inputs]
        if isinstance(node.op, Constant):
            results = [node.op.value]
        elif isinstance(node.op, ConstantArray):
            results = [node.op.array]
        elif isinstance(node.op, ValueAndGrad):
            results = value_and_grad(node.op, node.body, arguments)
        elif isinstance(node.op, Scan):
            results = scan(node.op, node.body, arguments)
        else:
            results = [LOWERINGS[type(node.op)](node.op, *arguments)]
        known.update(zip(node.outputs, results, strict=True))
    return [known[value] for value in graph.outputs]


def value_and_grad(op, body, inputs):
    outputs = []

    def loss(wrt):
        arguments = list(inputs)
        for position, value in zip(op.wrt, wrt, strict=True):
            arguments[position] = value
        made = evaluate(body, arguments)
        outputs.extend(getval(value) for value in made)
        return made[0]

    given = traced_tuple(np.asarray(inputs[i], np.float64) for i in op.wrt)
    vjp, _ = make_vjp(loss)(given)
    return [*outputs, *vjp(np.ones(()))]


def scan(op, body, inputs):
    end = op.carries + op.sequences
    carries, sequences, captured = inputs[: op.carries], inputs[op.carries : end], inputs[end:]
    rows = []
    for t in range(op.length):
        made = evaluate(body, [*carries, *(each[t] for each in sequences), *captured])
        carries = made[: op.carries]
        rows.append(made[op.carries :])
    return [*carries, *(anp.stack(column) for column in zip(*rows, strict=True))]
