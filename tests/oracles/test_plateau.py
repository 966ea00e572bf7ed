"""`Plateau` is compared with `keras.callbacks.ReduceLROnPlateau`, for the same metrics."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import dnnbridge as db

EPOCHS = 60

SETTINGS = {
    "defaults": {},
    "impatient": {"patience": 1, "factor": 0.5},
    "no-patience": {"patience": 0, "factor": 0.7},
    "cooldown": {"patience": 2, "cooldown": 3, "factor": 0.5},
    "long-cooldown": {"patience": 1, "cooldown": 7, "factor": 0.3},
    "short-cooldown": {"patience": 3, "cooldown": 1, "factor": 0.8},
    "bound": {"patience": 1, "factor": 0.2, "min_lr": 3e-4},
    "bound-cooldown": {"patience": 1, "factor": 0.2, "cooldown": 2, "min_lr": 3e-4},
    "bound-above": {"patience": 1, "factor": 0.5, "min_lr": 0.2},
    "delta": {"patience": 2, "min_delta": 0.2, "factor": 0.5},
    "negative-delta": {"patience": 2, "min_delta": -0.2, "factor": 0.5},
}


def keras_rates(metrics, **settings):
    """Return rate, best, wait and cooldown of Keras' callback after every epoch."""
    keras = pytest.importorskip("keras")
    callback = keras.callbacks.ReduceLROnPlateau(**settings)
    optimizer = keras.optimizers.SGD(0.1)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    for epoch, value in enumerate(metrics):
        callback.on_epoch_end(epoch, {callback.monitor: value})
        rate = float(optimizer.learning_rate)
        yield rate, callback.best, callback.wait, callback.cooldown_counter


def sequence(seed, mode):
    """Return metrics that get better with noise, then worse."""
    rng = np.random.default_rng(seed)
    falling = np.concatenate(
        [np.linspace(2.0, 0.5, EPOCHS // 2), np.linspace(0.5, 1.0, EPOCHS // 2)]
    )
    noisy = falling + rng.normal(0.0, 0.2, EPOCHS)
    return (noisy if mode == "min" else -noisy).tolist()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", ["min", "max", "auto"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_plateau_follows_keras(settings, mode, seed):
    given = {"mode": mode, "monitor": "val_loss"} | settings
    ours = db.Plateau.keras(0.1, **given)
    metrics = sequence(seed, "max" if mode == "max" else "min")
    fell = False
    for value, (rate, best, wait, cooldown) in zip(
        metrics, keras_rates(metrics, **given), strict=True
    ):
        ours = ours.heard({"val_loss": value})
        assert ours(0) == pytest.approx(rate, rel=1e-5)
        assert ours.best == best
        if rate > 1.001 * given.get("min_lr", 0.0):  # at the bound, ours continues to count
            assert (ours.waited, ours.cooling) == (wait, cooldown)
        fell |= rate < 0.1
    assert fell or "min_lr" in settings or not settings


def test_a_metric_that_should_rise():
    """Keras decides "auto" by the metric object; ours decides by the name."""
    metrics = sequence(7, "max")
    given = {"monitor": "val_accuracy", "patience": 2}
    ours = db.Plateau.keras(0.1, **given)
    for value, (rate, *_) in zip(metrics, keras_rates(metrics, mode="max", **given), strict=True):
        ours = ours.heard({"val_accuracy": value})
        assert ours(0) == pytest.approx(rate, rel=1e-5)
