"""`Run`: an experiment compiled for a backend, with its weights."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dnnbridge import randomness
from dnnbridge.backend import Backend
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.program import Program
from dnnbridge.training.batches import Batches, step_feeds
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.data import check_inputs, check_pair, check_positive, check_targets
from dnnbridge.training.history import History
from dnnbridge.training.progress import progress_callback
from dnnbridge.wording import close_match

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment

log = logging.getLogger(__name__)

Array = npt.NDArray[Any]
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Position:
    """How far a run has been trained.

    Attributes:
        step: updates made.
        epoch: epochs finished.
        batch: updates made in the epoch that has begun.
        batches: updates in that epoch; 0 before any.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    batches: int = 0


class Run:
    """An experiment compiled for a backend. Made by `dnnbridge.compile` and `dnnbridge.load`.

    Attributes:
        experiment: the spec.
        backend: name of the backend.
        device: name of the device.
        progress: steps and epochs trained so far.
    """

    def __init__(self, experiment: Experiment, program: Program, backend: Backend, device: str):
        self.experiment, self.backend, self.device = experiment, backend.info.name, device
        self.progress = Position()
        self._program = program
        self._executable = backend.compile(program, device)
        self._executable.write(initial_state(program, experiment.seed))

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: Pair | None = None,
        *,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        progress: bool = False,
        steps_per_call: int | None = None,
    ) -> History:
        """Train for some epochs and return losses and metrics per epoch.

        A second call, or a call after `load`, goes on where the last one stopped: fit(3 epochs)
        and fit(2 epochs) make the same run as fit(5 epochs).

        Args:
            x: inputs, one row per example.
            y: labels, one row per example.
            batch_size: examples per step; the last step of an epoch may have fewer.
            epochs: how many to train.
            validation_data: inputs and labels to evaluate after every epoch.
            shuffle: whether each epoch has its own order, drawn from the seed.
            callbacks: called while training.
            progress: show a bar on a terminal, a line per epoch elsewhere.
            steps_per_call: steps per compiled call; by default as many as fit 64 MiB, at most 64.
                The numbers do not depend on it.

        Raises:
            DataError, DTypeError: the arrays do not fit the spec; nothing has been trained.
        """
        data = self._pair(x, y)
        validation = None if validation_data is None else self._validation(validation_data)
        batch_size, epochs = (
            check_positive(batch_size, "batch_size"),
            check_positive(epochs, "epochs"),
        )
        if steps_per_call is not None:
            check_positive(steps_per_call, "steps_per_call")
        hooks = [*callbacks, *([progress_callback()] if progress else [])]
        history = History()
        count = len(data["x"])
        self._drop_partial_epoch(-(-count // batch_size))
        for hook in hooks:
            hook.on_train_begin(self, epochs, -(-count // batch_size))
        try:
            for _ in range(epochs):
                epoch = self.progress.epoch
                order = self._order(count, shuffle)
                batches = Batches(data, order, batch_size, steps_per_call)
                logs = self._epoch(batches, history, hooks)
                if validation is not None:
                    found = self._evaluate(validation, batch_size)
                    logs |= {f"val_{name}": value for name, value in found.items()}
                history.record(epoch, logs)
                for hook in hooks:
                    hook.on_epoch_end(self, epoch, logs)
        finally:
            for hook in hooks:
                hook.on_train_end(self)
        return history

    def evaluate(self, x: Any, y: Any, batch_size: int = 256) -> dict[str, float]:
        """Return the loss and every metric, exact means over all examples, without training."""
        return self._evaluate(self._pair(x, y), check_positive(batch_size, "batch_size"))

    def predict(self, x: Any, batch_size: int = 256) -> Array:
        """Return the model's output for every example, in order."""
        data = {"x": check_inputs(x, self.experiment.model.input_type)}
        size = min(check_positive(batch_size, "batch_size"), max(len(data["x"]), 1))
        count = len(data["x"])
        if not count:
            output = self._program.functions["predict"].graph.outputs[0].type
            return np.zeros(output.concrete(0), np.float32)
        parts = []
        for block in Batches(data, np.arange(count), size, None).blocks():
            feeds = {"x": block.feeds["x"]}
            result = self._executable.run("predict", feeds, block.steps)["prediction"]
            parts.append(result.reshape(-1, *result.shape[2:]))
        predictions: Array = np.concatenate(parts)[:count]
        return predictions

    def parameters(self) -> dict[str, Array]:
        """Return copies of all weights by name, in layer order, kernel before bias."""
        state = self._executable.read()
        return {p.name: state[p.name] for p in self._program.parameters}

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Set the weights that are named, and leave the others.

        Raises:
            DataError, DTypeError: an unknown name, a wrong shape or dtype; nothing has been set.
        """
        shapes = {p.name: p.shape for p in self._program.parameters}
        self._executable.write(_checked(values, shapes, "parameters"))

    def state(self) -> dict[str, Array]:
        """Return copies of the weights and of the optimizer's arrays, by name."""
        return self._executable.read()

    def set_state(self, values: Mapping[str, Any], progress: Position) -> None:
        """Set all arrays of `state`, and how far the run has been trained."""
        shapes = {name: type.concrete(1) for name, type in self._program.state.items()}
        missing = sorted(shapes.keys() - values.keys())
        if missing:
            raise DataError("arrays are missing", where="state", got=", ".join(missing))
        self._executable.write(_checked(values, shapes, "state"))
        self.progress = progress

    def save(self, path: str | Path) -> None:
        """Write everything needed to go on, on any backend, to one safetensors file."""
        from dnnbridge.checkpoint import save

        save(self, path)

    def _pair(self, x: Any, y: Any, where: tuple[str, str] = ("x", "y")) -> dict[str, Array]:
        assert self._program.target is not None
        inputs = check_inputs(x, self.experiment.model.input_type, where[0])
        targets = check_targets(y, self._program.target, where[1])
        check_pair(inputs, targets, where)
        return {"x": inputs, "y": targets}

    def _validation(self, pair: Any) -> dict[str, Array]:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise DataError(
                "must be a pair of inputs and labels",
                where="validation_data",
                got=type(pair).__name__,
                hint="Write validation_data=(x, y).",
            )
        return self._pair(pair[0], pair[1], ("validation_data[0]", "validation_data[1]"))

    def _order(self, count: int, shuffle: bool) -> Array:
        if not shuffle:
            return np.arange(count)
        return randomness.permutation(self.experiment.seed, self.progress.epoch, count)

    def _drop_partial_epoch(self, batches: int) -> None:
        """Forget a begun epoch that other data or another batch size cannot go on with."""
        if self.progress.batch and self.progress.batches != batches:
            log.warning(
                "epoch %d was left after %d of %d steps; with %d steps an epoch it starts anew",
                self.progress.epoch + 1,
                self.progress.batch,
                self.progress.batches,
                batches,
            )
            self.progress = replace(self.progress, batch=0)

    def _epoch(self, batches: Batches, history: History, hooks: list[Callback]) -> dict[str, float]:
        """Train to the end of the epoch and return the means over its examples."""
        totals = _Totals(self._program.metrics)
        seed, optimizer = self.experiment.seed, self.experiment.optimizer
        for block in batches.blocks(self.progress.batch):
            first, rows = self.progress.step, len(block.feeds["weight"])
            scalars = [optimizer.scalars(step) for step in range(first, first + rows)]
            feeds = block.feeds | step_feeds(
                self._program, scalars, seed, first, batches.batch_size
            )
            results = self._executable.run("train", feeds, block.steps)
            losses = totals.add(results, block.counts)
            history.step_losses += losses
            done = self.progress.batch + block.steps
            step = first + block.steps
            self.progress = Position(step, self.progress.epoch, done, batches.steps)
            for hook in hooks:
                hook.on_steps_end(self, losses)
        self.progress = replace(self.progress, epoch=self.progress.epoch + 1, batch=0)
        return totals.means()

    def _evaluate(self, data: dict[str, Array], batch_size: int) -> dict[str, float]:
        totals = _Totals(self._program.metrics)
        count = len(data["x"])
        size = min(batch_size, count)
        for block in Batches(data, np.arange(count), size, None).blocks():
            results = self._executable.run("evaluate", block.feeds, block.steps)
            totals.add(results, block.counts)
        return totals.means()


class _Totals:
    """Sums over the examples of an epoch, in float64."""

    def __init__(self, metrics: Sequence[str]) -> None:
        self.sums = dict.fromkeys(("loss", *metrics), 0.0)
        self.count = 0.0

    def add(self, results: Mapping[str, Array], counts: Array) -> list[float]:
        """Add the results of a block and return its losses."""
        losses = results["loss"].astype(np.float64)
        self.count += float(counts.sum())
        for name in self.sums:
            array = losses * counts if name == "loss" else results[name].astype(np.float64)
            self.sums[name] += float(array.sum())
        return [float(loss) for loss in losses]

    def means(self) -> dict[str, float]:
        return {name: total / self.count for name, total in self.sums.items()}


def initial_state(program: Program, seed: int) -> dict[str, Array]:
    """Return the arrays of a new run: weights drawn in float64, rounded to float32; zero slots."""
    state: dict[str, Array] = {}
    for parameter in program.parameters:
        rng = randomness.generator(seed, "initial", parameter.name)
        drawn = parameter.initializer.sample(rng, parameter.shape)
        state[parameter.name] = drawn.astype(np.float32)
    return state | {
        name: np.zeros(program.state[name].concrete(1), np.float32) for name in program.slots
    }


def _checked(
    values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, Array]:
    checked = {}
    for name, value in values.items():
        if name not in shapes:
            raise DataError(
                "unknown name", where=where, got=repr(name), hint=close_match(name, shapes)
            )
        array = np.array(value)
        if not np.issubdtype(array.dtype, np.floating):
            raise DTypeError(
                "needs floating-point values", where=f"{where}[{name!r}]", got=str(array.dtype)
            )
        if array.shape != shapes[name]:
            raise DataError(
                f"needs shape {shapes[name]}",
                where=f"{where}[{name!r}]",
                got=f"shape {array.shape}",
                hint="Kernels are (in, out).",
            )
        checked[name] = array
    return checked
