"""`KerasSide`: a live, compiled Keras model as one side of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import framework
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.imported import Imported
from dnnbridge.doctor.sides import AbstractSide, Batched, Spot, State, renaming
from dnnbridge.experiment import Experiment

RATES = ("rate", "dropout", "recurrent_dropout", "stddev")
"""Arguments of Keras' layers that say how much is dropped or added."""

INNER = ("layers", "layer", "forward_layer", "backward_layer", "cell", "cells")
"""Where layers of Keras hold others."""

OWN = ("iteration", "learning_rate")
"""What Keras' optimizers keep besides the arrays of weights."""


class Kept(NamedTuple):
    """The variable of an array, and the factor between the two."""

    variable: Any
    sign: float


class KerasSide(AbstractSide):
    """A live model with its own forward, gradients and optimizer. `close` restores it.

    Args:
        model: compiled, and built.
        data: the examples.
        title: what it is called in sentences.
        first: what the first side trains; by default this is the first side.
    """

    def __init__(
        self, model: Any, data: Batched, title: str, first: Experiment | None = None
    ) -> None:
        self.model, self.data, self.title = model, data, title
        model.optimizer.build(model.trainable_variables)
        self.saved = Saved(model)
        try:
            self.saved.quieten()
            self.kept, imported = arrays_of_model(model)
            self.saved.restore_arrays()
        except BaseException:
            self.close()
            raise
        self.experiment = imported.experiment
        self.first = first or self.experiment
        self.names = renaming(self.first, self.experiment)
        self._layers, self.sliced = outputs_of_layers(model), set[str]()

    def close(self) -> None:
        self.saved.restore()

    def state(self) -> State:
        return {n: k.sign * np.array(k.variable) for n, k in self.kept.items()}

    def place(self, state: Mapping[str, Array], step: int) -> None:
        for name, kept in self.kept.items():
            kept.variable.assign(kept.sign * np.asarray(state[name], np.float32))
        _iterations(self.model.optimizer).assign(self.data.position(step).step)

    def rate(self) -> float | None:
        return float(self.model.optimizer.learning_rate)

    def forward(self, step: int) -> Iterator[tuple[Spot, Array]]:
        x, y = self.data.batch(step)
        inputs = self.experiment.model.input_types
        given = x if isinstance(x, Mapping) else dict(zip(inputs, _listed(x), strict=False))
        for name, kind in inputs.items():
            if name in given:
                array = np.asarray(given[name])
                yield Spot("input", name), array.astype(np.dtype(kind.dtype))
        before = self.state()
        for name, array in self._layers(x, training=True).items():
            yield Spot("layer", name), np.array(array)
        self.place(before, step)
        _, gradients = self._gradients(x, y, self.data.weights_of(step))
        names = {id(kept.variable): name for name, kept in self.kept.items()}
        dense = framework("tensorflow", "align").convert_to_tensor
        for variable, gradient in zip(self.model.trainable_variables, gradients, strict=True):
            if gradient is not None and id(variable) in names:
                name = names[id(variable)]
                if hasattr(gradient, "indices"):  # a row for each word of the batch
                    self.sliced.add(self.known(name))
                yield Spot("gradient", name), np.array(dense(gradient))

    def native(self, spot: Spot, error: float) -> str | None:
        updated = spot.stage in ("update", "weights", "slots")
        return "indexed-slices" if updated and spot.where.split(":")[0] in self.sliced else None

    def _gradients(self, x: Any, y: Any, weights: Any) -> tuple[float, list[Any]]:
        tf = framework("tensorflow", "align")
        with tf.GradientTape() as tape:
            outputs = self.model(self._given(x), training=True)
            loss = self.model.compute_loss(x, y, outputs, weights, training=True)
        found = tape.gradient(loss, self.model.trainable_variables)
        return float(loss), found

    def _given(self, x: Any) -> Any:
        """Return inputs in the structure that the model declares."""
        listed = isinstance(self.model.input_shape, list)
        return [x] if listed and not _several(x) else x

    def train(self, step: int) -> float:
        loss, gradients = self._gradients(*self.data.batch(step), self.data.weights_of(step))
        pairs = zip(gradients, self.model.trainable_variables, strict=True)
        self.model.optimizer.apply_gradients([pair for pair in pairs if pair[0] is not None])
        return loss

    def evaluate(self, x: Any, y: Any, weights: Any = None) -> Mapping[str, float]:
        self.model.reset_metrics()
        size, model = self.data.size, self.model
        found = model.evaluate(x, y, size, 0, sample_weight=weights, return_dict=True)
        if getattr(self.experiment.loss, "reduction", "mean") == "sum":
            del found["loss"]  # Keras reports a mean of the sums of batches
        return {name: float(value) for name, value in found.items()}


