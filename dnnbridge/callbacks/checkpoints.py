"""`Checkpoint` and `ModelCheckpoint`: save a run while it trains."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, make_folder
from dnnbridge.callbacks.monitoring import AbstractMonitor, Mode, say
from dnnbridge.errors import ArgumentError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.history import Logs, numbers

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

CHECKPOINT = ".safetensors"

INSTEAD = {
    **dict.fromkeys(
        ("monitor", "mode", "save_best_only", "initial_value_threshold", "save_freq"),
        "Use ModelCheckpoint, which has it; Checkpoint saves by epoch.",
    ),
    "save_weights_only": "Leave it out: a checkpoint has weights, optimizer and position.",
    "filepath": "Write path=….",
    "verbose": "Leave it out: Checkpoint prints nothing.",
}
"""For arguments that `Checkpoint` lacks: what to write instead."""


class Checkpoint(Callback):
    """Save the run after every `every` epochs, and at the end of training.

    A run with non-finite weights never overwrites a good file: see `Run.save`.

    Args:
        path: file to write; "{epoch}" in it becomes the number of finished epochs.
        every: epochs between two files; None saves at the end only.
        make_folders: create the folder of the file if it is missing; otherwise `fit` raises.

    Example:
        >>> Checkpoint("run-{epoch}.safetensors", every=5).every
        5
    """

    first_worker_only = True

    @explained(INSTEAD, "Checkpoint")
    def __init__(
        self, path: str | Path, every: int | None = None, *, make_folders: bool = False
    ) -> None:
        from dnnbridge.training.checkpoint_file import check_name

        check_name(path)
        if every is not None:
            check_positive(every, "Checkpoint.every", ", or None")
        self.path, self.every, self.make_folders = str(path), every, make_folders

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from dnnbridge.training.checkpoint_file import check_target

        run.experiment.to_json()  # what cannot be written fails now, and not after the training
        if not self.make_folders and "{epoch}" not in str(Path(self.path).parent):
            check_target(self._file(run))

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        if self.every and (epoch + 1) % self.every == 0:
            self._save(run)

    def on_train_end(self, run: Run) -> None:
        self._save(run)

    def _file(self, run: Run) -> str:
        return self.path.replace("{epoch}", str(run.position.epoch))

    def _save(self, run: Run) -> None:
        run.save(self._file(run), make_folders=self.make_folders)


class ModelCheckpoint(AbstractMonitor):
    """Save the run after epochs or steps, or whenever a metric improves, as in Keras.

    Folders are made. A run with non-finite weights never overwrites a good file: see `Run.save`.

    Args:
        filepath: a file that ends in ".safetensors", for `load`, or in the suffix of another
            format of `Run.export`, such as ".keras". "{epoch:02d}" becomes the number of finished
            epochs, "{val_loss:.2f}" that metric of the epoch, and "{batch}", with a number as
            `save_freq`, the steps of the epoch.
        monitor: the name of the metric in the history; only for `save_best_only`.
        verbose: 1 says what is saved, 0 says nothing.
        save_best_only: save only when the metric is better than ever before, also in earlier
            calls of `fit`.
        mode: "min" if lower is better, "max" if higher is better; "auto" goes by the metric.
        save_freq: "epoch", or a number of steps, counted over the life of the run: a compiled
            call then ends at each multiple of it, so a small number costs time.
        initial_value_threshold: save nothing that is not better than this number.
        keep: delete all files but the last so many.
        background: write in a thread, while the training goes on; only for ".safetensors".

    Raises:
        ArgumentError: arguments that do not fit each other.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> save = ModelCheckpoint(folder / "run-{epoch:02d}.safetensors", keep=2)
        >>> x = [[0.0], [1.0]]
        >>> _ = run.fit(x, x, epochs=5, callbacks=[save], verbose=0)
        >>> sorted(path.name for path in folder.iterdir())
        ['run-04.safetensors', 'run-05.safetensors']
    """

    first_worker_only = True

    @explained({"save_weights_only": "Leave it out: a file has all of the run."}, "ModelCheckpoint")
    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: Mode = "auto",
        save_freq: int | Literal["epoch"] = "epoch",
        initial_value_threshold: float | None = None,
        *,
        keep: int | None = None,
        background: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        check_bool(save_best_only, "ModelCheckpoint.save_best_only")
        check_bool(background, "ModelCheckpoint.background")
        if save_freq != "epoch":
            check_positive(save_freq, "ModelCheckpoint.save_freq", ', or "epoch"')
            self.every_steps = save_freq
        if keep is not None:
            check_positive(keep, "ModelCheckpoint.keep", ", or None")
        self.filepath = str(as_path(filepath, "ModelCheckpoint.filepath"))
        self.verbose, self.keep = verbose, keep
        self.save_best_only, self.save_freq = save_best_only, save_freq
        self.best, self.background = initial_value_threshold, background
        self.monitor = monitor if save_best_only else ""
        if background and not self.filepath.endswith(CHECKPOINT):
            raise ArgumentError(
                f"is only for files that end in {CHECKPOINT}",
                where="ModelCheckpoint.background",
                got=self.filepath,
            )
        self._written = deque[Path]()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: Future[Path] | None = None

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        if self.save_best_only:
            super().on_train_begin(run, epochs, steps_per_epoch)
        self._thread = ThreadPoolExecutor(1, "dnnbridge-save") if self.background else None

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self.hears(run):
            self._save(run, run.position.epoch + 1, run.epoch_logs)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        if self.save_freq == "epoch":
            self._save(run, epoch + 1, logs)

    def on_train_end(self, run: Run) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._wait()
            self._thread = None

    def _save(self, run: Run, epoch: int, logs: Logs) -> None:
        if self.save_best_only:
            value = self.value(logs)
            if value is None or not self.better(value, self.best):
                return
            self.best = value
        path = self._path(run, epoch, logs)
        if self.verbose:
            say(self, f"epoch {epoch}: writing {path}")
        make_folder(path.parent)
        if self._thread is not None:
            from dnnbridge.training.checkpoint import Captured

            self._wait()
            self._pending = self._thread.submit(Captured.of(run).write, path)
        elif path.suffix == CHECKPOINT:
            path = run.save(path)
        else:
            run.export(path)
        self._delete_old(path)

    def _path(self, run: Run, epoch: int, logs: Logs) -> Path:
        """Return the file to write; its pattern may name the epoch, the step and metrics."""
        known = {"epoch": epoch, "batch": run.position.batch, **numbers(logs)}
        try:
            return Path(self.filepath.format_map(known))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise ArgumentError(
                "cannot be filled in",
                where="ModelCheckpoint.filepath",
                got=f"{self.filepath!r}: {type(error).__name__} {error}",
                hint=f"There are {', '.join(known)}." + _late(error),
            ) from None

    def _delete_old(self, path: Path) -> None:
        if path not in self._written:
            self._written.append(path)
        while self.keep is not None and len(self._written) > self.keep:
            self._wait()
            self._written.popleft().unlink(missing_ok=True)

    def _wait(self) -> None:
        """Wait for the file that is being written, and raise what went wrong."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()


def _late(error: Exception) -> str:
    """Return what to do if a metric of the validation is missing."""
    missing = str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
    if not missing.startswith("val_"):
        return ""
    return (
        f" {missing} is there after epochs with a validation: give validation_data, and leave "
        "validation_freq at 1."
    )
