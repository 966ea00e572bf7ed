"""`AbstractRunArrays`: the arrays and the position of a run, read and set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.specs.former_names import former_arguments, warn_of
from dnnbridge.specs.goals import Goal
from dnnbridge.training.engine import Engine
from dnnbridge.training.history import Logs
from dnnbridge.training.position import Position
from dnnbridge.training.turns import Turns, in_turn

if TYPE_CHECKING:
    from dnnbridge.optimizers import AbstractOptimizer
    from dnnbridge.optimizers.base import ChangeOfRate
    from dnnbridge.schedules import AbstractSchedule

T = TypeVar("T")


class AbstractRunArrays:
    """Base of `Run`: what reads and sets its arrays, and how far it is."""

    _engine: Engine
    _turns: Turns

    @property
    def position(self) -> Position:
        """Steps and epochs trained so far."""
        return self._engine.state.position

    @property
    def progress(self) -> Position:
        """The former name of `position`."""
        warn_of("Run.progress", "position")
        return self.position

    @property
    def optimizer(self) -> AbstractOptimizer:
        """The experiment's optimizer as it is now.

        It has the rate that `set_learning_rate` gave it, and schedules that listen have heard the
        metrics of every epoch.
        """
        return self._engine.state.optimizer

    def set_learning_rate(self, rate: float | AbstractSchedule) -> None:
        """Go on with another learning rate, or schedule of the step; nothing is compiled anew.

        All groups of a `ParameterGroups` get it.
        """
        self.change_learning_rate(lambda _: rate)

    def change_learning_rate(self, change: ChangeOfRate) -> None:
        """Go on with the rate, or schedule, that a function makes of the present schedule.

        It is called for each group of a `ParameterGroups`.

        Example:
            >>> import dnnbridge as db
            >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
            >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
            >>> run.change_learning_rate(lambda schedule: db.Staircase(schedule, 4))
            >>> run.learning_rate
            0.1
        """
        self._engine.state.replace_optimizer(self.optimizer.with_rate(change))

    @property
    def learning_rate(self) -> float | None:
        """The learning rate of the next step; None if groups of weights have different ones."""
        return self._engine.state.learning_rate

    @property
    def epoch_logs(self) -> Logs:
        """Losses and metrics of the examples of the present epoch that have been trained on."""
        return self._engine.state.totals.means() if self.position.batch else {}

    @property
    def goals(self) -> dict[str, Goal | None]:
        """The losses and metrics of each epoch, and whether lower or higher is better.

        "min" or "max"; None where the metric does not say.
        """
        return self._engine.state.goals

    @property
    def finished(self) -> bool:
        """Whether the last `fit` came to its end, or was stopped by a callback.

        False while it trains, and after an error or Ctrl-C.
        """
        return self._engine.finished

    @in_turn
    def with_engine(self, work: Callable[[Engine], T]) -> T:
        """Return what some work makes of the run's engine; for modules of dnnbridge.

        No other thread trains or reads the run meanwhile.
        """
        self._engine.check_whole()
        return work(self._engine)

    @in_turn
    def weights(self) -> dict[str, Array]:
        """Return copies of all that layers keep, by name, in layer order, for `set_weights`.

        As in Keras these are the trainable weights, those that are frozen, and what layers keep
        besides, such as running means. What the optimizer keeps is in `state`.
        """
        state = self.state()
        return {name: state[name] for name in self._engine.layer_shapes}

    @explained()
    @in_turn
    def set_weights(self, values: Mapping[str, Any]) -> None:
        """Set all weights and buffers, as `weights` returns them.

        What the optimizer keeps stays, and so does the position: see `save` to go on later.

        Raises:
            DataError, DTypeError: a name is missing or unknown, a wrong shape or dtype; nothing
                has been set.
        """
        self._engine.write_weights(values, "weights", all_of_them=True)

    @in_turn
    def parameters(self) -> dict[str, Array]:
        """Return copies of all trainable weights by name, in layer order, kernel before bias.

        Running statistics are not among them: `weights` has all that predictions depend on.
        """
        state = self.state()
        return {name: state[name] for name in self._engine.program.parameters}

    @in_turn
    def buffers(self) -> dict[str, Array]:
        """Return copies of what layers keep besides weights, such as running means, by name."""
        state = self.state()
        arrays = self._engine.program.layer_arrays
        return {a.name: state[a.name] for a in arrays if not a.trainable}

    @explained()
    @in_turn
    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Set the weights and buffers that are named, and leave the others.

        `set_weights` sets all of them, and misses none.

        What the optimizer keeps stays too: averages, and the slow weights of a `Lookahead`.

        Raises:
            DataError, DTypeError: an unknown name, a wrong shape or dtype; nothing has been set.
        """
        self._engine.write_weights(values, "parameters", all_of_them=False)

    @in_turn
    def averages(self) -> dict[str, Array]:
        """Return copies of the averaged weights by name, for `set_parameters`.

        Frozen weights are not among them.

        Raises:
            DataError: the optimizer keeps no average.
        """
        return self._engine.averages()

    @in_turn
    def state(self) -> dict[str, Array]:
        """Return copies of the weights and of the optimizer's arrays, by name."""
        return self._engine.read()

    @former_arguments(progress="position")
    @explained()
    @in_turn
    def set_state(
        self,
        values: Mapping[str, Any],
        position: Position,
        optimizer: AbstractOptimizer | None = None,
        epoch_sums: Mapping[str, Any] | None = None,
    ) -> None:
        """Set all arrays of `state`, and how far the run has been trained.

        It also mends a run that an error has stopped while its arrays were being changed.

        Args:
            values: an array for every name of `state`.
            position: of the run that they are from.
            optimizer: its `optimizer`, which may have heard metrics; by default the present one.
            epoch_sums: its `epoch_sums`, if it stopped within an epoch.

        Raises:
            DataError, DTypeError: something is not of this experiment; nothing has been set.
        """
        self._engine.replace_state(values, position, optimizer, epoch_sums)

    @explained()
    @in_turn
    def reset_states(self, *layers: str) -> None:
        """Set the states of layers with `stateful=True` to zeros, as at the start of a sequence.

        Args:
            layers: names of such layers, or of models and layers that hold some; by default all.

        Raises:
            DataError: no such layer has a state.

        Example:
            >>> import dnnbridge as db
            >>> inputs = db.Input((7, 3), batch_size=4)
            >>> model = db.Sequential([inputs, db.LSTM(5, stateful=True), db.Dense(1)])
            >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
            >>> run.reset_states()
        """
        self._engine.reset_states(layers)

    def epoch_sums(self) -> dict[str, Any]:
        """Return losses and metrics of the epoch that has begun, as JSON types."""
        return self._engine.state.totals.to_dict()
