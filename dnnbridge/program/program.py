"""`Program`: the graphs that a backend compiles, and the arrays kept between steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnnbridge.emit.scope import RandomInput, StateArray
from dnnbridge.graph import DType, Graph, TensorType, Value
from dnnbridge.program.objectives import Objective
from dnnbridge.schedules import AbstractSchedule


@dataclass(frozen=True, eq=False)
class Function:
    """A graph whose inputs are state arrays and feeds, and whose outputs have names.

    Attributes:
        graph: flat SSA. Its outputs are `results`, then the new values of `writes`.
        state: for each input that reads a state array, the name of the array. All other inputs
            are feeds, with the names that `Executable.run` takes.
        results: names of the returned values.
        writes: names of the state arrays it changes.
        training: whether it was emitted for training.
        divided: whether several workers run it, each on its part of the batch.
    """

    graph: Graph
    state: Mapping[Value, str]
    results: tuple[str, ...]
    writes: tuple[str, ...] = ()
    training: bool = False
    divided: bool = False

    @property
    def feeds(self) -> tuple[Value, ...]:
        """The inputs that are fed, in the order of the graph's inputs."""
        return tuple(value for value in self.graph.inputs if value not in self.state)


@dataclass(frozen=True, eq=False)
class Program:
    """Everything that a backend needs, and the feeds that the runtime must supply.

    Attributes:
        functions: "train", "evaluate" and "predict". If the model has noise or dropout, also
            "sample": a prediction with them.
        state: arrays kept between steps: weights, buffers and carried states in layer order, then
            the slots of the optimizer.
        randoms: arrays to draw at every step of "train" or "sample", fed as "random:name".
        scalars: names of the optimizer's host scalars, fed as "scalar:name".
        schedules: schedules of layers, whose value at each step is fed as "schedule:name".
        objectives: the loss and metrics of each trained output, by key.
        outputs: types of the predictions, by name of the output.
        layers: names of the arrays of `state` that layers declared, without carried states.
        replaced: names of the weights that layers replace before each training step.
        batch_size: number of examples of every batch, if the model has a fixed one.
        rows: number of rows of the table that an input indexes, by name of the feed.
        variable_dtype: type of the numbers in `state`.
    """

    functions: Mapping[str, Function]
    state: Mapping[str, StateArray] = field(default_factory=dict)
    randoms: tuple[RandomInput, ...] = ()
    scalars: tuple[str, ...] = ()
    schedules: Mapping[str, AbstractSchedule] = field(default_factory=dict)
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    batch_size: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    variable_dtype: DType = "float32"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the trainable arrays, in layer order."""
        return tuple(name for name, array in self.state.items() if array.trainable)

    @property
    def carried(self) -> tuple[str, ...]:
        """Names of the states that are carried from batch to batch."""
        return tuple(name for name, array in self.state.items() if array.carried)

    @property
    def layer_arrays(self) -> tuple[StateArray, ...]:
        """Weights and buffers, in layer order."""
        return tuple(self.state[name] for name in self.layers)
