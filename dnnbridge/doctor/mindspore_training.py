"""`read_training`: a Cell, a loss and an optimizer of MindSpore as a spec."""

from __future__ import annotations

from typing import Any, NamedTuple

from dnnbridge.convert.from_mindspore import Sources, read_cell
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.errors import ConversionError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.mindspore.compiled import summed

STATISTICS = ("moving_mean", "moving_variance")


class Training(NamedTuple):
    """What is given of MindSpore.

    Attributes:
        cell: the network.
        loss: of its predictions and the labels.
        optimizer: over its parameters.
        step: the `TrainOneStepCell`, if that was given.
    """

    cell: Any
    loss: Any
    optimizer: Any
    step: Any = None


def training_of(subject: Any) -> Training | None:
    """Return the parts of a tuple (Cell, loss, optimizer) or a `TrainOneStepCell`; else None.

    Nothing is imported.
    """
    if isinstance(subject, tuple) and len(subject) == 3 and _is_cell(subject[0]):
        cell, loss, optimizer = subject
        return Training(cell, loss, optimizer)
    if not _is_cell(subject) or not hasattr(subject, "optimizer"):
        return None
    parts = list(getattr(subject, "network", subject).name_cells().values())
    if len(parts) != 2:  # a network and a loss, as `WithLossCell` has them
        return None
    cell, loss = parts
    return Training(cell, loss, subject.optimizer, subject)


def _is_cell(thing: Any) -> bool:
    names = (f"{cls.__module__}.{cls.__name__}" for cls in type(thing).__mro__)
    return any(name.startswith("mindspore.") and name.endswith(".Cell") for name in names)


def read_training(training: Training, input_shapes: Any) -> tuple[Experiment, Sources]:
    """Return what is trained as a spec, and where its parts are.

    Raises:
        ConversionError: it has parts without a counterpart.
    """
    cell, loss, optimizer, _ = training
    imported, sources = read_cell(cell, input_shapes, summed(loss) or loss, optimizer)
    missing = [name for name in ("loss", "optimizer") if name not in imported.fields]
    if missing:
        raise ConversionError(
            "align has no spec for a part of this training",
            where=" and ".join(missing),
            got="; ".join(imported.report.notes) or f"no {missing[0]}",
            hint="Give a loss and an optimizer of mindspore.nn.",
        )
    experiment = imported.experiment
    trained = {id(parameter) for parameter in training.optimizer.parameters}
    left = [
        name
        for name, source in sources.weights.items()
        if not any(id(each) in trained for each in source.parameters)
        and name in experiment.program().parameters
    ]
    left += _still(experiment, sources)
    frozen = tuple(dict.fromkeys((*experiment.frozen, *left)))
    if left:
        experiment = experiment.replace(frozen=frozen)
    if training.step is not None and not training.cell.training:
        experiment = _predicting(experiment)
    return experiment, sources


def _still(experiment: Experiment, sources: Sources) -> list[str]:
    """Return the statistics of Cells that normalise with them while they train."""
    layers = [
        name
        for name, cell in sources.cells.items()
        if getattr(cell, "use_batch_statistics", None) is False
    ]
    arrays = [array.name for array in experiment.program().layer_arrays]
    return [
        f"{layer}/{each}" for layer in layers for each in STATISTICS if f"{layer}/{each}" in arrays
    ]


def _predicting(experiment: Experiment) -> Experiment:
    """Return what is trained by a Cell that was not set to train."""
    found = quiet(experiment, ("dropout",))[0]
    arrays = [array.name for array in found.program().layer_arrays]
    statistics = [name for name in arrays if name.endswith(STATISTICS)]
    frozen = tuple(dict.fromkeys((*found.frozen, *statistics)))
    return found.replace(frozen=frozen, frozen_statistics="keep")
