"""One safetensors file holds all that a run needs to go on, on any backend."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import save as to_bytes

from dnnbridge.arrays import Array
from dnnbridge.errors import CheckpointError
from dnnbridge.experiment import Experiment
from dnnbridge.files import write_atomically
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.training.compiling import compile
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

FORMAT = "dnnbridge checkpoint 1"


def save(run: Run, path: str | Path) -> None:
    """Write a run to a file: all of it or, after a crash, the old one.

    The arrays are the weights under their names and the optimizer's under `parameter:slot`; the
    spec and the position are JSON in the header. Any reader of safetensors can open it.
    """
    metadata = {
        "format": FORMAT,
        "experiment": run.experiment.to_json(),
        "optimizer": run.optimizer.to_json(),
        "epoch_sums": json.dumps(run.epoch_sums()),
        "progress": json.dumps(dataclasses.asdict(run.progress)),
        "backend": run.backend,
    }
    arrays = {name: np.asarray(array, order="C") for name, array in run.state().items()}
    write_atomically(Path(path), to_bytes(arrays, metadata))


def load(path: str | Path, backend: str | None = None, device: str | None = None) -> Run:
    """Make a run of a file that `Run.save` wrote; `fit` goes on where that run stopped.

    Args:
        path: the file.
        backend: as in `compile`; it need not be the one that wrote the file.
        device: as in `compile`.

    Raises:
        CheckpointError: no such file, or not a checkpoint of dnnbridge.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.safetensors"
        >>> run.save(path)
        >>> db.load(path, backend="reference").experiment == run.experiment
        True
    """
    return restore(path, lambda experiment: compile(experiment, backend, device))


def restore(path: str | Path, make: Callable[[Experiment], Run]) -> Run:
    """Make a run of a file, by a function that compiles its experiment."""
    metadata, arrays = _read(path)
    try:
        text, progress = metadata["experiment"], Position(**json.loads(metadata["progress"]))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(
            "the header is incomplete", where=str(path), got=f"{type(error).__name__}: {error}"
        ) from None
    run = make(Experiment.from_json(text))
    optimizer = metadata.get("optimizer")
    run.set_state(
        arrays,
        progress,
        AbstractOptimizer.from_json(optimizer) if optimizer else None,
        json.loads(metadata.get("epoch_sums", "{}")),
    )
    return run


def _read(path: str | Path) -> tuple[dict[str, str], dict[str, Array]]:
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            "cannot be read as safetensors",
            where=str(path),
            got=str(error),
            hint="Give a file that run.save() wrote.",
        ) from None
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"not a checkpoint ({FORMAT!r})",
            where=str(path),
            got=f"format {metadata.get('format')!r}",
            hint="Give a file that run.save() of this version wrote.",
        )
    return metadata, arrays
