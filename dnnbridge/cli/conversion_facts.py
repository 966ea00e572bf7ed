"""`Facts`: what the rules about differences of frameworks may ask of a conversion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from dnnbridge.activations import AbstractActivation
from dnnbridge.emit.declarations import StateArray
from dnnbridge.experiment import Experiment
from dnnbridge.layers import AbstractLayer
from dnnbridge.models.tracing import layers_of, trace
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program.heads import Head
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.specs.spec import Spec

MINDSPORE = ("python-mindspore", "mindir")
KERAS = ("keras", "python-tensorflow", "saved_model")

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Facts:
    """A conversion.

    Attributes:
        experiment: the model and its training.
        optimizer: the present optimizer.
        format: what was written.
        trains: whether the file trains too.
        source: the text of the file, if it is a Python file.
        from_mindspore: whether the weights came from a checkpoint of MindSpore.
        from_keras: whether the source is a model of Keras.
    """

    experiment: Experiment
    optimizer: AbstractOptimizer
    format: str
    trains: bool
    source: str = ""
    from_mindspore: bool = False
    from_keras: bool = False

    @property
    def to_mindspore(self) -> bool:
        return self.format in MINDSPORE

    @property
    def to_keras(self) -> bool:
        return self.format in KERAS

    @property
    def crosses(self) -> bool:
        """Whether weights go from one of the two frameworks to the other."""
        return self.to_mindspore or (self.to_keras and self.from_mindspore)

    @cached_property
    def _traced(self) -> tuple[tuple[tuple[str, AbstractLayer], ...], dict[str, StateArray]]:
        graph, declared = trace(self.experiment.model)
        return tuple(layers_of(graph)), declared.arrays

    def layers(self, *kinds: type[AbstractLayer]) -> Iterator[tuple[str, Any]]:
        """Yield the path and the layer of each layer of these classes."""
        for path, layer in self._traced[0]:
            if isinstance(layer, kinds):
                yield path, layer

    def shape(self, path: str, weight: str) -> tuple[int, ...]:
        """Return the shape of a weight of a layer; () if there is none."""
        array = self._traced[1].get(f"{path}/{weight}")
        return () if array is None else tuple(array.shape)

    def activations(self, kind: type[AbstractActivation]) -> Iterator[tuple[str, Any]]:
        """Yield the path of each layer that has an activation of a class, and the activation."""
        for path, layer in self._traced[0]:
            own = [getattr(layer, name, None) for name in ("activation", "recurrent_activation")]
            for found in own:
                if isinstance(found, kind):
                    yield path, found

    def updates(self, kind: type[S]) -> list[S]:
        """Return the specs of a class in the optimizer and in the rules for gradients."""
        found = [*specs_in(self.optimizer)]
        for rule in self.experiment.gradients or ():
            found += specs_in(rule)
        return [spec for spec in found if isinstance(spec, kind)]

    @property
    def schedules(self) -> list[AbstractSchedule]:
        """The schedules of the optimizer that change the rate."""
        return [each for each in self.updates(AbstractSchedule) if _changes(each)]

    def losses(self, kind: type[S]) -> Iterator[tuple[str, S]]:
        """Yield the place and the loss of each output whose loss is of a class."""
        for head in self.experiment.heads:
            for found in specs_in(head.loss):
                if isinstance(found, kind):
                    yield _place(head), found

    def line(self, words: str) -> str:
        """Return the line of the Python file that has some words, as code; else nothing."""
        lines = (line.strip() for line in self.source.splitlines())
        return next((f"`{line}`" for line in lines if words in line), "")


def _changes(schedule: AbstractSchedule) -> bool:
    return type(schedule).__name__ != "ConstantSchedule"


def _place(head: Head) -> str:
    return f"loss of {head.output}" if head.output else "loss"


class Concern(NamedTuple):
    """That a difference concerns a model.

    Attributes:
        where: the layers, the loss or the optimizer.
        says: what differs, with the numbers of the model.
        done: what was done about it.
    """

    where: str
    says: str
    done: str


Rule = Callable[[Facts], Concern | None]

Rules = Mapping[str, Rule]


def listed(found: list[str], shown: int = 4) -> str:
    """Return names with commas, the first few of many.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    rest = len(found) - shown
    return f"{', '.join(found[:shown])} and {rest} more" if rest > 0 else ", ".join(found)
