"""What a diagnosis works on: a run or an experiment, and rows of its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import what
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.frames import is_column, is_frame
from dnnbridge.training.checking.stored import gathering, is_sliceable, is_sparse
from dnnbridge.training.compiling import compile
from dnnbridge.training.history import History
from dnnbridge.training.run import Run

Subject = Run | Experiment
"""A run, which a diagnosis leaves as it is, or an experiment, which it compiles."""


def run_of(subject: Subject, backend: str | None = None) -> Run:
    """Return a run to look at: the given one, or a new one of an experiment.

    Raises:
        DTypeError: it is neither.
        DataError: a run is given with the name of another backend.
    """
    if isinstance(subject, Experiment):
        return compile(subject, backend)
    if not isinstance(subject, Run):
        raise DTypeError(
            "must be a Run or an Experiment",
            where="what a diagnosis is of",
            got=what(subject),
            hint="Write db.compile(experiment), or give the experiment itself.",
        )
    if backend not in (None, subject.backend):
        raise DataError(
            "a run has its own backend",
            where="backend",
            got=f"{backend} for a run on {subject.backend}",
            hint="Leave it out, or give run.experiment.",
        )
    return subject


def copy_of(subject: Subject, backend: str | None = None) -> Run:
    """Return a run that may be trained: a copy of the given one, or a new one."""
    run = run_of(subject, backend)
    if run is not subject:
        return run
    copy = run.with_experiment(run.experiment)
    copy.set_state(run.state(), run.position, run.optimizer, run.epoch_sums())
    return copy


def check_data(run: Run, x: Any, y: Any) -> None:
    """Raise unless inputs and labels fit a run."""
    run.with_engine(lambda engine: engine.arguments.data(x, y))


def rows(data: Any, index: Array) -> Any:
    """Return some rows of inputs or labels, which may be several; a frame stays a frame."""
    if isinstance(data, Mapping):
        return {name: _rows(each, index) for name, each in data.items()}
    if _are_several(data):
        return [_rows(each, index) for each in data]
    return _rows(data, index)


def _rows(given: Any, index: Array) -> Any:
    if is_frame(given) or is_column(given):
        return getattr(given, "iloc", given)[index]
    gather = gathering(given)
    return np.asarray(given)[index] if gather is None else gather(index)


def count_of(data: Any) -> int:
    """Return the number of rows of inputs or labels.

    Example:
        >>> count_of(np.zeros((3, 2))), count_of([np.zeros((4, 2)), np.zeros(4)])
        (3, 4)
    """
    if isinstance(data, Mapping):
        return count_of(next(iter(data.values())))
    if _are_several(data):
        return count_of(data[0])
    return int(data.shape[0]) if is_sparse(data) else len(data)


def arrays_of(data: Any) -> list[Array]:
    """Return the arrays of inputs or labels, which may be several, as one of `rows` is."""
    if isinstance(data, Mapping):
        return [np.asarray(array) for array in data.values()]
    return [np.asarray(each) for each in (data if _are_several(data) else [data])]


def _are_several(data: Any) -> bool:
    """Return whether this is a list of arrays or frames, and not one of rows."""
    if not isinstance(data, list | tuple) or not data:
        return False
    return all(_is_array(each) for each in data)


def _is_array(given: Any) -> bool:
    """Return whether this is an array, a tensor, a frame, or rows in a file; no number."""
    held = hasattr(type(given), "__array__") and len(getattr(given, "shape", ())) > 0
    return held or is_sparse(given) or is_sliceable(given)


def present_loss(run: Run, data: tuple[Any, Any], batch_size: int | None = None) -> float:
    """Return the loss of some examples by the present weights, and leave carried states alone."""
    before = run.state(), run.position, run.optimizer, run.epoch_sums()
    found = run.evaluate(*data, batch_size)["loss"]
    if run.experiment.program().carried:
        run.set_state(*before)
    assert isinstance(found, float)
    return found


class _EachStep(Callback):
    """Calls functions before and after each step, and ends the training after some steps."""

    every_steps = 1

    def __init__(self, steps: int, before: Before, after: After) -> None:
        self.left, self.before, self.after = steps, before, after

    def on_steps_begin(self, run: Run, steps: int) -> None:
        self.before(run)

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self.left -= len(losses)
        if self.after(run, losses[-1]) is False or self.left <= 0:
            run.stop()


Before = Callable[[Run], object]
"""Called before a step."""

After = Callable[[Run, float], object]
"""Called after a step with its loss; False ends the training."""


def train_steps(
    run: Run,
    data: tuple[Any, Any],
    steps: int,
    batch_size: int | None,
    before: Before = lambda run: None,
    after: After = lambda run, loss: None,
) -> History:
    """Train for some steps, each of them a compiled call.

    Args:
        run: a copy.
        data: inputs and labels.
        steps: how many.
        batch_size: examples per step.
        before: called before each step.
        after: called after each step with its loss; False ends the training.
    """
    each = _EachStep(steps, before, after)
    return run.fit(*data, batch_size, epochs=steps, verbose=0, callbacks=[each])


def layer_of(weight: str) -> str:
    """Return the path of the layer that has a weight.

    Example:
        >>> layer_of("encoder/dense/kernel")
        'encoder/dense'
    """
    return weight.rpartition("/")[0]


def by_layer(names: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of weights by layer, in order."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(layer_of(name), []).append(name)
    return found


def check_trains(gradients: Mapping[str, Any]) -> None:
    """Raise if no weight is trained."""
    if not gradients:
        raise DataError(
            "the experiment trains no weight",
            where="frozen",
            hint="Leave some weights out of Experiment(frozen=…).",
        )
