"""Activations and gradients of a run: against NumPy by hand, and the run stays as it was."""

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError
from dnnbridge.graph import Call
from dnnbridge.training.probing import activations_of, gradients_of

X = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
LABELS = np.arange(10) % 3


def compiled(model, loss="mse", backend="reference", **more):
    return db.compile(db.Experiment(model, loss, more.pop("optimizer", "adam"), **more), backend)


def classifier(*layers, **more):
    model = db.Sequential([db.Input((4,)), *layers, db.Dense(3, "softmax", name="last")])
    return compiled(model, "sparse_categorical_crossentropy", **more)


def dense(run, name, x):
    weights = run.weights()
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def same_state(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[n], b[n]) for n in a)


def test_activations_of_dense_layers_are_those_by_hand():
    run = classifier(db.Dense(5, "relu", name="first"))
    found = activations_of(run, X, batch_size=4)
    hidden = np.maximum(dense(run, "first", X), 0)
    raised = np.exp(dense(run, "last", hidden))
    np.testing.assert_allclose(found["first"], hidden, rtol=1e-12)
    np.testing.assert_allclose(found["last"], raised / raised.sum(1, keepdims=True), rtol=1e-12)
    assert list(found) == ["first", "last"]


def test_gradients_are_those_by_hand_with_penalty_and_weights():
    given = db.Dense(1, kernel_regularizer=db.L2(0.3), use_bias=False, name="d")
    run = compiled(db.Sequential([db.Input((4,)), given]), gradients=[db.ClipByGlobalNorm(1e-6)])
    weights = np.linspace(0.5, 2, 10)
    y, kernel = X[:, :1] ** 2, run.weights()["d/kernel"]
    error = (X @ kernel - y) * weights[:, None]
    by_hand = 2 * X.T.astype(float) @ error / 10 + 0.6 * kernel
    found = gradients_of(run, X, y, sample_weight=weights)
    np.testing.assert_allclose(found["d/kernel"], by_hand, rtol=1e-6)


def test_gradients_move_the_weights_as_a_step_of_sgd_does():
    run = classifier(db.Dense(5, "tanh"), db.Dropout(0.5), optimizer=db.SGD(0.5))
    gradients, before = gradients_of(run, X, LABELS), run.weights()
    run.fit(X, LABELS, batch_size=10, verbose=0, shuffle=False)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(run.weights()[name], before[name] - 0.5 * gradient, rtol=1e-12)


def test_frozen_weights_have_no_gradient():
    run = classifier(db.Dense(5, name="first"), frozen=["first/*"])
    assert set(gradients_of(run, X, LABELS)) == {"last/kernel", "last/bias"}


def test_the_run_stays_as_it_was():
    layers = db.Dense(5), db.BatchNormalization(), db.Dropout(0.5)
    run, other = classifier(*layers), classifier(*layers)
    for each in (run, other):
        each.fit(X, LABELS, batch_size=5, verbose=0)
    activations_of(run, X, training=True)
    gradients_of(run, X, LABELS)
    assert same_state(run.state(), other.state())
    assert run.position == other.position
    for each in (run, other):
        each.fit(X, LABELS, batch_size=5, verbose=0)
    assert same_state(run.state(), other.state())


def test_probes_follow_the_weights():
    run = classifier(db.Dense(5, name="first"))
    activations_of(run, X)
    run.fit(X, LABELS, verbose=0)
    np.testing.assert_allclose(activations_of(run, X)["first"], dense(run, "first", X), rtol=1e-12)


def test_training_normalises_with_the_batch_and_leaves_padding_out():
    run = classifier(db.BatchNormalization(name="norm"))
    found = activations_of(run, X, batch_size=10, training=True)["norm"]
    np.testing.assert_allclose(found, (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3), atol=1e-6)
    last = activations_of(run, X, batch_size=8, training=True)["norm"][8:]
    np.testing.assert_allclose(
        last, (X[8:] - X[8:].mean(0)) / np.sqrt(X[8:].var(0) + 1e-3), atol=1e-6
    )
    calm = activations_of(run, X)["norm"]
    np.testing.assert_allclose(calm, X / np.sqrt(1 + 1e-3), rtol=1e-6)


def test_training_draws_dropout():
    run = classifier(db.Dropout(0.5, name="drop"))
    assert np.array_equal(activations_of(run, X)["drop"], X)
    dropped = activations_of(run, X, training=True)["drop"]
    assert set(np.round(dropped / X, 6).ravel()) == {0.0, 2.0}


