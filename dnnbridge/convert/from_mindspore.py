"""`from_mindspore`: read a Cell of MindSpore by following its `construct`."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.activations import Sigmoid, Softmax
from dnnbridge.backend.native import from_native
from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.base.packages import framework
from dnnbridge.convert.comparing import compare
from dnnbridge.convert.followed_cells import followed, inputs_of, predicting
from dnnbridge.convert.imported import Imported
from dnnbridge.convert.report import ImportReport, rows_of
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import (
    ConversionError,
    DTypeError,
    SpecError,
)
from dnnbridge.experiment import Experiment
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.mindspore.compiled import (
    NoCounterpartError,
    read_loss,
    read_slots,
)
from dnnbridge.formats.mindspore.rule import Part
from dnnbridge.formats.mindspore.weights import Layout
from dnnbridge.losses import AbstractLoss
from dnnbridge.models import Input, Model
from dnnbridge.models.tracing import trace
from dnnbridge.optimizers import AbstractOptimizer


@explained()
def from_mindspore(
    cell: Any,
    input_shapes: Any,
    *,
    loss: Any = None,
    optimizer: Any = None,
) -> Imported:
    """Read a live `mindspore.nn.Cell`: its layers, its weights, a loss and an optimizer.

    `construct` of the Cell and of the Cells in it is run once on stand-ins for tensors, which
    write down the layers, functions and operators. The Cell itself is not changed. The layers keep
    MindSpore's layout (channels first) and its names, with "_" for ".". At last the prediction in
    float64 is compared with that of the Cell on random inputs; if they differ, this is an error.

    Args:
        cell: a Cell whose `construct` is made of layers of `mindspore.nn`, functions of
            `mindspore.ops` and `mint`, methods of tensors, and operators.
        input_shapes: the shape of an example without the batch, an `Input`, or a list of these for
            several inputs. An input of an `nn.Embedding` takes whole numbers (`int32`).
        loss: a loss of `mindspore.nn`, or one of this library.
        optimizer: an optimizer of `mindspore.nn` over the parameters of the Cell, whose arrays and
            step are read too; or one of this library.

    Raises:
        ConversionError: `construct` has layers, arguments or operations without a counterpart. The
            message names all of them. Or the predictions differ.
        PackageNotInstalledError: MindSpore is missing.

    Example:
        >>> from_mindspore("lenet.ckpt", (1, 28, 28))
        Traceback (most recent call last):
        dnnbridge.errors.DTypeError: from_mindspore: takes a Cell, got 'lenet.ckpt'. ...
    """
    mindspore = framework("mindspore", "from_mindspore")
    if not isinstance(cell, mindspore.nn.Cell):
        raise DTypeError(
            "takes a Cell",
            where="from_mindspore",
            got=what(cell),
            hint="Make the Cell, and load the file with mindspore.load_checkpoint(path, cell).",
        )
    return read_cell(cell, input_shapes, loss, optimizer)[0]


class Source(NamedTuple):
    """Where a Cell keeps a weight.

    Attributes:
        parameters: the parameters that hold it.
        layout: how they are converted.
    """

    parameters: tuple[Any, ...]
    layout: Layout


class Sources(NamedTuple):
    """The parts of a Cell by names here.

    Attributes:
        weights: what holds each weight.
        cells: the Cell of each layer that is the last one that a Cell is read as.
    """

    weights: Mapping[str, Source]
    cells: Mapping[str, Any]


def read_cell(
    cell: Any, input_shapes: Any, loss: Any = None, optimizer: Any = None
) -> tuple[Imported, Sources]:
    """Read a Cell as `from_mindspore` does, and return its parts too.

    Raises:
        ConversionError: as `from_mindspore`.
    """
    with predicting(cell):
        return _imported(cell, inputs_of(input_shapes), loss, optimizer)


def _imported(
    cell: Any, inputs: list[Input], loss: Any, optimizer: Any
) -> tuple[Imported, Sources]:
    where, findings = type(cell).__name__, Findings()
    follower, outputs, values = followed(cell, inputs, findings)
    findings.check(where)
    symbols: list[Any] = [output.symbol for output in outputs]
    model = Model([symbol for symbol, _ in values], symbols)
    graph, declarations = trace(model)
    declared = declarations.arrays
    arrays, sources = _weights(follower.parts, declared, where)
    compare(follower, values, outputs, arrays, where)
    names = {name: source.parameters[0] for name, source in sources.items()}
    ours = {parameter.name: name for name, parameter in names.items()}
    fields, notes = _fields(loss, optimizer, ours)
    if "loss" in fields:
        fields["loss"] = _of_what_it_gets(fields["loss"], model)
    if frozen := tuple(name for name, array in names.items() if not array.requires_grad):
        fields["frozen"] = tuple(n for n in frozen if declared[n].trainable)
    fields = {key: value for key, value in fields.items() if value}
    slots, step = _slots(optimizer, model, fields, follower.parts, declared)
    if step and not slots and _keeps_arrays(model, fields):
        notes.append("What the optimizer has kept was left out.")
        step = 0
    report = ImportReport(where, tuple(rows_of(graph, arrays)), tuple(notes))
    imported = Imported(model, fields, arrays, slots, step, report)
    cells = {layers[-1].layer.name or "": each for each, layers in follower.parts.values()}
    return imported, Sources(sources, cells)


def _weights(
    parts: Mapping[str, tuple[Any, list[Part]]], declared: Mapping[str, StateArray], where: str
) -> tuple[dict[str, Array], dict[str, Source]]:
    """Return the weights by name here, and what each was read from."""
    arrays, sources = {}, {}
    for cell, layers in parts.values():
        for part in layers:
            for entry in part.entries:
                name = f"{part.layer.name}/{entry.here}"
                if name not in declared:
                    continue
                found = [parameter_of(cell, there) for there in entry.there]
                made = entry.layout.read(*(each.asnumpy() for each in found))
                arrays[name] = np.array(made, np.float32, order="C")
                sources[name] = Source(tuple(found), entry.layout)
                if made.shape != tuple(declared[name].shape):
                    raise ConversionError(
                        "a parameter has another shape than the layer here",
                        where=f"{where}: {name}",
                        got=f"{made.shape}, not {tuple(declared[name].shape)}",
                    )
    missing = [name for name in declared if name not in arrays]
    if missing:
        raise ConversionError("weights were not found", where=where, got=", ".join(missing))
    return arrays, sources


def parameter_of(cell: Any, name: str) -> Any:
    """Return a parameter of a Cell by its name below the Cell."""
    value: Any = cell
    for part in name.split("."):
        value = getattr(value, part, None)
    if value is not None:
        return value
    ends = (name, f".{name}")
    return next(p for p in cell.get_parameters() if p.name == ends[0] or p.name.endswith(ends[1]))


def _fields(
    loss: Any, optimizer: Any, names: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return loss and optimizer, and a note for each that has no counterpart."""
    fields: dict[str, Any] = {}
    notes = []
    if loss is not None:
        try:
            fields["loss"] = read_loss(loss)
        except NoCounterpartError as error:
            notes.append(f"It was left out: {error}.")
    if isinstance(optimizer, AbstractOptimizer):
        fields["optimizer"] = optimizer
    elif optimizer is not None:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                fields["optimizer"] = from_native(optimizer, names=lambda n: names.get(n, n))
            except SpecError as error:
                notes.append(f"The optimizer {type(optimizer).__name__} was left out: {error}")
        notes += [str(warning.message) for warning in heard]
    return fields, notes


