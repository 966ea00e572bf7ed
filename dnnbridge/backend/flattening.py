"""`flatten`: prepare a function for lowering; claimed calls stay whole, others are inlined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dnnbridge.backend.lower_types import computed_in_float32
from dnnbridge.backend.row_updates import by_rows
from dnnbridge.graph import REAL, Call, Graph, Node, Op, Value, ValueAndGrad, inline
from dnnbridge.graph.inline import flat_call
from dnnbridge.ops import AllReduceGradient, AllReduceSum, PutRows, Take
from dnnbridge.program.program import Function

if TYPE_CHECKING:
    from dnnbridge.backend.protocol import Claim


class Places(NamedTuple):
    """State arrays that a call changes in place, one for each of its outputs.

    Attributes:
        names: names of the arrays.
        moved: whether something, such as weight decay, has changed the weight before the call. The
            first array is then set to the first input of the call before the call changes it.
    """

    names: tuple[str, ...]
    moved: bool


class Flat(NamedTuple):
    """A graph that contains only calls that the backend claims.

    Attributes:
        graph: the graph, with the outputs of the function.
        places: arrays that each in-place call changes, by the first output of the call.
        reads: state arrays that any other node reads.
        tables: state arrays that are read only by rows, with `Take`.
    """

    graph: Graph
    places: Mapping[Value, Places]
    reads: Mapping[Value, str]
    tables: Mapping[Value, str]

    def walk(self) -> Iterator[Node]:
        """Yield every node that the backend runs: a claimed call, but not the nodes in it."""
        return _run(self.graph)


def _run(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes:
        if node.body is not None and not isinstance(node.op, Call):
            yield from _run(node.body)
        yield node


def flatten(
    function: Function,
    claims: Mapping[type, Claim],
    rows: bool = False,
    native: Collection[type[Op]] | None = None,
    recompute: Callable[[Graph], bool] | None = None,
) -> Flat:
    """Inline the calls that are not claimed, and find the calls that may work in place.

    Args:
        function: the function from core.
        claims: claims of the backend.
        rows: whether large tables are updated by rows, as in `BackendInfo.by_rows`.
        native: operations that the backend computes in float16 and bfloat16 itself; the others are
            computed in float32, and their results are rounded. None: all are.
        recompute: whether the backend can compute a body again in the backward pass. Layers of
            `Experiment(remat=…)` with such a body become a `Recompute`, others are inlined, and
            so are those in which workers meet: they would meet twice. None: it can for none.
    """

    def claim_of(node: Node) -> Claim | None:
        spec = node.op.spec if isinstance(node.op, Call) and not node.op.exposed else None
        claim = claims.get(type(spec))
        fits = claim and claim.applies(spec) and claim.fits(node)
        return claim if fits and not _is_of_other_reals(node) else None

    def whole(node: Node) -> bool:
        claim = claim_of(node)
        return claim is not None and not claim.in_place

    def recomputed(node: Node) -> bool:
        if recompute is None or not _may_be_recomputed(node):
            return False
        return recompute(flat_call(node, whole))

    if rows:
        function = by_rows(function, whole, recomputed)
    changing = [n for n in function.graph.nodes if (claim := claim_of(n)) and claim.in_place]
    places = _places(function, changing)

    def claimed(node: Node) -> bool:
        claim = claim_of(node)
        return claim is not None and (not claim.in_place or node.outputs[0] in places)

    graph = inline(function.graph, claimed, recomputed)
    places |= _put_places(function, graph)
    elsewhere = {v for n in graph.nodes if n.outputs[0] not in places for v in n.inputs}
    elsewhere |= set(graph.outputs)
    reads = {value: name for value, name in function.state.items() if value in elsewhere}
    tables = {value: name for value, name in reads.items() if _is_table(graph, value)}
    reads = {value: name for value, name in reads.items() if value not in tables}
    if native is not None:
        graph = computed_in_float32(graph, native)
    return Flat(graph, places, reads, tables)


def _may_be_recomputed(call: Node) -> bool:
    """Return whether a call is to be computed again, and its workers do not meet in it."""
    assert isinstance(call.op, Call)
    assert call.body is not None
    return call.op.recomputed and not any(
        isinstance(node.op, AllReduceSum | AllReduceGradient) for node in call.body.walk()
    )


def _is_of_other_reals(node: Node) -> bool:
    """Return whether a call computes in another type than float32, which no kernel does."""
    assert node.body is not None
    values = (*node.inputs, *(v for each in node.body.walk() for v in each.outputs))
    return any(value.dtype in REAL and value.dtype != "float32" for value in values)


def _put_places(function: Function, graph: Graph) -> dict[Value, Places]:
    """Return the tables that `PutRows` changes, by its output; all their readers come before."""
    written = dict(zip(graph.outputs[len(function.results) :], function.writes, strict=True))
    return {
        node.outputs[0]: Places((name,), False)
        for node in graph.nodes
        if isinstance(node.op, PutRows)
        and (name := function.state.get(node.inputs[0])) is not None
        and written.get(node.outputs[0]) == name
    }


def _is_table(graph: Graph, value: Value) -> bool:
    """Return whether an array is read only by rows and is not differentiated."""
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
    """Return the arrays that each call may change: neither array nor result is read later."""
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
