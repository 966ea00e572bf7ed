"""`flatten`: a function as a backend lowers it, claimed calls whole and all others inlined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from dnnbridge.graph import Call, Graph, Node, Value, inline
from dnnbridge.program import Function

if TYPE_CHECKING:
    from dnnbridge.backend import Claim


class Flat(NamedTuple):
    """A graph without calls that the backend does not claim.

    Attributes:
        graph: whose outputs are those of the function.
        places: state arrays that a call changes where they lie, by its first output.
        reads: state arrays that any other node reads.
    """

    graph: Graph
    places: Mapping[Value, tuple[str, ...]]
    reads: Mapping[Value, str]


def flatten(function: Function, claims: Mapping[type, Claim]) -> Flat:
    """Inline the calls that are not claimed, and find out which may change arrays in place."""

    def claim_of(node: Node) -> Claim | None:
        spec = node.op.spec if isinstance(node.op, Call) else None
        claim = claims.get(type(spec))
        return claim if claim and claim.applies(spec) and claim.fits(node) else None

    changing = [n for n in function.graph.nodes if (claim := claim_of(n)) and claim.in_place]
    places = _places(function, changing)

    def claimed(node: Node) -> bool:
        claim = claim_of(node)
        return claim is not None and (not claim.in_place or node.outputs[0] in places)

    graph = inline(function.graph, claimed)
    elsewhere = {v for n in graph.nodes if n.outputs[0] not in places for v in n.inputs}
    elsewhere |= set(graph.outputs)
    reads = {value: name for value, name in function.state.items() if value in elsewhere}
    return Flat(graph, places, reads)


def _places(function: Function, changing: list[Node]) -> dict[Value, tuple[str, ...]]:
    """Return what each call may change: it reads the array last, and nothing reads the result."""
    graph = function.graph
    uses = Counter(value for node in graph.nodes for value in node.inputs)
    uses.update(graph.outputs)
    written = dict(zip(graph.outputs[len(function.results) :], function.writes, strict=True))
    last = {value: node for node in graph.nodes for value in node.inputs}
    found = {}
    for node in changing:
        names = tuple(written.get(value, "") for value in node.outputs)
        read = {function.state.get(value): value for value in node.inputs}
        pairs = zip(names, node.outputs, strict=True)
        if all(n in read and last[read[n]] is node and uses[v] == 1 for n, v in pairs):
            found[node.outputs[0]] = names
    return found
