"""Models as graphs: several inputs, shared layers, nesting, JSON."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, DnnbridgeError, SpecError

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(11, 4)), RNG.normal(size=(11, 3))
Y = A[:, :2] ** 2 + B[:, :2]
BACKENDS = ["reference", "tensorflow", "mindspore"]


def two_inputs() -> db.Model:
    """A Siamese pair of branches with one set of weights, a skip, and a nested model."""
    a, b = db.Input((4,), name="left"), db.Input((3,))
    widen, shared = db.Dense(4, "tanh", name="widen"), db.Dense(5, "softplus", name="shared")
    wide = widen(b)
    merged = db.Concatenate()(shared(a), shared(wide))
    inner = db.Sequential([db.Input((10,)), db.Dense(6, "tanh"), db.Dropout(0.2), db.Dense(4)])
    return db.Model([a, b], db.Dense(2)(db.Add()([inner(merged), wide])))


def experiment(model) -> db.Experiment:
    return db.Experiment(model, db.MeanSquaredError(), db.Adam(0.01), seed=2)


def test_nodes_and_names():
    model = two_inputs()
    assert [node.name for node in model.nodes] == [
        "shared",
        "widen",
        "dense",
        "concatenate",
        "sequential",
        "add",
        "dense_1",
    ]
    assert [node.shares for node in model.nodes][2] == "shared"
    assert model.input_types.keys() == {"left", "input"}


def test_json_round_trip_keeps_sharing():
    first = experiment(two_inputs())
    again = db.Experiment.from_json(first.to_json())
    assert again == first
    runs = [db.compile(each, backend="reference") for each in (first, again)]
    assert list(runs[0].parameters()) == list(runs[1].parameters())
    names = list(runs[0].parameters())
    assert [name for name in names if name.startswith("shared")] == ["shared/kernel", "shared/bias"]
    assert "sequential/dense_1/kernel" in names
    for run in runs:
        run.fit([A, B], Y, 4, 2)
    np.testing.assert_array_equal(runs[0].predict([A, B]), runs[1].predict([A, B]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_training_agrees(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    from dnnbridge.testing import assert_near

    run, reference = (
        db.compile(experiment(two_inputs()), backend=b) for b in (backend, "reference")
    )
    for each in (run, reference):
        each.fit([A, B], Y, 4, 4, validation_data=({"input": B, "left": A}, Y))
    for name, array in reference.state().items():
        assert_near(run.state()[name], array, 1e-5, name)
    assert run.predict({"left": A, "input": B}).shape == (11, 2)


def test_shared_layer_by_hand():
    x = db.Input((4,))
    double = db.Dense(4, use_bias=False)
    run = db.compile(experiment(db.Model(x, double(double(x)))), backend="reference")
    (kernel,) = run.parameters().values()
    np.testing.assert_allclose(run.predict(A), A.astype("float32") @ kernel @ kernel, rtol=1e-6)


def test_a_model_is_a_layer_in_a_sequence():
    x = db.Input((4,))
    block = db.Model(x, db.Add()(x, db.Dense(4, "tanh")(x)), name="block")
    model = db.Sequential([db.Input((4,)), block, db.Dense(2)])
    names = list(db.compile(experiment(model), backend="reference").parameters())
    assert names[0] == "block/dense/kernel"


def test_several_outputs_feed_several_layers():
    x = db.Input((4,))
    halves = db.Model(x, [db.Dense(2)(x), db.Dense(3)(x)])
    assert len(halves.outputs) == 2
    with pytest.raises(
        SpecError, match="loss: a model with several outputs needs a Head for each output to train"
    ):
        experiment(halves)


X = db.Input((4,))
BAD = {
    "not_symbolic": (lambda: db.Model(X, db.Dense(3)), "needs Inputs as inputs"),
    "unknown_argument": (lambda: db.Model(X, db.Dense(3)(X), nme="a"), "unknown argument"),
    "unlisted": (lambda: db.Model(db.Input((4,)), db.Dense(3)(X)), "does not list"),
    "names": (
        lambda: db.Model(X, db.Dense(4, name="a")(db.Dense(4, name="a")(X))),
        "names must be unique",
    ),
    "shapes": (
        lambda: experiment(db.Model(X, db.Add()(X, db.Dense(3)(X)))),
        r"add: two or more inputs are needed, whose sizes are equal",
    ),
    "concat": (
        lambda: experiment(
            db.Model(X, db.Concatenate(1)(db.Reshape((2, 2))(X), db.Reshape((4, 1))(X)))
        ),
        "concatenate: only the sizes along the axis",
    ),
    "reshape": (lambda: experiment(db.Model(X, db.Reshape((3,))(X))), "number of elements"),
    "inner_shape": (
        lambda: db.Sequential([db.Input((4,)), db.Sequential([db.Input((5,)), db.Dense(2)])]),
        "sequential: Sequential needs inputs",
    ),
}


@pytest.mark.parametrize(("make", "what"), BAD.values(), ids=BAD)
def test_bad_models(make, what):
    with pytest.raises(DnnbridgeError, match=what):
        make()


BAD_INPUTS = {
    "one": ([A], "has the inputs left, input, got 1 arrays"),
    "name": ({"left": A, "right": B}, "got left, right"),
    "sizes": ([A, B[:5]], "11 of left, 5 of input"),
    "shape": ([B, A], r"x\['left'\]: needs shape"),
}


@pytest.mark.parametrize(("x", "what"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_inputs(x, what):
    run = db.compile(experiment(two_inputs()), backend="reference")
    with pytest.raises(DataError, match=what):
        run.fit(x, Y)


def test_summary_counts_weights_once():
    summary = two_inputs().summary()
    by_name = [(row.name, row.parameters) for row in summary.rows]
    assert by_name == [
        ("shared", 25),
        ("widen", 16),
        ("shared", 0),
        ("concatenate", 0),
        ("sequential", 94),
        ("add", 0),
        ("dense_1", 10),
    ]
    assert summary.parameters == 145
    assert "(batch, 10)" in str(summary)


def test_lenet_300_100_has_its_published_size():
    """266,610 weights (LeCun et al., 1998)."""
    layers = [db.Dense(300, "tanh"), db.Dense(100, "tanh"), db.Dense(10)]
    assert db.Sequential([db.Input((784,)), *layers]).summary().parameters == 266_610


def test_summary_counts_the_arithmetic_of_convolutions_and_pools():
    """LeNet-5 with full connections: 6 · 28² · 2 · 5² and so on; bias and pool one per element."""
    lenet = db.Sequential(
        [
            db.Input((32, 32, 1)),
            db.Conv2D(6, 5, activation="tanh"),
            db.AveragePooling2D(),
            db.SeparableConv2D(16, 5, use_bias=False),
            db.Conv2DTranspose(3, 2, 2, use_bias=False),
        ]
    )
    rows = lenet.summary().rows
    assert [row.parameters for row in rows] == [156, 0, 6 * 25 + 6 * 16, 16 * 4 * 3]
    places = 28 * 28 * 6
    assert rows[0].flops == 2 * places * 25 + places + places
    assert rows[1].flops == places
    assert rows[2].flops == 100 * (2 * 6 * 25 + 2 * 6 * 16)
    assert rows[3].flops == 100 * 2 * 16 * 4 * 3


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore", "reference"])
def test_a_nested_model_may_have_several_outputs(backend):
    x = db.Input((4,))
    h = db.Dense(5, "tanh")(x)
    split = db.Model(x, [db.Dense(3, name="left")(h), db.Dense(2, name="right")(h)])
    z = db.Input((4,))
    left, right = split(z)
    again, _ = split(db.Dense(4)(z))
    total = db.Concatenate()(left, right, again)
    model = db.Model(z, [db.Dense(1, name="total")(total), right])
    assert model.output_names == ("total", "model_right")
    assert db.Spec.from_json(model.to_json()) == model
    heads = [db.Head("total", "mean_squared_error"), db.Head("model_right", db.Huber())]
    given = np.random.default_rng(0).normal(size=(7, 4))
    y = {"total": given[:, :1], "model_right": given[:, 1:3]}
    runs = [db.compile(db.Experiment(model, heads, db.SGD(0.1)), b) for b in (backend, "reference")]
    for run in runs:
        run.fit(given, y, batch_size=3, epochs=2)
    names = [name for name in runs[1].parameters() if name.startswith("model/")]
    assert len(names) == 6  # both calls share them
    for name, array in runs[1].parameters().items():
        np.testing.assert_allclose(runs[0].parameters()[name], array, atol=1e-6)
    assert "model" in str(model.summary())
    assert "model" in model.plot().svg


def test_one_layer_with_weights_is_not_there_twice():
    dense, tanh = db.Dense(3), db.Activation("tanh")
    with pytest.raises(SpecError, match="dense_1: the same layer with weights occurs twice"):
        db.Sequential([db.Input((3,)), dense, tanh, dense, tanh])
    assert db.Sequential([db.Input((3,)), dense, tanh, tanh]).output_shape == (None, 3)


def test_a_call_without_a_name_leaves_the_names_that_layers_were_given():
    x = db.Input((3,))
    twice = db.Dense(3, name="dense")
    h = db.Dense(3)(twice(twice(x)))
    model = db.Model(x, db.Dense(2, name="dense_1")(h))
    assert [node.name for node in model.nodes] == ["dense", "dense_2", "dense_3", "dense_1"]
    assert model.nodes[1].shares == "dense"
