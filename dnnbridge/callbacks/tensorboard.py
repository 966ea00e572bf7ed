"""`TensorBoard`: write event files for TensorBoard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, make_folder
from dnnbridge.base.packages import require
from dnnbridge.callbacks.graph_definition import graph_definition
from dnnbridge.callbacks.monitoring import with_rate
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_count, check_positive
from dnnbridge.training.history import Logs, numbers

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

_IMAGES = "Leave it out: weights are written as histograms."

INSTEAD = {
    "write_images": _IMAGES,
    "embeddings_freq": _IMAGES,
    "embeddings_metadata": _IMAGES,
    "profile_batch": "Leave it out: dnnbridge.training.profiling says where the time goes.",
}


class TensorBoard(Callback):
    """Write event files for TensorBoard, with the tags that Keras gives them.

    `log_dir/train` has "epoch_loss", "epoch_learning_rate" and each metric, `log_dir/validation`
    the metrics of the validation data. It needs `pip install 'dnnbridge[tensorboard]'`, and no
    TensorFlow.

    Args:
        log_dir: folder to write.
        histogram_freq: write histograms of all weights every so many epochs; 0 for never.
        write_graph: write the graph of the layers.
        write_steps_per_second: write "epoch_steps_per_second".
        update_freq: "epoch", "batch", or a number of steps after which to write "batch_loss" and
            the metrics so far: a compiled call then ends at each multiple of it.

    Raises:
        PackageNotInstalledError: when `fit` begins: tensorboardX is missing.

    Example:
        >>> TensorBoard("logs", update_freq=100).every_steps
        100
    """

    first_worker_only = True

    @explained(INSTEAD, "TensorBoard")
    def __init__(
        self,
        log_dir: str | Path = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_steps_per_second: bool = False,
        update_freq: int | Literal["epoch", "batch"] = "epoch",
    ) -> None:
        self.log_dir = as_path(log_dir, "TensorBoard.log_dir")
        self.histogram_freq = check_count(histogram_freq, "TensorBoard.histogram_freq")
        check_bool(write_graph, "TensorBoard.write_graph")
        check_bool(write_steps_per_second, "TensorBoard.write_steps_per_second")
        self.write_graph, self.write_steps_per_second = write_graph, write_steps_per_second
        if update_freq != "epoch":
            every = 1 if update_freq == "batch" else update_freq
            others = ', or "epoch" or "batch"'
            self.every_steps = check_positive(every, "TensorBoard.update_freq", others)
        self._writers: dict[str, Any] = {}
        self._clock = Clock()

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        require("tensorboard", "TensorBoard")
        make_folder(self.log_dir)
        if self.write_graph:
            from tensorboardX.proto.event_pb2 import Event

            graph = graph_definition(run.experiment.model).SerializeToString()
            self._writer("train").file_writer.add_event(Event(graph_def=graph))

    def _writer(self, part: str) -> Any:
        import tensorboardX

        if part not in self._writers:
            self._writers[part] = tensorboardX.SummaryWriter(str(self.log_dir / part))
        return self._writers[part]

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        self._clock.start(run.position.step)

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if not self.hears(run):
            return
        for name, value in numbers(run.epoch_logs).items():
            self._writer("train").add_scalar(f"batch_{name}", value, run.position.step)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        found = with_rate(run, logs)
        if self.write_steps_per_second:
            found["steps_per_second"] = self._clock.steps_per_second(run.position.step)
        for name, value in found.items():
            part = "validation" if name.startswith("val_") else "train"
            self._writer(part).add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for name, array in run.weights().items():
                self._writer("train").add_histogram(f"{name}/histogram", array, epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, run: Run) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


class Clock:
    """Measures the steps per second of an epoch."""

    def __init__(self) -> None:
        self._start, self._step = 0.0, 0

    def start(self, step: int) -> None:
        """Begin at a step."""
        self._start, self._step = time.perf_counter(), step

    def steps_per_second(self, step: int) -> float:
        """Return the steps per second since then."""
        return (step - self._step) / max(time.perf_counter() - self._start, 1e-9)
