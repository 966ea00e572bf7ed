"""`flatten`: a function as a backend lowers it, claimed calls whole and all others inlined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from dnnbridge.backend.row_updates import by_rows
from dnnbridge.graph import Call, Graph, Node, Value, ValueAndGrad, inline
from dnnbridge.ops import PutRows, Take
from dnnbridge.program.program import Function

if TYPE_CHECKING:
    from dnnbridge.backend.protocol import Claim


class Places(NamedTuple):
    """State arrays that a call changes where they lie, one for each of its outputs.

    Attributes:
        names: of the arrays.
        moved: whether something, such as a weight decay, has moved the weight before: the first
            array is set to the first input of the call, which then changes it.
    """

    names: tuple[str, ...]
    moved: bool


class Flat(NamedTuple):
    """A graph without calls that the backend does not claim.

    Attributes:
        graph: whose outputs are those of the function.
        places: what each call in place changes, by its first output.
        reads: state arrays that any other node reads.
        tables: state arrays of which nothing but rows is read, by `Take`.
    """

    graph: Graph
    places: Mapping[Value, Places]
    reads: Mapping[Value, str]
    tables: Mapping[Value, str]


def flatten(function: Function, claims: Mapping[type, Claim], rows: bool = False) -> Flat:
    """Inline the calls that are not claimed, and find out which may change arrays in place.

    Args:
        function: as core wrote it.
        claims: of the backend.
        rows: whether large tables are updated by rows, `BackendInfo.by_rows`.
    """

    def claim_of(node: Node) -> Claim | None:
        spec = node.op.spec if isinstance(node.op, Call) and not node.op.exposed else None
        claim = claims.get(type(spec))
        return claim if claim and claim.applies(spec) and claim.fits(node) else None

    def whole(node: Node) -> bool:
        claim = claim_of(node)
        return claim is not None and not claim.in_place

    if rows:
        function = by_rows(function, whole)
    changing = [n for n in function.graph.nodes if (claim := claim_of(n)) and claim.in_place]
    places = _places(function, changing)

    def claimed(node: Node) -> bool:
        claim = claim_of(node)
        return claim is not None and (not claim.in_place or node.outputs[0] in places)

    graph = inline(function.graph, claimed)
    places |= _put_places(function, graph)
    elsewhere = {v for n in graph.nodes if n.outputs[0] not in places for v in n.inputs}
    elsewhere |= set(graph.outputs)
    reads = {value: name for value, name in function.state.items() if value in elsewhere}
    tables = {value: name for value, name in reads.items() if _is_table(graph, value)}
    reads = {value: name for value, name in reads.items() if value not in tables}
    return Flat(graph, places, reads, tables)


def _put_places(function: Function, graph: Graph) -> dict[Value, Places]:
    """Return the tables that rows are put into; all that reads one comes before."""
    written = dict(zip(graph.outputs[len(function.results) :], function.writes, strict=True))
    return {
        node.outputs[0]: Places((name,), False)
        for node in graph.nodes
        if isinstance(node.op, PutRows)
        and (name := function.state.get(node.inputs[0])) is not None
        and written.get(node.outputs[0]) == name
    }


def _is_table(graph: Graph, value: Value) -> bool:
    """Say whether rows of an array are taken, and nothing else is read of it or differentiated."""
    if value in graph.outputs:
        return False
    for node in graph.nodes:
        for place, given in enumerate(node.inputs):
            if given is not value or (isinstance(node.op, Take | PutRows) and place == 0):
                continue
            if not isinstance(node.op, ValueAndGrad) or place in node.op.wrt:
                return False
            assert node.body is not None
            if not _is_table(node.body, node.body.inputs[place]):
                return False
    return True


def _places(function: Function, changing: list[Node]) -> dict[Value, Places]:
    """Return what each call may change: nothing reads the array later, nor the result."""
    graph = function.graph
    uses = Counter(value for node in graph.nodes for value in node.inputs)
    uses.update(graph.outputs)
    written = dict(zip(graph.outputs[len(function.results) :], function.writes, strict=True))
    arrays = {name: value for value, name in function.state.items()}
    order = {node.outputs[0]: k for k, node in enumerate(graph.nodes)}
    last = {value: order[node.outputs[0]] for node in graph.nodes for value in node.inputs}
    found = {}
    for node in changing:
        names = tuple(written.get(value, "") for value in node.outputs)
        if any(name not in arrays for name in names) or any(uses[v] != 1 for v in node.outputs):
            continue
        before = [arrays[name] for name in names]
        ends = all(last.get(value, -1) <= order[node.outputs[0]] for value in before)
        if ends and all(value in node.inputs for value in before[1:]):
            found[node.outputs[0]] = Places(names, before[0] is not node.inputs[0])
    return found
