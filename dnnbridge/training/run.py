"""`Run`: an experiment compiled for a backend, with its weights."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Never

from dnnbridge.backend.protocol import Backend
from dnnbridge.backend.workers import Workers
from dnnbridge.base.calling import explained
from dnnbridge.errors import RunError
from dnnbridge.metrics.base import MetricValue
from dnnbridge.program.program import Program
from dnnbridge.specs.former_names import former_arguments
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.elsewhere import EVALUATE, FIT, PREDICT
from dnnbridge.training.engine import Engine
from dnnbridge.training.evaluating import evaluate
from dnnbridge.training.fit_arguments import Verbose, check_monitors, checked_verbose, last_epoch
from dnnbridge.training.fit_data import Given, prepared, to_evaluate, to_predict
from dnnbridge.training.history import History, Logs
from dnnbridge.training.hooks import checked_callbacks
from dnnbridge.training.loop import Loop
from dnnbridge.training.nonfinite import NonFiniteGuard, OnNonFinite, checked_choice
from dnnbridge.training.predicting import predict
from dnnbridge.training.progress import progress_callbacks
from dnnbridge.training.run_arrays import AbstractRunArrays
from dnnbridge.training.sources.recognising import Batches
from dnnbridge.training.transfer import Transfer
from dnnbridge.training.turns import Turns, in_turn, one_at_a_time

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment

log = logging.getLogger(__name__)


class Run(AbstractRunArrays):
    """An experiment compiled for a backend. Made by `dnnbridge.compile` and `dnnbridge.load`.

    Attributes:
        experiment: the spec.
        backend: name of the backend.
        device: name of the device.
        workers: how many workers share each batch.
        transfer: what `with_experiment` took over from the run before; None for a new one.
        history: of the last `fit`, also of one that was interrupted.
        logs: a row for each epoch of the run's life, also before `load`: "epoch", losses, metrics.
    """

    def __init__(
        self,
        experiment: Experiment,
        program: Program,
        backend: Backend,
        device: str,
        workers: Workers | None = None,
    ):
        self.experiment, self.backend, self.device = experiment, backend.info.name, device
        self.transfer: Transfer | None = None
        self.history = History()
        self._logs: list[dict[str, MetricValue]] = []
        self._backend = backend
        self._engine = Engine(experiment, program, backend, device, workers)
        self._turns = Turns()

    @former_arguments(progress="verbose")
    @explained(FIT)
    @one_at_a_time
    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        validation_data: Batches | None = None,
        *,
        verbose: Verbose = "auto",
        callbacks: Iterable[Callback] = (),
        validation_split: float = 0.0,
        validation_freq: int | Collection[int] = 1,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int | None = None,
        steps_per_epoch: int | None = None,
        steps_per_call: int | Literal["auto"] = "auto",
        on_nonfinite: OnNonFinite = "stop",
    ) -> History:
        """Train for some epochs and return losses and metrics per epoch.

        A second call, or a call after `load`, goes on where the last one stopped: fit(3 epochs)
        and fit(2 epochs) make the same run as fit(5 epochs).

        Ctrl-C, or what a callback raises, ends it between two compiled calls: weights and
        `position` are those of the same step, `history` has what came before, and a further
        call goes on. Signals that Python handles wait for the end of the call that runs.

        Args:
            x: inputs, one row per example; for a model with several inputs a list of arrays in
                its order, or a dictionary by their names. Arrays may be frames of pandas or polars,
                and sparse or in files; these are read and checked batch by batch.
                Or a source of batches (x, y) or (x, y, sample_weight), each of which is a step: a
                list, a generator, a `tf.data.Dataset`, a `mindspore.dataset`, a PyTorch loader, a
                `keras.utils.PyDataset`, `Shuffled`, or what iterates anew for each epoch.
            y: labels, one row per example; for a model with several outputs a dictionary by
                their names, or a list in the order of the heads. None for a source of batches. Of
                shape (n,) or (n, 1) where each example has one number.
            batch_size: examples per step; the last step of an epoch may have fewer. By default 32,
                or the batch_size of the model's `Input`, which it fixes. None for a source.
            epochs: how many to train; with `initial_epoch`, the number of the last one.
            validation_data: (x, y) or (x, y, sample_weight), or a source of batches, to evaluate
                after every epoch.
            verbose: "auto" shows a bar on a terminal, a line that changes in a notebook, and a
                line per epoch elsewhere; 0 nothing, 1 the bar or the changing line, 2 a line per
                epoch. All of it goes to the standard error output, in a notebook below the cell.
            callbacks: called while training, see `dnnbridge.callbacks`.
            validation_split: the part of the examples, between 0 and 1, to evaluate after every
                epoch in place of `validation_data`: the last ones, before any shuffling.
            validation_freq: evaluate after every so many epochs, or after the epochs with these
                numbers, counted from 1.
            shuffle: whether each epoch has its own order, drawn from the seed: of the examples of
                arrays, or of the batches of a source that gives each by its number. The order of
                any other source stays as it is; see `Shuffled`.
            class_weight: a factor per class number, a dictionary or a list, which multiplies the
                sample weights; a class that is not named has 1.
            sample_weight: a factor per example in the loss, or with a `TimeDistributedLoss` per
                step, of shape (batch, time). What a batch is divided by is the reduction of the
                loss. Metrics do not use it. For several outputs one array, or a dictionary by
                their names.
            initial_epoch: the epochs that the run has finished, as in Keras. It knows them, so
                another number is an error.
            steps_per_epoch: batches of an epoch; the next epoch goes on in the data, and the one
                that reaches their end is shorter. A source that never ends needs it.
            steps_per_call: steps per compiled call; "auto" makes them as many as need 16 MiB and
                200 GFLOP, at most 128. The numbers do not depend on it; callbacks hear of all
                steps of a call when it is done, and may ask for fewer.
            on_nonfinite: what to do when the loss of a step, or what the last step made of the
                weights, is infinite or NaN: "stop" ends the training after the call in which it
                was, "raise" raises then, "warn" goes on. `History.nonfinite_step` says which step
                it was. Steps that a `DynamicLossScale` leaves out have a finite loss.

        Raises:
            DataError, DTypeError: the arrays do not fit the spec; nothing has been trained. Or a
                row that was read while training does not; the run is at the batch before it. What
                a source raises comes as it is, with a note of the batch.
            StateError: an error stopped an earlier call while it was changing weights.
            NonFiniteError: with on_nonfinite="raise".
            RunError: this run is being fitted already.

        Example:
            >>> import dnnbridge as db, numpy as np
            >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
            >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
            >>> x, y = np.ones((6, 2)), np.ones((6, 1))
            >>> _ = run.fit(x, y, batch_size=2, epochs=2, verbose=0)
            >>> _ = run.fit([(x[:4], y[:4]), (x[4:], y[4:])], verbose=0)
            >>> run.position.step
            8
        """
        engine, done = self._engine, self.position.epoch
        engine.check_whole()
        given = Given(
            *(x, y, batch_size, sample_weight, class_weight, shuffle, steps_per_epoch),
            *(validation_data, validation_split, validation_freq),
        )
        until = last_epoch(epochs, initial_epoch, done)
        hooks = [*checked_callbacks(callbacks), *progress_callbacks(checked_verbose(verbose))]
        fitting, validation = prepared(engine, given, steps_per_call, hooks, until)
        check_monitors(hooks, validation)
        # All workers have calls of the same steps, so that a callback can end them together.
        hooks = [hook for hook in hooks if self.is_first_worker or not hook.first_worker_only]
        engine.state.check_heard(validation is not None)
        fitting.begin(engine.state)
        self._logs, self.history, engine.stopped = self.logs, History(), False
        guard = NonFiniteGuard(checked_choice(on_nonfinite), self.history)
        Loop(self, engine, fitting, validation, hooks, guard, self.history).train(until)
        return self.history

    @property
    def logs(self) -> list[dict[str, MetricValue]]:
        """A row for each epoch of the run's life, also before `load`."""
        return [*self._logs, *self.history.rows()]

    @logs.setter
    def logs(self, rows: list[dict[str, MetricValue]]) -> None:
        self._logs = list(rows)
        if self.history.epochs:
            self.history = History()

    @property
    def workers(self) -> int:
        """How many workers share each batch; 1 unless `compile` was given or found more."""
        return self._engine.workers.count if self._engine.workers else 1

    @property
    def is_first_worker(self) -> bool:
        """Whether this process writes the files of the run: worker 0 does, for all workers."""
        return self._engine.workers is None or not self._engine.workers.rank

    def stop(self) -> None:
        """Let `fit` return after the steps that are running; for callbacks."""
        self._engine.stopped = True

    @explained(EVALUATE)
    @in_turn
    def evaluate(
        self, x: Any, y: Any = None, batch_size: int | None = None, *, sample_weight: Any = None
    ) -> Logs:
        """Return the loss and every metric, exact means over all examples, without training.

        By default a step has 256 examples, or as many as the model's `Input` fixes. In place of
        `x`, `y` and the rest there may be a source of batches, as in `fit`.
        """
        self._engine.check_whole()
        data, size = to_evaluate(self._engine, x, y, batch_size, sample_weight)
        return evaluate(self._engine, data, size)

    @explained(PREDICT)
    @in_turn
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        *,
        training: bool = False,
        samples: int | None = None,
    ) -> Any:
        """Return the model's output for every example, in order.

        Args:
            x: inputs, as `fit` takes them; or a source of batches of inputs, of which labels are
                left out. A list is one of inputs; iter([…]) gives batches.
            batch_size: examples per step; by default 256, or the batch_size of the model's `Input`.
            training: draw noise and dropout as in training, anew for every sample (Monte Carlo
                dropout; Gal & Ghahramani, 2016). Normalisation keeps its running statistics. The
                draws are those of the seed and of `batch_size`.
            samples: how many predictions to draw, along a new first axis; only with `training`.

        Returns:
            An array; for a model with several outputs a dictionary of them by name.
        """
        self._engine.check_whole()
        data, size = to_predict(self._engine, x, batch_size)
        outputs = predict(self._engine, data, size, training, samples)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    @explained()
    @in_turn
    def with_experiment(self, experiment: Experiment) -> Run:
        """Compile another experiment on this backend, and keep the weights that fit.

        An array is kept if the new model has one of its name and shape; the others start as in a
        new run, and so do the optimizer and the count of steps. What became of each is logged,
        and is the attribute `transfer` of the run that is returned. This run stays as it is.

        Example:
            >>> import dnnbridge as db
            >>> model = db.Sequential([db.Input((2,)), db.Dense(3), db.Dense(1, name="head")])
            >>> new = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1), frozen=["dense/*"])
            >>> run = db.compile(new, "reference")
            >>> print(run.with_experiment(new.replace(frozen=(), optimizer=db.SGD(0.01))).transfer)
            kept dense/kernel, dense/bias, head/kernel, head/bias
        """
        from dnnbridge.training.compiling import compile_for

        run = compile_for(self._backend, experiment, self.device, self._engine.workers)
        run.transfer = Transfer.between(self._engine.program, run._engine.program)
        run._engine.write(run.transfer.carried(self.state()))
        log.info("%s", run.transfer)
        return run

    @property
    def compilations(self) -> int:
        """How often the backend has compiled something for this run.

        It compiles nothing that a run of the same experiment, which is gone, has left.
        """
        return self._engine.compilations

    @explained()
    @in_turn
    def save(self, path: str | Path, *, make_folders: bool = False) -> Path:
        """Write everything needed to go on, on any backend, to one safetensors file.

        All of it is written or, after a crash, the old file stays. A run whose weights are not
        finite is written beside the file, never over it, and a warning says so.

        Of several workers only the first writes; others return at once.

        Args:
            path: file to write.
            make_folders: make the folder and those above it where they are missing.

        Returns:
            The file: "run.nonfinite.safetensors" for "run.safetensors" where something in the run
            is not finite.

        Raises:
            CheckpointError: the folder does not exist, or the name is that of another format.
        """
        from dnnbridge.training.checkpoint import save

        if not self.is_first_worker:
            return Path(path)
        return save(self, path, make_folders=make_folders)

    @explained()
    @in_turn
    def export(self, path: str | Path, format: str | None = None) -> Path:
        """Write the run for another framework. Of several workers only the first writes.

        Args:
            path: file to write.
            format: "keras": a `.keras` file, which Keras 3 loads; Keras itself is not needed here.
                "onnx": the prediction as an `.onnx` file, for batches of any size; it needs
                `pip install 'dnnbridge[onnx]'`.
                "python-tensorflow": a readable `.py` file of Keras layers with a function that
                trains on, and its weights beside it. "python-mindspore": the same of plain
                MindSpore. "saved_model": a folder for TensorFlow Serving; it needs TensorFlow.
                "mindir": a file for MindSpore's inference; it needs MindSpore. By default the
                format of the file's ending, if it has one of its own.

        Raises:
            ConversionError: the format is unknown, or lacks something of the experiment. The
                message names all that it lacks. Or ONNX Runtime, where it is installed, predicts
                other numbers than this run.
            PackageNotInstalledError: the package onnx is missing.
        """
        from dnnbridge.training.exporting import export, trained

        if not self.is_first_worker:
            return Path(path)
        return export(trained(self, self._engine), path, format)

    def _repr_html_(self) -> str:
        from dnnbridge.training.run_page import html_of

        return html_of(self, self._engine.program)

    def __reduce_ex__(self, protocol: object) -> Never:
        raise RunError(
            "a run cannot be pickled or copied: its compiled steps belong to this process",
            where=type(self).__name__,
            hint="Write run.save(path) and load(path); or keep run.experiment and run.weights().",
        )
