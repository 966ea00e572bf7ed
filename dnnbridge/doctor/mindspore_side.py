"""`MindSporeSide`: a live Cell, a loss and an optimizer of MindSpore as one side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import framework
from dnnbridge.convert.followed_cells import in_pynative, predicting
from dnnbridge.convert.from_mindspore import Source, Sources
from dnnbridge.doctor.kernels import kernel_of
from dnnbridge.doctor.mindspore_training import Training
from dnnbridge.doctor.sides import AbstractSide, Batched, Spot, State
from dnnbridge.errors import DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.mindspore.compiled import SLOTS
from dnnbridge.models import Model

DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d")
"""Cells that are the identity unless they train."""


class MindSporeSide(AbstractSide):
    """A live Cell with its own forward, gradients and optimizer. `close` restores it.

    Args:
        training: what was given.
        experiment: the same as a spec.
        sources: what holds each weight, and the Cell of each layer.
        data: the examples, as the Cell takes them.
        title: what it is called in sentences.
    """

    def __init__(
        self,
        training: Training,
        experiment: Experiment,
        sources: Sources,
        data: Batched,
        title: str,
    ) -> None:
        if data.weights is not None:
            raise DTypeError(
                "a loss of MindSpore takes no weights of examples",
                where="align",
                got="sample weights",
                hint="Compare without them, or compare a run of this library.",
            )
        self.training, self.experiment, self.data, self.title = training, experiment, data, title
        self.first = experiment
        self.names, self.sources = {}, sources.weights
        self.optimizer = training.optimizer
        self.slots = _slots_of(self.optimizer)
        self.scalars = _scalars_of(self.optimizer, self.slots)
        self.saved = [
            (each, each.asnumpy().copy())
            for each in (*training.cell.get_parameters(), *self.optimizer.get_parameters())
        ]
        self.modes = [(each, each.training) for _, each in training.cell.cells_and_names()]
        self.at = {0: [each.asnumpy().copy() for each in self.scalars]}
        self.cells = {id(cell): name for name, cell in sources.cells.items()}
        self.hooked = list(sources.cells.values())
        self.paths: dict[str, list[str]] = {}
        assert isinstance(experiment.model, Model)
        for node in experiment.model.nodes:  # in the order of the calls
            self.paths.setdefault(node.layer.name or node.name, []).append(node.name)

    def close(self) -> None:
        for parameter, array in self.saved:
            _set(parameter, array)
        for cell, training in self.modes:
            cell.set_train(training)

    def state(self) -> State:
        made = {}
        for name, source in self.sources.items():
            made[name] = self._read(source, [each.asnumpy() for each in source.parameters])
            for slot, by_name in self.slots.items():
                arrays = [by_name.get(each.name) for each in source.parameters]
                if all(each is not None for each in arrays):
                    values = [each.asnumpy() for each in arrays if each is not None]
                    made[f"{name}:{slot}"] = self._read(source, values)
        return made

    def _read(self, source: Source, arrays: Sequence[Array]) -> Array:
        return np.array(source.layout.read(*arrays), np.float32, order="C")

    def place(self, state: Mapping[str, Array], step: int) -> None:
        parts: dict[int, tuple[Any, list[Array]]] = {}
        for name, source in self.sources.items():
            self._write(source, source.parameters, state[name], parts)
            for slot, by_name in self.slots.items():
                if (given := state.get(f"{name}:{slot}")) is not None:
                    found = [by_name[each.name] for each in source.parameters]
                    self._write(source, found, given, parts)
        for parameter, arrays in parts.values():  # several weights may be rows of one
            whole = len(arrays) == 1 or arrays[0].size == parameter.size
            _set(parameter, arrays[0] if whole else np.concatenate(arrays))
        known = max(at for at in self.at if at <= step)
        for parameter, array in zip(self.scalars, self.at[known], strict=True):
            _set(parameter, array)

    def _write(
        self,
        source: Source,
        parameters: Sequence[Any],
        array: Array,
        parts: dict[int, tuple[Any, list[Array]]],
    ) -> None:
        made = source.layout.write(np.asarray(array, np.float32))
        if len(parameters) == 1 or len(made) == len(parameters):
            for parameter, each in zip(parameters, made, strict=False):
                parts.setdefault(id(parameter), (parameter, []))[1].append(each)

    def rate(self) -> float | None:
        rate = self.optimizer.get_lr()
        return float((rate[0] if isinstance(rate, tuple) else rate).asnumpy())

    def forward(self, step: int) -> Iterator[tuple[Spot, Array]]:
        x, y = self._batch(step)
        for name, array in zip(self.experiment.model.input_types, x, strict=True):
            yield Spot("input", name), array.asnumpy()
        before = self.state()
        with self._in_training(), self._noted() as made:
            self.training.cell(*x)
        for name, array in made.items():
            yield Spot("layer", name), array
        self.place(before, step)
        _, gradients = self._gradients(x, y)
        by_id = {
            id(p): g.asnumpy() for p, g in zip(self.optimizer.parameters, gradients, strict=True)
        }
        for name, source in self.sources.items():
            if all(id(each) in by_id for each in source.parameters):
                found = [by_id[id(each)] for each in source.parameters]
                yield Spot("gradient", name), self._read(source, found)

    @contextmanager
    def _noted(self) -> Iterator[dict[str, Array]]:
        """Note what each Cell returns that is a layer of the spec."""
        made: dict[str, Array] = {}
        left = {name: iter(paths) for name, paths in self.paths.items()}

        def note(cell: Any, inputs: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            path = next(left.get(self.cells[id(cell)], iter(())), None)
            if path is not None:
                turned = not getattr(cell, "batch_first", True)
                made[path] = first.asnumpy().swapaxes(0, 1) if turned else first.asnumpy()

        hooks = [cell.register_forward_hook(note) for cell in self.hooked]
        try:
            yield made
        finally:
            for hook in hooks:
                hook.remove()

    def _batch(self, step: int) -> tuple[tuple[Any, ...], Any]:
        return self._given(*self.data.batch(step))

    def _given(self, x: Any, y: Any) -> tuple[tuple[Any, ...], Any]:
        """Return examples as tensors, in the order of the inputs."""
        mindspore = framework("mindspore", "align")
        types = self.experiment.model.input_types
        if isinstance(x, Mapping):
            x = [x[name] for name in types]
        several = x if isinstance(x, (list, tuple)) else [x]
        tensors = [
            mindspore.Tensor(np.ascontiguousarray(array, np.dtype(type.dtype)))
            for array, type in zip(several, types.values(), strict=True)
        ]
        return tuple(tensors), self._labels(np.asarray(y))

    def _labels(self, y: Array) -> Any:
        mindspore = framework("mindspore", "align")
        sparse = "Sparse" in type(self.experiment.loss).__name__
        if sparse and y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        return mindspore.Tensor(np.ascontiguousarray(y, np.int32 if sparse else np.float32))

    @contextmanager
    def _in_training(self) -> Iterator[None]:
        """Set the Cell to train, but for dropout; a `TrainOneStepCell` stays what it is."""
        cell = self.training.cell
        if self.training.step is None:
            cell.set_train(True)
        for _, each in cell.cells_and_names():
            if type(each).__name__ in DROPOUTS:
                each.set_train(False)
        with in_pynative():
            yield

    def _gradients(self, x: tuple[Any, ...], y: Any) -> tuple[float, Sequence[Any]]:
        mindspore = framework("mindspore", "align")
        cell, loss = self.training.cell, self.training.loss
        with self._in_training():
            function = mindspore.value_and_grad(
                lambda *given: loss(cell(*given[:-1]), given[-1]), None, self.optimizer.parameters
            )
            value, gradients = function(*x, y)
        return float(value.asnumpy().sum()), gradients

    def train(self, step: int) -> float:
        x, y = self._batch(step)
        if self.training.step is not None:
            with self._in_training():
                made = self.training.step(*x, y)
            loss = float((made[0] if isinstance(made, tuple) else made).asnumpy().sum())
        else:
            loss, gradients = self._gradients(x, y)
            self.optimizer(gradients)
        self.at[step + 1] = [each.asnumpy().copy() for each in self.scalars]
        return loss

    def native(self, spot: Spot, error: float) -> str | None:
        return kernel_of(self.experiment, spot, error, not math.isinf(error))

    def evaluate(self, x: Any, y: Any, weights: Any = None) -> Mapping[str, float]:
        cell = self.training.cell
        given, labels = self._given(x, y)
        with predicting(cell):
            loss = float(self.training.loss(cell(*given), labels).asnumpy().sum())
        return {"loss": loss}


def _slots_of(optimizer: Any) -> dict[str, dict[str, Any]]:
    """Return the arrays of an optimizer, by slot here and by the name of the parameter."""
    names = [parameter.name for parameter in optimizer.parameters]
    made = {}
    for slot, attribute in SLOTS.get(type(optimizer).__name__, {}).items():
        if arrays := getattr(optimizer, attribute, None):
            made[slot] = dict(zip(names, arrays, strict=True))
    return made


def _scalars_of(optimizer: Any, slots: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return what an optimizer keeps besides the weights and their arrays, such as its step."""
    weights = {id(each) for each in optimizer.parameters}
    known = weights | {id(each) for by_name in slots.values() for each in by_name.values()}
    return [each for each in optimizer.get_parameters() if id(each) not in known]


def _set(parameter: Any, array: Array) -> None:
    """Write in place: after `set_data` a compiled optimizer would go on with the old array."""
    mindspore = framework("mindspore", "align")
    given = np.ascontiguousarray(array).reshape(parameter.shape)
    mindspore.ops.assign(parameter, mindspore.Tensor(given, parameter.dtype))
