"""Layers that the backward pass computes again: the spec, the marks, the numbers."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.flattening import flatten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Call, Recompute, ValueAndGrad
from dnnbridge.program.dividing import divided

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6)).astype(np.float32)
Y = RNG.normal(size=(20, 2)).astype(np.float32)


def block(name):
    layers = [db.Dense(8, "gelu"), db.BatchNormalization(), db.Dropout(0.3), db.Dense(6, "tanh")]
    return db.Sequential([db.Input((6,)), *layers], name=name)


def experiment(remat=(), layers=None, **more):
    layers = layers or [block("block_1"), block("block_2"), db.Dense(6, "gelu", name="mid")]
    model = db.Sequential([db.Input((6,)), *layers, db.Dense(2, name="head")])
    return db.Experiment(model, "mse", **{"optimizer": db.Adam(0.01)} | more, remat=remat)


def marked(made, function="train"):
    """Return the paths of calls that are computed again."""
    graph = made.program().functions[function].graph
    return [n.path for n in graph.walk() if isinstance(n.op, Call) and n.op.recomputed]


def parts(program, recompute=lambda body: True):
    """Return the bodies that a backend computes again, by path."""
    flat = flatten(program.functions["train"], {}, rows=True, recompute=recompute)
    return {node.path: node for node in flat.walk() if isinstance(node.op, Recompute)}


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        ((), []),
        (("block_*",), ["block_1", "block_2"]),
        (("mid",), ["mid"]),
        (("block_1/dense*",), ["block_1/dense", "block_1/dense_1"]),
        (("*", "!head"), ["block_1", "block_2", "mid"]),
        (("block_*", "!block_1"), None),
    ],
    ids=["none", "blocks", "a-layer", "inside", "taken-back", "within-taken-back"],
)
def test_calls_of_the_named_layers_are_marked(patterns, paths):
    """The outermost layer that is named is marked, and those inside are part of it."""
    inner = ["block_1/dense", "block_1/batch_normalization", "block_1/dropout", "block_1/dense_1"]
    made = experiment(patterns)
    assert marked(made) == ([*inner, "block_2"] if paths is None else paths)
    assert not marked(made, "evaluate")
    assert not marked(made, "predict")


def test_a_marked_call_becomes_a_part_of_the_derivative():
    program = experiment(("block_*",)).program()
    found = parts(program)
    assert list(found) == ["block_1", "block_2"]
    (derivative,) = [
        node
        for node in flatten(program.functions["train"], {}, recompute=lambda body: True).graph.nodes
        if isinstance(node.op, ValueAndGrad)
    ]
    assert [n.path for n in derivative.body.nodes if isinstance(n.op, Recompute)] == list(found)
    # Masks go in and running statistics come out: nothing is drawn or updated twice.
    names = {value.name for value in found["block_1"].inputs}
    assert any(name.startswith("random:block_1/dropout") for name in names), names
    assert "block_1/batch_normalization/moving_mean" in names
    assert len(found["block_1"].outputs) == 3


def test_a_backend_without_it_gets_the_same_graph_as_without_remat():
    graphs = [
        str(flatten(experiment(remat).program().functions["train"], {}).graph)
        for remat in ((), ("*",))
    ]
    assert graphs[0] == graphs[1]


def test_a_backend_refuses_bodies_that_it_cannot_compute_again():
    program = experiment(("*",)).program()
    few = parts(program, lambda body: len(body.outputs) == 1)
    assert list(few) == ["mid", "head"]


def test_a_layer_in_which_workers_meet_is_not_computed_again():
    program = experiment(("*",)).program()
    assert list(parts(divided(program))) == ["mid", "head"]


def test_layers_in_loops_are_not_marked_but_loops_are_part_of_a_layer():
    layers = [db.Reshape((3, 2)), db.GRU(4, name="loop"), db.Dense(4)]
    assert marked(experiment(("loop*",), layers)) == ["loop"]


def test_shared_layers_are_marked_at_each_call():
    shared, x = db.Dense(6, "tanh", name="same"), db.Input((6,))
    model = db.Model(x, db.Dense(2)(shared(shared(x))))
    made = db.Experiment(model, "mse", "sgd", remat=("same",))
    assert marked(made) == ["same", "same"]


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        (("blok_*",), r"remat: the pattern fits no layer, got 'blok_\*'. Layers are called"),
        (("mid", "!heed"), "the pattern fits no layer, got '!heed'"),
        (("!mid",), 'the first pattern starts with "!"'),
    ],
)
def test_a_pattern_that_fits_nothing_is_an_error(patterns, text):
    with pytest.raises(SpecError, match=text):
        experiment(patterns)


def test_the_json_has_remat_only_where_it_is_given():
    made = experiment(("block_*", "mid"))
    assert json.loads(made.to_json())["remat"] == ["block_*", "mid"]
    assert db.Experiment.from_json(made.to_json()) == made
    assert made != experiment()
    assert "remat" not in json.loads(experiment().to_json())


def trained(backend, made):
    run = db.compile(made, backend, device="cpu")
    run.fit(X, Y, 5, 1, verbose=0)
    return run.state()


LAYERS = {
    "blocks": None,
    "recurrent": [db.Reshape((3, 2)), db.GRU(5), db.Dense(6, "tanh")],
    "images": [db.Reshape((3, 2, 1)), db.Conv2D(4, 2, activation="relu"), db.Flatten()],
    "norm": [db.Dense(6), db.LayerNormalization(), db.Dense(6, "softmax")],
}

TRAININGS = [("float32", "blocks"), ("mixed_float16", "blocks"), ("float32", "recurrent")]

MORE = [
    pytest.param(precision, name, marks=pytest.mark.slow)
    for precision in ("float32", "mixed_float16", "float64")
    for name in LAYERS
    if (precision, name) not in TRAININGS
]


@pytest.mark.parametrize(("precision", "name"), [*TRAININGS, *MORE])
@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_training_has_the_numbers_of_one_without(backend, precision, name):
    if backend != "reference":
        pytest.importorskip(backend)

    def state(remat):
        more = {"precision": precision, "optimizer": db.SGD(0.1, momentum=0.9)}
        return trained(backend, experiment(remat, LAYERS[name], **more))

    plain, again = state(()), state(("*",))
    assert plain.keys() == again.keys()
    for key, array in plain.items():
        allowed = 2e-3 if precision == "mixed_float16" else 2e-6
        np.testing.assert_allclose(again[key], array, rtol=allowed, atol=allowed, err_msg=key)


def test_mindspore_recomputes_cells_outside_of_its_loop_over_steps():
    """Inside the loop it ignores `recompute`; a part with a loop of its own makes it crash."""
    pytest.importorskip("mindspore")
    generate = importlib.import_module("dnnbridge_mindspore.generator").generate
    layers = [block("block_1"), db.Reshape((3, 2)), db.GRU(5, name="block_gru"), db.Dense(6)]
    sources = [
        generate(experiment(remat, layers).program().functions["train"])[0]
        for remat in ((), ("block_*",))
    ]
    assert [source.count("self.recompute()") for source in sources] == [0, 1]
    assert ["while k < steps" in source for source in sources] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_the_peak_of_memory_falls(backend):
    pytest.importorskip(backend)
    program = Path(__file__).parents[2] / "benchmarks" / "rematerialisation.py"
    memory = []
    for remat in "01":
        command = [sys.executable, str(program), "--one", backend, "dense", remat]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        memory.append(json.loads(made.stdout.splitlines()[-1])["memory"])
    assert memory[1] < 0.75 * memory[0], memory


def test_mindspore_keeps_values_where_it_cannot_compile_the_second_time(
    caplog, monkeypatch, tmp_path
):
    pytest.importorskip("mindspore")
    monkeypatch.chdir(tmp_path)  # MindSpore writes the graph that it refuses
    x = db.Input((4, 5))
    block = db.Model(
        x, db.LayerNormalization()(db.Add()([x, db.Dense(5, "gelu")(x)])), name="block"
    )
    model = db.Sequential([db.Input((4, 5)), block, db.Flatten(), db.Dense(1)])
    rows = np.random.default_rng(0).normal(size=(8, 4, 5))
    losses = []
    for backend in ("reference", "mindspore"):
        run = db.compile(db.Experiment(model, "mse", "sgd", remat=("block",)), backend)
        losses.append(run.fit(rows, rows[:, 0, :1], 4, 2, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert "so they keep their values" in caplog.text
