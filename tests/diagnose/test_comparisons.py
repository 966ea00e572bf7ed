"""`learning_rate_range`, `compare_rates` and `compare_experiments`."""

import importlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.diagnose.learning_rates import smooth
from dnnbridge.errors import DataError, DTypeError, PackageNotInstalledError

nets = importlib.import_module("diagnose.nets")
LABELS, REAL, X, classifier, kept = nets.LABELS, nets.REAL, nets.X, nets.classifier, nets.kept
net, same = nets.net, nets.same

LINEAR = net(db.Dense(1), optimizer="sgd")
TARGET = X @ nets.WEIGHTS[:, :1] + 1.0


def sweep(experiment=LINEAR, y=TARGET, **more):
    return db.diagnose.learning_rate_range(experiment, X, y, backend="reference", **more)


def test_the_sweep_is_that_of_a_training_with_these_rates():
    found = sweep(steps=12, start=1e-4, end=1e-1, batch_size=40)
    rates = np.geomspace(1e-4, 1e-1, 12)
    np.testing.assert_allclose(found.rates, rates)
    run = db.compile(
        LINEAR.replace(optimizer=db.SGD(db.TableSchedule(rates.tolist()))), "reference"
    )
    np.testing.assert_allclose(found.losses, run.fit(X, TARGET, 40, 4, verbose=0).step_losses)
    mean, made = 0.0, []
    for n, loss in enumerate(found.losses, 1):
        mean = 0.9 * mean + 0.1 * loss
        made.append(mean / (1 - 0.9**n))
    np.testing.assert_allclose(found.smoothed, made)
    assert not found.diverged


def test_the_suggestion_trains_and_the_last_rate_diverges():
    found = sweep()
    assert found.diverged
    assert len(found.rates) < 100
    assert found.ok
    assert found.tenth_of_minimum == found.best / 10
    losses = {}
    for rate in (found.suggestion, found.rates[-1], 1e-5):
        run = db.compile(LINEAR.replace(optimizer=db.SGD(rate)), "reference")
        losses[rate] = run.fit(X, TARGET, epochs=5, verbose=0).history["loss"][-1]
    assert losses[found.suggestion] < 0.5 * losses[1e-5]
    assert losses[found.suggestion] < losses[found.rates[-1]]


def test_the_suggestion_is_where_the_smoothed_loss_falls_fastest():
    x = np.arange(20.0)
    smoothed = 2.0 - 1.0 / (1.0 + np.exp(-(x - 12.0)))
    smoothed[17:] = [2, 3, 4]
    rates = 10.0 ** (x / 4 - 5)
    found = db.diagnose.LearningRateRange(tuple(rates), tuple(smoothed), tuple(smoothed), True, 2.0)
    assert found.suggestion == pytest.approx(rates[12])


def test_no_suggestion_where_nothing_learns():
    dead = db.Dense(8, "relu", bias_initializer=db.Constant(-100.0), use_bias=True)
    found = sweep(net(dead, db.Dense(1), frozen=["dense_1/bias"]), end=1.0)
    assert found.suggestion is None
    assert not found.ok
    assert "No rate from 1e-06" in found.verdict


def test_a_mean_of_one_loss_is_that_loss():
    assert smooth([3.0], 0.9).tolist() == pytest.approx([3.0])
    assert smooth([3.0, 1.0], 0.0).tolist() == [3.0, 1.0]


def test_rates_are_compared_from_the_same_weights():
    rates = [1e-6, 0.1, 3.0]
    found = db.diagnose.compare_rates(LINEAR, X, TARGET, rates, backend="reference")
    for rate in rates:
        run = db.compile(LINEAR.replace(optimizer=db.SGD(rate)), "reference")
        alone = run.fit(X, TARGET, epochs=3, verbose=0)
        np.testing.assert_allclose(found.histories[rate].step_losses, alone.step_losses)
    assert (found.best, found.diverged, found.slow) == (0.1, (3.0,), (1e-6,))
    assert found.ok
    assert "0.1 is best" in found.verdict
    assert "3" in found.verdict


def test_rates_that_do_not_move_the_loss_are_not_best():
    found = db.diagnose.compare_rates(LINEAR, X, TARGET, [1e-7, 1e-6], backend="reference")
    assert not found.ok
    assert "No rate lowers the loss by 5%" in found.verdict


def test_all_rates_too_high():
    found = db.diagnose.compare_rates(LINEAR, X, TARGET, [5.0, 1e9], epochs=9, backend="reference")
    assert not found.ok
    assert "No rate lowers the loss: 5 and 1e+09 diverge" in found.verdict
    with pytest.raises(DataError, match="above 0"):
        db.diagnose.compare_rates(LINEAR, X, TARGET, [0.0], backend="reference")


