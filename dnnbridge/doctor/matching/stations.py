"""`stations_of`: the layers of a model in the order of their results, inner models opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dnnbridge.experiment import Experiment
from dnnbridge.layers import AbstractLayer, Activation
from dnnbridge.models import AbstractModel, Model, Sequential
from dnnbridge.program.probes import ACTIVATIONS, build_probes

Shape = tuple[int | None, ...]


class Station(NamedTuple):
    """A call of a layer.

    Attributes:
        path: its name, with those of the models that it is in.
        layer: its spec.
        inputs: the paths of what it reads.
        weights: the names of its arrays.
        shape: of its result, with the batch; None for several results.
        read: the shape of each of its inputs.
    """

    path: str
    layer: AbstractLayer
    inputs: tuple[str, ...]
    weights: tuple[str, ...] = ()
    shape: Shape | None = None
    read: tuple[Shape | None, ...] = ()

    @property
    def activation(self) -> object | None:
        """The activation within a layer with weights; None if it is none or linear."""
        found = None if isinstance(self.layer, Activation) else activation_of(self.layer)
        return None if type(found).__name__ == "Linear" else found


def activation_of(layer: AbstractLayer) -> object | None:
    """Return the activation of a layer of weights, or of an `Activation`."""
    recurrent = hasattr(layer, "recurrent_activation") or hasattr(layer, "return_sequences")
    return None if recurrent else getattr(layer, "activation", None)


def stations_of(experiment: Experiment) -> list[Station]:
    """Return the layers in an order that does not depend on how a model lists its nodes.

    Example:
        >>> import dnnbridge as db
        >>> layers = [db.Dense(4, "relu", name="a"), db.Sequential([db.Input((4,)), db.Dense(2)])]
        >>> model = db.Sequential([db.Input((3,)), *layers])
        >>> for each in stations_of(db.Experiment(model, "mse", "sgd")):
        ...     print(each.path, each.inputs, each.shape)
        a ('x',) (None, 4)
        sequential/dense ('a',) (None, 2)
    """
    model = experiment.model
    arrays = [array.name for array in experiment.program().layer_arrays]
    shapes = _shapes(experiment)
    found, outputs = _opened(model, "", list(model.input_types))
    by_path = {each.path: each for each in found}
    return [
        each._replace(
            weights=tuple(n for n in arrays if n.startswith(f"{each.path}/")),
            shape=shapes.get(each.path),
            read=tuple(shapes.get(name) for name in each.inputs),
        )
        for each in _ordered(by_path, outputs)
    ]


def _shapes(experiment: Experiment) -> dict[str, Shape]:
    """Return the shape of each input and of the result of each layer, by path."""
    probes = build_probes(
        experiment.model, experiment.heads, experiment.rules, experiment.precision
    )
    function = probes.functions[ACTIVATIONS[False]]
    values = zip(function.results, function.graph.outputs, strict=False)
    made = {name: tuple(value.shape) for name, value in values}
    inputs = experiment.model.input_types.items()
    return {name: (None, *type.shape[1:]) for name, type in inputs} | made


def _opened(
    model: AbstractModel, prefix: str, inputs: Sequence[str]
) -> tuple[list[Station], list[str]]:
    """Return the layers of a model, and the paths of its results."""
    known = dict(zip(model.input_types, inputs, strict=False))
    found: list[Station] = []
    if isinstance(model, Sequential):
        at = list(inputs)
        for name, layer in model.named_layers():
            at = _called(name, layer, prefix, at, found)
        return found, at
    assert isinstance(model, Model)
    for node in model.nodes:
        names = [known[name.partition(":")[0]] for name in (*node.inputs, *node.initial_state)]
        known[node.name] = _called(node.name, node.layer, prefix, names, found)[0]
    outputs = model.outputs if isinstance(model.outputs, tuple) else ()
    return found, [known[str(name).partition(":")[0]] for name in outputs]


def _called(
    name: str, layer: AbstractLayer, prefix: str, inputs: list[str], found: list[Station]
) -> list[str]:
    """Add the layers of a call, and return the paths of its results."""
    path = f"{prefix}{name}"
    if isinstance(layer, (Sequential, Model)):
        inner, outputs = _opened(layer, f"{path}/", inputs)
        found += inner
        return outputs
    found.append(Station(path, layer, tuple(inputs)))
    return [path]


def _ordered(by_path: dict[str, Station], outputs: Sequence[str]) -> Iterator[Station]:
    """Yield what each result depends on before it, by the order of its inputs."""
    seen: set[str] = set()
    for start in outputs:
        waiting = [(start, False)]
        while waiting:
            path, ready = waiting.pop()
            if path not in by_path or (path in seen and not ready):
                continue
            if ready:
                yield by_path[path]
                continue
            seen.add(path)
            waiting.append((path, True))
            waiting += [(each, False) for each in reversed(by_path[path].inputs)]
