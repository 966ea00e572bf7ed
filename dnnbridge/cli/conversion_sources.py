"""Read what `dnnbridge convert` is given: a model, and data to compare it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.load_weights import load_weights
from dnnbridge.convert.report import ImportedLayer, ImportReport
from dnnbridge.errors import ConversionError, DataError
from dnnbridge.experiment import Experiment
from dnnbridge.testing.programs import data_for
from dnnbridge.training.checkpoint import load
from dnnbridge.training.compiling import compile
from dnnbridge.training.exporting import FORMATS
from dnnbridge.training.run import Run

KERAS = (".keras", ".h5", ".json")

WEIGHTS_OF_KERAS = ".weights.h5"

OTHER_NAMES = {"mindspore": "python-mindspore", "tensorflow": "python-tensorflow"}


@dataclass(frozen=True)
class Source:
    """A model that was read.

    Attributes:
        path: the file.
        run: the model here.
        step: how many updates it had made when it was read.
        report: what was read, for a file of another framework.
    """

    path: Path
    run: Run
    step: int
    report: ImportReport | None = None


@dataclass(frozen=True)
class Data:
    """Inputs and labels by name.

    Attributes:
        inputs: by what they are: "random numbers", and the file of the caller.
        x: inputs to train with.
        y: labels to train with.
    """

    inputs: Mapping[str, Mapping[str, Array]]
    x: Mapping[str, Array]
    y: Mapping[str, Array]


def format_of(name: str) -> str:
    """Return the name of a format of `Run.export`, or raise."""
    found = name if name in FORMATS else OTHER_NAMES.get(name, name)
    if found not in FORMATS:
        raise ConversionError(
            "unknown format",
            where="--to",
            got=repr(name),
            hint=f"Give one of {', '.join([*FORMATS, *OTHER_NAMES])}.",
        )
    return found


def read_source(path: Path, weights: Path | None, spec: Path | None, backend: str | None) -> Source:
    """Read a model of Keras, a checkpoint, or the weights of an experiment."""
    given = None if spec is None else Experiment.from_json(spec.read_text("utf-8"))
    if given is not None and (path.suffix not in KERAS or path.name.endswith(WEIGHTS_OF_KERAS)):
        return _with_weights(path, given, backend)
    if path.suffix == ".safetensors":
        run = load(path, backend)
        return Source(path, run, run.position.step)
    if path.suffix not in KERAS:
        raise ConversionError(
            "cannot be read without the model",
            where=str(path),
            got=f"suffix {path.suffix!r}",
            hint="Give --spec with the JSON of an Experiment for a file of weights; other files "
            f"end in {', '.join(KERAS)} or .safetensors.",
        )
    imported = from_keras(path, weights=weights)
    if given is not None:
        imported = imported.replace(
            loss=given.loss, optimizer=given.optimizer, metrics=given.metrics
        )
    if not {"loss", "optimizer"} <= imported.fields.keys():
        raise ConversionError(
            "the source has no loss or no optimizer that can be read",
            where=str(path),
            hint="Give --spec with the JSON of an Experiment that has them.",
        )
    return Source(path, imported.compile(backend), imported.step, imported.report)


def _with_weights(path: Path, experiment: Experiment, backend: str | None) -> Source:
    """Return an experiment with the weights of a file, which has them by name."""
    run = compile(experiment, backend)
    found = load_weights(run, path)
    state = run.state()
    rows = tuple(
        ImportedLayer(name, ", ".join(names), int(state[name].size))
        for name, names in found.matched.items()
    )
    notes = tuple(f"{name} was not used." for name in found.unexpected)
    return Source(path, run, 0, ImportReport(str(path), rows, notes))


def data_of(run: Run, path: Path | None) -> Data:
    """Return random data for a run, and those of a file."""
    x, y = data_for(run.experiment)
    inputs = {"random numbers": x}
    if path is None:
        return Data(inputs, x, y)
    try:
        with np.load(path, allow_pickle=False) as file:
            given = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise DataError("cannot be read as .npz", where=str(path), got=str(error)) from error
    names = list(run.experiment.model.input_types)
    mine = {"x": names[0]} if len(names) == 1 else {name: name for name in names}
    missing = [name for name in mine if name not in given]
    if missing:
        raise DataError(
            f"must have the arrays {', '.join(mine)}",
            where=str(path),
            got=", ".join(given) or "none",
            hint='Write it with numpy.savez("data.npz", x=x, y=y).',
        )
    inputs[path.name] = {here: given[name] for name, here in mine.items()}
    labels = {"y": next(iter(y))} if len(y) == 1 else {name: name for name in y}
    if all(name in given for name in labels):
        y = {here: given[name] for name, here in labels.items()}
        return Data(inputs, inputs[path.name], y)
    return Data(inputs, x, y)
