"""Programs in which the calls of a spec have another body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile

from dnnbridge.emit.declarations import MASK, NORMALIZER, BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Builder, Call, Graph, Node, Value
from dnnbridge.optimizers.updates import DECAY
from dnnbridge.program.program import Program

Rewrite = Callable[[Node, bool], Node]
"""(a call, whether it is for training) -> the call with another body."""


def rewritten(program: Program, rewrites: Mapping[type, Rewrite]) -> Program:
    """Return the program with another body in every call of the given specs."""
    if not rewrites:
        return program
    functions = {
        name: replace(f, graph=_graph(f.graph, rewrites, f.training))
        for name, f in program.functions.items()
    }
    return replace(program, functions=functions)


def _graph(graph: Graph, rewrites: Mapping[type, Rewrite], training: bool) -> Graph:
    nodes = tuple(_node(node, rewrites, training) for node in graph.nodes)
    return Graph(graph.name, graph.inputs, nodes, graph.outputs)


def _node(node: Node, rewrites: Mapping[type, Rewrite], training: bool) -> Node:
    rewrite = rewrites.get(type(node.op.spec)) if isinstance(node.op, Call) else None
    if rewrite is not None:
        return rewrite(node, training)
    if node.body is None:
        return node
    return replace(node, body=_graph(node.body, rewrites, training))


def emitted(change) -> Rewrite:
    """Let `change(spec)`, a spec or any object with an `emit`, emit the body of each call.

    Each call reads a buffer as it was before the step, even if an earlier call has updated it.
    """

    def rewrite(node: Node, training: bool) -> Node:
        body = Builder(node.body.name, node.path)
        inputs = [body.input(v.name, v.type) for v in takewhile(_is_argument, node.body.inputs)]
        declared = Declarations(body, _mask(body, node.body))
        scope = Scope(body, declared, training, node.path)
        made = change(node.op.spec).emit(scope, *inputs)
        outputs = (made,) if isinstance(made, Value) else made
        return _with_body(node, body.graph([*outputs, *scope.extras()]))

    return rewrite


def written(write) -> Rewrite:
    """Let `write(spec, *inputs)` write the outputs of a call that captures nothing."""

    def rewrite(node: Node, training: bool) -> Node:
        body = Builder(node.body.name, node.path)
        inputs = [body.input(v.name, v.type) for v in node.body.inputs]
        return replace(node, body=body.graph(list(write(node.op.spec, *inputs))))

    return rewrite


def updated(change) -> Rewrite:
    """Let the optimizer `change(optimizer)` write the updates, in the slots of the original.

    Slots that the new optimizer does not have stay as they are.
    """

    def write(optimizer, p, g, *rest):
        shape = p.shape
        names = list(optimizer.slots(shape))
        slots = dict(zip(names, rest, strict=False))
        host = [name for name in optimizer.host_scalars(0) if name != DECAY]
        scalars = dict(zip(host, rest[len(names) :], strict=True))
        moved, made = change(optimizer).update(p, g, slots, scalars)
        return [moved, *(made.get(name, slots[name]) for name in names)]

    return written(write)


def _is_argument(value: Value) -> bool:
    """Return whether an input of a body is an argument of the call and not a declared array."""
    return value.name.startswith(("input", "target")) or value.name[1:].isdigit()


def _mask(body: Builder, old: Graph) -> BatchMask | None:
    found = [
        next((name for name in names if name in old.input_names), None)
        for names in (("mask", MASK), ("normalizer", NORMALIZER))
    ]
    given = [body.input(name, old.input_names[name].type) for name in found if name is not None]
    return BatchMask(given[0], given[-1]) if given else None  # a body reads what it was given


def _with_body(node: Node, body: Graph) -> Node:
    outer = {v.name: given for v, given in zip(node.body.inputs, node.inputs, strict=True)}
    for value in body.inputs:
        assert value.type == outer[value.name].type, value
    return replace(node, inputs=tuple(outer[v.name] for v in body.inputs), body=body)
