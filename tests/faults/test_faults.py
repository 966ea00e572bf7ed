"""Whatever fails while a run trains: one clear error, the original one, and a valid checkpoint."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, FileError

faults = importlib.import_module("faults.injecting")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = RNG.normal(size=(24, 2)).astype(np.float32)
EPOCHS, FAILS = 4, 2
"""The fault comes in the epoch of this number, counted from 0, so two epochs are saved."""

BACKENDS = ["reference", "tensorflow", "mindspore"]


def make(backend="reference"):
    if backend != "reference":
        pytest.importorskip(backend)
    layers = [db.Dense(24, "tanh"), db.BatchNormalization(), db.Dropout(0.2), db.Dense(2)]
    model = db.Sequential([db.Input((4,)), *layers])
    return db.compile(db.Experiment(model, "mse", db.Adam(0.01), seed=3), backend)


@pytest.fixture(scope="module", params=BACKENDS)
def undisturbed(request):
    """A backend, and the state of a training without a fault."""
    run = make(request.param)
    run.fit(X, Y, 8, EPOCHS, verbose=0)
    return request.param, run.state()


class Inject(db.Callback):
    """Let the system fail from an epoch on."""

    def __init__(self, inject, patch):
        self.inject, self.patch = inject, patch

    def on_epoch_begin(self, run, epoch):
        if epoch == FAILS:
            self.inject(self.patch)


SAVING = {
    "Checkpoint": lambda folder: db.Checkpoint(folder / "run.safetensors", every=1),
    "ModelCheckpoint": lambda folder: db.ModelCheckpoint(folder / "run.safetensors"),
    "background": lambda folder: db.ModelCheckpoint(folder / "run.safetensors", background=True),
    "BackupAndRestore": lambda folder: db.BackupAndRestore(folder),
}
"""What saves a run after every epoch."""


def check_goes_on(folder, backend, state, behind=0):
    """The folder has one file, and a run that goes on from it ends as without the fault."""
    (path,) = folder.iterdir()
    run = db.load(path, backend)
    assert FAILS - behind <= run.position.epoch <= FAILS
    run.fit(X, Y, 8, EPOCHS - run.position.epoch, verbose=0)
    for name, array in state.items():
        np.testing.assert_array_equal(run.state()[name], array, err_msg=name)


def fails_while_saving(kind, fault, folder, backend):
    inject, number, hint = faults.SYSTEM[fault]
    run = make(backend)
    with pytest.MonkeyPatch.context() as patch:
        callbacks = [SAVING[kind](folder), Inject(inject, patch)]
        with pytest.raises(FileError) as caught:
            run.fit(X, Y, 8, EPOCHS, callbacks=callbacks, verbose=0)
    error = caught.value
    assert (error.errno, type(error.__cause__)) == (number, type(OSError(number, "")))
    assert f"cannot be written, got {os.strerror(number)}. " in str(error)
    assert hint in error.hint
    assert str(error).endswith("The file that was there before is as it was.")
    assert error.where.endswith(".safetensors")


@pytest.mark.parametrize("fault", faults.SYSTEM)
def test_a_file_that_cannot_be_written(fault, tmp_path, undisturbed):
    """All faults on the reference, one on each framework."""
    backend, state = undisturbed
    if backend != "reference" and fault != "disk full in the header":
        return
    for kind in SAVING if backend == "reference" else ["BackupAndRestore"]:
        (folder := tmp_path / kind).mkdir()
        fails_while_saving(kind, fault, folder, backend)
        # A file that a thread writes may not be there yet when the fault comes.
        check_goes_on(folder, backend, state, behind=int(kind == "background"))


def test_each_fault_happens(tmp_path):
    """A fault that does not happen would prove nothing: without it, a file is written."""
    run = make()
    for name, (inject, number, _) in faults.SYSTEM.items():
        path = run.save(tmp_path / f"{number}.safetensors")
        assert path.stat().st_size > 9000, name
        with pytest.MonkeyPatch.context() as patch:
            inject(patch)
            with pytest.raises(FileError):
                run.save(path)


class Raising(db.Callback):
    every_steps = 1

    def __init__(self, hook, error):
        self.hook, self.error = hook, error

    def _now(self, run):
        if run.position.epoch == FAILS:
            raise self.error

    def on_steps_end(self, run, losses):
        if self.hook == "on_steps_end":
            self._now(run)

    def on_epoch_begin(self, run, epoch):
        if self.hook == "on_epoch_begin":
            self._now(run)


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_steps_end"])
def test_a_callback_that_raises(hook, tmp_path, undisturbed):
    backend, state = undisturbed
    error = KeyError("a bug of the user")
    callbacks = [db.BackupAndRestore(tmp_path), Raising(hook, error)]
    with pytest.raises(KeyError) as caught:
        make(backend).fit(X, Y, 8, EPOCHS, callbacks=callbacks, verbose=0)
    assert caught.value is error
    check_goes_on(tmp_path, backend, state)


def test_a_source_that_raises(tmp_path):
    """Data files that vanish, and generators with a bug."""
    for k in range(3):
        np.savez(tmp_path / f"{k}.npz", x=X[8 * k : 8 * k + 8], y=Y[8 * k : 8 * k + 8])

    class Files:
        def __iter__(self):
            for k in range(3):
                with np.load(tmp_path / f"{k}.npz") as file:
                    yield file["x"], file["y"]

    class Remove(db.Callback):
        def on_epoch_begin(self, run, epoch):
            if epoch == FAILS:
                (tmp_path / "1.npz").unlink()

    whole = make()
    whole.fit(Files(), epochs=EPOCHS, verbose=0)
    (folder := tmp_path / "saved").mkdir()
    callbacks = [db.BackupAndRestore(folder), Remove()]
    with pytest.raises(FileNotFoundError, match=r"1\.npz") as caught:
        make().fit(Files(), epochs=EPOCHS, callbacks=callbacks, verbose=0)
    assert "asked for batch 2" in caught.value.__notes__[0]
    np.savez(tmp_path / "1.npz", x=X[8:16], y=Y[8:16])
    (path,) = folder.iterdir()
    run = db.load(path, "reference")
    run.fit(Files(), epochs=EPOCHS - run.position.epoch, verbose=0)
    for name, array in whole.state().items():
        np.testing.assert_array_equal(run.state()[name], array, err_msg=name)


def test_the_first_error_is_raised_when_saving_fails_too(tmp_path, caplog):
    """A callback saves at the end, also after an error; there the disk is full."""
    error = ValueError("what really happened")
    raising = Raising("on_steps_end", error)
    with pytest.MonkeyPatch.context() as patch:
        callbacks = [db.Checkpoint(tmp_path / "run.safetensors"), Inject(faults.full(0), patch)]
        with pytest.raises(ValueError, match="really") as caught:
            make().fit(X, Y, 8, EPOCHS, callbacks=[*callbacks, raising], verbose=0)
    assert caught.value is error
    assert "Checkpoint: " in caplog.text
    assert "cannot be written, got No space left on device" in caplog.text


@pytest.mark.parametrize(
    ("make_bad", "words"),
    [
        (lambda path: path.write_text("a file"), "the folder cannot be made"),
        (lambda path: path.symlink_to("nowhere/at/all"), "the folder cannot be made"),
    ],
    ids=["a file", "a dangling link"],
)
def test_a_folder_that_cannot_be_made(make_bad, words, tmp_path):
    make_bad(tmp_path / "folder")
    for saving in (
        db.BackupAndRestore(tmp_path / "folder"),
        db.ModelCheckpoint(tmp_path / "folder" / "run.safetensors"),
    ):
        with pytest.raises(FileError, match=words) as caught:
            make().fit(X, Y, 8, 1, callbacks=[saving], verbose=0)
        assert isinstance(caught.value.__cause__, OSError)


def test_a_folder_that_vanishes(tmp_path):
    class Move(db.Callback):
        def on_epoch_begin(self, run, epoch):
            if epoch == FAILS:
                (tmp_path / "kept").rename(tmp_path / "elsewhere")

    class Remove(db.Callback):
        def on_epoch_end(self, run, epoch, logs):
            if epoch == FAILS:
                for path in (*tmp_path.rglob("*.safetensors"), tmp_path / "folder"):
                    path.unlink() if path.is_file() else path.rmdir()

    callbacks = [Remove(), db.BackupAndRestore(tmp_path / "folder", delete_checkpoint=False)]
    make().fit(X, Y, 8, EPOCHS, callbacks=callbacks, verbose=0)
    assert db.load(tmp_path / "folder" / "backup.safetensors").position.epoch == EPOCHS

    (tmp_path / "kept").mkdir()
    callbacks = [db.Checkpoint(tmp_path / "kept" / "run.safetensors", every=1), Move()]
    with pytest.raises(DnnbridgeError, match=r"folder does not exist.*give make_folders=True"):
        make().fit(X, Y, 8, EPOCHS, callbacks=callbacks, verbose=0)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder where nobody makes files")
def test_a_folder_that_was_never_there_and_cannot_be_made():
    with pytest.raises(FileError, match=r"/proc/x: the folder cannot be made.* give another"):
        make().fit(X, Y, 8, 1, callbacks=[db.BackupAndRestore("/proc/x")], verbose=0)


READ_ONLY = """
import os, sys
import dnnbridge as db
from faults.test_faults import X, Y, make
from dnnbridge.errors import FileError
def train(folder):
    make().fit(X, Y, 8, 1, callbacks=[db.BackupAndRestore(folder)], verbose=0)
train(sys.argv[1])  # imports all that another user may not read
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
else:
    os.chmod(sys.argv[2], 0o555)
try:
    train(sys.argv[2])
except FileError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_folder_where_the_user_may_not_write():
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        own, others = Path(place) / "own", Path(place) / "others"
        own.mkdir()
        others.mkdir(mode=0o755)
        command = [sys.executable, "-c", READ_ONLY, str(own), str(others)]
        tests = Path(__file__).parents[1]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tests)
        words = "cannot be written, got Permission denied. Write to a folder where you may"
        assert words in done.stdout, done.stderr
        assert list(others.iterdir()) == []
        others.chmod(0o755)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_log_on_a_full_disk():
    with pytest.raises(FileError, match="/dev/full: cannot be written, got No space left"):
        make().fit(X, Y, 8, 1, callbacks=[db.CSVLogger("/dev/full")], verbose=0)
