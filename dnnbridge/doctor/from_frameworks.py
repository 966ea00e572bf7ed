"""Read objects and files of Keras and MindSpore as a `Subject`, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dnnbridge.backend.native import from_native
from dnnbridge.base.packages import framework
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.from_mindspore import from_mindspore
from dnnbridge.convert.imported import Imported
from dnnbridge.doctor.subject import (
    Framework,
    Origin,
    PlacedLayer,
    PlacedLoss,
    Subject,
    loose_layers,
    placed_layers,
    placed_losses,
)
from dnnbridge.errors import ConversionError, DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.findings import Finding, Findings
from dnnbridge.formats.keras.calls import places_in
from dnnbridge.formats.keras.compiled import Compiled, read_compiled
from dnnbridge.formats.keras.files import KerasSource, read_source
from dnnbridge.formats.keras.layers import MODELS, read_layer
from dnnbridge.formats.keras.live import EXEMPT
from dnnbridge.formats.keras.models import name_of
from dnnbridge.formats.keras.parts import with_arguments
from dnnbridge.formats.keras.settings import Serialized, serialized
from dnnbridge.formats.mindspore.compiled import NoCounterpartError, read_loss
from dnnbridge.losses import AbstractLoss
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program.heads import Head

MODULES: Mapping[str, Framework] = {
    "keras": "tensorflow",
    "tensorflow": "tensorflow",
    "mindspore": "mindspore",
}
"""The framework of the packages that define its classes."""


def framework_of(thing: Any) -> Framework | None:
    """Return the framework whose class an object is of, or of a class below it."""
    for cls in type(thing).__mro__:
        if found := MODULES.get(cls.__module__.partition(".")[0]):
            return found
    return None


def subject_of_imported(imported: Imported, origin: Origin) -> Subject:
    """Return the parts of a model that was read whole, with what is known of its training."""
    layers, shapes = placed_layers(imported.model)
    fields = imported.fields
    notes = tuple(imported.report.notes)
    rows: tuple[str, ...] = ()
    if {"loss", "optimizer"} <= fields.keys():
        program = Experiment(imported.model, **fields).program()
        rows = tuple(name.partition(":")[2] for name in program.rows)
    return Subject(
        layers,
        placed_losses(_heads(fields.get("loss")), shapes),
        fields.get("optimizer"),
        tuple(fields.get("gradients") or ()),
        rows,
        origin,
        weights=True,
        starts=origin != "mindspore",
        unread=notes,
    )


def _heads(loss: Any) -> tuple[Head, ...]:
    if loss is None:
        return ()
    return loss if isinstance(loss, tuple) else (Head("", loss),)


def subject_of_keras(source: Any, input_shapes: Any, fields: Mapping[str, Any]) -> Subject:
    """Return the parts of a model of Keras; those that cannot be read are named in `unread`."""
    try:
        imported = from_keras(source, input_shapes=input_shapes)
    except ConversionError:
        if isinstance(source, (str, Path)) and not Path(source).is_file():
            raise
        with read_source(source) as found:
            return _in_parts(found, fields)
    return subject_of_imported(imported.replace(**fields) if fields else imported, "tensorflow")


def _in_parts(source: KerasSource, fields: Mapping[str, Any]) -> Subject:
    """Return the layers of a configuration that can be read alone."""
    findings = Findings()
    layers: list[PlacedLayer] = []
    for path, found in _entries(source.model.config, ""):
        part = read_layer(found, path, findings)
        if part is not None:
            layers += loose_layers(path, part.layer)
    compiled = _compiled(source)
    loss = fields.get("loss", compiled.loss)
    return Subject(
        layers,
        [PlacedLoss(each.path, each.loss) for each in placed_losses(_heads(loss), ())],
        fields.get("optimizer", compiled.optimizer),
        origin="tensorflow",
        weights=True,
        unread=(*map(_told, findings.found), *compiled.notes),
    )


def _compiled(source: KerasSource) -> Compiled:
    """Return loss and optimizer of a model whose outputs are known by name alone."""
    given = {name: value for name, value in (source.compiled or {}).items() if name != EXEMPT}
    outputs = dict.fromkeys(_outputs(source.model.config), (None, None))
    try:
        return read_compiled(given, outputs, source.where) if given else Compiled()
    except DnnbridgeError as error:
        return Compiled(notes=[str(error)])


def _outputs(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the layers that give the outputs."""
    names = [place.layer for place in places_in(config.get("output_layers", ()))]
    last = [name_of(entry) for entry in config.get("layers", ())][-1:]
    return names or last


