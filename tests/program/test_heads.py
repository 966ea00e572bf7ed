"""Models with several outputs: their feeds, their results, and errors."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DnnbridgeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(23, 4))
Y = {"kind": RNG.integers(0, 3, 23), "size": RNG.normal(size=(23, 1))}


def model() -> db.Model:
    x = db.Input((4,))
    h = db.Dense(6, "tanh")(x)
    return db.Model(x, [db.Dense(3, name="kind")(h), db.Dense(1, name="size")(h)])


def heads(**changes) -> list[db.Head]:
    given = {
        "kind": db.Head(
            "kind", db.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
        ),
        "size": db.Head("size", db.MeanSquaredError(), 0.25, ["mean_absolute_error"]),
    }
    return list((given | changes).values())


def run(loss=None, **changes) -> db.Run:
    return db.compile(db.Experiment(model(), loss or heads(), db.SGD(0.1), **changes), "reference")


def test_history_has_every_output():
    history = run().fit(X, Y, 5, 2, validation_data=(X, Y)).history
    names = ["loss", "kind_loss", "kind_accuracy", "size_loss", "size_mean_absolute_error"]
    assert list(history) == [*names, *(f"val_{name}" for name in names)]
    for prefix in ("", "val_"):
        parts = zip(history[f"{prefix}kind_loss"], history[f"{prefix}size_loss"], strict=True)
        np.testing.assert_allclose(history[f"{prefix}loss"], [k + 0.25 * s for k, s in parts])


def test_evaluation_is_exact_whatever_the_batches():
    one, many = (run().evaluate(X, Y, batch_size=size) for size in (23, 4))
    for name, value in one.items():
        assert many[name] == pytest.approx(value, rel=1e-12), name


def test_predictions_have_the_names_of_outputs():
    predicted = run().predict(X, batch_size=7)
    assert {name: array.shape for name, array in predicted.items()} == {
        "kind": (23, 3),
        "size": (23, 1),
    }
    assert run().predict(X[:0])["kind"].shape == (0, 3)


def test_an_output_may_have_any_name():
    """Even a name that the totals of an epoch use themselves."""
    x = db.Input((4,))
    named = db.Model(x, [db.Dense(1, name="rest")(x), db.Dense(1, name="loss_b")(x)])
    both = [db.Head("rest", "mean_squared_error"), db.Head("loss_b", "mean_absolute_error", 2.0)]
    compiled = db.compile(db.Experiment(named, both, db.SGD(0.1)), "reference")
    found = compiled.evaluate(X, [Y["size"], Y["size"]])
    assert found["loss"] == pytest.approx(found["rest_loss"] + 2.0 * found["loss_b_loss"])


def test_names_that_meet_are_refused():
    x = db.Input((4,))
    named = db.Model(x, [db.Dense(1, name="a")(x), db.Dense(1, name="a_b")(x)])
    metric = db.LossMetric(db.Huber(), name="b_loss")
    both = [db.Head("a", db.Huber(), metrics=[metric]), db.Head("a_b", db.Huber())]
    with pytest.raises(DnnbridgeError, match="two metrics have the same name, got a_b_loss"):
        db.Experiment(named, both, db.SGD(0.1))


def test_labels_as_a_list_come_in_the_order_of_the_heads():
    by_name, listed = run().evaluate(X, Y), run().evaluate(X, [Y["kind"], Y["size"]])
    assert by_name == listed


def test_one_output_of_several_may_be_trained():
    alone = run(heads()[:1])
    before = alone.parameters()
    alone.fit(X, {"kind": Y["kind"]})
    moved = [n for n, array in alone.parameters().items() if (array != before[n]).any()]
    assert moved == ["dense/kernel", "dense/bias", "kind/kernel", "kind/bias"]
    assert set(alone.predict(X)) == {"kind", "size"}


def test_json_round_trip():
    experiment = db.Experiment(model(), heads(), db.SGD(0.1))
    assert db.Experiment.from_json(experiment.to_json()) == experiment


BAD = {
    "no_heads": (lambda: run(db.MeanSquaredError()), "outputs kind, size"),
    "unknown": (lambda: run(heads(size=db.Head("mass", db.MeanSquaredError()))), "got 'mass'"),
    "twice": (lambda: run([heads()[0], heads()[0]]), "two heads have the same output"),
    "not_heads": (lambda: run([db.MeanSquaredError()]), "a Head for each output"),
    "metrics": (lambda: run(metrics=["accuracy"]), "each Head has its own metrics"),
    "labels": (lambda: run().fit(X, Y["kind"]), "y: is needed for kind, size"),
    "missing": (lambda: run().fit(X, {"kind": Y["kind"]}), "y: is needed for kind, size, got kind"),
    "wrong": (lambda: run().fit(X, Y | {"kind": Y["kind"] + 1}), "y['kind'][1]: labels must be"),
    "weights": (lambda: run().fit(X, Y, sample_weight={"mass": X}), "sample_weight: is needed"),
    "class_weight": (
        lambda: run().fit(X, Y, class_weight={0: 2.0}),
        "class_weight: works only",
    ),
    "frozen": (lambda: run(frozen=("body/*",)), "frozen: the pattern fits no weight, got 'body"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(DnnbridgeError) as caught:
        make()
    assert message in str(caught.value)


@db.spec
class Penalised(db.AbstractLayer):
    """Returns x and adds a mean of squares to the loss."""

    factor: float = 0.5

    def emit(self, scope: Scope, x):
        scope.add_loss(self.factor * db.ops.reduce_mean(x * x, 1))
        return x


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore", "reference"])
def test_a_layer_may_add_to_the_loss(backend):
    """The layer is in a nested model, and the last batch is short."""
    inner = db.Sequential([db.Input((4,)), db.Dense(3), Penalised()])
    outer = db.Sequential([db.Input((4,)), inner, db.Dense(1)])
    compiled = db.compile(db.Experiment(outer, db.MeanSquaredError(), db.SGD(0.01)), backend)
    h = X @ compiled.parameters()["sequential/dense/kernel"]
    error = compiled.predict(X) - Y["size"]
    expected = np.mean(error**2) + 0.5 * np.mean(h**2)
    assert compiled.evaluate(X, Y["size"], batch_size=10)["loss"] == pytest.approx(expected, 1e-6)
    history = compiled.fit(X, Y["size"], batch_size=23, epochs=3)
    assert history.step_losses[0] == pytest.approx(expected, 1e-6)
    assert history.step_losses[-1] < history.step_losses[0]