def test_nested_models_wrappers_shared_layers_and_several_outputs():
    inner = db.Sequential([db.Input((6, 4)), db.Dense(3, "relu", name="deep")], name="inner")
    x = db.Input((6, 4))
    shared = db.Dense(3, name="shared")
    lstm = db.LSTM(2, return_state=True, name="lstm")
    h = shared(inner(x) + shared(inner(x)))
    sequence, *_ = lstm(db.Bidirectional(db.GRU(2, return_sequences=True), name="both")(h))
    run = compiled(db.Model(x, db.Dense(1, name="last")(sequence)))
    found = activations_of(run, np.ones((5, 6, 4)))
    names = list(found)
    assert names.index("inner/deep") < names.index("inner") < names.index("shared")
    np.testing.assert_array_equal(found["inner/deep"], found["inner"])
    assert {"inner/deep", "inner", "shared", "shared:2", "both", "last"} <= set(names)
    assert {name for name in names if name.startswith("lstm")} == {
        "lstm_output",
        "lstm_h",
        "lstm_c",
    }
    assert found["both"].shape == (5, 6, 4)


def test_carried_states_go_from_batch_to_batch_and_the_run_keeps_its_own():
    inputs = db.Input((3, 4), batch_size=2)
    model = db.Sequential([inputs, db.LSTM(5, stateful=True, name="lstm"), db.Dense(1)])
    run, x = compiled(model), np.random.default_rng(1).normal(size=(6, 3, 4))
    found = activations_of(run, x)
    assert not np.any(run.state()["lstm/h"])
    np.testing.assert_allclose(found["dense"], run.predict(x), rtol=1e-12)


def test_several_inputs_and_outputs():
    a, b = db.Input((4,), name="a"), db.Input((4,), name="b")
    model = db.Model([a, b], [db.Dense(1, name="p")(a + b), db.Dense(2, name="q")(b)])
    run = compiled(model, [db.Head("p", "mse"), db.Head("q", "mse", weight=0.5)])
    found = activations_of(run, {"a": X, "b": X})
    np.testing.assert_allclose(found["q"], dense(run, "q", X), rtol=1e-12)
    gradients = gradients_of(run, [X, X], {"p": np.zeros((10, 1)), "q": np.zeros((10, 2))})
    np.testing.assert_allclose(gradients["q/bias"], 0.5 * dense(run, "q", X).mean(0), rtol=1e-6)


def test_layers_without_layers_in_them_stay_whole_for_kernels_of_backends():
    inner = db.Sequential([db.Input((4, 1)), db.LSTM(2, name="lstm")], name="inner")
    model = db.Sequential([db.Input((4, 1)), inner, db.Dense(1)])
    run = compiled(model)
    probes = run.with_engine(lambda engine: engine.probe_program)
    calls = {n.path: n.op for n in probes.functions["activations"].graph.walk() if is_call(n)}
    assert calls["inner"].exposed
    assert not calls["inner/lstm"].exposed
    assert not calls["dense"].exposed


def is_call(node):
    return isinstance(node.op, Call) and isinstance(node.op.spec, db.AbstractLayer)


def test_wrong_arguments_are_explained():
    run = classifier()
    with pytest.raises(DataError, match="there are no examples"):
        activations_of(run, X[:0])
    with pytest.raises(DataError, match="training"):
        activations_of(run, X, training=1)
    fixed = compiled(db.Sequential([db.Input((4,), batch_size=5), db.Dense(1)]))
    with pytest.raises(DataError, match="one batch of the model"):
        gradients_of(fixed, X, X[:, :1])


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_backends_agree_with_the_reference(backend):
    layers = (
        db.BatchNormalization(),
        db.Reshape((2, 2)),
        db.LSTM(6, return_sequences=True),
        db.Sequential([db.Input((2, 6)), db.Dense(5, "relu")]),
        db.Flatten(),
        db.Dropout(0.3),
    )
    run, known = (classifier(*layers, backend=b) for b in (backend, "reference"))
    for training in (False, True):
        wanted = activations_of(known, X, training=training)
        found = activations_of(run, X, training=training)
        assert list(found) == list(wanted)
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, atol=1e-6)
    gradients = gradients_of(run, X, LABELS)
    for name, array in gradients_of(known, X, LABELS).items():
        np.testing.assert_allclose(gradients[name], array, atol=1e-6)
    assert found["last"].dtype == np.float32
    before = run.compilations
    gradients_of(run, X, LABELS)
    assert run.compilations == before > 0
