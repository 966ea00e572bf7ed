"""Clipping of gradients: by hand, and as Keras and MindSpore do it."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError

RNG = np.random.default_rng(0)
X, Y = 3.0 * RNG.normal(size=(16, 5)), RNG.normal(size=(16, 2))
LIMIT = 0.3


def gradients(**given) -> dict[str, np.ndarray]:
    """Return the gradient that the optimizer gets, which is the velocity of the first step."""
    model = db.Sequential([db.Input((5,)), db.Dense(4, "tanh"), db.Dense(2)])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1, momentum=0.9), **given)
    run = db.compile(experiment, "reference")
    run.fit(X, Y, 16)
    return {n: a for n, a in run.state().items() if n.endswith(":velocity")}


PLAIN = gradients()
WHOLE = np.sqrt(sum((g**2).sum() for g in PLAIN.values()))
EXPECTED = {
    db.ClipByValue(LIMIT): lambda g: np.clip(g, -LIMIT, LIMIT),
    db.ClipByNorm(LIMIT): lambda g: g * LIMIT / max(np.linalg.norm(g), LIMIT),
    db.ClipByGlobalNorm(LIMIT): lambda g: g * LIMIT / max(WHOLE, LIMIT),
}


@pytest.mark.parametrize("rule", EXPECTED, ids=lambda rule: type(rule).__name__)
def test_clipped_by_hand(rule):
    found = gradients(gradients=rule)
    assert any((found[name] != PLAIN[name]).any() for name in PLAIN)
    for name, g in PLAIN.items():
        np.testing.assert_allclose(found[name], EXPECTED[rule](g), rtol=1e-12)


def test_rules_are_applied_in_order():
    small, large = db.ClipByValue(0.01), db.ClipByGlobalNorm(100.0)
    both = gradients(gradients=[large, small])
    alone = gradients(gradients=small)
    for name, g in alone.items():
        np.testing.assert_allclose(both[name], g, rtol=1e-12)


def test_what_is_small_stays():
    for rule in (db.ClipByValue(1e3), db.ClipByNorm(1e3), db.ClipByGlobalNorm(1e3)):
        for name, g in gradients(gradients=rule).items():
            np.testing.assert_allclose(g, PLAIN[name], rtol=1e-12)


@pytest.mark.parametrize(
    ("argument", "rule"),
    [
        ("clipvalue", db.ClipByValue),
        ("clipnorm", db.ClipByNorm),
        ("global_clipnorm", db.ClipByGlobalNorm),
    ],
)
def test_as_keras(argument, rule):
    keras = pytest.importorskip("keras")
    variables = [keras.Variable(np.zeros(g.shape, "f4")) for g in PLAIN.values()]
    optimizer = keras.optimizers.SGD(1.0, **{argument: LIMIT})
    given = [keras.ops.convert_to_tensor(g.astype("f4")) for g in PLAIN.values()]
    optimizer.apply(given, variables)
    for variable, g in zip(variables, gradients(gradients=rule(LIMIT)).values(), strict=True):
        np.testing.assert_allclose(-np.asarray(variable), g, rtol=1e-5, atol=1e-7)


def test_global_norm_as_mindspore():
    ms = pytest.importorskip("mindspore")
    given = tuple(ms.Tensor(g.astype("f4")) for g in PLAIN.values())
    theirs = ms.ops.clip_by_global_norm(given, LIMIT)
    ours = gradients(gradients=db.ClipByGlobalNorm(LIMIT)).values()
    for a, g in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a.asnumpy(), g, rtol=1e-5, atol=1e-7)


def test_rules_are_part_of_the_spec():
    model = db.Sequential([db.Input((5,)), db.Dense(2)])
    experiment = db.Experiment(
        model, db.MeanSquaredError(), db.SGD(0.1), gradients=[db.ClipByNorm(1.0)]
    )
    assert db.Experiment.from_json(experiment.to_json()) == experiment
    with pytest.raises(DnnbridgeError, match="expected rules for gradients"):
        experiment.replace(gradients=[1.0])