def _told(finding: Finding) -> str:
    return f"{finding}".rstrip(".") + "."


def _entries(config: Mapping[str, Any], path: str) -> Iterator[tuple[str, Serialized]]:
    """Yield the path and the configuration of each layer, those of inner models too."""
    for entry in config.get("layers", ()):
        found = serialized(entry)
        if found is None or found.kind == "InputLayer":
            continue
        own = f"{path}/{name_of(entry)}".lstrip("/")
        if found.kind in MODELS:
            yield from _entries(found.config, own)
        else:
            yield own, found


def subject_of_live(thing: Any, origin: Framework, input_shapes: Any, fields: Any) -> Subject:
    """Return the parts of a live object of a framework."""
    reader = _of_keras if origin == "tensorflow" else _of_mindspore
    return reader(thing, input_shapes, dict(fields))


def _of_optimizer(thing: Any, origin: Framework) -> Subject:
    made: AbstractOptimizer = from_native(thing)
    return Subject(optimizer=made, origin=origin)


def _of_loss(loss: AbstractLoss | None, thing: Any, origin: Framework) -> Subject:
    if loss is None:
        raise ConversionError(
            "has no counterpart here, so no rule knows it",
            where=f"{origin}.{type(thing).__name__}",
            hint="Give a loss of this library.",
        )
    return Subject(losses=[PlacedLoss("loss", loss)], origin=origin)


def _of_keras(thing: Any, input_shapes: Any, fields: Mapping[str, Any]) -> Subject:
    keras = framework("keras", "lint")
    if isinstance(thing, keras.Model):
        return subject_of_keras(thing, input_shapes, fields)
    if isinstance(thing, keras.optimizers.Optimizer):
        return _of_optimizer(thing, "tensorflow")
    given = serialized(keras.saving.serialize_keras_object(thing))
    if isinstance(thing, keras.losses.Loss):
        loss = None if given is None else with_arguments(AbstractLoss, given)
        return _of_loss(loss, thing, "tensorflow")
    if isinstance(thing, keras.Layer) and given is not None:
        findings = Findings()
        part = read_layer(given, thing.name, findings)
        findings.check(f"keras.{type(thing).__name__}")
        assert part is not None
        return Subject(list(loose_layers(thing.name, part.layer)), origin="tensorflow")
    raise ConversionError(
        "is nothing of Keras that can be looked at",
        where="lint",
        got=f"a {type(thing).__name__}",
        hint="Give a model, a layer, an optimizer, a loss or a file of Keras.",
    )


def _of_mindspore(thing: Any, input_shapes: Any, fields: Mapping[str, Any]) -> Subject:
    nn = framework("mindspore", "lint").nn
    if isinstance(thing, nn.Optimizer) or not isinstance(thing, nn.Cell):
        return _of_optimizer(thing, "mindspore")
    if isinstance(thing, nn.LossBase):
        try:
            return _of_loss(read_loss(thing), thing, "mindspore")
        except NoCounterpartError as error:
            raise ConversionError(
                f"cannot be read: {error}", where=f"mindspore.nn.{type(thing).__name__}"
            ) from None
    if input_shapes is None:
        raise ConversionError(
            "a Cell does not say the shape of its inputs",
            where="lint",
            hint="Give input_shapes, such as lint(cell, input_shapes=(1, 28, 28)).",
        )
    imported = from_mindspore(thing, input_shapes, **fields)
    return replace(subject_of_imported(imported, "mindspore"), starts=False)
