"""`ModelCheckpoint` and `BackupAndRestore`: what is written, and that a run goes on from it."""

from __future__ import annotations

import importlib
import logging

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, CheckpointError

runs = importlib.import_module("callbacks.runs")
X, Y, make = runs.X, runs.Y, runs.make


class Fail(db.Callback):
    """Raise after some steps."""

    every_steps = 1

    def __init__(self, step):
        self.step = step

    def on_steps_end(self, run, losses):
        if run.position.step == self.step:
            raise KeyboardInterrupt


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("background", [False, True])
def test_only_the_best_is_saved(tmp_path, background):
    run, losses = make(0.1), []
    save = db.ModelCheckpoint(
        tmp_path / "new" / "{epoch:02d}-{val_loss:.3f}.safetensors",
        save_best_only=True,
        background=background,
    )

    class Note(db.Callback):
        def on_epoch_end(self, run, epoch, logs):
            losses.append(logs["val_loss"])

    run.fit(X, Y, 8, 9, validation_split=0.25, callbacks=[save, Note()], verbose=0)
    best = [i for i, loss in enumerate(losses) if loss < min(losses[:i], default=np.inf)]
    assert names(tmp_path / "new") == [f"{i + 1:02d}-{losses[i]:.3f}.safetensors" for i in best]
    assert len(best) < 9
    last = db.load(sorted((tmp_path / "new").iterdir())[-1], "reference")
    assert last.evaluate(X[18:], Y[18:])["loss"] == pytest.approx(min(losses), rel=1e-12)


def test_every_few_steps_and_only_the_last_files(tmp_path):
    save = db.ModelCheckpoint(tmp_path / "{epoch}-{batch}.safetensors", save_freq=2, keep=3)
    make().fit(X, Y, 4, 2, callbacks=[save], verbose=0)  # 6 steps in an epoch
    assert names(tmp_path) == ["2-2.safetensors", "2-4.safetensors", "2-6.safetensors"]


def test_a_file_of_keras(tmp_path):
    pytest.importorskip("h5py")
    run = make()
    run.fit(X, Y, 8, callbacks=[db.ModelCheckpoint(tmp_path / "best.keras")], verbose=0)
    again = db.from_keras(tmp_path / "best.keras").compile("reference")
    np.testing.assert_allclose(again.predict(X), run.predict(X), atol=1e-6)  # float32 weights


def test_a_file_that_cannot_be_written_in_the_background_is_an_error(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    save = db.ModelCheckpoint(tmp_path / "folder.safetensors", background=True)
    with pytest.raises(db.errors.DataError, match="is a folder"):
        make().fit(X, Y, 8, callbacks=[save], verbose=0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"filepath": "a.keras", "background": True}, "is only for files that end in"),
        ({"filepath": "a.safetensors", "save_freq": 0}, "save_freq"),
        ({"filepath": "a.safetensors", "mode": "up"}, "mode"),
        ({"filepath": "a.safetensors", "save_weights_only": True}, "all of the run"),
    ],
)
def test_arguments_that_do_not_fit(given, words):
    with pytest.raises((ArgumentError, db.errors.DataError), match=words):
        db.ModelCheckpoint(**given)


def test_a_name_that_cannot_be_filled_in(tmp_path):
    save = db.ModelCheckpoint(tmp_path / "{accuracy}.safetensors")
    with pytest.raises(ArgumentError, match="There are epoch, batch, loss, mean_absolute_error"):
        make().fit(X, Y, 8, callbacks=[save], verbose=0)


@pytest.mark.parametrize("save_freq", ["epoch", 2])
def test_a_training_goes_on_after_its_process_has_died(tmp_path, save_freq, caplog):
    def backup():
        return db.BackupAndRestore(tmp_path, save_freq)

    whole = make()
    whole.fit(X, Y, 8, 6, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, 8, 6, callbacks=[backup(), Fail(11)], verbose=0)
    assert names(tmp_path) == ["backup.safetensors"]
    again = make()  # as in a new process
    with caplog.at_level(logging.INFO):
        history = again.fit(X, Y, 8, 6, callbacks=[backup()], verbose=0)
    assert f"after {9 if save_freq == 'epoch' else 10} steps" in caplog.text
    assert history.epochs == [3, 4, 5]
    assert [row["epoch"] for row in again.logs] == list(range(6))
    runs.assert_equal_states(again, whole)
    assert names(tmp_path) == []


def test_a_backup_of_another_experiment(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, 8, 2, callbacks=[db.BackupAndRestore(tmp_path), Fail(4)], verbose=0)
    with pytest.raises(CheckpointError, match="another experiment"):
        make(seed=1).fit(X, Y, 8, 2, callbacks=[db.BackupAndRestore(tmp_path)], verbose=0)
