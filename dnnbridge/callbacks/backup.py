"""`BackupAndRestore`: go on with a training after the process has died."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, make_folder
from dnnbridge.errors import CheckpointError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment
    from dnnbridge.training.run import Run

log = logging.getLogger(__name__)


class BackupAndRestore(Callback):
    """Go on with a training after its process has died: start the same program again.

    The run is saved while it trains. When `fit` begins and there is such a file, the run goes on
    from it, up to the same last epoch, along the same trajectory. After a training that came to
    its end, the file is deleted.

    Args:
        backup_dir: folder of the file; it is made, also if it vanishes during the training.
        save_freq: "epoch", or a number of steps: a compiled call then ends at each multiple of it.
        delete_checkpoint: whether to delete the file at the end.

    Raises:
        CheckpointError: when `fit` begins: the file is of another experiment, or damaged.
        FileError: the folder cannot be made, or the file cannot be written.

    Example:
        >>> import dnnbridge as db, tempfile
        >>> BackupAndRestore(tempfile.mkdtemp(), save_freq=100).every_steps
        100
    """

    @explained(
        {"double_checkpoint": "Leave it out: the former file stays until the new one is whole."},
        "BackupAndRestore",
    )
    def __init__(
        self,
        backup_dir: str | Path,
        save_freq: int | Literal["epoch"] = "epoch",
        *,
        delete_checkpoint: bool = True,
    ) -> None:
        if save_freq != "epoch":
            self.every_steps = check_positive(
                save_freq, "BackupAndRestore.save_freq", ', or "epoch"'
            )
        check_bool(delete_checkpoint, "BackupAndRestore.delete_checkpoint")
        self.file = as_path(backup_dir, "BackupAndRestore.backup_dir") / "backup.safetensors"
        self.save_freq, self.delete_checkpoint = save_freq, delete_checkpoint

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from dnnbridge.training.checkpoint import restore

        make_folder(self.file.parent)
        if not self.file.exists():
            return

        def same(experiment: Experiment) -> Run:
            if experiment != run.experiment:
                raise CheckpointError(
                    "the backup is of another experiment",
                    where=str(self.file),
                    hint="Delete it, or give each experiment a folder of its own.",
                )
            return run

        restore(self.file, same)
        log.info("the run goes on from %s, after %d steps", self.file, run.position.step)

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self.hears(run):
            run.save(self.file, make_folders=True)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        if self.save_freq == "epoch":
            run.save(self.file, make_folders=True)

    def on_train_end(self, run: Run) -> None:
        if run.finished and self.delete_checkpoint and run.is_first_worker:
            self.file.unlink(missing_ok=True)
