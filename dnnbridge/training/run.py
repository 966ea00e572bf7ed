"""`Run`: an experiment compiled for a backend, with its weights."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Never

import numpy as np

from dnnbridge.backend.protocol import Backend
from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.interrupts import Move, Waiting
from dnnbridge.base.messages import what
from dnnbridge.emit.declarations import MASK
from dnnbridge.errors import DataError, DTypeError, RunError, StateError
from dnnbridge.program.program import Program
from dnnbridge.training import reuse
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.arguments import Arguments
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.checking.fed import FedRows
from dnnbridge.training.elsewhere import EVALUATE, FIT, PREDICT
from dnnbridge.training.feeding.batches import Batches, Block, examples_of, power_of_two
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.feeding.feeds import schedule_feeds
from dnnbridge.training.fitting import Fitting, automatic_steps, checked_steps
from dnnbridge.training.history import History, Logs
from dnnbridge.training.hooks import checked_callbacks
from dnnbridge.training.nonfinite import NonFiniteGuard, OnNonFinite, checked_choice
from dnnbridge.training.position import Position
from dnnbridge.training.predicting import predict
from dnnbridge.training.progress import progress_callback
from dnnbridge.training.state import (
    check_named,
    checked_arrays,
    checked_optimizer,
    initial_state,
)
from dnnbridge.training.totals import Totals, checked_sums
from dnnbridge.training.train_state import TrainState
from dnnbridge.training.transfer import Transfer
from dnnbridge.training.turns import Turns, in_turn, one_at_a_time

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment
    from dnnbridge.optimizers import AbstractOptimizer
    from dnnbridge.schedules import AbstractSchedule

log = logging.getLogger(__name__)

Pair = tuple[Any, Any]
Arrays = dict[str, Array]


class Run:
    """An experiment compiled for a backend. Made by `dnnbridge.compile` and `dnnbridge.load`.

    Attributes:
        experiment: the spec.
        backend: name of the backend.
        device: name of the device.
        transfer: what `with_experiment` took over from the run before; None for a new one.
        history: of the last `fit`, also of one that was interrupted.
    """

    def __init__(self, experiment: Experiment, program: Program, backend: Backend, device: str):
        self.experiment, self.backend, self.device = experiment, backend.info.name, device
        self.transfer: Transfer | None = None
        self._backend, self._program = backend, program
        self._arguments = Arguments(experiment.model.input_types, program)
        self._fed = FedRows(experiment.model.input_types, program)
        self._state = TrainState(experiment, program)
        self._buffers = {"fit": Buffers(turns=2), "evaluate": Buffers()}
        self._stopped, self._torn, self.history = False, "", History()
        self._turns = Turns()
        key = reuse.key_of(program, backend, device)
        self._executable = reuse.take(key) or backend.compile(program, device)
        weakref.finalize(self, reuse.give, key, self._executable, program).atexit = False
        self._compiled_before = self._executable.compilations
        self._executable.write(initial_state(program, experiment.seed))

    @explained(FIT)
    @one_at_a_time
    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: Pair | None = None,
        *,
        sample_weight: Any = None,
        class_weight: Any = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        progress: bool = False,
        steps_per_call: int | Literal["auto"] = "auto",
        on_nonfinite: OnNonFinite = "stop",
    ) -> History:
        """Train for some epochs and return losses and metrics per epoch.

        A second call, or a call after `load`, goes on where the last one stopped: fit(3 epochs)
        and fit(2 epochs) make the same run as fit(5 epochs).

        Ctrl-C, or what a callback raises, ends it between two compiled calls: weights and
        `progress` are those of the same step, `history` has what came before, and a further
        call goes on. Signals that Python handles wait for the end of the call that runs.

        Args:
            x: inputs, one row per example; for a model with several inputs a list of arrays in
                its order, or a dictionary by their names.
            y: labels, one row per example; for a model with several outputs a dictionary by
                their names, or a list in the order of the heads.
            batch_size: examples per step; the last step of an epoch may have fewer.
            epochs: how many to train.
            validation_data: inputs and labels, and weights if there are any, to evaluate after
                every epoch.
            sample_weight: a factor per example in the loss; what a batch is divided by is the
                reduction of the loss. Metrics do not use it. For several outputs one array, or a
                dictionary by their names.
            class_weight: a factor per class number, a dictionary or a list, which multiplies the
                sample weights; a class that is not named has 1.
            shuffle: whether each epoch has its own order, drawn from the seed.
            callbacks: called while training.
            progress: show a bar on a terminal, a line per epoch elsewhere.
            steps_per_call: steps per compiled call; "auto" makes them as many as need 24 MiB and
                200 GFLOP, at most 128. The numbers do not depend on it; callbacks hear of all
                steps of a call when it is done.
            on_nonfinite: what to do when the loss of a step, or what the last step made of the
                weights, is infinite or NaN: "stop" ends the training after the call in which it
                was, "raise" raises then, "warn" goes on. `History.nonfinite_step` says which step
                it was. Steps that a `DynamicLossScale` leaves out have a finite loss.

        Raises:
            DataError, DTypeError: the arrays do not fit the spec; nothing has been trained.
            StateError: an error stopped an earlier call while it was changing weights.
            NonFiniteError: with on_nonfinite="raise".
            RunError: this run is being fitted already.
        """
        self._check_whole()
        check_bool(shuffle, "shuffle")
        check_bool(progress, "progress")
        data = self._arguments.data(x, y, sample_weight, class_weight)
        validation = (
            None if validation_data is None else self._arguments.validation(validation_data)
        )
        count = examples_of(data)
        batch_size = min(check_positive(batch_size, "batch_size"), count)
        epochs, per_call = check_positive(epochs, "epochs"), checked_steps(steps_per_call)
        self._state.check_heard(validation is not None)
        self._state.begin(count, batch_size)
        fitting = Fitting(
            *(self._program, self._executable, self.device, data, batch_size, per_call),
            *(self.experiment.seed, shuffle, self._buffers["fit"], self._fed),
        )
        history, self._stopped = History(), False
        self.history = history
        guard = NonFiniteGuard(checked_choice(on_nonfinite), history)
        hooks = [*checked_callbacks(callbacks), *([progress_callback()] if progress else []), guard]
        with ExitStack() as ending:
            ending.push(self._left)
            for hook in hooks:
                hook.on_train_begin(self, epochs, fitting.steps)
                ending.callback(self._end_training, hook)
            waiting = ending.enter_context(Waiting())
            if self.progress.batch == fitting.steps:  # saved before the end of its epoch
                self._end_epoch(validation, batch_size, history, hooks)
                epochs -= 1
            blocks = fitting.blocks(self.progress, 0 if self._stopped else epochs)
            for block in ending.enter_context(closing(blocks)):
                self._train(block, count, history, hooks, waiting)
                if block.last:
                    self._end_epoch(validation, batch_size, history, hooks)
                if self._stopped:
                    break
            guard.end(self)
        return history

    @property
    def progress(self) -> Position:
        """Steps and epochs trained so far."""
        return self._state.position

    @property
    def optimizer(self) -> AbstractOptimizer:
        """The experiment's optimizer as it is now.

        It has the rate that `set_learning_rate` gave it, and schedules that listen have heard the
        metrics of every epoch.
        """
        return self._state.optimizer

    def stop(self) -> None:
        """Let `fit` return after the steps that are running; for callbacks."""
        self._stopped = True

    @explained(EVALUATE)
    @in_turn
    def evaluate(self, x: Any, y: Any, batch_size: int = 256, *, sample_weight: Any = None) -> Logs:
        """Return the loss and every metric, exact means over all examples, without training."""
        self._check_whole()
        data = self._arguments.data(x, y, sample_weight)
        return self._evaluate(data, check_positive(batch_size, "batch_size"))

    @explained(PREDICT)
    @in_turn
    def predict(
        self, x: Any, batch_size: int = 256, *, training: bool = False, samples: int | None = None
    ) -> Any:
        """Return the model's output for every example, in order.

        Args:
            x: inputs, as `fit` takes them.
            batch_size: examples per step.
            training: draw noise and dropout as in training, anew for every sample (Monte Carlo
                dropout; Gal & Ghahramani, 2016). Normalisation keeps its running statistics. The
                draws are those of the seed and of `batch_size`.
            samples: how many predictions to draw, along a new first axis; only with `training`.

        Returns:
            An array; for a model with several outputs a dictionary of them by name.
        """
        self._check_whole()
        check_bool(training, "training")
        data = self._arguments.inputs(x)
        size = check_positive(batch_size, "batch_size")
        if samples is not None:
            check_positive(samples, "samples")
            if not training:
                raise DataError(
                    "is for predictions with training=True", where="samples", got=str(samples)
                )
        draws = range(samples or 1)
        function = "sample" if training and "sample" in self._program.functions else "predict"
        seed, step = self.experiment.seed, self.progress.step
        made = [
            predict(self._program, self._executable, function, data, size, seed, draw, step)
            for draw in draws
        ]
        outputs = {
            name: np.stack([each[name] for each in made]) if samples else made[0][name]
            for name in self._program.outputs
        }
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    @in_turn
    def weights(self) -> dict[str, Array]:
        """Return copies of all that layers keep, by name, in layer order, for `set_weights`.

        As in Keras these are the trainable weights, those that are frozen, and what layers keep
        besides, such as running means. What the optimizer keeps is in `state`.
        """
        state = self.state()
        return {array.name: state[array.name] for array in self._program.layer_arrays}

    @explained()
    @in_turn
    def set_weights(self, values: Mapping[str, Any]) -> None:
        """Set all weights and buffers, as `weights` returns them.

        What the optimizer keeps stays, and so does the position: see `save` to go on later.

        Raises:
            DataError, DTypeError: a name is missing or unknown, a wrong shape or dtype; nothing
                has been set.
        """
        check_named(values, "weights")
        shapes = {array.name: array.shape for array in self._program.layer_arrays}
        if missing := [name for name in shapes if name not in values]:
            raise DataError(
                "arrays are missing",
                where="weights",
                got=", ".join(missing),
                hint="Give what weights() returns; set_parameters sets some of them.",
            )
        self._set(checked_arrays(values, shapes, "weights"))

    @in_turn
    def parameters(self) -> dict[str, Array]:
        """Return copies of all trainable weights by name, in layer order, kernel before bias.

        Running statistics are not among them: `weights` has all that predictions depend on.
        """
        state = self.state()
        return {name: state[name] for name in self._program.parameters}

    @in_turn
    def buffers(self) -> dict[str, Array]:
        """Return copies of what layers keep besides weights, such as running means, by name."""
        state = self.state()
        return {a.name: state[a.name] for a in self._program.layer_arrays if not a.trainable}

    @explained()
    @in_turn
    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Set the weights and buffers that are named, and leave the others.

        `set_weights` sets all of them, and misses none.

        What the optimizer keeps stays too: averages, and the slow weights of a `Lookahead`.

        Raises:
            DataError, DTypeError: an unknown name, a wrong shape or dtype; nothing has been set.
        """
        shapes = {array.name: array.shape for array in self._program.layer_arrays}
        self._set(checked_arrays(values, shapes, "parameters"))

    def _set(self, arrays: Mapping[str, Array]) -> None:
        self._check_whole()
        with Waiting() as waiting, Move(waiting, self._tear) as move:
            self._executable.write(arrays)
            move.done()

    def set_learning_rate(self, rate: float | AbstractSchedule) -> None:
        """Go on with another learning rate, or schedule of the step; nothing is compiled anew.

        All groups of a `ParameterGroups` get it.
        """
        self._state.replace_optimizer(self.optimizer.with_rate(lambda _: rate))

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

        run = compile_for(self._backend, experiment, self.device)
        run.transfer = Transfer.between(self._program, run._program)
        run._executable.write(run.transfer.carried(self.state()))
        log.info("%s", run.transfer)
        return run

    @property
    def compilations(self) -> int:
        """How often the backend has compiled something for this run.

        It compiles nothing that a run of the same experiment, which is gone, has left.
        """
        return self._executable.compilations - self._compiled_before

    @in_turn
    def averages(self) -> dict[str, Array]:
        """Return copies of the averaged weights by name, for `set_parameters`.

        Frozen weights are not among them.

        Raises:
            DataError: the optimizer keeps no average.
        """
        slot = self.optimizer.average
        if slot is None:
            raise DataError(
                "the optimizer keeps no average of the weights",
                where="averages",
                got=type(self.optimizer).__name__,
                hint="Put ExponentialMovingAverage(…) or StochasticWeightAverage(…) around it.",
            )
        state = self.state()
        slots = {name: f"{name}:{slot}" for name in self._program.parameters}
        return {name: state[array] for name, array in slots.items() if array in state}

    @in_turn
    def state(self) -> dict[str, Array]:
        """Return copies of the weights and of the optimizer's arrays, by name."""
        self._check_whole()
        return self._executable.read()

    @explained()
    @in_turn
    def set_state(
        self,
        values: Mapping[str, Any],
        progress: Position,
        optimizer: AbstractOptimizer | None = None,
        epoch_sums: Mapping[str, Any] | None = None,
    ) -> None:
        """Set all arrays of `state`, and how far the run has been trained.

        It also mends a run that an error has stopped while its arrays were being changed.

        Args:
            values: an array for every name of `state`.
            progress: of the run that they are from.
            optimizer: its `optimizer`, which may have heard metrics; by default the present one.
            epoch_sums: its `epoch_sums`, if it stopped within an epoch.

        Raises:
            DataError, DTypeError: something is not of this experiment; nothing has been set.
        """
        check_named(values, "state")
        if not isinstance(progress, Position):
            raise DTypeError(
                "must be a Position",
                where="progress",
                got=what(progress),
                hint="Give the progress of the run that the state is from.",
            )
        shapes = {name: array.shape for name, array in self._program.state.items()}
        missing = sorted(shapes.keys() - values.keys())
        if missing:
            raise DataError("arrays are missing", where="state", got=", ".join(missing))
        arrays = checked_arrays(values, shapes, "state", small=False)
        chosen = checked_optimizer(optimizer or self.optimizer, self.experiment.optimizer)
        sums = checked_sums(epoch_sums or {}, self._program, progress)
        state = TrainState(self.experiment, self._program, progress, chosen, sums)
        with Waiting() as waiting, Move(waiting, self._tear) as move:
            self._executable.write(arrays)
            self._state, self._torn = state, ""
            move.done()

    def epoch_sums(self) -> dict[str, Any]:
        """Return losses and metrics of the epoch that has begun, as JSON types."""
        return self._state.totals.to_dict()

    @explained()
    @in_turn
    def save(self, path: str | Path, *, make_folders: bool = False) -> Path:
        """Write everything needed to go on, on any backend, to one safetensors file.

        All of it is written or, after a crash, the old file stays. A run whose weights are not
        finite is written beside the file, never over it, and a warning says so.

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

        return save(self, path, make_folders=make_folders)

    def __reduce_ex__(self, protocol: object) -> Never:
        raise RunError(
            "a run cannot be pickled or copied: its compiled steps belong to this process",
            where=type(self).__name__,
            hint="Write run.save(path) and load(path); or keep run.experiment and run.weights().",
        )

    def _train(
        self,
        block: Block,
        examples: int,
        history: History,
        hooks: Sequence[Callback],
        waiting: Waiting,
    ) -> None:
        """Run the steps of a block: arrays and position move together, or the run is torn."""
        feeds = block.feeds | self._state.feeds(block)
        with Move(waiting, self._tear) as move:
            results = self._executable.run("train", feeds, block.steps)
            after, losses = self._state.after(block, results, examples)
            history.step_losses += losses
            self._state.go_to(after)
            move.done()
        for hook in hooks:
            hook.on_steps_end(self, losses)

    def _tear(self, error: BaseException) -> None:
        self._torn = f"{type(error).__name__} {str(error)[:200]}".rstrip()

    def _check_whole(self) -> None:
        if self._torn:
            raise StateError(
                "the run was stopped while its arrays were being changed, so that some may be of "
                "one step and some of another",
                where="run",
                got=self._torn,
                hint="Load its last checkpoint with dnnbridge.load, or give set_state a state.",
            )

    def _left(self, kind: type[BaseException] | None, *_: object) -> None:
        """Keep no buffers that a thread may still write into when `fit` is left by an error."""
        if kind is not None:
            self._buffers["fit"] = Buffers(turns=2)

    def _end_training(self, hook: Callback) -> None:
        """Let a callback hear that training ends; it may not be able to save what is torn."""
        try:
            hook.on_train_end(self)
        except StateError as error:
            if not self._torn:
                raise
            log.warning("%s: %s", type(hook).__name__, error)

    def _end_epoch(
        self, validation: Arrays | None, size: int, history: History, hooks: Sequence[Callback]
    ) -> None:
        """Evaluate, and record the epoch."""
        epoch, logs = self.progress.epoch, self._state.totals.means()
        if validation is not None:
            found = self._evaluate(validation, size)
            logs |= {f"val_{name}": value for name, value in found.items()}
        history.record(epoch, logs)
        self._state.end_epoch(logs)
        for hook in hooks:
            hook.on_epoch_end(self, epoch, logs)

    def _evaluate(self, data: Arrays, batch_size: int) -> Logs:
        totals = Totals(self._program.objectives)
        count = examples_of(data)
        size = min(batch_size, power_of_two(count))
        rows, buffers = automatic_steps(self._program, data, size), self._buffers["evaluate"]
        batches = Batches(data, np.arange(count), size, rows, buffers=buffers, check=self._fed)
        for block in batches.blocks():
            steps = [self.progress.step] * len(block.feeds[MASK])
            feeds = block.feeds | schedule_feeds(self._program, steps)
            totals.add(self._executable.run("evaluate", feeds, block.steps), block.counts)
        return totals.means()
