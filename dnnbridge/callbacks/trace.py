"""`Trace`: record what a training computes, to compare it with another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path
from dnnbridge.callbacks.recorder import (
    MAX_BYTES,
    Recorder,
    about,
    checked_probe,
    checked_tensors,
    probe_print,
)
from dnnbridge.callbacks.traced_step import TracedStep
from dnnbridge.formats.traces.fingerprints import data_print
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.engine import Engine
from dnnbridge.training.history import Logs, numbers
from dnnbridge.training.locating import put_back

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

MOST_NUMBERS = 2**28
"""The most numbers of examples that are read for a fingerprint of all of them."""


class Trace(Callback):
    """Record statistics of a training, and tensors on request, to one file of bounded size.

    Steps 1, 1 + every, 1 + 2 every, … are recorded: norm, mean, standard deviation, minimum,
    maximum, share of zeros and count of non-finite numbers of each array before the step, of each
    layer's output, gradient and update, with a sketch of 16 numbers that says how far two arrays
    are apart; loss, learning rate, a fingerprint of the batch, and losses and metrics of epochs.
    `align_traces` compares two such files, which may be from two machines.

    A recorded step is computed once more, with its insides, and the run goes on as if nothing had
    been. At the 1st, 2nd, 4th, 8th … recorded step it is also computed from six slightly moved
    states, which says what rounding can do there.

    When the file would exceed its bound, every second recorded step leaves it, and `every` doubles.
    Whatever ends the process, the file can be read up to its last whole step.

    Args:
        out: file to write, such as "gpu.trace".
        every: distance of recorded steps.
        probe: a fixed batch (x, y), on which outputs and gradients are computed as in a prediction,
            without dropout and with running statistics. By default they are those of the training
            batch. A trace of a Keras or MindSpore model needs the same probe to be compared there.
        tensors: names or patterns of layers and arrays that are recorded whole, or "all".
        max_bytes: bound of the file.
        rounding: whether to compute some steps from moved states.
        append: go on with an existing file, after `load`.

    Raises:
        DataError: when `fit` has computed a step: it does not fit into a quarter of `max_bytes`.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.trace"
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> x = [[0.0], [1.0], [2.0], [3.0]]
        >>> _ = run.fit(x, x, batch_size=2, epochs=3, callbacks=[Trace(path, every=2)], verbose=0)
        >>> print(db.align_traces(path, path).verdict)
        They agree: 3 recorded steps up to step 5, all numbers equal.
    """

    @explained(name="Trace")
    def __init__(
        self,
        out: str | Path,
        every: int = 100,
        *,
        probe: tuple[Any, Any] | None = None,
        tensors: Any = (),
        max_bytes: int = MAX_BYTES,
        rounding: bool = True,
        append: bool = False,
    ) -> None:
        self.out = as_path(out, "Trace.out")
        self.every_steps = check_positive(every, "Trace.every")
        self.probe = checked_probe(probe, "Trace.probe")
        self.tensors = checked_tensors(tensors, "Trace.tensors")
        self.max_bytes = check_positive(max_bytes, "Trace.max_bytes")
        check_bool(rounding, "Trace.rounding")
        check_bool(append, "Trace.append")
        self.rounding, self.append = bool(rounding), bool(append)
        self._recorder: Recorder | None = None
        self._ended: int | None = None

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        step, again = run.position.step, self._ended is not None
        again = again and self._ended == run.position.step > 0
        head = run.with_engine(lambda engine: self._head(run, engine))
        assert self.every_steps is not None
        self._recorder = Recorder(self.out, self.every_steps, self.max_bytes, self.tensors, head)
        self._recorder.begin(self.append or again, step)

    def _head(self, run: Run, engine: Engine) -> dict[str, Any]:
        info, fitting = run._backend.info, engine.fitting
        return about(info.distributions) | {
            "kind": "run",
            "framework": info.name,
            "device": run.device,
            "spec": run.experiment.to_dict(),
            "start": run.position.step,
            "optimizer": type(run.experiment.optimizer).__name__,
            "layers": [],
            "batch_size": fitting.batch_size if fitting else None,
            "data": data_print(fitting.data, MOST_NUMBERS) if fitting else None,
            "probe": probe_print(self.probe),
        }

    def on_steps_begin(self, run: Run, steps: int) -> None:
        recorder = self._recorder
        if recorder is not None and recorder.takes(run.position.step + 1):
            run.with_engine(lambda engine: self._record(engine, recorder))

    def _record(self, engine: Engine, recorder: Recorder) -> None:
        if engine.block is None:
            return
        number = engine.state.position.step + 1
        with put_back(engine):
            step = TracedStep(engine, engine.block, self.probe)
            made, near = step.made(), None
            if self.rounding and recorder.moves:
                near = recorder.near(number, made, step.made)
        recorder.step(number, made, step.batch(), near)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        if self._recorder is not None:
            self._recorder.writer.epoch(epoch, run.position.step, numbers(logs))

    def on_train_end(self, run: Run) -> None:
        self._recorder, self._ended = None, run.position.step
