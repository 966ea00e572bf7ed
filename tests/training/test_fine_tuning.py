"""Weights by name: freezing, groups, transfer; rates that change."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4))
Y = RNG.normal(size=(20, 1))
LOSS = db.MeanSquaredError()


def model(head: int = 1) -> db.Sequential:
    body = [db.Input((4,)), db.Dense(5, "tanh"), db.BatchNormalization()]
    return db.Sequential(
        [db.Input((4,)), db.Sequential(body, name="body"), db.Dense(head, name="head")]
    )


def compiled(optimizer=None, **changes) -> db.Run:
    experiment = db.Experiment(model(), LOSS, optimizer or db.SGD(0.1), **changes)
    return db.compile(experiment, "reference")


def moved(run: db.Run, **fitted) -> set[str]:
    """Train and return the names of the weights and buffers that have changed."""
    before = run.parameters() | run.buffers()
    run.fit(X, Y, 10, **fitted)
    after = run.parameters() | run.buffers()
    return {name for name, array in before.items() if not np.array_equal(array, after[name])}


BODY = {
    "body/dense/kernel",
    "body/dense/bias",
    "body/batch_normalization/gamma",
    "body/batch_normalization/beta",
}
STATISTICS = {"body/batch_normalization/moving_mean", "body/batch_normalization/moving_variance"}
HEAD = {"head/kernel", "head/bias"}


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [
        ((), BODY | STATISTICS | HEAD),
        (("body/*",), HEAD),
        (("*", "!head/*"), HEAD),
        (("*", "!head/*", "head/bias"), {"head/kernel"}),
        (("body/dense/*",), (BODY | STATISTICS | HEAD) - {"body/dense/kernel", "body/dense/bias"}),
        (
            ("body/batch_normalization/gamma",),
            (BODY | STATISTICS | HEAD) - {"body/batch_normalization/gamma"},
        ),
        (("*",), set()),
    ],
)
def test_frozen(frozen, expected):
    assert moved(compiled(frozen=frozen)) == expected


def test_frozen_statistics_are_a_named_choice():
    assert moved(compiled(frozen=("body/*",), frozen_statistics="update")) == HEAD | STATISTICS
    with pytest.raises(DnnbridgeError, match="frozen_statistics"):
        compiled(frozen_statistics="maybe")


def test_a_frozen_normalisation_uses_its_running_statistics_in_training():
    run = compiled(frozen=("body/*",))
    run.set_parameters({"body/batch_normalization/moving_mean": np.full(5, 0.25)})
    shown = run.evaluate(X, Y)["loss"]
    assert run.fit(X, Y, 20).step_losses[0] == pytest.approx(shown, rel=1e-12)
    free = compiled(frozen=("body/*",), frozen_statistics="update")
    free.set_parameters({"body/batch_normalization/moving_mean": np.full(5, 0.25)})
    assert free.fit(X, Y, 20).step_losses[0] != pytest.approx(shown, rel=1e-3)


def test_groups_move_like_optimizers_of_their_own():
    grouped = compiled(db.ParameterGroups({"head/*": db.Adam(0.01), "*": db.SGD(0.1, 0.9)}))
    adam = compiled(db.Adam(0.01), frozen=("body/*",), frozen_statistics="update")
    sgd = compiled(db.SGD(0.1, 0.9), frozen=("head/*",))
    for run in (grouped, adam, sgd):
        run.fit(X, Y, 20)
    for name, array in grouped.parameters().items():
        alone = (adam if name in HEAD else sgd).parameters()[name]
        np.testing.assert_allclose(array, alone, rtol=1e-12, err_msg=name)
    assert "head/kernel:m" in grouped.state()
    assert "body/dense/kernel:velocity" in grouped.state()
    assert "body/dense/kernel:m" not in grouped.state()


def test_multipliers_scale_the_rate_and_leave_the_rest():
    half = compiled(db.LearningRateMultipliers(db.SGD(0.1), {"body/*": 0.5}))
    whole = compiled(db.SGD(0.1))
    start = whole.parameters()
    for run in (half, whole):
        run.fit(X, Y, 20)
    for name, array in half.parameters().items():
        factor = 1.0 if name in HEAD else 0.5
        np.testing.assert_allclose(
            array - start[name], factor * (whole.parameters()[name] - start[name]), rtol=1e-9
        )


def test_weight_decay_leaves_out_what_is_exempt():
    decay = db.DecoupledWeightDecay(0.5, exempt=("body/*", "!body/dense/kernel"))
    run = compiled(db.SGD(0.1, weight_decay=decay))
    plain = compiled(db.SGD(0.1))
    start = plain.parameters()
    for each in (run, plain):
        each.fit(X, Y, 20)
    for name, array in run.parameters().items():
        decayed = name in HEAD or name == "body/dense/kernel"
        expected = plain.parameters()[name] - 0.1 * 0.5 * start[name] * decayed
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_accumulation_equals_one_larger_batch():
    plain = db.Sequential([db.Input((4,)), db.Dense(3, "tanh"), db.Dense(1)])
    rules = db.ClipByGlobalNorm(0.1)
    experiment = db.Experiment(
        plain, LOSS, db.Adam(db.ExponentialDecay(0.1, 1, 0.5)), gradients=rules
    )
    whole = db.compile(experiment, "reference")
    parts = db.compile(experiment.replace(accumulate=4), "reference")
    whole.fit(X, Y, 20, epochs=3, shuffle=False)
    parts.fit(X, Y, 5, epochs=3, shuffle=False)
    for name, array in whole.parameters().items():
        np.testing.assert_allclose(parts.parameters()[name], array, rtol=1e-9, err_msg=name)


def test_a_run_takes_up_another_experiment():
    run = compiled(db.Adam(0.01))
    run.fit(X, Y, 10)
    new = db.Experiment(model(head=3), LOSS, db.SGD(0.1), frozen=("body/*",), seed=1)
    following = run.with_experiment(new)
    assert set(following.transfer.kept) == BODY | STATISTICS
    assert following.transfer.reshaped == {
        "head/kernel": ((5, 1), (5, 3)),
        "head/bias": ((1,), (3,)),
    }
    for name in BODY | STATISTICS:
        np.testing.assert_array_equal(following.state()[name], run.state()[name])
    fresh = db.compile(new, "reference")
    for name in HEAD:
        np.testing.assert_array_equal(following.state()[name], fresh.state()[name])
    assert following.position.step == 0
    assert str(following.transfer).startswith("kept body/dense/kernel")
    assert "new head/kernel, whose shape was (5, 1) and is (5, 3)" in str(following.transfer)


def test_what_is_new_and_what_is_left_out():
    run = compiled()
    other = db.Sequential([db.Input((4,)), db.Dense(1, name="head"), db.Dense(1, name="extra")])
    transfer = run.with_experiment(db.Experiment(other, LOSS, db.SGD(0.1))).transfer
    assert transfer.fresh == ("extra/kernel", "extra/bias")
    assert set(transfer.dropped) == BODY | STATISTICS


def test_unfreezing_at_a_lower_rate_takes_two_lines():
    run = compiled(frozen=("body/*",))
    run.fit(X, Y, 10)
    run = run.with_experiment(run.experiment.replace(frozen=(), optimizer=db.SGD(0.001)))
    assert moved(run) == BODY | STATISTICS | HEAD
    assert run.transfer.fresh == ()


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_no_momentum_decay_or_rate_of_dropout_compiles_anything_anew(backend):
    pytest.importorskip(backend)
    falling = db.ExponentialDecay(0.9, 3, 0.5)
    layers = [db.Input((4,)), db.Dense(5, "tanh"), db.Dropout(falling), db.Dense(1)]
    decay = db.CoupledWeightDecay(falling)
    optimizer = db.SGD(
        db.OneCycle(0.1, 20), momentum=db.OneCycle(0.1, 20).momentum(), weight_decay=decay
    )
    run = db.compile(db.Experiment(db.Sequential(layers), LOSS, optimizer), backend)
    run.fit(X, Y, 5)
    count = run.compilations
    run.fit(X, Y, 5, epochs=4)
    assert run.compilations == count >= 1


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_no_rate_compiles_anything_anew(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    decay = db.DecoupledWeightDecay(db.ExponentialDecay(0.1, 3, 0.5))
    optimizer = db.Adam(db.ExponentialDecay(0.01, 5, 0.5), weight_decay=decay)
    run = db.compile(db.Experiment(model(), LOSS, optimizer), backend)
    run.fit(X, Y, 7, epochs=2)
    count = run.compilations
    assert backend == "reference" or count >= 1
    run.fit(X, Y, 7, epochs=2)
    run.set_learning_rate(1e-4)
    run.fit(X, Y, 7)
    run.set_learning_rate(db.CosineDecay(0.1, 30))
    run.fit(X, Y, 7)
    assert run.compilations == count
    run.predict(X)
    assert backend == "reference" or run.compilations == count + 1


def test_a_rate_that_was_set_is_used_and_saved(tmp_path):
    run = compiled(db.ParameterGroups({"head/*": db.Adam(0.01), "*": db.SGD(0.1)}))
    run.set_learning_rate(0.0)
    assert moved(run) == STATISTICS
    run.save(tmp_path / "run.safetensors")
    assert db.load(tmp_path / "run.safetensors", "reference").optimizer == run.optimizer


BAD = {
    "group": (
        lambda: compiled(db.ParameterGroups({"head/*": db.SGD(0.1)})),
        'body/dense/kernel: fits no group, got head/*. Add a group "*" for the rest.',
    ),
    "pattern": (
        lambda: compiled(db.ParameterGroups({"heads/*": db.SGD(0.1), "*": db.SGD(0.1)})),
        "ParameterGroups: the pattern fits no weight, got 'heads/*'",
    ),
    "multiplier": (
        lambda: compiled(db.LearningRateMultipliers(db.SGD(0.1), {"head/*": 0.0})),
        "expected a factor above 0, got 0.0. To keep weights fixed, write Experiment(frozen=…).",
    ),
    "decay of a wrapper": (
        lambda: db.GradientAccumulation(db.SGD(0.1), 2, weight_decay=0.1),
        "GradientAccumulation.weight_decay: is only for optimizers that move weights themselves.",
    ),
    "regularizers": (
        lambda: compiled(regularizers={"dense": "l2"}),
        "regularizers: the pattern fits no weight, got 'dense'",
    ),
    "no dictionary": (
        lambda: compiled(regularizers=db.L2(0.1)),
        "expected a dictionary with patterns of names as keys",
    ),
    "twice": (
        lambda: compiled(db.GradientAccumulation(db.SGD(0.1), 2), accumulate=2),
        "body/dense/kernel:accumulated: two optimizer arrays have the same name",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_rules(make, message):
    with pytest.raises(DnnbridgeError) as caught:
        make()
    assert message in str(caught.value)


def test_a_rate_that_listens_falls_when_nothing_improves(tmp_path):
    optimizer = db.ParameterGroups(
        {"head/*": db.SGD(db.Plateau(1e-9, "loss", 0.5, 1)), "*": db.SGD(0.0)}
    )
    run = compiled(optimizer)
    run.fit(X, Y, 10, epochs=3, shuffle=False)
    assert run.optimizer.rates(0)["head/*"] == pytest.approx(0.25e-9)
    assert run.experiment.optimizer.rates(0)["head/*"] == pytest.approx(1e-9)
    run.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", "reference")
    for each in (run, again):
        each.fit(X, Y, 10, shuffle=False)
    assert again.optimizer == run.optimizer
    assert again.optimizer.rates(0)["head/*"] == pytest.approx(0.125e-9)


def test_what_cannot_be_heard_is_refused_before_training():
    run = compiled(db.SGD(db.Plateau(0.1, "val_loss")))
    with pytest.raises(DnnbridgeError, match="This epoch has: loss"):
        run.fit(X, Y)
    assert run.position.step == 0
    run.fit(X, Y, validation_data=(X, Y))
