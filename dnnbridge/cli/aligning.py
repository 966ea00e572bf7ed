"""Read what `dnnbridge align` is given: two trainings, and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnnbridge.base.packages import framework
from dnnbridge.cli.checking import check_backends
from dnnbridge.cli.logs import shown_logs
from dnnbridge.cli.reading import read_experiment
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.datasets import Dataset, adapt_to, load_dataset
from dnnbridge.doctor.aligning import align
from dnnbridge.doctor.alignment import Alignment
from dnnbridge.errors import ArgumentError, BackendError, DataError
from dnnbridge.experiment import Experiment
from dnnbridge.training.checkpoint import load
from dnnbridge.training.compiling import compile as compile_run
from dnnbridge.training.run import Run

SPECS, KERAS, CHECKPOINT = (".py", ".json"), ".keras", ".safetensors"

NATIVE = "keras"
"""The name for Keras itself, in place of a backend."""


@dataclass(frozen=True)
class Settings:
    """The options of the command.

    Attributes:
        data: name of the data set.
        steps: how many steps to compare.
        batch_size: examples per step.
        backends: that of A, and that of B, separated by a comma.
        seed: in place of the seeds of experiments.
        validation: whether examples of the test part are evaluated.
    """

    data: str | None
    steps: int
    batch_size: int
    backends: str | None
    seed: int | None
    validation: bool

    def names(self, a: Path, b: Path) -> tuple[str | None, str | None]:
        """Return the backend of each file; None for the default."""
        if self.backends is None:
            return _default(a), _default(b)
        found = [name.strip() for name in self.backends.split(",")]
        if len(found) > 2 or not all(found):
            raise BackendError(
                "must be one backend or two",
                where="--backends",
                got=repr(self.backends),
                hint="Write tensorflow,mindspore; `dnnbridge backends` lists all backends.",
            )
        return found[0], found[-1]


def aligned(a: Path, b: Path | None, settings: Settings) -> Alignment:
    """Compare the trainings of two files, or that of one file on two backends."""
    names = settings.names(a, b or a)
    if b is None and names[0] == names[1]:
        raise ArgumentError(
            "one file alone is compared on two backends",
            where="align",
            got=f"{settings.backends}" if settings.backends else "no --backends",
            hint="Write --backends tensorflow,mindspore, or give a second file.",
        )
    if settings.data is None:
        raise DataError("data are needed", where="--data", hint="Write --data digits, or a file.")
    if settings.seed is not None and a.suffix not in SPECS:
        raise ArgumentError(
            "only an experiment takes another seed",
            where="--seed",
            got=str(a),
            hint="Leave it out, or give the experiment first.",
        )
    ours = [name for name in names if name != NATIVE]
    if ours:
        check_backends([name for name in ours if name is not None])
    with shown_logs():
        first, second = (
            _subject(path, name, settings.seed)
            for path, name in zip((a, b or a), names, strict=True)
        )
        data = adapt_to(_experiment(first), load_dataset(settings.data))
    return _aligned(first, second, data, settings)


def _aligned(first: Any, second: Any, data: Dataset, settings: Settings) -> Alignment:
    """Compare on the examples that the steps need, and as many of the test part."""
    count = settings.steps * settings.batch_size
    return align(
        first,
        second,
        (data.x_train[:count], data.y_train[:count]),
        settings.steps,
        settings.batch_size,
        validation_data=(data.x_test[:count], data.y_test[:count]) if settings.validation else None,
    )


def titled(a: Path, b: Path | None, settings: Settings) -> str:
    """Return the heading of the page."""
    names = settings.names(a, b or a)
    first, second = (
        f"{path.name} on {name}" if name else path.name
        for path, name in zip((a, b or a), names, strict=True)
    )
    return f"{first} and {second}"


def _default(path: Path) -> str | None:
    return NATIVE if path.suffix == KERAS else None


def _subject(path: Path, backend: str | None, seed: int | None) -> Any:
    """Return a run, or a live model of Keras."""
    if not path.is_file():
        raise DataError("there is no such file", where=str(path), hint="Check the name.")
    if path.suffix == KERAS:
        return _of_keras(path, backend)
    if backend == NATIVE:
        raise BackendError(
            "Keras itself runs .keras files only",
            where="--backends",
            got=f"keras for {path.name}",
            hint="Write tensorflow, or give a .keras file.",
        )
    if path.suffix == CHECKPOINT:
        return load(path, backend)
    experiment = read_experiment(path)
    return compile_run(experiment if seed is None else experiment.replace(seed=seed), backend)


def _of_keras(path: Path, backend: str | None) -> Any:
    """Return the model of a .keras file: in Keras itself, or here on a backend."""
    read = from_keras(path)  # also for Keras: code in the file is refused before Keras sees it
    if backend != NATIVE:
        return read.compile(backend)
    keras = framework("keras", "align with a .keras file")
    try:
        return keras.saving.load_model(path)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            "Keras cannot load it", where=str(path), got=str(error).splitlines()[0]
        ) from error


def _experiment(subject: Any) -> Experiment:
    return subject.experiment if isinstance(subject, Run) else from_keras(subject).experiment
