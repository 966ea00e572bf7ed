"""Record a training in a folder, so that another process can compare it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from dnnbridge.base.arrays import Array
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs, numbers
from dnnbridge.training.run import Run

FILE = "recording.json"


@dataclass
class Recording:
    """A recorded training; the weights are read from the folder on demand.

    Attributes:
        backend: name of the backend.
        device: name of the device.
        versions: versions by package.
        start_seconds: time to import the framework and compile.
        first_call_seconds: time of the first call of the step, including compilation.
        epochs: losses and metrics of every epoch, and "seconds": its time without validation.
        step_losses: loss of every step.
        steps_per_epoch: steps in an epoch.
    """

    backend: str
    device: str
    versions: dict[str, str]
    start_seconds: float
    first_call_seconds: float = 0.0
    epochs: list[dict[str, float]] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    steps_per_epoch: int = 0
    folder: Path = Path()

    def parameters(self, epoch: int) -> dict[str, Array]:
        """Return the weights after an epoch; 0 is before training."""
        arrays: dict[str, Array] = load_file(_parameter_file(self.folder, epoch))
        return arrays

    def write(self) -> None:
        """Write everything but the weights to the folder."""
        content = {name: value for name, value in asdict(self).items() if name != "folder"}
        (self.folder / FILE).write_text(json.dumps(content))

    @classmethod
    def read(cls, folder: Path) -> Recording:
        """Read the recording that a `Recorder` wrote."""
        return cls(**json.loads((folder / FILE).read_text()), folder=folder)


class Recorder(Callback):
    """Record a training in the folder of a `Recording`.

    Args:
        recording: the recording to fill, and to write at the end.

    Example:
        >>> import dnnbridge as db, tempfile
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
        >>> folder = Path(tempfile.mkdtemp())
        >>> run = db.compile(experiment, backend="reference")
        >>> recorder = Recorder(Recording("reference", "cpu", {}, 0.0, folder=folder))
        >>> _ = run.fit([[1.0], [2.0]], [[2.0], [4.0]], callbacks=[recorder])
        >>> sorted(Recording.read(folder).parameters(1))
        ['dense/bias', 'dense/kernel']
    """

    first_worker_only = True

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._start = self._trained = time.perf_counter()

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self.recording.steps_per_epoch = steps_per_epoch
        self._save(run, 0)
        self._start = time.perf_counter()

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self._trained = time.perf_counter()
        if not self.recording.step_losses:
            self.recording.first_call_seconds = self._trained - self._start
        self.recording.step_losses += losses

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        # Of a stream the length is known only now.
        self.recording.steps_per_epoch = self.recording.steps_per_epoch or len(
            self.recording.step_losses
        )
        self.recording.epochs.append(numbers(logs) | {"seconds": self._trained - self._start})
        self._save(run, len(self.recording.epochs))
        self._start = time.perf_counter()

    def on_train_end(self, run: Run) -> None:
        self.recording.write()

    def _save(self, run: Run, epoch: int) -> None:
        arrays = {name: np.ascontiguousarray(array) for name, array in run.parameters().items()}
        save_file(arrays, _parameter_file(self.recording.folder, epoch))


def _parameter_file(folder: Path, epoch: int) -> Path:
    return folder / f"parameters-{epoch}.safetensors"