def test_the_learning_rates_of_a_run_stay():
    run = db.compile(classifier(optimizer=db.SGD(0.5, momentum=0.9)), "reference")
    run.fit(X, LABELS, verbose=0)
    before = kept(run)
    for found in (
        db.diagnose.learning_rate_range(run, X, LABELS, steps=10),
        db.diagnose.compare_rates(run, X, LABELS, epochs=1),
    ):
        assert same(before, kept(run))
        assert "<svg" in found._repr_html_()
        assert str(found)
    with pytest.raises(DataError):
        db.diagnose.compare_rates(run, X[:9], LABELS)
    assert same(before, kept(run))


def compared(experiments, y=LABELS, **more):
    more = {"epochs": 3, "backend": "reference", "validation_split": 0.25} | more
    return db.compare_experiments(experiments, (X, y), **more)


def made(rate, **more):
    return classifier(db.Dense(8, "tanh"), optimizer=db.Adam(rate), metrics=["accuracy"], **more)


def test_experiments_are_trained_as_alone_and_the_best_is_named():
    found = compared({"fast": made(0.02), "slow": made(1e-6)})
    alone = db.compile(made(0.02), "reference").fit(
        X, LABELS, epochs=3, validation_split=0.25, verbose=0
    )
    assert found.histories["fast"].history == alone.history
    assert (found.metric, found.best) == ("val_loss", "fast")
    assert found.verdict.startswith("Best val_loss first: fast (")
    row = found.table()[0]
    assert row["parameters"] == 6 * 8 + 8 + 8 * 3 + 3
    assert row["best val_loss"] == min(alone.history["val_loss"])
    assert row["best epoch"] == int(np.argmin(alone.history["val_loss"])) + 1
    assert row["accuracy"] == alone.history["accuracy"][-1]
    assert row["seconds"] > 0


def test_different_losses_are_compared_by_a_metric_that_they_share():
    hot = np.eye(3)[LABELS]
    losses = {"crossentropy": "categorical_crossentropy", "squares": "mse"}
    experiments = {
        name: net(db.Dense(3, "softmax"), loss=loss, metrics=["categorical_accuracy"], seed=seed)
        for (name, loss), seed in zip(losses.items(), (0, 1), strict=True)
    }
    found = compared(experiments, hot)
    assert found.metric == "val_accuracy"
    top = {n: max(h.history["val_accuracy"]) for n, h in found.histories.items()}
    assert top[found.best] == max(top.values())
    assert found.verdict.startswith(f"Best val_accuracy first: {found.best} (")
    bare = {name: e.replace(metrics=()) for name, e in experiments.items()}
    none = compared(bare, hot)
    assert (none.metric, none.best) == (None, None)
    assert "share no number" in none.verdict


def test_lists_pictures_and_tables(tmp_path):
    found = compared([made(0.02), made(0.1)], validation_split=0.0)
    assert list(found.histories) == ["experiment 1", "experiment 2"]
    text = found.plot(tmp_path / "a.svg", metric="accuracy").svg
    assert (tmp_path / "a.svg").read_text("utf-8") == text
    assert "experiment 2" in text
    with pytest.raises(DataError, match="They have loss, accuracy"):
        found.plot(metric="f1")
    shown = compared({"<b>": made(0.02)})._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown


def test_pandas(monkeypatch):
    pandas = pytest.importorskip("pandas")
    found = compared({"a": made(0.02), "b": made(0.1)})
    frame = found.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame[frame.experiment == "b"].epoch.tolist() == [1, 2, 3]
    losses = frame[frame.experiment == "a"].loss.tolist()
    assert losses == found.histories["a"].history["loss"]
    monkeypatch.setitem(importlib.sys.modules, "pandas", None)
    with pytest.raises(PackageNotInstalledError, match="pip install pandas"):
        found.to_pandas()


def test_failed_trainings_and_wrong_arguments():
    with np.errstate(all="ignore"):
        found = compared({"good": LINEAR, "bad": LINEAR.replace(optimizer=db.SGD(1e30))}, TARGET)
    assert found.failed == ("bad",)
    assert not found.ok
    assert "infinite or NaN in bad" in found.verdict
    assert found.best == "good"
    for wrong in ([], {"a": 1}, 3):
        with pytest.raises(DTypeError, match="a dictionary or a list of experiments"):
            db.compare_experiments(wrong, (X, LABELS))
    with pytest.raises(DataError, match="must be"):
        db.compare_experiments([LINEAR], X)
