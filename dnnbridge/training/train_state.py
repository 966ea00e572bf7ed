"""`TrainState`: what changes while a run trains, besides its arrays."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.program.program import Program
from dnnbridge.schedules.listening import heard
from dnnbridge.training.feeding.batches import Block
from dnnbridge.training.feeding.feeds import scalar_feeds, schedule_feeds
from dnnbridge.training.history import Logs, numbers
from dnnbridge.training.position import Position
from dnnbridge.training.totals import Totals

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment
    from dnnbridge.optimizers import AbstractOptimizer

log = logging.getLogger(__name__)


class Now(NamedTuple):
    """What moves at once: one assignment changes all of it."""

    position: Position
    optimizer: AbstractOptimizer
    totals: Totals


class TrainState:
    """How far a run is, its optimizer as it is now, and the sums of the epoch that has begun.

    Args:
        experiment: the spec.
        program: what it emitted.
        position: where the run goes on; by default at its start.
        optimizer: which may have heard metrics; by default that of the experiment.
        epoch_sums: what `Totals.to_dict` returned, where the run stopped within an epoch.
    """

    def __init__(
        self,
        experiment: Experiment,
        program: Program,
        position: Position | None = None,
        optimizer: AbstractOptimizer | None = None,
        epoch_sums: Mapping[str, Any] | None = None,
    ) -> None:
        self.experiment, self.program = experiment, program
        totals = Totals(program.objectives, epoch_sums)
        self._now = Now(position or Position(), optimizer or experiment.optimizer, totals)
        self._updater = self.optimizer, experiment.updater(self.optimizer)

    @property
    def position(self) -> Position:
        """Where the run goes on."""
        return self._now.position

    @property
    def optimizer(self) -> AbstractOptimizer:
        """The optimizer, which may have heard metrics."""
        return self._now.optimizer

    @property
    def totals(self) -> Totals:
        """The sums of the epoch that has begun."""
        return self._now.totals

    def replace_optimizer(self, optimizer: AbstractOptimizer) -> None:
        """Go on with another optimizer of the same arrays."""
        self._now = self._now._replace(optimizer=optimizer)

    def begin(self, examples: int, batch_size: int) -> None:
        """Forget a begun epoch that other data or another batch size cannot go on with."""
        if not self.position.fits(examples, batch_size):
            log.warning(
                "epoch %d was left after %d steps of %d from %d examples; with %d from %d it "
                "starts anew",
                self.position.epoch + 1,
                self.position.batch,
                self.position.batch_size,
                self.position.examples,
                batch_size,
                examples,
            )
            self._now = self._now._replace(position=self.position.left())

    def feeds(self, block: Block) -> dict[str, Array]:
        """Return the host scalars and schedules of a block, as the optimizer is now."""
        if self._updater[0] is not self.optimizer:
            self._updater = self.optimizer, self.experiment.updater(self.optimizer)
        steps = self.position.moments(block.steps, block.last)
        rows = len(block.feeds[MASK])
        scalars = scalar_feeds(self._updater[1], steps, rows)
        return scalars | schedule_feeds(self.program, steps, rows)

    def after(
        self, block: Block, results: Mapping[str, Array], examples: int
    ) -> tuple[Now, list[float]]:
        """Return what `go_to` takes after a block of an epoch of so many examples, and its losses.

        It changes nothing.
        """
        totals = self.totals.copy() if block.first else Totals(self.program.objectives)
        losses = totals.add(results, block.counts)
        position = self.position.after(block.steps, examples, block.index.shape[1])
        return self._now._replace(position=position, totals=totals), losses

    def go_to(self, now: Now) -> None:
        """Go on from there."""
        self._now = now

    def end_epoch(self, logs: Logs) -> None:
        """Let the schedules that listen hear of the epoch, and go on to the next."""
        optimizer = heard(self.optimizer, numbers(logs))
        position = self.position.next_epoch()
        self._now = self._now._replace(position=position, optimizer=optimizer)

    def check_heard(self, validated: bool) -> None:
        """Raise before training if a schedule listens to what an epoch will not have."""
        labels = {"loss"}
        for objective in self.program.objectives.values():
            labels |= {*objective.metrics, *([objective.loss_label] if objective.name else [])}
        labels |= {f"val_{label}" for label in labels} if validated else set()
        heard(self.optimizer, dict.fromkeys(sorted(labels), 0.0))
