"""`Subject`: the parts of a model and its training that rules look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from dnnbridge.activations import AbstractActivation
from dnnbridge.errors import DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.graph import Call, Graph
from dnnbridge.layers import AbstractLayer
from dnnbridge.losses import AbstractLoss
from dnnbridge.models import AbstractModel
from dnnbridge.models.tracing import trace
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.gradient_rules import AbstractGradientRule
from dnnbridge.program.heads import Head
from dnnbridge.schedules import AbstractSchedule, ConstantSchedule
from dnnbridge.specs.field_types import infos_of
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.specs.spec import Spec

Framework = Literal["mindspore", "tensorflow"]
Origin = Literal["mindspore", "tensorflow", "here"]
Sizes = tuple[int | None, ...]

S = TypeVar("S", bound=Spec)

NO_WEIGHTS: Mapping[str, tuple[int, ...]] = MappingProxyType({})


class PlacedLayer(NamedTuple):
    """A layer of a model.

    Attributes:
        path: its path.
        layer: its spec.
        shape: of an example of its first input; None if it is not known.
        weights: the shape of each weight and buffer, by name.
    """

    path: str
    layer: AbstractLayer
    shape: Sizes | None = None
    weights: Mapping[str, tuple[int, ...]] = NO_WEIGHTS


class PlacedLoss(NamedTuple):
    """The loss of an output: its place, its spec, and the shape of an example of that output."""

    path: str
    loss: AbstractLoss
    shape: Sizes | None = None


@dataclass(frozen=True)
class Subject:
    """A model and its training, or parts of them.

    Attributes:
        layers: of the model, the outer ones first.
        losses: of its outputs.
        optimizer: with its schedules; None if it is not known.
        gradients: the rules for gradients.
        rows: the inputs whose numbers are rows of an embedding.
        origin: which framework the model comes from; "here" for a spec of this library.
        weights: whether it has weights that somebody would copy.
        starts: whether it says how its weights start.
        schedule: a schedule that was given alone.
        unread: what could not be looked at, a sentence each.
    """

    layers: Sequence[PlacedLayer] = ()
    losses: Sequence[PlacedLoss] = ()
    optimizer: AbstractOptimizer | None = None
    gradients: Sequence[AbstractGradientRule] = ()
    rows: Sequence[str] = ()
    origin: Origin = "here"
    weights: bool = False
    starts: bool = True
    schedule: AbstractSchedule | None = None
    unread: Sequence[str] = field(default=())

    @property
    def parts(self) -> int:
        """How many layers, losses, optimizers and schedules there are."""
        updates = (self.optimizer, self.schedule)
        return len(self.layers) + len(self.losses) + sum(each is not None for each in updates)

    def of(self, *kinds: type[AbstractLayer]) -> Iterator[PlacedLayer]:
        """Yield the layers of these classes."""
        return (each for each in self.layers if isinstance(each.layer, kinds))

    def activations(self, kind: type[AbstractActivation]) -> Iterator[tuple[PlacedLayer, Any]]:
        """Yield each layer with an activation of a class, and the activation."""
        for each in self.layers:
            for name in ("activation", "recurrent_activation"):
                if isinstance(found := getattr(each.layer, name, None), kind):
                    yield each, found

    def updates(self, kind: type[S]) -> list[S]:
        """Return the specs of a class in the optimizer, its schedules and rules for gradients."""
        given = [self.optimizer, *self.gradients, self.schedule]
        found = [spec for each in given if each is not None for spec in specs_in(each)]
        return [spec for spec in found if isinstance(spec, kind)]

    @property
    def schedules(self) -> list[AbstractSchedule]:
        """The schedules that change the rate."""
        found = self.updates(AbstractSchedule)
        return [each for each in found if not isinstance(each, ConstantSchedule)]


def placed_layers(model: AbstractModel) -> tuple[list[PlacedLayer], list[Sizes]]:
    """Return the layers of a model, and the shapes of its outputs."""
    graph, declared = trace(model)
    weights: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, array in declared.arrays.items():
        path, _, own = name.rpartition("/")
        weights.setdefault(path, {})[own] = tuple(array.shape)
    found = list(_layers(graph, weights))
    return found, [tuple(value.shape[1:]) for value in graph.outputs]


def _layers(graph: Graph, weights: dict[str, dict[str, tuple[int, ...]]]) -> Iterator[PlacedLayer]:
    for node in graph.nodes:
        if isinstance(node.op, Call) and isinstance(node.op.spec, AbstractLayer):
            shape = tuple(node.inputs[0].shape[1:]) if node.inputs else None
            yield PlacedLayer(node.path, node.op.spec, shape, weights.get(node.path, {}))
        if node.body is not None:
            yield from _layers(node.body, weights)


def loose_layers(path: str, layer: AbstractLayer) -> Iterator[PlacedLayer]:
    """Yield a layer outside of a model, and the layers in its fields; their shapes are not known.

    Example:
        >>> import dnnbridge as db
        >>> [each.path for each in loose_layers("both", db.Bidirectional(db.LSTM(4)))]
        ['both', 'both/layer']
    """
    yield PlacedLayer(path, layer)
    for name in infos_of(type(layer)):
        if isinstance(inner := getattr(layer, name), AbstractLayer):
            yield from loose_layers(f"{path}/{name}", inner)


def placed_losses(heads: Sequence[Head], shapes: Sequence[Sizes]) -> list[PlacedLoss]:
    """Return the losses of outputs, those that are parts of another loss included."""
    known = list(shapes) if len(shapes) == len(heads) else [None] * len(heads)
    return [
        PlacedLoss(f"loss of {head.output}" if head.output else "loss", each, shape)
        for head, shape in zip(heads, known, strict=True)
        for each in specs_in(head.loss)
        if isinstance(each, AbstractLoss)
    ]


def subject_of(experiment: Experiment, optimizer: AbstractOptimizer | None = None) -> Subject:
    """Return the parts of an experiment; `optimizer` takes the place of its own."""
    layers, shapes = placed_layers(experiment.model)
    try:
        names = [name.partition(":")[2] for name in experiment.program().rows]
    except DnnbridgeError:  # such as a loss that does not fit: compiling says so
        names = []
    return Subject(
        layers,
        placed_losses(experiment.heads, shapes),
        optimizer or experiment.optimizer,
        tuple(experiment.gradients or ()),
        names,
    )
