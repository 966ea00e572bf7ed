"""What a layer may do in its scope, and the errors for what it may not."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.errors import DnnbridgeError, DTypeError, ShapeError, SpecError
from dnnbridge.graph import BATCH, Builder, TensorType
from dnnbridge.testing.cases.hostile_cases import RunningCentre


def layer(name, emit):
    """Make a layer class from an emit function."""
    return db.spec(type(name, (db.AbstractLayer,), {"emit": emit, "__module__": __name__}))()


def model(*layers):
    return db.Sequential([db.Input((4,)), *layers])


def compiled(*layers, **changes):
    given = {"loss": db.MeanSquaredError(), "optimizer": db.SGD(0.1)} | changes
    return db.compile(db.Experiment(model(*layers), **given), backend="reference")


def test_one_layer_called_twice_shares_its_weights():
    dense = db.Dense(4, name="d")
    twice = layer("Twice", lambda self, scope, x: scope.call(dense, scope.call(dense, x)))
    assert list(compiled(twice).parameters()) == ["twice/kernel", "twice/bias"]


def test_two_layers_under_one_name_are_refused():
    both = layer("Both", lambda self, scope, x: scope.call(db.Dense(4), scope.call(db.Dense(4), x)))
    with pytest.raises(SpecError, match=r"both: two arrays have the name kernel.*name=…"):
        model(both)


def test_children_with_names():
    named = layer("Named", lambda self, scope, x: scope.call(db.Dense(4), x, name="inner"))
    assert list(compiled(named).parameters()) == ["named/inner/kernel", "named/inner/bias"]


def test_each_call_of_a_dropout_draws_for_itself():
    drop = db.Dropout(0.5)
    two = layer("TwoDrops", lambda self, scope, x: scope.call(drop, scope.call(drop, x)))
    randoms = db.Experiment(model(two), db.MeanSquaredError(), db.SGD()).program().randoms
    assert [random.name for random in randoms] == ["two_drops/mask", "two_drops/mask_1"]


def test_buffers_follow_the_batches_and_are_not_trained():
    run = compiled(RunningCentre(), db.Dense(1))
    x = np.random.default_rng(0).normal(3.0, 1.0, (10, 4)).astype(np.float32)
    run.fit(x, np.zeros((10, 1)), batch_size=6, shuffle=False)
    expected = 0.9 * (0.1 * x[:6].mean(0, dtype=float)) + 0.1 * x[6:].mean(0, dtype=float)
    np.testing.assert_allclose(run.state()["running_centre/mean"], expected, rtol=1e-6)
    assert "running_centre/mean" not in run.parameters()
    centred = x - run.state()["running_centre/mean"]
    kernel, bias = run.parameters().values()
    np.testing.assert_allclose(run.predict(x), centred @ kernel + bias, rtol=1e-6)


def test_a_call_may_give_several_values():
    split = layer("Split", lambda self, scope, x: (x, -x))
    add = layer("AddBoth", lambda self, scope, x: sum(scope.call_all(split, x)[1:], x))
    assert not compiled(add).predict(np.ones((2, 4))).any()


BAD = {
    "bool": (lambda self, scope, x: x if x > 0.0 else -x, DTypeError, "no truth"),
    "iterate": (lambda self, scope, x: sum(x), DTypeError, "iterated"),
    "array": (lambda self, scope, x: x * np.ones(4), DTypeError, "nor a number"),
    "array_operand": (lambda self, scope, x: ops.maximum(x, np.ones(4)), DTypeError, "number"),
    "text": (lambda self, scope, x: x * "a", DTypeError, "neither a value nor a number"),
    "nothing": (lambda self, scope, x: None, SpecError, "must return a value"),
    "name": (
        lambda self, scope, x: scope.parameter("a:b", (4,), db.Zeros()),
        SpecError,
        "only letters",
    ),
    "batch": (
        lambda self, scope, x: scope.parameter("a", x.shape, db.Zeros()),
        ShapeError,
        "batch",
    ),
    "update": (lambda self, scope, x: scope.update("a", x), ShapeError, "only in training"),
    "reshape": (lambda self, scope, x: ops.reshape(x, (4, BATCH)), ShapeError, "first axis"),
    "axis": (lambda self, scope, x: ops.reduce_sum(x, 2), ShapeError, "axis 2"),
    "axis_fraction": (lambda self, scope, x: ops.argmax(x) > 0.5, DTypeError, "needs an integer"),
}


@pytest.mark.parametrize(("emit", "error", "what"), BAD.values(), ids=BAD)
def test_bad_equations(emit, error, what):
    with pytest.raises(error, match=what) as caught:
        model(layer("Bad", emit))
    if isinstance(caught.value, DnnbridgeError):
        assert "bad" in str(caught.value)


def test_arrays_must_be_declared_in_training_too():
    def emit(self, scope, x):
        return x if scope.training else x * scope.parameter("late", (4,), db.Ones())

    with pytest.raises(SpecError, match=r"late: declared in evaluate but not in train"):
        compiled(layer("Late", emit))


def test_losses_and_optimizers_are_checked():
    total = db.spec(
        type(
            "Total",
            (db.AbstractLoss,),
            {
                "target": lambda self, p: db.MeanSquaredError().target(p),
                "emit": lambda self, scope, p, t: ops.reduce_sum(p - t, (0, 1)),
                "__module__": __name__,
            },
        )
    )
    with pytest.raises(ShapeError, match="loss: must give one number per example"):
        compiled(loss=total())
    forgetful = db.spec(
        type(
            "Forgetful",
            (db.AbstractOptimizer,),
            {
                "slots": lambda self, shape: db.Adam().slots(shape),
                "scalars": lambda self, step: {"rate": 0.1},
                "update": lambda self, p, g, slots, scalars: (p - g, {"m": g}),
                "__module__": __name__,
            },
        )
    )
    with pytest.raises(SpecError, match=r"dense/kernel: Forgetful must keep .* every slot"):
        compiled(db.Dense(1), optimizer=forgetful())


def test_metrics_need_names_of_their_own():
    with pytest.raises(SpecError, match=r"two metrics have the same name, got accuracy"):
        compiled(db.Dense(2), metrics=["accuracy", db.Accuracy()])
    named = compiled(db.Dense(2), metrics=["accuracy", db.Accuracy(name="again")])
    assert list(named.evaluate(np.ones((3, 4)), np.ones((3, 2)))) == ["loss", "accuracy", "again"]


def test_integers_compare_with_whole_numbers():
    graph = Builder("g")
    ids = graph.input("ids", TensorType((BATCH,), "int32"))
    assert ops.equal(ids, 0).dtype == "bool"
    assert (ids > 2).dtype == "bool"


def test_a_spec_must_define_its_methods():
    with pytest.raises(SpecError, match=r"activation\.Nothing: must define emit"):
        db.spec(type("Nothing", (db.AbstractActivation,), {"__module__": __name__}))


def test_stop_ends_the_training():
    class StopAt(db.Callback):
        def on_steps_end(self, run, losses):
            if run.position.step == 3:
                run.stop()

    run = compiled(db.Dense(1))
    x, y = np.ones((8, 4)), np.zeros((8, 1))
    history = run.fit(x, y, 4, 5, callbacks=[StopAt()], steps_per_call=1)
    assert (run.position.step, run.position.epoch, run.position.batch) == (3, 1, 1)
    assert history.epochs == [0]
    run.fit(x, y, 4, 1)
    assert (run.position.step, run.position.epoch) == (4, 2)


def test_a_loss_that_is_not_finite_is_logged(caplog):
    run = compiled(db.Dense(1), optimizer=db.SGD(1e30))
    run.fit(np.ones((8, 4)), np.zeros((8, 1)), 4, 40)
    assert "the loss of step" in caplog.text
    assert "is not finite" in caplog.text
