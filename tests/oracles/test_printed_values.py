"""Independent witnesses in print: numbers from papers, textbooks and model cards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.harness import equation, trajectory


def value(spec, *arrays):
    """Return what the reference computes, per example."""
    given = [np.asarray(a) for a in arrays]
    given = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in given]
    kinds = {"f": "float32", "i": "int32"}
    types = [TensorType((BATCH, *a.shape[1:]), kinds[a.dtype.kind]) for a in given]
    built = equation(lambda scope, *v: scope.call(spec, *v), types, given, gradient=False)
    return built.run(load_backend("reference"))["value"]


def test_the_example_of_mindspores_exponential_decay():
    rates = db.exponential_decay_lr(0.1, 0.9, 6, 2, 1)
    assert [round(rate, 10) for rate in rates] == [0.1, 0.1, 0.09, 0.09, 0.081, 0.081]


def test_a_softmax_of_four_numbers():
    found = value(db.Softmax(), [[1.0, 2.0, 5.0, 3.0]])[0]
    assert found.round(3).tolist() == [0.015, 0.041, 0.831, 0.112]


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_a_uniform_guess_has_the_loss_log_n_and_the_perplexity_n(classes):
    logits, label = np.zeros((1, classes)), np.array([1])
    loss = value(db.SparseCategoricalCrossentropy(True), logits, label)
    assert loss == pytest.approx(math.log(classes))
    perplexity = db.Perplexity(from_logits=True)
    statistic = value(perplexity, logits, label).sum(0)
    assert perplexity.result(statistic, 1) == pytest.approx(classes)


def test_thresholds_of_two_layers_compute_exclusive_or():
    """McCulloch and Pitts: or, and not and; steep sigmoids are thresholds."""
    hidden = db.Dense(2, activation="sigmoid", name="hidden")
    model = db.Sequential([db.Input((2,)), hidden, db.Dense(1, activation="sigmoid", name="out")])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    run.set_parameters(
        {
            "hidden/kernel": 40.0 * np.array([[1.0, 1.0], [1.0, 1.0]]),
            "hidden/bias": 40.0 * np.array([-0.5, -1.5]),
            "out/kernel": 40.0 * np.array([[1.0], [-1.0]]),
            "out/bias": np.array([-20.0]),
        }
    )
    table = run.predict(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32))
    assert table.round(6).ravel().tolist() == [0, 1, 1, 0]


@witness("papers", db.GlorotUniform, db.HeNormal)
def test_limits_and_deviations_of_initial_weights():
    """Glorot and Bengio: √(6 / (784 + 300)). He et al.: √(2 / (9 · 64))."""
    rng = np.random.default_rng(0)
    limit = np.abs(db.GlorotUniform().sample(rng, (784, 300))).max()
    assert limit == pytest.approx(0.0744, abs=5e-5)
    assert db.HeNormal().sample(rng, (3, 3, 64, 512)).std() == pytest.approx(0.0589, abs=2e-4)


COUNTS = {
    "lenet5": (zoo.lenet5(), 61_706),
    "mlp": (db.Sequential([db.Input((784,)), db.Dense(300), db.Dense(100), db.Dense(10)]), 266_610),
    "resnet50": (zoo.resnet50(), 25_557_032),
    "resnet18": (zoo.resnet18(), 11_689_512),
    "lstm": (db.Sequential([db.Input((5, 128)), db.LSTM(64)]), 49_408),
    "gru": (db.Sequential([db.Input((5, 128)), db.GRU(64, reset_after=False)]), 37_056),
}


@witness("textbooks", db.Dense, db.LSTM, db.GRU)
@pytest.mark.parametrize(("model", "count"), COUNTS.values(), ids=COUNTS)
def test_numbers_of_weights_that_are_printed_everywhere(model, count):
    assert model.summary().parameters == count


@witness("papers", db.SELU)
def test_a_uniform_probability_ratio_of_selu_is_its_fixed_point():
    """Klambauer et al.: mean 0 and variance 1 stay, with λ = 1.0507 and α = 1.6733."""
    x = np.random.default_rng(0).normal(size=(300, 1000))
    found = value(db.SELU(), x)
    assert found.mean() == pytest.approx(0.0, abs=0.006)
    assert found.var() == pytest.approx(1.0, abs=0.006)
    assert value(db.SELU(), [[1.0, -100.0]])[0] == pytest.approx([1.0507, -1.7581], abs=5e-5)


@witness("papers", db.Adam)
def test_the_first_step_of_adam_is_the_rate():
    """Kingma and Ba: |Δ| ≤ α, whatever the size of the gradient."""
    for gradient in (1e-2, 1.0, 1e4):
        start, gradients = np.zeros(1, np.float32), np.full((1, 1), gradient, np.float32)
        found = trajectory(load_backend("reference"), db.Adam(0.1, epsilon=1e-12), start, gradients)
        assert found["p"] == pytest.approx(-0.1, rel=1e-6)


def test_a_momentum_of_09_goes_ten_times_as_far():
    start, gradients = np.zeros(1, np.float32), np.ones((300, 1), np.float32)
    found = trajectory(load_backend("reference"), db.SGD(0.01, momentum=0.9), start, gradients)["p"]
    assert found == pytest.approx(-(0.01 / 0.1) * (300 - 9), rel=1e-9)


def test_the_standard_normals_of_gelu_and_silu():
    assert value(db.GELU(False), [[1.0, -1.0]])[0] == pytest.approx([0.8413, -0.1587], abs=5e-5)
    assert value(db.SiLU(), [[-1.2785]])[0] == pytest.approx([-0.2785], abs=5e-5)  # its minimum
    assert value(db.Mish(), [[-1.1924]])[0] == pytest.approx([-0.3088], abs=5e-5)


@witness("textbooks", db.KLDivergence)
def test_a_divergence_of_two_coins():
    """Cover and Thomas: D(1/2, 1/2 ‖ 3/4, 1/4) = 0.2075 bits, and 0.1887 the other way."""
    even, odd = [[0.5, 0.5]], [[0.75, 0.25]]
    assert value(db.KLDivergence(), odd, even) / math.log(2) == pytest.approx(0.2075, abs=5e-5)
    assert value(db.KLDivergence(), even, odd) / math.log(2) == pytest.approx(0.1887, abs=5e-5)
