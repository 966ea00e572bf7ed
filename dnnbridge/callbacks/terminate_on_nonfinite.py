"""`TerminateOnNonFinite`: end a training that is no longer finite, and say where it began."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

import numpy as np

from dnnbridge.base.calling import explained
from dnnbridge.errors import DnnbridgeError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool
from dnnbridge.training.engine import Engine
from dnnbridge.training.locating import Found, Kept, locate
from dnnbridge.training.nonfinite import HINT, not_finite

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

log = logging.getLogger(__name__)

SHARE = 100
"""The time between two copies is at least this many times that of a copy."""

SAYS = {
    "output": "the output of the layer {where} is not finite ({got}); "
    "the outputs of layers before it are finite",
    "loss": "the outputs of all layers are finite, and the {where} is not ({got})",
    "gradient": "the loss is finite, and the gradient of {where} is not ({got}); "
    "the gradients of layers after it are finite",
    "update": "gradients are finite, and {where} after the update is not ({got})",
    "": "the loss or a weight is not finite",
}
"""What a message says of each kind."""


class TerminateOnNonFinite(Callback):
    """End a training at the first number that is not finite, and name the layer or gradient.

    `fit` ends such a training anyway, and names the step. This callback also finds the first
    layer, in the order of computing, whose output is NaN or infinite in that step; or else the
    first weight whose gradient is, from the last layer to the first. It keeps a copy of the run's
    arrays for it: one at the beginning of each epoch, then another at most once in the time of 100
    copies. So it costs the memory of a copy and about 1% of the time. When something is not finite,
    the steps since the copy are repeated one by one. Where `fit` reads a stream, which cannot be
    read again, only the step is known.

    Args:
        locate: whether to find the layer. False keeps no copies and costs nothing.

    Attributes:
        step: the first step that is not finite, counted from 1 over the life of the run, or None.
        kind: "output", "loss", "gradient" or "update" (the optimizer's); "" where it is not known.
        where: path of the layer, or name of the weight; "" where it is not known.
        message: what was found, in words.

    Example:
        >>> import dnnbridge as db
        >>> layers = [db.Dense(1, kernel_initializer="ones"), db.Elementwise("log", name="log")]
        >>> model = db.Sequential([db.Input((1,)), *layers])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> ending = TerminateOnNonFinite()
        >>> _ = run.fit([[0.0]], [[1.0]], epochs=5, callbacks=[ending], verbose=0)
        >>> ending.step, ending.kind, ending.where
        (1, 'output', 'log')
    """

    @explained(name="TerminateOnNonFinite")
    def __init__(self, locate: bool = True) -> None:
        check_bool(locate, "TerminateOnNonFinite.locate")
        self.locate = bool(locate)
        self._reset()

    def _reset(self) -> None:
        self.step: int | None = None
        self.kind = self.where = self.message = ""
        self._kept: Kept | None = None
        self._next, self._keeps = 0.0, False

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._reset()
        self._keeps = self.locate and run.with_engine(lambda engine: engine.fitting is not None)

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        self._next = 0.0

    def on_steps_begin(self, run: Run, steps: int) -> None:
        if self._keeps and self.step is None and time.perf_counter() >= self._next:
            self._keep(run)

    def _keep(self, run: Run) -> None:
        """Copy the state of a run, unless it is not finite already."""
        scale = run.experiment.scaling
        kept = run.with_engine(lambda engine: Kept.of(engine, scale))
        if not not_finite(kept.arrays, scale):
            self._kept = kept
            # Several workers must repeat the same steps, so only the beginning of an epoch counts.
            again = time.perf_counter() + SHARE * kept.seconds
            self._next = again if run.workers == 1 else math.inf
        elif self._kept is not None:
            self._found(run, run.position.step, "")

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self.step is not None:
            return
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            step = run.position.step - len(losses) + int(bad[0]) + 1
            self._found(run, step, str(losses[bad[0]]))
        elif self._keeps and run.with_engine(_ends_epoch) and _spoilt(run):
            self._found(run, run.position.step, "")

    def _found(self, run: Run, step: int, got: str) -> None:
        """Note what is not finite, say so, and end the training."""
        found: Found | None = None
        if (kept := self._kept) is not None:
            found = run.with_engine(lambda engine: _located(engine, kept, step))
        self.step = found.step if found else step
        if found:
            self.kind, self.where = found.kind, found.where
            got = f"{found.example:g}"
            got += f", {found.bad} of {found.size} numbers" if found.size > 1 else ""
        said = SAYS[self.kind].format(where=self.where, got=got)
        self.message = f"step {self.step}: {said}"
        self._kept = None
        run.history.nonfinite_step, run.history.nonfinite_what = self.step, self.message
        log.warning("%s. Training ends here. %s", self.message, HINT)
        run.stop()


def _located(engine: Engine, kept: Kept, step: int) -> Found | None:
    """Return what was not finite first; None if it is not known. The training ends in any case."""
    if engine.fitting is None:
        return None
    try:
        return locate(engine, engine.fitting, kept, step)
    except DnnbridgeError as error:
        log.warning("the layer that is not finite cannot be found: %s", error)
        return None


def _spoilt(run: Run) -> bool:
    return bool(not_finite(run.state(), run.experiment.scaling))


def _ends_epoch(engine: Engine) -> bool:
    """Return whether all steps of the present epoch are done."""
    position = engine.state.position
    return engine.fitting is not None and position.batch == engine.fitting.epochs.steps(
        position.epoch
    )
