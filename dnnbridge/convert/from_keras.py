"""`from_keras`: read a Keras model, without Keras where it is a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.messages import shorten
from dnnbridge.convert.imported import Imported
from dnnbridge.convert.report import ImportReport, rows_of
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import ConversionError, DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.damage import read_as_data
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.arrays import AbstractArrays, fitted
from dnnbridge.formats.keras.calls import places_in
from dnnbridge.formats.keras.compiled import Compiled, read_compiled
from dnnbridge.formats.keras.files import KerasSource, read_source
from dnnbridge.formats.keras.models import InputShapes, names_here, read_model
from dnnbridge.formats.keras.policies import precision_of
from dnnbridge.formats.keras.rule import Group
from dnnbridge.formats.keras.slots import Slots, read_slots
from dnnbridge.models import AbstractModel
from dnnbridge.models.tracing import trace
from dnnbridge.program.precision import AbstractPrecision, Float32


@explained()
def from_keras(
    source: Any,
    *,
    weights: str | Path | None = None,
    input_shapes: InputShapes | None = None,
) -> Imported:
    """Read a Keras model: its layers, weights, compile settings and optimizer state.

    A file is read without Keras and TensorFlow, and no code in it is run. It needs h5py:
    `pip install 'dnnbridge[convert]'`.

    Args:
        source: a `.keras` file, a legacy whole-model `.h5` file, a JSON file of `model.to_json()`,
            or a live `keras.Model`. Sequential, Functional and nested models can be read.
        weights: a `.weights.h5` file, for a JSON file or in place of the weights of the source.
        input_shapes: the shape of an example by name of the input, where the model leaves a size
            open; one shape for a model with one input.

    Raises:
        ConversionError: the file is none of these or is damaged, or the model has layers or
            arguments without a counterpart here. The message names all of them.

    Example:
        >>> from_keras("missing.keras")
        Traceback (most recent call last):
        dnnbridge.errors.ConversionError: missing.keras: the file does not exist. ...
    """
    where = str(source) if isinstance(source, Path) else shorten(source, 120)
    hint = "Write it again with model.save('model.keras') of Keras 3."
    what = "cannot be read as a Keras model: it is damaged or of another form"
    with read_as_data(what, where, hint), read_source(source, weights) as found:
        return _imported(found, input_shapes)


SCALED = (
    "The optimizer's arrays were left out: it scales the loss, and its scale and step start anew."
)


def _imported(source: KerasSource, input_shapes: InputShapes | None) -> Imported:
    findings = Findings()
    part = read_model(source.model, "", findings, input_shapes)
    findings.check(source.where)
    assert part is not None
    assert isinstance(part.layer, AbstractModel)
    model = part.layer
    try:
        graph, declarations = trace(model)
    except DnnbridgeError as error:
        findings.add("", str(error))
        findings.check(source.where)
        raise
    declared = declarations.of_layers
    arrays = _weights(source.arrays, part.groups, declared) if source.arrays else {}
    shapes = (value.shape for value in graph.outputs)
    outputs = dict(zip(model.output_names, shapes, strict=True))
    trained = [n for g in part.groups for n in g.present(declared) if _trained(g, n, declared)]
    renamed = names_here(source.model.config) | _names_of_outputs(source.model.config, model)
    compiled = read_compiled(source.compiled, outputs, source.where, renamed, trained)
    precision = precision_of(findings, renamed, {node.path for node in graph.walk()})
    findings.check(source.where)
    fields = _fields(compiled, part.groups, declared)
    _add_precision(fields, precision, compiled)
    slots = _slots(source, compiled, trained, model, fields)
    if source.arrays is None:
        compiled.notes.append("The source has no weights: they start as in a new run.")
    notes = (*compiled.notes, *slots.notes)
    report = ImportReport(source.where, tuple(rows_of(graph, arrays)), notes)
    return Imported(model, fields, arrays, slots.arrays, slots.step, report)


def _names_of_outputs(config: Mapping[str, Any], model: AbstractModel) -> dict[str, str]:
    """Return the name here of each output by its layer in Keras; the first one of a layer."""
    places = places_in(config.get("output_layers", ()))
    names = zip((place.layer for place in places), model.output_names, strict=False)
    return dict(reversed(list(names)))


def _stored(group: Group, declared: Mapping[str, StateArray]) -> list[str | None]:
    """Return the name here of each array of a group; None if the array has no counterpart."""
    names = group.present(declared)
    return [*names, *([None] * group.surplus if names else [])]


def _trained(group: Group, name: str, declared: Mapping[str, StateArray]) -> bool:
    return group.trainable and declared[name].trainable


def _weights(
    arrays: AbstractArrays, groups: Sequence[Group], declared: Mapping[str, StateArray]
) -> dict[str, Array]:
    """Return the arrays of all groups by name; raise if one is missing or has another shape."""
    made: dict[str, Array] = {}
    for layer, names in _stored_together(arrays, groups, declared):
        given = arrays.of(*layer) or []
        if len(given) != len(names):
            raise ConversionError(
                f"the file needs {len(names)} arrays for the layer {layer[0]}",
                where=layer[1] or layer[0],
                got=str(len(given) or "none"),
                hint="Give the weights that belong to this configuration. A layer that is in a "
                "model and also in a model inside it cannot be read.",
            )
        for name, array in zip(names, given, strict=True):
            if name is not None:
                made[name] = fitted(array, declared[name].shape, name)
    surplus = arrays.places() - {g.layer if arrays.by_layer else g.file for g in groups}
    if surplus:
        raise ConversionError(
            "the file holds arrays of layers that the configuration lacks",
            got=shorten(", ".join(sorted(surplus)), 200),
            hint="Give the weights that belong to this configuration.",
        )
    missing = [name for name in declared if name not in made]
    if missing:
        raise ConversionError("weights were not found in the file", got=", ".join(missing))
    return made


def _stored_together(
    arrays: AbstractArrays, groups: Sequence[Group], declared: Mapping[str, StateArray]
) -> list[tuple[tuple[str, str], list[str | None]]]:
    """Return the names of the weights that are stored in one place, in its order."""
    if not arrays.by_layer:
        return [
            ((g.layer, g.file), [*([None] * len(g.copied(declared))), *_stored(g, declared)])
            for g in groups
        ]
    places: dict[str, list[tuple[bool, str | None]]] = {}
    for group in groups:
        for name in _stored(group, declared):
            place = places.setdefault(group.layer, [])
            place.append((name is None or not _trained(group, name, declared), name))
    # Weights that are trained come first.
    return [
        ((layer, ""), [name for _, name in sorted(names, key=lambda pair: pair[0])])
        for layer, names in places.items()
    ]


def _fields(
    compiled: Compiled, groups: Sequence[Group], declared: Mapping[str, StateArray]
) -> dict[str, Any]:
    """Return the fields of the experiment that the source has."""
    fields: dict[str, Any] = {}
    if compiled.loss is not None:
        fields["loss"] = compiled.loss
    if compiled.optimizer is not None:
        fields["optimizer"] = compiled.optimizer
    if compiled.metrics:
        fields["metrics"] = compiled.metrics
    if compiled.weighted_metrics:
        fields["weighted_metrics"] = compiled.weighted_metrics
    if frozen := _frozen(groups, declared):
        fields["frozen"] = frozen
    return fields


def _add_precision(
    fields: dict[str, Any], precision: AbstractPrecision, compiled: Compiled
) -> None:
    """Add the precision and the loss scale; the arrays of a scaled optimizer are left out."""
    if precision != Float32():
        fields["precision"] = precision
    if compiled.loss_scale is not None:
        fields["loss_scale"] = compiled.loss_scale
    if compiled.optimizer_config and (compiled.loss_scale is not None or precision.scaled):
        compiled.optimizer_config = None
        compiled.notes.append(SCALED)


def _frozen(groups: Sequence[Group], declared: Mapping[str, StateArray]) -> tuple[str, ...]:
    """Return patterns of the weights that are frozen: whole layers where all of a layer is."""
    still = {n for g in groups if not g.trainable for n in g.present(declared)}
    patterns: dict[str, None] = {}
    for name in declared:
        if name in still and not any(name.startswith(p[:-1]) for p in patterns if p[-1] == "*"):
            parts = name.split("/")
            prefixes = ("/".join(parts[:i]) + "/" for i in range(1, len(parts)))
            whole = (p for p in prefixes if all(n in still for n in declared if n.startswith(p)))
            patterns[next((f"{p}*" for p in whole), name)] = None
    return tuple(patterns)


def _slots(
    source: KerasSource,
    compiled: Compiled,
    trained: Sequence[str],
    model: AbstractModel,
    fields: Mapping[str, Any],
) -> Slots:
    """Return what the optimizer has kept; nothing if the experiment is not complete."""
    config = compiled.optimizer_config
    if source.arrays is None or config is None or not {"loss", "optimizer"} <= fields.keys():
        return Slots({}, 0)
    state = Experiment(model, **fields).program().state
    known = {name: array.shape for name, array in state.items() if ":" in name}
    return read_slots(config, source.arrays.of_optimizer(), trained, known)
