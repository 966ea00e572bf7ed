"""`inline`: calls are replaced by their bodies, apart from those that are kept."""

from __future__ import annotations

import dnnbridge as db
from dnnbridge.graph import Call, inline


def graph_of_a_model():
    model = db.Sequential([db.Input((3,)), db.Dense(4, "relu"), db.Dense(2)])
    experiment = db.Experiment(model, "mse", "sgd")
    return experiment.program().functions["predict"].graph


def test_every_call_is_replaced():
    graph = inline(graph_of_a_model())
    assert not any(isinstance(node.op, Call) for node in graph.nodes)


def test_a_call_that_is_kept_keeps_its_body():
    def is_layer(node):
        return isinstance(node.op.spec, db.Dense)

    kept = [n for n in inline(graph_of_a_model(), is_layer).nodes if isinstance(n.op, Call)]
    assert [type(node.op.spec) for node in kept] == [db.Dense, db.Dense]
    assert all(node.body is not None and node.body.nodes for node in kept)
    flat = inline(inline(graph_of_a_model(), is_layer))
    assert [n.op for n in flat.nodes] == [n.op for n in inline(graph_of_a_model()).nodes]
