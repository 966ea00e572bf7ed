"""Save a run in one safetensors file, from which any backend can continue."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.messages import name_some
from dnnbridge.errors import CheckpointError, DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.loss_scale import AbstractLossScale
from dnnbridge.specs.former_names import present_label, present_weight
from dnnbridge.training import checkpoint_file
from dnnbridge.training.checkpoint_file import WITHOUT_DIGEST, beside, check_name, check_target
from dnnbridge.training.compiling import check_asked, compile_chosen
from dnnbridge.training.dividing import checked_workers
from dnnbridge.training.elsewhere import LOAD
from dnnbridge.training.nonfinite import not_finite
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

log = logging.getLogger(__name__)


def save(run: Run, path: str | Path, *, make_folders: bool = False) -> Path:
    """Write a run to a file, and return the file: see `Run.save`."""
    check_target(path, make_folders)
    return Captured.of(run).write(path, make_folders=make_folders)


@dataclasses.dataclass(frozen=True, eq=False)
class Captured:
    """What a file holds of a run at one moment, in copies: any thread may write it.

    Attributes:
        metadata: of the header: the spec, the position and the logs of all epochs as JSON.
        arrays: weights under their names, optimizer arrays as `parameter:slot`.
        loss_scale: that of the run, which may let an overflow pass.
    """

    metadata: Mapping[str, str]
    arrays: Mapping[str, Array]
    loss_scale: AbstractLossScale | None = None

    @classmethod
    def of(cls, run: Run) -> Captured:
        """Copy the state of a run."""
        metadata = {
            "experiment": run.experiment.to_json(),
            "optimizer": run.optimizer.to_json(),
            "epoch_sums": json.dumps(run.epoch_sums()),
            "progress": json.dumps(dataclasses.asdict(run.position)),
            "logs": json.dumps(run.logs),
            "backend": run.backend,
        }
        arrays = {name: np.asarray(array, order="C") for name, array in run.state().items()}
        return cls(metadata, arrays, run.experiment.scaling)

    def write(self, path: str | Path, *, make_folders: bool = False) -> Path:
        """Write the file, which any reader of safetensors can open, and return its path."""
        target = Path(path)
        if spoilt := not_finite(self.arrays, self.loss_scale):
            target = beside(target)
            log.warning(
                "arrays with NaN or infinity: %s. The run is saved next to %s, as %s",
                *(name_some(spoilt), path, target.name),
            )
        checkpoint_file.write(target, self.metadata, self.arrays, make_folders)
        return target


@explained(LOAD)
def load(
    path: str | Path,
    backend: str | None = None,
    device: str | None = None,
    *,
    workers: int | None = None,
    sync_batch_norm: bool = True,
) -> Run:
    """Make a run from a file that `Run.save` wrote; `fit` continues where that run stopped.

    A warning is logged if arrays hold NaN or infinity, or if the file comes from a version that
    wrote no digest.

    Args:
        path: the file.
        backend: as in `compile`; it may differ from the backend that wrote the file.
        device: as in `compile`.
        workers: as in `compile`; a file says nothing of the workers that wrote it.
        sync_batch_norm: as in `compile`.

    Raises:
        CheckpointError: the file is missing, damaged, not a checkpoint of dnnbridge, or its parts
            do not fit each other.
        DeviceError: the device has a wrong name, or the backend does not see it here.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
        >>> path = run.save(pathlib.Path(tempfile.mkdtemp()) / "run.safetensors")
        >>> db.load(path, backend="reference").experiment == run.experiment
        True
    """
    check_asked(backend, device)
    chosen = checked_workers(workers, sync_batch_norm)
    return restore(path, lambda experiment: compile_chosen(experiment, backend, device, chosen))


def restore(path: str | Path, make: Callable[[Experiment], Run]) -> Run:
    """Make a run from a file; `make` compiles its experiment."""
    check_name(path)
    path = Path(path)
    metadata, arrays = checkpoint_file.read(path)
    if metadata["format"] == WITHOUT_DIGEST:
        metadata = {"epoch_sums": "{}", "optimizer": "null", **metadata}
    logs = _parsed(path, {"logs": "[]", **metadata}, "logs", _rows)
    experiment = _parsed(path, metadata, "experiment", Experiment.from_json)
    progress = _parsed(path, metadata, "progress", _position)
    optimizer = _parsed(path, metadata, "optimizer", _optimizer)
    sums = _parsed(path, metadata, "epoch_sums", _object)
    run = make(experiment)
    try:
        arrays, sums = _weights_of(run, arrays), _sums_of(run, sums)
        run.set_state(arrays, progress, optimizer, sums)
        run.logs = logs
    except DnnbridgeError as error:
        raise _of_file(path, error) from None
    if spoilt := not_finite(arrays, run.experiment.scaling):
        log.warning("%s holds arrays with NaN or infinity: %s", path, name_some(spoilt))
    return run


def _weights_of(run: Run, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return arrays of a file under their present names; layers may have been renamed."""
    present = {name: present_weight(name) for name in arrays}
    if all(name == now for name, now in present.items()):
        return dict(arrays)
    known = run.state().keys()
    return {now if now in known else name: arrays[name] for name, now in present.items()}


def _sums_of(run: Run, sums: dict[str, Any]) -> dict[str, Any]:
    """Return sums of metrics under the present names of the metrics."""
    if not isinstance(sums.get("sums"), dict):
        return sums
    known = run.epoch_sums()["sums"].keys()
    given = sums["sums"].items()
    return sums | {"sums": {k if k in known else present_label(k): v for k, v in given}}


def _parsed(path: Path, metadata: Mapping[str, str], key: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(metadata[key])
    except DnnbridgeError as error:
        raise _of_file(path, error) from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            "the header is incomplete",
            where=f"{path}: {key}",
            got=f"{type(error).__name__}: {error}",
            hint="Give a file that run.save() wrote.",
        ) from None


def _of_file(path: Path, error: DnnbridgeError) -> CheckpointError:
    where = f"{path}: {error.where}" if error.where else str(path)
    return CheckpointError(error.what, where=where, got=error.got, hint=error.hint)


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(f"{type(found).__name__} instead of an object")
    return found


def _rows(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise TypeError("no list of objects")
    return found


def _position(text: str) -> Position:
    found = _object(text)
    return Position(step=found.pop("step"), **found)


def _optimizer(text: str) -> AbstractOptimizer | None:
    return None if text == "null" else AbstractOptimizer.from_json(text)
