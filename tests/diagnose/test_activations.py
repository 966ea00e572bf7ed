"""`diagnose.activations`: numbers against NumPy, and planted faults named."""

import importlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.diagnose.ends import dead_units, floor_of, saturated

nets = importlib.import_module("diagnose.nets")
X, classifier, deep, net = nets.X, nets.classifier, nets.deep, nets.net

TINY, LARGE = db.RandomNormal(stddev=0.01), db.RandomNormal(stddev=1.0)


def look(experiment, x=X, **more):
    return db.diagnose.activations(experiment, x, backend="reference", **more)


def test_numbers_are_those_of_numpy():
    run = db.compile(net(db.Dense(5, "relu", name="h"), db.Dense(1)), "reference")
    found = db.diagnose.activations(run, X, bins=7)["h"]
    weights = run.weights()
    y = np.maximum(X @ weights["h/kernel"] + weights["h/bias"], 0)
    numbers = found.mean, found.std, found.least, found.largest
    np.testing.assert_allclose(numbers, (y.mean(), y.std(), y.min(), y.max()), rtol=1e-12)
    counts, edges = np.histogram(y, 7)
    assert found.counts.tolist() == counts.tolist()
    np.testing.assert_allclose(found.edges, edges, rtol=1e-12)
    assert found.dead == np.mean((y == 0).all(axis=0))
    assert (found.kind, found.activation, found.hidden) == ("Dense", "ReLU", True)


def test_saturated_is_the_share_of_outputs_at_both_ends():
    run = db.compile(
        net(db.Dense(9, "sigmoid", kernel_initializer=LARGE), db.Dense(1)), "reference"
    )
    y = 1 / (1 + np.exp(-X @ run.weights()["dense/kernel"]))
    found = db.diagnose.activations(run, X)["dense"]
    assert found.saturated == pytest.approx(np.mean((y < 0.02) | (y > 0.98)))
    assert found.dead is None


def test_dead_relu_is_named():
    dead = db.Dense(8, "relu", bias_initializer=db.Constant(-100.0), name="broken")
    found = look(net(db.Dense(8, "relu", name="fine"), dead, db.Dense(1)))
    assert (found.ok, found.dead) == (False, ("broken",))
    assert "100% of the units of broken are dead" in found.verdict
    assert "LeakyReLU" in found.verdict


@pytest.mark.parametrize(
    ("activation", "start", "names", "word"),
    [
        ("tanh", TINY, "shrinking", "The weights are too small"),
        ("relu", TINY, "shrinking", "The signal shrinks"),
        ("relu", LARGE, "growing", "The weights are too large"),
        ("tanh", LARGE, "saturated", "saturated"),
    ],
)
def test_the_classic_experiment(activation, start, names, word):
    found = look(deep(activation, start))
    assert not found.ok
    assert getattr(found, names)
    assert word in found.verdict


@pytest.mark.parametrize(
    ("activation", "start"), [("tanh", db.GlorotNormal()), ("relu", db.HeNormal())]
)
def test_a_good_start_is_healthy(activation, start):
    found = look(deep(activation, start))
    assert found.ok
    named = [*found.dead, *found.saturated, *found.shrinking, *found.growing]
    assert not named
    assert "reaches every layer" in found.verdict


def test_an_output_may_be_saturated_and_nested_models_are_looked_into():
    inner = db.Sequential([db.Input((6,)), db.Dense(4, "tanh", name="deep")], name="inner")
    last = db.Dense(1, "sigmoid", kernel_initializer=db.RandomNormal(stddev=1e3), name="last")
    found = look(net(inner, last))
    assert [layer.name for layer in found.layers] == ["inner/deep", "last"]
    assert found["last"].saturated > 0.9
    assert not found["last"].hidden
    assert found.ok


def test_normalisation_uses_the_batch_in_training():
    experiment = net(db.BatchNormalization(name="norm"), db.Dense(1))
    assert look(experiment, 100 * X)["norm"].std == pytest.approx(1.0, abs=1e-3)
    assert look(experiment, 100 * X, training=False)["norm"].std > 50


def test_channels_first_and_images():
    conv = db.Conv2D(3, 2, data_format="channels_first", activation="relu")
    shape = (2, 4, 4)
    model = db.Sequential([db.Input(shape), conv, db.Flatten(), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    bias = np.array([-1e3, 0.0, 0.0])
    run.set_parameters({"conv2d/bias": bias})
    found = db.diagnose.activations(run, np.random.default_rng(0).normal(size=(20, *shape)))
    assert found["conv2d"].dead == pytest.approx(1 / 3)


def test_infinite_outputs_are_named():
    run = db.compile(classifier(db.Dense(4, name="h")), "reference")
    run.set_parameters({"h/kernel": np.full((6, 4), np.inf)})
    found = db.diagnose.activations(run, X)
    assert (found.ok, found["h"].finite) == (False, False)
    assert "not finite" in found.verdict


@pytest.mark.parametrize(
    ("activation", "y", "dead", "ends"),
    [
        (db.ELU(alpha=2.0), [[-1.9999, 0.0]], [True, False], None),
        (db.SELU(), [[-1.758, 1.0]], [True, False], None),
        (db.LeakyReLU(), [[0.0, 0.0]], None, None),
        (db.ReLU(negative_slope=0.1), [[0.0, 0.0]], None, None),
        (db.ReLU6(), [[0.0, 6.0]], [True, False], None),
        (db.Threshold(1.0, 0.25), [[0.25, 2.0]], [True, False], None),
        (db.Softplus(), [[1e-4, 0.7]], [True, False], None),
        (db.Tanh(), [[0.98, -0.98, 0.9]], None, [True, True, False]),
        (db.HardTanh(), [[1.0, 0.99]], None, [True, False]),
        (db.HardSigmoid(), [[1.0, 0.5]], None, [True, False]),
        (db.GELU(), [[0.0, 0.0]], None, None),
        (None, [[0.0, 0.0]], None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_dead_and_saturated_by_activation(activation, y, dead, ends):
    found = dead_units(np.array(y), activation)
    assert (None if found is None else found.tolist()) == dead
    found = saturated(np.array(y[0]), activation)
    assert (None if found is None else found.tolist()) == ends


def test_limits_are_those_far_to_the_left():
    far = np.array([-50.0])
    for activation in (db.ELU(1.5), db.SELU(), db.CELU(0.5), db.Softplus(), db.ReLU(), db.ReLU6()):
        limit, near = floor_of(activation)
        assert abs(activation(far)[0] - limit) <= max(near, 1e-12)


def test_it_shows_itself(tmp_path):
    found = look(net(db.Dense(4, "relu", name="h"), db.Dense(1)))
    assert str(found).startswith("activations: The signal reaches")
    path = tmp_path / "picture.svg"
    drawn = found.plot(path)
    assert path.read_text("utf-8") == drawn.svg
    assert "<svg" in drawn.svg
    shown = found._repr_html_()
    assert "<svg" in shown
    assert '<td class="word">h</td>' in shown


def test_texts_are_escaped_in_pages():
    from dnnbridge.diagnose.diagnosis import html_table

    assert "<script>" not in html_table([{"<script>": "<script>"}])
