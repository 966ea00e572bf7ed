"""`Loop`: the steps, epochs and callbacks of one call of `fit`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from dnnbridge.base.arrays import Array
from dnnbridge.base.interrupts import Move, Waiting
from dnnbridge.errors import StateError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.engine import Engine
from dnnbridge.training.evaluating import evaluate
from dnnbridge.training.feeding.batches import Block, examples_of
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.fitting import Fitting
from dnnbridge.training.history import History
from dnnbridge.training.nonfinite import NonFiniteGuard

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

log = logging.getLogger(__name__)


class Loop:
    """Trains block by block, ends epochs, and tells callbacks.

    Args:
        run: what callbacks are given.
        engine: what computes.
        fitting: makes the feeds.
        validation: what to evaluate after every epoch, by the names of the feeds.
        callbacks: of the caller.
        guard: looks for what is not finite; it hears of the steps last.
        history: where losses and metrics are noted.
    """

    def __init__(
        self,
        run: Run,
        engine: Engine,
        fitting: Fitting,
        validation: Mapping[str, Array] | None,
        callbacks: Sequence[Callback],
        guard: NonFiniteGuard,
        history: History,
    ) -> None:
        self.run, self.engine, self.fitting, self.validation = run, engine, fitting, validation
        self.hooks, self.guard, self.history = [*callbacks, guard], guard, history

    def train(self, epochs: int) -> None:
        """Train for some epochs, the begun one included, or until the run is stopped."""
        engine, fitting = self.engine, self.fitting
        with ExitStack() as ending:
            ending.push(self._left)
            for hook in self.hooks:
                hook.on_train_begin(self.run, epochs, fitting.steps)
                ending.callback(self._end_training, hook)
            waiting = ending.enter_context(Waiting())
            if engine.state.position.batch == fitting.steps:  # saved before the end of its epoch
                self._end_epoch()
                epochs -= 1
            blocks = fitting.blocks(engine.state.position, 0 if engine.stopped else epochs)
            for block in ending.enter_context(closing(blocks)):
                self._train_block(block, waiting)
                if block.last:
                    self._end_epoch()
                if engine.stopped:
                    break
            self.guard.end(self.run)

    def _train_block(self, block: Block, waiting: Waiting) -> None:
        """Run the steps of a block: arrays and position move together, or the run is torn."""
        engine, examples = self.engine, examples_of(self.fitting.data)
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
        if self.validation is not None:
            found = evaluate(self.engine, self.validation, self.fitting.batch_size)
            logs |= {f"val_{name}": value for name, value in found.items()}
        self.history.record(epoch, logs)
        state.end_epoch(logs)
        for hook in self.hooks:
            hook.on_epoch_end(self.run, epoch, logs)

    def _end_training(self, hook: Callback) -> None:
        """Let a callback hear that training ends; it may not be able to save what is torn."""
        try:
            hook.on_train_end(self.run)
        except StateError as error:
            if not self.engine.torn:
                raise
            log.warning("%s: %s", type(hook).__name__, error)

    def _left(self, kind: type[BaseException] | None, *_: object) -> None:
        """Keep no buffers that a thread may still write into when `fit` is left by an error."""
        if kind is not None:
            self.engine.buffers["fit"] = Buffers(turns=2)
