"""Callbacks: code that `fit` calls while a run trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnnbridge.base.calling import explained
from dnnbridge.training.elsewhere import CHECKPOINT
from dnnbridge.training.history import Logs
from dnnbridge.training.hooks import PREFIX, check_hooks

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


class Callback:
    """Base of callbacks; override what you need.

    A method whose name begins with "on_" must be one of these hooks.

    Several steps run in one compiled call, and `on_steps_end` is called once for all of them.
    Pass `steps_per_call=1` to `fit` for one call per step.
    """

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        hooks = {name: hook for name, hook in vars(Callback).items() if name.startswith(PREFIX)}
        check_hooks(cls, hooks)

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        """`fit` is about to train."""

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        """Some steps are done; `losses` are theirs."""

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        """An epoch, counted from 0, is done; `logs` has its losses and metrics."""

    def on_train_end(self, run: Run) -> None:
        """`fit` is about to return, after the last epoch or an error."""


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

    @explained(CHECKPOINT, "Checkpoint")
    def __init__(
        self, path: str | Path, every: int | None = None, *, make_folders: bool = False
    ) -> None:
        from dnnbridge.training.checking.data import check_positive
        from dnnbridge.training.checkpoint_file import check_name

        check_name(path)
        if every is not None:
            check_positive(every, "Checkpoint.every", ", or None")
        self.path, self.every, self.make_folders = str(path), every, make_folders

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from dnnbridge.training.checkpoint_file import check_target

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