def _of_what_it_gets(loss: AbstractLoss, model: Model) -> AbstractLoss:
    """Return a loss of logits that takes probabilities for logits too, as that of MindSpore."""
    outputs = model.outputs if isinstance(model.outputs, tuple) else ()
    ends = {str(name).partition(":")[0] for name in outputs}
    last = [getattr(node.layer, "activation", None) for node in model.nodes if node.name in ends]
    probabilities = any(isinstance(each, (Softmax, Sigmoid)) for each in last)
    if probabilities and getattr(loss, "from_logits", False):
        return dataclasses.replace(loss, fused=False)  # type: ignore[call-arg]
    return loss


def _slots(
    optimizer: Any,
    model: Model,
    fields: Mapping[str, Any],
    parts: Mapping[str, tuple[Any, list[Part]]],
    declared: Mapping[str, StateArray],
) -> tuple[dict[str, Array], int]:
    """Return what the optimizer has kept, in the layout of the weights."""
    if not {"loss", "optimizer"} <= fields.keys() or not hasattr(optimizer, "global_step"):
        return {}, 0
    found, step = read_slots(optimizer)
    if not step:
        return {}, 0
    state = Experiment(model, **fields).program().state
    made = {}
    for cell, layers in parts.values():
        for part in layers:
            for entry in part.entries:
                name = f"{part.layer.name}/{entry.here}"
                for slot, by_name in found.items():
                    key = f"{name}:{slot}"
                    if name in declared and key in state:
                        arrays = [by_name[parameter_of(cell, there).name] for there in entry.there]
                        made[key] = np.array(entry.layout.read(*arrays), np.float32, order="C")
    wanted = {key for key in state if ":" in key}
    return (made, step) if wanted <= made.keys() else ({}, step)


def _keeps_arrays(model: Model, fields: Mapping[str, Any]) -> bool:
    return any(":" in name for name in Experiment(model, **fields).program().state)
