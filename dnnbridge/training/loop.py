"""`Loop`: the steps, epochs and callbacks of one call of `fit`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

from dnnbridge.base.interrupts import Move, Waiting
from dnnbridge.errors import DnnbridgeError
from dnnbridge.training.agreeing import Agreement
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.engine import Engine
from dnnbridge.training.evaluating import evaluate
from dnnbridge.training.feeding.batches import Block
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.fitting import Fitting
from dnnbridge.training.history import History, Logs
from dnnbridge.training.nonfinite import NonFiniteGuard
from dnnbridge.training.stream_fitting import StreamFitting
from dnnbridge.training.validation import Validation

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

log = logging.getLogger(__name__)


class Loop:
    """Trains block by block, ends epochs, and tells callbacks.

    Args:
        run: what callbacks are given.
        engine: what computes.
        fitting: makes the feeds.
        validation: what to evaluate after epochs.
        callbacks: of the caller.
        guard: looks for what is not finite; it hears of the steps last.
        history: where losses and metrics are noted.
    """

    def __init__(
        self,
        run: Run,
        engine: Engine,
        fitting: Fitting | StreamFitting,
        validation: Validation | None,
        callbacks: Sequence[Callback],
        guard: NonFiniteGuard,
        history: History,
    ) -> None:
        self.run, self.engine, self.fitting, self.validation = run, engine, fitting, validation
        self.hooks, self.guard, self.history = [*callbacks, guard], guard, history

    def train(self, until: int) -> None:
        """Train until so many epochs of the run are done, or until the run is stopped."""
        engine = self.engine
        engine.finished = False
        # Steps whose batches cannot be read again cannot be repeated.
        engine.fitting = self.fitting if isinstance(self.fitting, Fitting) else None
        with ExitStack() as ending:
            ending.push(self._left)
            for hook in self.hooks:
                epochs = max(until - engine.state.position.epoch, 0)
                hook.on_train_begin(self.run, epochs, self.fitting.steps)
                ending.push(partial(self._end_training, hook))
            self._begin()
            waiting = ending.enter_context(Waiting())
            agreement = Agreement(engine, waiting)
            if self.fitting.at_the_end(engine.state.position):  # saved before its epoch ended
                self._end_epoch()
            if not agreement.reached():
                self._train_blocks(until, waiting, agreement, ending)
            self.guard.end(self.run)
            engine.finished = True

    def _begin(self) -> None:
        """Check where the run is and what its schedules hear: callbacks may have changed both."""
        self.engine.state.check_heard(self.validation is not None)
        self.fitting.begin(self.engine.state)

    def _train_blocks(
        self, until: int, waiting: Waiting, agreement: Agreement, ending: ExitStack
    ) -> None:
        engine, begun = self.engine, -1
        start = engine.state.position
        epochs = max(until - start.epoch, 0)
        for block in ending.enter_context(closing(self.fitting.blocks(start, epochs))):
            epoch = engine.state.position.epoch
            for hook in self.hooks if epoch != begun else ():
                hook.on_epoch_begin(self.run, epoch)
            begun = epoch
            if block.steps:
                self._train_block(block, waiting)
            if block.last:
                self._end_epoch()
            if agreement.reached():
                break

    def _train_block(self, block: Block, waiting: Waiting) -> None:
        """Run the steps of a block: arrays and position move together, or the run is torn."""
        engine = self.engine
        engine.block = block
        for hook in self.hooks:
            hook.on_steps_begin(self.run, block.steps)
        examples = self.fitting.examples(engine.state.position.epoch)
        feeds = block.feeds | engine.state.feeds(block)
        with Move(waiting, engine.tear) as move:
            results = engine.executable.run("train", feeds, block.steps)
            after, losses = engine.state.after(block, results, examples)
            self.history.step_losses += losses
            engine.state.go_to(after)
            move.done()
        for hook in self.hooks:
            hook.on_steps_end(self.run, losses)

    def _end_epoch(self) -> None:
        """Evaluate, and record the epoch."""
        state = self.engine.state
        epoch, logs = state.position.epoch, state.totals.means()
        logs |= self._validated(epoch)
        self.history.record(epoch, logs)
        state.end_epoch(logs)
        self.fitting.end_epoch()
        for hook in self.hooks:
            hook.on_epoch_end(self.run, epoch, logs)

    def _validated(self, epoch: int) -> Logs:
        """Return what evaluation gives after an epoch, if it is due."""
        if self.validation is None or not self.validation.due(epoch):
            return {}
        for hook in self.hooks:
            hook.on_validation_begin(self.run, epoch)
        found = evaluate(self.engine, self.validation.data, self.fitting.batch_size)
        logs: Logs = {f"val_{name}": value for name, value in found.items()}
        for hook in self.hooks:
            hook.on_validation_end(self.run, epoch, logs)
        return logs

    def _end_training(
        self,
        hook: Callback,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        *_: object,
    ) -> None:
        """Let a callback hear that training ends; what ended it stays the error that is raised."""
        try:
            hook.on_train_end(self.run)
        except Exception as error:
            if raised is None:
                raise
            log.warning("%s: %s", type(hook).__name__, _briefly(error, raised))

    def _left(self, kind: type[BaseException] | None, *_: object) -> None:
        """Keep no examples, and no buffers that a thread may write into still after an error."""
        self.engine.fitting = self.engine.block = None
        if kind is not None:
            self.engine.buffers["fit"] = Buffers(turns=2)


def _briefly(error: Exception, raised: BaseException) -> str:
    """Say what went wrong in a callback after another error."""
    if str(error) == str(raised):
        return "the same again at the end"
    return str(error) if isinstance(error, DnnbridgeError) else f"{type(error).__name__}: {error}"