class Saved:
    """What a model had before, to be restored.

    Args:
        model: the live model.
    """

    def __init__(self, model: Any) -> None:
        variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
        self.arrays = [(variable, np.array(variable)) for variable in variables]
        self.rates: list[tuple[Any, str, float]] = []
        self.model = model

    def quieten(self) -> None:
        """Set all rates of dropout and noise to 0."""
        for layer in _layers(self.model, set()):
            for name in RATES:
                value = layer.__dict__.get(name)
                if isinstance(value, float) and value:
                    self.rates.append((layer, name, value))
                    setattr(layer, name, 0.0)

    def restore_arrays(self) -> None:
        """Set all arrays to what they were."""
        for variable, array in self.arrays:
            variable.assign(array)

    def restore(self) -> None:
        """Set all arrays and rates to what they were."""
        self.restore_arrays()
        for layer, name, value in self.rates:
            setattr(layer, name, value)
        self.rates = []


def _layers(layer: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a layer and all that it holds."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield layer
    for name in INNER:
        inner = getattr(layer, name, None)
        for each in inner if isinstance(inner, (list, tuple)) else [inner]:
            if each is not None and hasattr(each, "__dict__"):
                yield from _layers(each, seen)


def arrays_of_model(model: Any) -> tuple[dict[str, Kept], Imported]:
    """Return the variable of each array here, as `from_keras` maps them.

    Each variable is filled with its own number, which the conversion carries to its name.
    """
    optimizer = model.optimizer
    slots = [v for v in optimizer.variables if v.name not in OWN and "float" in str(v.dtype)]
    weights = [v for v in model.weights if "float" in str(v.dtype)]
    variables = list({id(v): v for v in (*weights, *slots)}.values())
    _iterations(optimizer).assign(1)
    for number, variable in enumerate(variables, 1):
        variable.assign(np.full(variable.shape, number, np.float32))
    imported = from_keras(model)
    made: dict[str, Kept] = {}
    for name, array in {**imported.weights, **imported.slots}.items():
        filled = float(array.flat[0]) if array.size else 0.0
        index = round(abs(filled)) - 1
        if abs(filled) == index + 1 and 0 <= index < len(variables):
            variable = variables[index]
            if tuple(variable.shape) == array.shape:
                made[name] = Kept(variable, math.copysign(1.0, filled))
    return made, imported


def _iterations(optimizer: Any) -> Any:
    """Return the variable that counts steps; under accumulation `iterations` counts updates."""
    return next(each for each in optimizer.variables if each.name == OWN[0])


def outputs_of_layers(model: Any) -> Any:
    """Return a model of the outputs of the layers of another one, by name."""
    keras = framework("keras", "align")
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    found = {}
    for layer in model.layers:
        output = getattr(layer, "output", None)
        if output is not None and not isinstance(output, (list, tuple, dict)):
            found[layer.name] = output
    try:
        return keras.Model(inputs, found)
    except ValueError:  # a layer was first called in another model
        return keras.Model(inputs, {n: o for n, o in found.items() if _reached(keras, inputs, o)})


def _reached(keras: Any, inputs: Any, output: Any) -> bool:
    """Whether an output depends on the inputs of a model alone."""
    try:
        keras.Model(inputs, output)
    except ValueError:
        return False
    return True


def _several(x: Any) -> bool:
    return isinstance(x, (list, tuple, Mapping))


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]
