"""Read what `dnnbridge convert` is given: a model, and data to compare it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.cli.reading import read_experiment
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.from_onnx import from_onnx
from dnnbridge.convert.imported import Imported
from dnnbridge.convert.load_weights import load_weights
from dnnbridge.convert.report import ImportedLayer, ImportReport
from dnnbridge.errors import ConversionError, DataError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.npz import read_npz
from dnnbridge.layers import Cast
from dnnbridge.program.heads import Head
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.testing.programs import data_for
from dnnbridge.training.checkpoint import load
from dnnbridge.training.compiling import compile_chosen
from dnnbridge.training.exporting import FORMATS
from dnnbridge.training.run import Run

WEIGHTS_OF_KERAS = ".weights.h5"

OTHER_NAMES = {"mindspore": "python-mindspore", "tensorflow": "python-tensorflow"}


RANDOM = "random numbers"

PREDICTING = ("onnx", "saved_model", "mindir")
"""Formats that hold the prediction alone, without a loss and an optimizer."""


@dataclass(frozen=True)
class Source:
    """A model that was read.

    Attributes:
        path: the file.
        run: the model here.
        step: how many updates it had made when it was read.
        report: what was read, for a file of another framework.
        added: what the caller gave that the file lacks, a sentence each.
        keras: the file, if Keras itself can load it.
    """

    path: Path
    run: Run
    step: int
    report: ImportReport | None = None
    added: tuple[str, ...] = ()
    keras: Path | None = None


@dataclass(frozen=True)
class Data:
    """Inputs and labels by name.

    Attributes:
        inputs: by what they are: "random numbers", and the file of the caller.
        x: inputs to train with.
        y: labels to train with.
        name: which of the inputs x is.
    """

    inputs: Mapping[str, Mapping[str, Array]]
    x: Mapping[str, Array]
    y: Mapping[str, Array]
    name: str = RANDOM


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


@dataclass(frozen=True)
class Given:
    """What the caller adds to a file.

    Attributes:
        weights: a `.weights.h5` file, for a `.json` of Keras.
        spec: the JSON of an experiment.
        losses: names of losses, or "output=loss".
        optimizer: name of an optimizer.
        shapes: the shape of an example, "3,32,32", or "input=3,32,32".
        trains: whether the target can train; otherwise no loss and no optimizer are needed.
    """

    weights: Path | None = None
    spec: Path | None = None
    losses: Sequence[str] = ()
    optimizer: str | None = None
    shapes: Sequence[str] = ()
    trains: bool = True


def read_source(path: Path, given: Given, backend: str | None) -> Source:
    """Read a model of Keras or ONNX, a checkpoint, or the weights of an experiment."""
    experiment = None if given.spec is None else read_experiment(given.spec)
    of_model = path.suffix in MODELS and not path.name.endswith(WEIGHTS_OF_KERAS)
    if experiment is not None and not of_model:
        return _with_weights(path, experiment, backend)
    if path.suffix == ".safetensors":
        run = load(path, backend)
        return Source(path, run, run.position.step)
    if not of_model:
        raise ConversionError(
            "cannot be read without the model",
            where=str(path),
            got=f"suffix {path.suffix!r}",
            hint="Give --spec with the JSON of an Experiment for a file of weights; other files "
            f"end in {', '.join(MODELS)} or .safetensors.",
        )
    imported = MODELS[path.suffix](path, given)
    imported, added = _completed(imported, experiment, given)
    run = imported.compile(backend)
    of_keras = path if path.suffix in (".keras", ".h5") else None
    return Source(path, run, imported.step, imported.report, added, of_keras)


def _from_keras(path: Path, given: Given) -> Imported:
    return from_keras(path, weights=given.weights, input_shapes=_shapes(given.shapes))


def _from_onnx(path: Path, given: Given) -> Imported:
    return from_onnx(path, _shapes(given.shapes))


MODELS: Mapping[str, Callable[[Path, Given], Imported]] = {
    ".keras": _from_keras,
    ".h5": _from_keras,
    ".json": _from_keras,
    ".onnx": _from_onnx,
}
"""What reads each kind of file that has a model."""


def _shapes(texts: Sequence[str]) -> Any:
    """Return shapes by the names of inputs, or the only one."""
    made: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        try:
            made[name] = tuple(int(size) for size in sizes.split(","))
        except ValueError:
            raise ConversionError(
                "a shape is sizes without the batch",
                where="--input-shape",
                got=repr(text),
                hint='Write 3,32,32, or "name=3,32,32" for a model with several inputs.',
            ) from None
    return made.get("", made or None) if len(made) < 2 else made


def _completed(
    imported: Imported, experiment: Experiment | None, given: Given
) -> tuple[Imported, tuple[str, ...]]:
    """Add the loss and the optimizer that a source lacks; return also which, and from where."""
    missing = [name for name in ("loss", "optimizer") if name not in imported.fields]
    fields: dict[str, Any] = {}
    notes = []
    for name in missing:
        chosen = _loss_of(given.losses) if name == "loss" else given.optimizer
        if chosen:
            fields[name] = chosen
            notes.append(f"The {name} is that of --{name}.")
        elif experiment is not None:
            fields[name] = getattr(experiment, name)
            notes.append(f"The {name} is that of --spec.")
    reports = {"metrics", "weighted_metrics"}
    if experiment is not None and "loss" in fields and not reports & imported.fields.keys():
        fields |= {name: getattr(experiment, name) for name in reports}
    still = [name for name in missing if name not in fields]
    if still and given.trains:
        raise ConversionError(
            f"the source has no {' and no '.join(still)} that can be read",
            where=imported.report.source,
            hint=" ".join([*imported.report.notes, f"Give {_options(still)}."]),
        )
    if still:
        outputs = imported.model.output_names
        heads = [Head(name, "mse") for name in outputs]  # type: ignore[arg-type]
        default = {"loss": heads if len(outputs) > 1 else "mse", "optimizer": "sgd"}
        fields |= {name: default[name] for name in still}
    return (imported.replace(**fields) if fields else imported), tuple(notes)


def _options(names: Sequence[str]) -> str:
    example = {"loss": "--loss mse", "optimizer": "--optimizer adam"}
    given = " and ".join(example[name] for name in names)
    return f"{given}, or --spec with the JSON of an Experiment"


def _loss_of(texts: Sequence[str]) -> Any:
    """Return the name of the only loss, or a head for each output."""
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    return [Head(*text.split("=", 1)) for text in texts]  # type: ignore[arg-type]


def _with_weights(path: Path, experiment: Experiment, backend: str | None) -> Source:
    """Return an experiment with the weights of a file, which has them by name."""
    run = compile_chosen(experiment, backend, None)
    found = load_weights(run, path)
    state = run.state()
    rows = tuple(
        ImportedLayer(name, ", ".join(names), int(state[name].size))
        for name, names in found.matched.items()
    )
    notes = (f"{name} was not used." for name in found.unexpected)
    return Source(path, run, 0, ImportReport(str(path), rows, tuple(notes)))


def data_of(run: Run, path: Path | None) -> Data:
    """Return random data for a run, and those of a file."""
    x, y = data_for(run.experiment)
    x = _with_finite_results(run, x)
    inputs = {RANDOM: x}
    if path is None:
        return Data(inputs, x, y)
    try:
        given = read_npz(path)
    except (OSError, ValueError) as error:
        raise DataError(
            "cannot be read as .npz",
            where=str(path),
            got=str(error),
            hint='Write it with numpy.savez("data.npz", x=x, y=y).',
        ) from error
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
        return Data(inputs, inputs[path.name], y, path.name)
    return Data(inputs, x, y)


def _with_finite_results(run: Run, x: Mapping[str, Array]) -> dict[str, Array]:
    """Return inputs with a finite prediction: numbers from 0 to 1 if others have none.

    An embedding that reads floating-point numbers has no row for a negative one.
    """
    if not any(isinstance(each, Cast) for each in specs_in(run.experiment.model)):
        return dict(x)
    predicted = run.predict(dict(x) if len(x) > 1 else next(iter(x.values())))
    results = predicted.values() if isinstance(predicted, dict) else [predicted]
    if all(np.isfinite(each).all() for each in results):
        return dict(x)
    return {
        name: np.abs(np.tanh(array)) if array.dtype.kind == "f" else array
        for name, array in x.items()
    }
