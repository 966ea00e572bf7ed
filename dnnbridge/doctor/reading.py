"""`read_subject`: the parts of anything that `lint` takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dnnbridge.activations import AbstractActivation
from dnnbridge.base.files import check_is_file
from dnnbridge.base.messages import snake_case, what
from dnnbridge.convert.imported import Imported
from dnnbridge.convert.inspecting import inspect
from dnnbridge.doctor.from_frameworks import (
    framework_of,
    subject_of_imported,
    subject_of_keras,
    subject_of_live,
)
from dnnbridge.doctor.subject import PlacedLoss, Subject, loose_layers, placed_layers, subject_of
from dnnbridge.errors import ConversionError, DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.layers import AbstractLayer, Activation
from dnnbridge.losses import AbstractLoss
from dnnbridge.models import AbstractModel
from dnnbridge.optimizers import AbstractOptimizer, as_optimizer
from dnnbridge.program.heads import Head, as_loss
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.training.run import Run

KERAS_FILES = (".keras", ".h5", ".hdf5")


def read_subject(thing: Any, input_shapes: Any, loss: Any, optimizer: Any) -> Subject:
    """Return the parts of a thing, with a loss and an optimizer in place of its own.

    Raises:
        DTypeError: it is nothing that can be looked at.
        ConversionError: it cannot be read.
    """
    given = {"loss": loss, "optimizer": optimizer}
    fields = {name: value for name, value in given.items() if value is not None}
    origin = None if isinstance(thing, (str, Path)) else framework_of(thing)
    if origin is not None:
        converted = fields if origin == "mindspore" else _specs(fields)
        return subject_of_live(thing, origin, input_shapes, converted)
    if isinstance(thing, (str, Path)):
        return _of_file(Path(thing), input_shapes, _specs(fields))
    for kind, read in READERS.items():
        if isinstance(thing, kind):
            return _with(read(thing), _specs(fields))
    raise DTypeError(
        "takes a model, an experiment, a run, a layer, a loss, an optimizer, a schedule or a file",
        where="lint",
        got=what(thing),
        hint="Give an object of this library, of Keras or of MindSpore, or the path of a file.",
    )


def _specs(fields: Mapping[str, Any]) -> dict[str, Any]:
    made = {"loss": as_loss, "optimizer": as_optimizer}
    return {name: made[name](value) for name, value in fields.items()}


def _with(subject: Subject, fields: Mapping[str, Any]) -> Subject:
    """Return a subject with another loss and another optimizer."""
    if "optimizer" in fields:
        subject = replace(subject, optimizer=fields["optimizer"])
    if "loss" in fields:
        loss = fields["loss"]
        heads = loss if isinstance(loss, tuple) else (Head("", loss),)
        shapes = {each.path: each.shape for each in subject.losses}
        placed = [
            PlacedLoss(
                path := f"loss of {head.output}" if head.output else "loss",
                head.loss,
                shapes.get(path),
            )
            for head in heads
        ]
        subject = replace(subject, losses=placed)
    return subject


def _of_file(path: Path, input_shapes: Any, fields: Mapping[str, Any]) -> Subject:
    check_is_file(path, ConversionError)
    if path.suffix in KERAS_FILES or (path.suffix == ".json" and _is_of_keras(path)):
        return subject_of_keras(path, input_shapes, fields)
    if path.suffix not in (".json", ".safetensors"):
        raise ConversionError(
            "is no file of a model that can be looked at",
            where=str(path),
            got=f"suffix {path.suffix!r}",
            hint="Give a .keras, .h5 or .json file of Keras, a checkpoint, or the JSON of an "
            "Experiment.",
        )
    found = inspect(path)
    if found.experiment is None:
        raise ConversionError(
            "holds arrays and no model", where=str(path), hint="Give a checkpoint of a run."
        )
    subject = subject_of(found.experiment)
    return _with(replace(subject, weights=path.suffix == ".safetensors"), fields)


def _is_of_keras(path: Path) -> bool:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError):
        return False
    return isinstance(found, dict) and "class_name" in found


def _of_run(run: Run) -> Subject:
    return replace(subject_of(run.experiment, run.optimizer), weights=True)


def _of_layer(layer: AbstractLayer) -> Subject:
    if isinstance(layer, AbstractModel):
        return Subject(placed_layers(layer)[0])
    name = layer.name or snake_case(type(layer).__name__)
    return Subject(list(loose_layers(name, layer)))


def _of_loss(loss: AbstractLoss) -> Subject:
    return Subject(losses=[PlacedLoss("loss", loss)])


READERS: Mapping[type[Any], Callable[[Any], Subject]] = {
    Experiment: subject_of,
    Run: _of_run,
    Imported: lambda imported: subject_of_imported(imported, "here"),
    AbstractLayer: _of_layer,
    AbstractActivation: lambda spec: _of_layer(Activation(spec)),
    AbstractLoss: _of_loss,
    AbstractOptimizer: lambda spec: Subject(optimizer=spec),
    AbstractSchedule: lambda spec: Subject(schedule=spec),
}
"""What reads an object of this library, by its class."""
