"""Combined features around an optimizer: averages, skipped steps, accumulation, constraints."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DnnbridgeError
from dnnbridge.graph import Value
from dnnbridge.optimizers import AbstractOptimizer, Slot

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
Y = 40.0 + RNG.normal(size=(12, 2))  # the first gradients overflow once they are scaled by 2^126
OVERFLOWING = db.DynamicLossScale(2.0**126, factor=2.0**60)


def compiled(optimizer, backend="reference", **changes) -> db.Run:
    model = db.Sequential([db.Input((3,)), db.Dense(2)])
    return db.compile(db.Experiment(model, db.MeanSquaredError(), optimizer, **changes), backend)


def trained(optimizer, steps=4, **changes) -> db.Run:
    run = compiled(optimizer, **changes)
    run.fit(X[: 3 * steps], Y[: 3 * steps], 3, shuffle=False)
    return run


WRAPPERS = {
    "lookahead": lambda inner: db.Lookahead(inner, steps=2),
    "average": lambda inner: db.ExponentialMovingAverage(inner, 0.9),
    "overwriting": lambda inner: db.ExponentialMovingAverage(inner, 0.9, overwrite_every=2),
    "mean": lambda inner: db.StochasticWeightAverage(inner, 0),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_skipped_first_step_leaves_no_trace_in_what_follows_the_weights(wrap):
    run = trained(wrap(db.SGD(0.0)), loss_scale=OVERFLOWING)
    start = compiled(db.SGD(0.0)).parameters()
    assert run.state()["loss_scale:scale"] < 2.0**126
    averages = run.averages() if run.optimizer.average else run.parameters()
    for name, array in start.items():
        np.testing.assert_allclose(run.parameters()[name], array, rtol=1e-12)
        np.testing.assert_allclose(averages[name], array, rtol=1e-12)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_with_a_finite_scale_nothing_changes(wrap):
    scaled = trained(wrap(db.Adam(0.1)), loss_scale=db.DynamicLossScale(8.0))
    for name, array in trained(wrap(db.Adam(0.1))).state().items():
        np.testing.assert_allclose(scaled.state()[name], array, rtol=1e-9, err_msg=name)


def test_a_window_of_gradients_that_are_not_finite_is_left_out_as_a_whole():
    parts = trained(db.SGD(0.01), accumulate=2, loss_scale=OVERFLOWING)
    later = compiled(db.SGD(0.01), accumulate=2)
    later.fit(X[6:], Y[6:], 3, shuffle=False)
    for name, array in later.parameters().items():
        np.testing.assert_allclose(parts.parameters()[name], array, rtol=1e-9)
        assert not parts.state()[f"{name}:accumulated"].any()


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("changes", [{}, {"accumulate": 2}, {"loss_scale": 16.0}], ids=str)
def test_constraints_hold_after_all_that_moves_weights(wrap, changes):
    run = trained(wrap(db.SGD(0.05)), constraints={"*/kernel": db.UnitNorm()}, **changes)
    norms = np.linalg.norm(run.parameters()["dense/kernel"], axis=0)
    np.testing.assert_allclose(norms, 1.0, rtol=1e-6)


def test_the_averaging_of_keras_sees_weights_before_they_are_constrained():
    keras = pytest.importorskip("keras")
    gradients = RNG.normal(size=(5, 3, 2)).astype("float32")
    start = RNG.normal(size=(3, 2)).astype("float32")
    variable = keras.Variable(start)
    variable.constraint = keras.constraints.UnitNorm(axis=0)
    theirs = keras.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2)
    theirs.build([variable])
    for gradient in gradients:
        theirs.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    ours = db.ExponentialMovingAverage(db.SGD(0.3), 0.9, overwrite_every=2)
    model = db.Sequential([db.Input((3,)), db.Dense(2, use_bias=False)])
    # The loss is Σ g · W for the batch x = I with labels that single out g.
    experiment = db.Experiment(
        model,
        Given(),
        ours,
        constraints={"*/kernel": db.UnitNorm.keras(axis=0)},
    )
    run = db.compile(experiment, "reference")
    run.set_parameters({"dense/kernel": start})
    x, y = np.tile(np.eye(3), (5, 1)), gradients.reshape(15, 2)
    run.fit(x, y, 3, shuffle=False)
    np.testing.assert_allclose(
        run.parameters()["dense/kernel"], np.asarray(variable), rtol=1e-5, atol=1e-6
    )


@db.spec
class Given(db.AbstractLoss):
    """Σ label · prediction, so that the labels are its gradient."""

    reduction: str = "sum"

    def target(self, prediction):
        from dnnbridge.losses import Target

        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return db.ops.reduce_sum(prediction * target, 1)


@db.spec
class Scheduled(db.AbstractLayer):
    """x times a number that changes with the step."""

    def emit(self, scope: Scope, x: Value) -> Value:
        return x * scope.scalar("k", db.ExponentialDecay(1.0, 1, 0.5))


def test_a_layer_with_a_schedule_is_evaluated_with_the_number_of_the_next_step():
    model = db.Sequential([db.Input((3,)), Scheduled()])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    run.fit(X, X, 12, epochs=2, validation_data=(X, X))
    np.testing.assert_allclose(run.predict(X), 0.25 * X)
    assert run.evaluate(X, X)["loss"] == pytest.approx(0.75**2 * (X**2).mean())


class StopAfter(db.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_steps_end(self, run, losses):
        if run.position.step == self.step:
            run.stop()


@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_an_interrupted_epoch_ends_with_the_metrics_of_all_of_it(step, tmp_path):
    optimizer = db.SGD(db.Plateau(0.01, "loss", patience=1, min_delta=100.0))
    whole, parts = compiled(optimizer), compiled(optimizer)
    given = X, Y, 3
    expected = whole.fit(*given, epochs=3).history["loss"]
    found = parts.fit(*given, epochs=3, callbacks=[StopAfter(step)], steps_per_call=1).history
    parts.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", "reference")
    left = 3 - again.position.epoch
    found = found.get("loss", []) + again.fit(*given, epochs=left).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert again.optimizer == whole.optimizer
    for name, array in whole.state().items():
        np.testing.assert_allclose(again.state()[name], array, rtol=1e-12, err_msg=name)


class SaveAt(db.Callback):
    def __init__(self, step: int, path) -> None:
        self.step, self.path = step, path

    def on_steps_end(self, run, losses):
        if run.position.step == self.step:
            run.save(self.path)


def test_a_checkpoint_of_the_last_step_of_an_epoch_goes_on(tmp_path):
    run, path = compiled(db.SGD(0.01)), tmp_path / "run.safetensors"
    history = run.fit(X, Y, 3, epochs=2, callbacks=[SaveAt(4, path)], steps_per_call=1).history
    again = db.load(path, "reference").fit(X, Y, 3, epochs=2)
    assert again.epochs == [0, 1]
    np.testing.assert_allclose(again.history["loss"], history["loss"], rtol=1e-12)


@db.spec
class Reserved(AbstractOptimizer):
    """A slot and a host scalar with the names that the graph itself has."""

    learning_rate: float = 0.1

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"p": Slot(shape), "decay": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        return {"decay": 0.5, "g": 0.1}

    def update(self, p, g, slots, scalars):
        return p - scalars["g"] * g, {"p": slots["p"] + 1.0, "decay": slots["decay"] + 2.0}


def test_names_of_slots_and_scalars_are_free():
    run = trained(Reserved(weight_decay=0.5), steps=1)
    plain = trained(db.SGD(0.1, weight_decay=0.5), steps=1)
    for name, array in plain.parameters().items():
        np.testing.assert_allclose(run.parameters()[name], array, rtol=1e-12)


@db.spec
class Shrinking(db.AbstractConstraint):
    """Gives another shape."""

    def emit(self, p: Value) -> Value:
        return db.ops.reduce_sum(p, 0)


@db.spec
class Broken(AbstractOptimizer):
    """Raises an error of its own."""

    def scalars(self, step: int) -> dict[str, float]:
        return {}

    def update(self, p, g, slots, scalars):
        p, slots = (p, g, p)
        return p, slots


BAD = {
    "average outside": (
        lambda: db.StochasticWeightAverage(db.GradientAccumulation(db.SGD(0.1), 2), 0),
        "optimizer: would also act in steps that move no weights, got GradientAccumulation inside",
    ),
    "rules inside": (
        lambda: db.LearningRateMultipliers(
            db.WithGradientRules(db.SGD(0.1), db.ClipByGlobalNorm(1.0)), {"a": 0.5}
        ),
        "would apply the gradient rules to each group separately",
    ),
    "dynamic window": (
        lambda: compiled(db.GradientAccumulation(db.SGD(0.1), 2), loss_scale=OVERFLOWING),
        "Write Experiment(accumulate=…).",
    ),
    "taken back first": (
        lambda: compiled(db.SGD(0.1), frozen=("!dense/*",)),
        """Write "*" first: ("*", '!dense/*').""",
    ),
    "taken back in groups": (
        lambda: compiled(db.ParameterGroups({"!dense/*": db.SGD(0.1), "*": db.SGD(0.1)})),
        "has no meaning where the first pattern that fits decides",
    ),
    "never reached": (
        lambda: compiled(db.ParameterGroups({"*": db.SGD(0.1), "dense/*": db.SGD(0.1)})),
        "earlier patterns already fit all names that this pattern fits, got 'dense/*'",
    ),
    "no groups": (lambda: db.ParameterGroups({}), "needs at least one group"),
    "exempt": (
        lambda: compiled(db.SGD(0.1, weight_decay=db.CoupledWeightDecay(0.1, exempt=("haed/*",)))),
        "exempt: the pattern fits no weight, got 'haed/*'",
    ),
    "negative decay": (lambda: db.SGD(0.1, weight_decay=-0.1), "greater than or equal to 0"),
    "factor": (lambda: db.DynamicLossScale(factor=0.5), "factor must be above 1"),
    "scale": (lambda: db.FixedLossScale(2.0**127), "must be at most 2^126"),
    "tail": (lambda: db.OneCycle(1.0, 10, tail_steps=50), "tail_steps"),
    "rate of Rprop": (
        lambda: compiled(db.Rprop()).set_learning_rate(0.1),
        "no field learning_rate",
    ),
    "positional": (lambda: db.AdamW(1e-3, 0.01), "AdamW: give this argument by name"),
    "constraint": (
        lambda: compiled(db.SGD(0.1), constraints={"*": Shrinking()}),
        "dense/kernel: Shrinking must keep the shape and dtype of p and of every slot",
    ),
    "half of the statistics": (
        lambda: db.compile(
            db.Experiment(
                db.Sequential([db.Input((3,)), db.BatchNormalization()]),
                db.MeanSquaredError(),
                db.SGD(0.1),
                frozen=["*/moving_mean"],
            ),
            "reference",
        ),
        "freeze both running statistics or neither",
    ),
    "penalty": (
        lambda: compiled(db.SGD(0.1), regularizers={"*": db.OrthogonalRegularizer()}),
        "dense/bias",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_what_cannot_work_together_is_refused(make, message):
    with pytest.raises(DnnbridgeError) as caught:
        make()
    assert message in str(caught.value)


def test_an_error_of_somebodys_own_code_is_shown_as_it_is():
    with pytest.raises(ValueError, match="too many values to unpack") as caught:
        compiled(Broken())
    assert not isinstance(caught.value, DnnbridgeError)


def test_numbers_of_numpy_are_numbers():
    optimizer = db.SGD(np.float32(0.5), weight_decay=np.float64(0.25))
    assert optimizer == db.SGD(0.5, weight_decay=0.25)
    assert compiled(db.SGD(0.1), loss_scale=np.float32(8.0)).experiment.loss_scale.scale == 8.0
    groups = db.ParameterGroups({"*": db.Lookahead(db.SGD(0.1))})
    assert groups.rates(0) == {"*": 0.1}
    assert db.CoupledWeightDecay(0.1, db.BIASES_AND_NORMS).applies("mha/query_bias") is False
