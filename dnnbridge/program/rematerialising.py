"""`rematerialised`: mark the layers whose values the backward pass computes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dnnbridge.errors import SpecError
from dnnbridge.graph import Call, Graph, Node, ValueAndGrad
from dnnbridge.layers import AbstractLayer
from dnnbridge.program.program import Program
from dnnbridge.specs.patterns import check_layer_patterns, named_by


def rematerialised(program: Program, patterns: Sequence[str]) -> Program:
    """Return a program in which the calls of the named layers are marked `recomputed`.

    A layer in a marked layer is part of it. Layers in the step of a loop are not marked: a loop
    keeps the values of its steps itself.

    Args:
        program: the program of an experiment.
        patterns: patterns of paths of layers; "!…" takes back what one before it named.

    Raises:
        SpecError: a pattern fits no layer, or the first one only takes layers back.
    """
    if not patterns:
        return program
    train = program.functions["train"]
    nodes = list(train.graph.nodes)
    for k, node in enumerate(nodes):
        if isinstance(node.op, ValueAndGrad) and node.body is not None:
            _check(sorted(set(_layers(node.body))), patterns)
            nodes[k] = replace(node, body=_marked(node.body, patterns))
    made = replace(train, graph=replace(train.graph, nodes=tuple(nodes)))
    return replace(program, functions={**program.functions, "train": made})


def _marked(graph: Graph, patterns: Sequence[str]) -> Graph:
    return replace(graph, nodes=tuple(_marked_node(node, patterns) for node in graph.nodes))


def _marked_node(node: Node, patterns: Sequence[str]) -> Node:
    """Return a call that is marked, or in which the outermost named layers are."""
    if not isinstance(node.op, Call) or node.body is None:
        return node
    if isinstance(node.op.spec, AbstractLayer) and named_by(node.path, patterns):
        return replace(node, op=replace(node.op, recomputed=True))
    return replace(node, body=_marked(node.body, patterns))


def _layers(graph: Graph) -> Iterator[str]:
    """Yield the path of every layer outside of loops."""
    for node in graph.nodes:
        if isinstance(node.op, Call) and node.body is not None:
            if isinstance(node.op.spec, AbstractLayer):
                yield node.path
            yield from _layers(node.body)


def _check(paths: Sequence[str], patterns: Sequence[str]) -> None:
    if patterns[0].startswith("!"):
        raise SpecError(
            'the first pattern starts with "!", which only takes back layers of earlier patterns',
            where="remat",
            got=repr(patterns[0]),
            hint=f'Write "*" first: ("*", {patterns[0]!r}).',
        )
    check_layer_patterns(patterns, paths, "remat")
