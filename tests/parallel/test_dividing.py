"""Several workers compute what one does: in float64, where only a mistake makes a difference."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.backend.workers import Workers
from dnnbridge.errors import BackendError, UnsupportedError
from dnnbridge.program.dividing import divided
from dnnbridge.testing.cases.mixed_cases import MIXED_CASES
from dnnbridge.testing.cases.resynchronised_cases import RESYNCHRONISED_CASES
from dnnbridge.testing.cases.training_cases import TRAINING_CASES

CASES = {case.id: case for case in [*TRAINING_CASES, *RESYNCHRONISED_CASES, *MIXED_CASES]}
STATEFUL = "stateful"


def trained(case, workers, epochs=2):
    run = db.compile(case.experiment, "reference", workers=workers)
    validation = case.validation(33)
    history = run.fit(
        case.x, case.y, case.batch_size, epochs, validation, verbose=0, **case.weighted
    )
    return history, run.state()


@pytest.mark.filterwarnings("ignore::dnnbridge.DnnbridgeWarning")
@pytest.mark.parametrize("name", sorted(set(CASES) - {STATEFUL}))
def test_three_workers_train_as_one(name):
    (one, state), (three, divided_state) = (trained(CASES[name], count) for count in (1, 3))
    np.testing.assert_allclose(three.step_losses, one.step_losses, rtol=1e-11, atol=1e-12)
    for label, values in one.history.items():
        np.testing.assert_allclose(three.history[label], values, rtol=1e-11, err_msg=label)
    for array, value in state.items():
        scale = np.abs(value).max(initial=1e-3)
        np.testing.assert_allclose(divided_state[array], value, rtol=0, atol=1e-11 * scale)


def test_states_that_are_carried_are_refused():
    with pytest.raises(UnsupportedError, match=r"lstm/h.*cannot be divided.*stateful=False"):
        db.compile(CASES[STATEFUL].experiment, "reference", workers=2)


@pytest.mark.parametrize("examples", [1, 2, 5, 8], ids=lambda n: f"{n}_examples")
@pytest.mark.parametrize("workers", [2, 4, 7])
def test_a_batch_need_not_have_a_row_for_each_worker(examples, workers):
    layers = [db.Input((3,)), db.Dense(4, "tanh"), db.BatchNormalization(), db.Dense(1)]
    experiment = db.Experiment(db.Sequential(layers), "mse", db.Adam(0.01), metrics=["mae"])
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(examples, 3)), rng.normal(size=(examples, 1))
    made = []
    for count in (1, workers):
        run = db.compile(experiment, "reference", workers=count)
        run.fit(x, y, batch_size=5, epochs=2, verbose=0)
        made.append([*run.weights().values(), list(run.evaluate(x, y, 3).values())])
    for one, several in zip(*made, strict=True):
        np.testing.assert_allclose(several, one, rtol=0, atol=1e-12)


class _OverBatch(db.AbstractLayer):
    """A layer that combines the examples of a batch in its own way."""

    def output_of(self, x):
        raise NotImplementedError

    def emit(self, scope, x):
        return x + self.output_of(x)


@db.spec
class _LargestOfBatch(_OverBatch):
    def output_of(self, x):
        return ops.reduce_max(x, 0)


@db.spec
class _SoftmaxOverBatch(_OverBatch):
    def output_of(self, x):
        return ops.softmax(x, 0)


@db.spec
class _Similarities(_OverBatch):
    def output_of(self, x):
        return ops.reduce_sum(x @ ops.transpose(x, (1, 0)), 1, keepdims=True)


@db.spec
class _Correlations(_OverBatch):
    def output_of(self, x):
        return x @ (ops.transpose(x, (1, 0)) @ x)


@pytest.mark.parametrize("layer", [_LargestOfBatch, _SoftmaxOverBatch, _Similarities])
def test_what_is_no_sum_over_the_examples_is_refused(layer):
    model = db.Sequential([db.Input((3,)), layer(), db.Dense(1)])
    experiment = db.Experiment(model, "mse", "sgd")
    with pytest.raises(UnsupportedError, match=r"cannot be divided.*scope\.batch_sum"):
        db.compile(experiment, "reference", workers=2)


def test_a_product_over_the_examples_is_a_sum():
    model = db.Sequential([db.Input((3,)), db.Dense(3), _Correlations(), db.Dense(1)])
    experiment = db.Experiment(model, "mse", db.SGD(1e-4))
    x, y = np.random.default_rng(2).normal(size=(2, 12, 3))
    losses = [
        db.compile(experiment, "reference", workers=count)
        .fit(x, y[:, :1], batch_size=6, epochs=3, verbose=0)
        .step_losses
        for count in (1, 2, 3)
    ]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-12)


def test_gradients_and_metrics_are_summed_together():
    layers = [db.Input((3,)), db.Dense(4), db.Dense(4), db.Dense(2)]
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    experiment = db.Experiment(db.Sequential(layers), loss, "adam", metrics=["accuracy"])
    train = divided(experiment.program()).functions["train"]
    sums = [node for node in train.graph.walk() if isinstance(node.op, ops.AllReduceSum)]
    assert len(sums) == 2  # the loss, inside of the derivative; all others
    assert not any(isinstance(node.op, ops.AllReduceGradient) for node in train.graph.walk())


@pytest.mark.parametrize(("batch", "count"), [(8, 2), (10, 4), (3, 4), (1, 2)])
def test_every_row_belongs_to_one_worker(batch, count):
    rows = [np.arange(1000)[Workers(count, rank).rows(batch)] for rank in range(count)]
    assert len({len(each) for each in rows}) == 1
    assert np.concatenate(rows)[:batch].tolist() == list(range(batch))


def test_the_backend_must_be_able_to(monkeypatch):
    experiment = db.Experiment(db.Sequential([db.Input((1,)), db.Dense(1)]), "mse", "sgd")
    monkeypatch.setenv("DNNBRIDGE_WORKERS", "127.0.0.1:1,127.0.0.1:2")
    monkeypatch.setenv("DNNBRIDGE_RANK", "1")
    with pytest.raises(BackendError, match=r"reference cannot divide.*several processes"):
        db.compile(experiment, "reference")
    with pytest.raises(BackendError, match="started with 2 workers, got 3"):
        db.compile(experiment, "reference", workers=3)
    assert db.compile(experiment, "reference", workers=1).is_first_worker


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "2"])
def test_a_number_of_workers_is_checked(given):
    experiment = db.Experiment(db.Sequential([db.Input((1,)), db.Dense(1)]), "mse", "sgd")
    with pytest.raises(BackendError, match="must be a whole number from 1 on"):
        db.compile(experiment, "reference", workers=given)


def test_workers_can_have_batch_statistics_of_their_own():
    """The witness is the equation in NumPy, for each half of the batch."""
    x, y = np.random.default_rng(3).normal(size=(2, 6, 3)).astype(np.float32).astype(float)
    model = db.Sequential([db.Input((3,)), db.BatchNormalization(momentum=0.9, name="bn")])
    experiment = db.Experiment(model, "mse", db.SGD(0.5))
    run = db.compile(experiment, "reference", workers=2, sync_batch_norm=False)
    order = run.fit(x, y, batch_size=6, shuffle=False, verbose=0)
    halves = [x[:3], x[3:]]
    normal = [(h - h.mean(0)) / np.sqrt(h.var(0) + 1e-3) for h in halves]
    distance = np.concatenate(normal) - y
    np.testing.assert_allclose(order.step_losses, [(distance**2).mean()], rtol=1e-12)
    weights = run.weights()
    gradient = (2 * distance * np.concatenate(normal)).mean(0) / 3
    np.testing.assert_allclose(weights["bn/gamma"], 1 - 0.5 * gradient, rtol=1e-12)
    mean, variance = (np.mean([f(h, 0) for h in halves], 0) for f in (np.mean, np.var))
    np.testing.assert_allclose(weights["bn/moving_mean"], 0.1 * mean, rtol=1e-12)
    np.testing.assert_allclose(weights["bn/moving_variance"], 0.9 + 0.1 * variance, rtol=1e-12)


def test_statistics_of_their_own_reach_weights_before_the_layer():
    """A derivative through statistics of a part of the batch: compared with finite differences."""
    layers = [db.Input((3,)), db.Dense(4, "tanh"), db.BatchNormalization(), db.Dense(2)]
    experiment = db.Experiment(db.Sequential(layers), "mse", db.SGD(1.0))
    x, y = np.random.default_rng(4).normal(size=(2, 7, 3))

    def run_with(change):
        run = db.compile(experiment, "reference", workers=2, sync_batch_norm=False)
        kernel = run.weights()["dense/kernel"].copy()
        kernel[1, 2] += change
        run.set_parameters({"dense/kernel": kernel})
        (loss,) = run.fit(x, y[:, :2], batch_size=7, verbose=0).step_losses
        return loss, kernel[1, 2] - run.weights()["dense/kernel"][1, 2]

    (above, _), (below, _), (_, gradient) = map(run_with, (1e-4, -1e-4, 0.0))
    np.testing.assert_allclose(gradient, (above - below) / 2e-4, rtol=1e-5)
