"""`TrainState`: the part of a run's state that is not in its arrays."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.optimizers.composed import updates_before
from dnnbridge.program.program import Program
from dnnbridge.schedules.listening import check_heard, heard
from dnnbridge.specs.goals import Goal
from dnnbridge.training.feeding.batches import Block
from dnnbridge.training.feeding.feeds import scalar_feeds, schedule_feeds
from dnnbridge.training.history import Logs, numbers
from dnnbridge.training.position import Position
from dnnbridge.training.totals import Totals

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment
    from dnnbridge.optimizers import AbstractOptimizer
    from dnnbridge.schedules import AbstractSchedule

log = logging.getLogger(__name__)


class Now(NamedTuple):
    """Position, optimizer and sums, replaced together by one assignment."""

    position: Position
    optimizer: AbstractOptimizer
    totals: Totals


class TrainState:
    """Position of a run, its present optimizer, and the sums of the current epoch.

    Args:
        experiment: the spec.
        program: the program that the spec emitted.
        position: where the run continues; by default at its start.
        optimizer: the present optimizer, whose schedules may have received metrics; by default
            the experiment's.
        epoch_sums: the result of `Totals.to_dict`, if the run stopped within an epoch.
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
    def now(self) -> Now:
        """All of it, as `go_to` takes it."""
        return self._now

    @property
    def position(self) -> Position:
        """Where the run continues."""
        return self._now.position

    @property
    def optimizer(self) -> AbstractOptimizer:
        """The present optimizer, whose schedules may have received metrics."""
        return self._now.optimizer

    @property
    def totals(self) -> Totals:
        """The sums of the current epoch."""
        return self._now.totals

    @property
    def goals(self) -> dict[str, Goal | None]:
        """The losses and metrics of each epoch, and whether lower or higher is better."""
        goals: dict[str, Goal | None] = {"loss": "min"}
        for objective in self.program.objectives.values():
            goals |= {objective.loss_label: "min"} if objective.name else {}
            goals |= {label: metric.goal for label, metric in objective.metrics.items()}
        return goals

    @property
    def learning_rate(self) -> float | None:
        """The learning rate of the next step; None if groups of weights have different ones."""
        rates: set[float] = set()
        moment = updates_before(self._assembled(), self.position.moments(1, last=False)[0])

        def note(schedule: AbstractSchedule) -> AbstractSchedule:
            rates.add(float(schedule(moment)))
            return schedule

        self.optimizer.with_rate(note)
        return rates.pop() if len(rates) == 1 else None

    def replace_optimizer(self, optimizer: AbstractOptimizer) -> None:
        """Continue with another optimizer that has the same arrays."""
        self._now = self._now._replace(optimizer=optimizer)

    def begin(self, examples: int, batch_size: int) -> None:
        """Abandon a begun epoch if the number of examples or the batch size differs.

        0 examples stand for a source of batches.
        """
        if not self.position.fits(examples, batch_size):
            log.warning(
                "epoch %d stopped after %d steps (%s); it restarts, as it is now %s",
                self.position.epoch + 1,
                self.position.batch,
                _described(self.position.examples, self.position.batch_size),
                _described(examples, batch_size),
            )
            self._now = self._now._replace(position=self.position.left())

    def feeds(self, block: Block) -> dict[str, Array]:
        """Return the host scalars and schedules of a block, for the present optimizer."""
        steps = self.position.moments(block.steps, block.last)
        rows = len(block.feeds[MASK])
        scalars = scalar_feeds(self._assembled(), steps, rows)
        return scalars | schedule_feeds(self.program, steps, rows)

    def _assembled(self) -> AbstractOptimizer:
        """Return the present optimizer with all that is around it."""
        if self._updater[0] is not self.optimizer:
            self._updater = self.optimizer, self.experiment.updater(self.optimizer)
        return self._updater[1]

    def after(
        self, block: Block, results: Mapping[str, Array], examples: int
    ) -> tuple[Now, list[float]]:
        """Return the argument of `go_to` after a block, and the losses of the block.

        The state itself does not change. `examples` is the number of examples of the epoch.
        """
        totals = self.totals.copy() if block.first else Totals(self.program.objectives)
        losses = totals.add(results, block.counts)
        position = self.position.after(block.steps, examples, block.batch_size)
        return self._now._replace(position=position, totals=totals), losses

    def go_to(self, now: Now) -> None:
        """Continue from the given state."""
        self._now = now

    def end_epoch(self, logs: Logs) -> None:
        """Report the epoch's metrics to the schedules that listen, and begin the next epoch."""
        optimizer = heard(self.optimizer, numbers(logs))
        position = self.position.next_epoch()
        self._now = self._now._replace(position=position, optimizer=optimizer)

    def check_heard(self, validated: bool) -> None:
        """Raise before training if a schedule listens to a metric that no epoch will report."""
        labels = list(self.goals)
        labels += [f"val_{label}" for label in labels] if validated else []
        check_heard(self.optimizer, labels)


def _described(examples: int, batch_size: int) -> str:
    return f"batch size {batch_size}, {examples} examples" if examples else "a source of batches"
