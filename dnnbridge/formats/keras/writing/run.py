"""A run as a `.keras` file: experiment, weights, optimizer slots and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.models import read_model
from dnnbridge.formats.keras.rule import Group
from dnnbridge.formats.keras.settings import Serialized, serialized
from dnnbridge.formats.keras.slots import written_slots
from dnnbridge.formats.keras.writing.archive import write_archive
from dnnbridge.formats.keras.writing.compiled import (
    innermost,
    write_loss,
    write_optimizer,
)
from dnnbridge.formats.keras.writing.metrics import write_metric
from dnnbridge.formats.keras.writing.models import set_trainable, write_model
from dnnbridge.formats.keras.writing.parts import keras_object
from dnnbridge.formats.trained import Trained
from dnnbridge.losses import Dice, TimeDistributedLoss, Tversky
from dnnbridge.losses.overlap import axes_left
from dnnbridge.metrics import AbstractMetric
from dnnbridge.models import AbstractModel, Model
from dnnbridge.optimizers import SGD
from dnnbridge.program.heads import Head
from dnnbridge.weights.rules import WeightRules


class KerasForm(NamedTuple):
    """A run as Keras serialises it.

    Attributes:
        config: the model, with its compile settings.
        arrays: of each layer and of the optimizer, by the path of the object.
    """

    config: dict[str, Any]
    arrays: dict[str, list[Array]]


def save_keras(run: Trained, path: Path) -> Path:
    """Write a run as a `.keras` file, which Keras 3 loads. Keras itself is not needed.

    Raises:
        ConversionError: Keras lacks a layer, a loss, a metric or the optimizer. The message names
            all of them.
    """
    return write_archive(path, *keras_form(run))


def keras_form(run: Trained, *, trains: bool = True) -> KerasForm:
    """Return what a `.keras` file of a run holds.

    Args:
        run: the run.
        trains: whether to include compile settings and the optimizer.

    Raises:
        ConversionError: as in `save_keras`.
    """
    experiment, findings = run.experiment, Findings()
    shapes = {a.name: a.shape for a in experiment.program().layer_arrays}
    model = write_model(experiment.model, experiment.model.name or "model", shapes, "", findings)
    compiled, optimizer = _compiled(run, findings) if trains else (None, None)
    if trains:
        _check_frozen(experiment, findings)
        for name in ("regularizers", "constraints"):
            if getattr(experiment, name):
                findings.add(name, "rules by pattern; give them to the layers")
    findings.check(f"{type(experiment.model).__name__} to Keras", "written")
    assert model is not None
    set_trainable(model, _frozen_layers(experiment))
    groups = _groups(model)
    objects = {g.file: _arrays(g, run.state) for g in groups if g.present(run.state)}
    if optimizer is None:
        return KerasForm(model, objects)
    slots = _slots(run, groups, optimizer)
    return KerasForm({**model, "compile_config": compiled}, {**objects, "optimizer": slots})


def _slots(run: Trained, groups: Sequence[Group], optimizer: Serialized) -> list[Array]:
    """Return the arrays of the optimizer."""
    moved = _moved(run.experiment)
    trained = [n for g in groups for n in g.present(run.state) if n in moved]
    state = {**run.state, **_velocities(run, run.state, optimizer)}
    return written_slots(optimizer, trained, state, run.step)


def _arrays(group: Group, state: Mapping[str, Array]) -> list[Array]:
    """Return the arrays of an object: its weights, and zeros for counters that only Keras has."""
    zeros = [np.zeros((), np.int64)] * group.surplus
    names = [*group.copied(state), *group.present(state)]
    return [*(state[name] for name in names), *zeros]


def _velocities(
    run: Trained, state: Mapping[str, Array], optimizer: Serialized
) -> dict[str, Array]:
    """Return velocities that have the learning rate inside them, as in Keras."""
    inner = innermost(run.optimizer)
    if not isinstance(inner, SGD) or inner.rate_in_velocity:
        return {}
    velocities = {name: array for name, array in state.items() if name.endswith(":velocity")}
    rate = np.float32(optimizer.config["learning_rate"]) if velocities else 1.0
    return {name: rate * array for name, array in velocities.items()}


def _compiled(run: Trained, findings: Findings) -> tuple[dict[str, Any], Serialized | None]:
    """Return the arguments of `model.compile`."""
    experiment = run.experiment
    optimizer = write_optimizer(experiment, run.optimizer)
    if optimizer is None:
        findings.add("optimizer", f"{run.optimizer!r} has no counterpart in Keras")
    heads = {head.output: head for head in experiment.heads}
    ranks = _ranks(experiment)
    losses = {name: _loss(head, ranks, findings) for name, head in heads.items()}
    reports = {
        key: {name: _metrics(head, findings, key) for name, head in heads.items()}
        for key in _reported(experiment)
    }
    compiled: dict[str, Any] = {"loss": losses, **reports}
    for name in experiment.model.output_names:
        if "" not in heads and name not in heads:  # an output that is not trained
            losses[name] = None
            for metrics in reports.values():
                metrics[name] = []
    if _has_shared_outputs(experiment.model) and "" not in heads:
        names = experiment.model.output_names  # Keras names an output by its layer: not unique
        compiled = {key: [of[n] for n in names] for key, of in compiled.items()}
        compiled["loss_weights"] = [heads[n].weight if n in heads else 1.0 for n in names]
    elif list(heads) == [""]:
        compiled = {key: of[""] for key, of in compiled.items()}
    else:
        weights = {name: head.weight for name, head in heads.items()}
        compiled["loss_weights"] = {name: weights.get(name, 1.0) for name in losses}
    if optimizer is not None:
        module = "keras.optimizers"
        compiled["optimizer"] = keras_object(optimizer.kind, optimizer.config, module)
    return compiled, optimizer


def _has_shared_outputs(model: AbstractModel) -> bool:
    """Return whether one layer may have made several outputs of a model."""
    nodes = model.nodes if isinstance(model, Model) else ()
    return any(len(node.layer.output_names) > 1 for node in nodes)


def _ranks(experiment: Experiment) -> dict[str, int]:
    """Return the number of axes of each output, also of the only one as ""."""
    outputs = experiment.program().outputs
    found = {name: len(outputs[name].shape) for name in experiment.model.output_names}
    return {"": next(iter(found.values())), **found}


def _loss(head: Head, ranks: Mapping[str, int], findings: Findings) -> Any:
    made = write_loss(head.loss)
    of_steps = isinstance(head.loss, TimeDistributedLoss)
    rank = ranks[head.output]
    if isinstance(head.loss, (Dice, Tversky)):
        other = axes_left(head.loss, rank) != {0}
    else:
        other = rank > (3 if of_steps else 2)
    if head.loss.reduction == "sum" and other:
        hint = "" if of_steps or rank < 3 else ": write TimeDistributedLoss(loss, reduction='sum')"
        findings.add("loss", f"Keras adds up all places of an output for reduction='sum'{hint}")
    elif made is None:
        findings.add("loss", f"{head.loss!r} has no counterpart in Keras")
    return made


def _reported(experiment: Experiment) -> tuple[str, ...]:
    """Return the arguments of `compile` for the metrics that an experiment has."""
    weighted = any(head.weighted_metrics for head in experiment.heads)
    return ("metrics", "weighted_metrics") if weighted else ("metrics",)


def _metrics(head: Head, findings: Findings, key: str) -> list[Any]:
    metrics: Sequence[AbstractMetric] = getattr(head, key)
    made = [write_metric(each, key == "weighted_metrics", head.loss) for each in metrics]
    for metric, written in zip(metrics, made, strict=True):
        if written is None:
            findings.add(key, f"{metric!r} has no counterpart in Keras")
    return made


def _groups(model: Mapping[str, Any]) -> tuple[Group, ...]:
    """Return where the arrays of a serialised model are in a file: as it is read."""
    found, findings = serialized(model), Findings()
    assert found is not None
    part = read_model(found, "", findings)
    findings.check("the model that was written")
    assert part is not None
    return part.groups


def _frozen_layers(experiment: Experiment) -> dict[str, bool]:
    """Return whether each layer, by its path, has weights and all of them are frozen."""
    moved = _moved(experiment)
    paths: dict[str, list[bool]] = {}
    for array in experiment.program().layer_arrays:
        parts = array.name.split("/")
        for depth in range(1, len(parts)):
            paths.setdefault("/".join(parts[:depth]), []).append(array.name in moved)
    return {path: not np.any(moving) for path, moving in paths.items()}


def _moved(experiment: Experiment) -> set[str]:
    """Return the names of the weights that the optimizer moves."""
    rules = WeightRules(experiment.frozen)
    return {a.name for a in experiment.program().layer_arrays if rules.moves(a)}


def _check_frozen(experiment: Experiment, findings: Findings) -> None:
    """Add the layers of which only a part is frozen, which Keras cannot say."""
    rules = WeightRules(experiment.frozen, experiment.frozen_statistics)
    layers: dict[str, set[bool]] = {}
    for array in experiment.program().layer_arrays:
        still = not rules.moves(array) if array.trainable else rules.statistics_frozen(array.name)
        layers.setdefault(array.name.rpartition("/")[0], set()).add(still)
    for path, states in layers.items():
        if len(states) > 1:
            findings.add(path, "only a part of the layer is frozen; Keras freezes whole layers")
