"""`compile`: choose a backend, check that it supports the experiment, and make a run."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from dnnbridge.backend.device import Device, parse_device
from dnnbridge.backend.kernel_variable import check_kernels, given_text
from dnnbridge.backend.plugins import (
    all_described,
    available_backends,
    choose_device,
    default_backend,
    load_backend,
    require_backend,
    require_device,
)
from dnnbridge.backend.protocol import Backend, BackendInfo, check_supported
from dnnbridge.backend.workers import Workers
from dnnbridge.base.calling import explained
from dnnbridge.base.garbage import uncollected
from dnnbridge.base.messages import what
from dnnbridge.errors import BackendError, DTypeError
from dnnbridge.program.advice import advise, advise_to_adapt
from dnnbridge.training.dividing import check_workers, checked_workers
from dnnbridge.training.elsewhere import COMPILE
from dnnbridge.training.memory import check_memory
from dnnbridge.training.run import Run

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment

log = logging.getLogger(__name__)

BACKEND_VARIABLE = "DNNBRIDGE_BACKEND"
DEVICE_VARIABLE = "DNNBRIDGE_DEVICE"


@explained(COMPILE)
def compile(
    experiment: Experiment,
    backend: str | None = None,
    device: str | None = None,
    *,
    workers: int | None = None,
    sync_batch_norm: bool = True,
) -> Run:
    """Compile an experiment for a backend and return a run with fresh weights.

    Args:
        experiment: the spec.
        backend: a name of `available_backends`. By default the environment variable
            DNNBRIDGE_BACKEND, else the first installed of tensorflow, mindspore and reference;
            the choice is logged.
        device: "cpu", "gpu" or "ascend", or with a number one of several: "gpu:1" is the second.
            By default DNNBRIDGE_DEVICE, else an accelerator if the framework sees one, else the
            CPU; the choice is logged.
        workers: how many workers share each batch. By default all processes that
            `dnnbridge launch` has started, else one. In a program of one process, a larger number
            divides batches among devices of TensorFlow, or simulates workers on the reference.
        sync_batch_norm: whether each BatchNormalization has the statistics of the whole batch, so
            that the numbers do not depend on the number of workers. False: each worker normalises
            with those of its own rows, as layers of the frameworks do by default.

    Warns:
        LogitsWarning: a loss reads probabilities as logits, or logits as probabilities.
        UnadaptedWarning: a `Normalization` has no mean and variance.

    Raises:
        BackendError: unknown backend.
        DeviceError: the device has a wrong name, or the backend does not see it here.
        BackendNotInstalledError: the framework is missing.
        UnsupportedError: the backend lacks an operation of the experiment.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
        >>> db.compile(experiment, backend="reference").predict([[0.0, 0.0]])
        array([[0.]])
    """
    run = compile_chosen(experiment, backend, device, checked_workers(workers, sync_batch_norm))
    advise_to_adapt(experiment.program())
    return run


def compile_chosen(
    experiment: Experiment,
    backend: str | None,
    device: str | None,
    workers: Workers | None = None,
) -> Run:
    """Compile as `compile` does, for a caller that sets all weights afterwards."""
    loaded, chosen = choose_for(experiment, backend, device)
    return compile_for(loaded, experiment, chosen, workers)


def choose_for(
    experiment: Experiment, backend: str | None, device: str | None
) -> tuple[Backend, str]:
    """Choose a backend and a device as `compile` does, and warn of what is likely not meant."""
    _check(experiment)
    loaded, chosen = load_chosen(backend, device)
    log.info("compiling for backend %s on %s", loaded.info.name, chosen)
    advise(experiment.program())
    return loaded, chosen


def load_chosen(backend: str | None, device: str | None) -> tuple[Backend, str]:
    """Load the backend named by the caller or the environment, and choose its device.

    A device that the backend never has is refused before its framework is imported.
    """
    name = backend or os.environ.get(BACKEND_VARIABLE) or default_backend()
    asked, where = asked_device(device)
    info = _required(name, backend)
    if asked is not None:
        require_device(info, asked, where)
    check_kernels(given_text(), all_described()[0])
    loaded = load_backend(name)
    return loaded, choose_device(loaded, asked, where)


def asked_device(device: str | None) -> tuple[Device | None, str]:
    """Return the device named by the caller or the environment, if any, and who named it."""
    where = "device" if device else DEVICE_VARIABLE
    given = device or os.environ.get(DEVICE_VARIABLE)
    return (parse_device(given, where) if given else None), where


@explained()
def list_devices(backend: str | None = None) -> tuple[str, ...]:
    """Return the names of the devices that a backend sees here, the one it prefers first.

    The framework is imported. Asking reserves no memory of a GPU.

    Args:
        backend: as in `compile`.

    Raises:
        BackendError: unknown backend.
        BackendNotInstalledError: the framework is missing.

    Example:
        >>> list_devices("reference")
        ('cpu',)
    """
    return load_backend(chosen_name(backend)).devices()


def check_asked(backend: str | None, device: str | None) -> None:
    """Raise unless the device that the caller or the environment names is there, before any work.

    The framework is imported only for another device than the CPU.
    """
    asked, where = asked_device(device)
    if asked is None:
        return
    name = chosen_name(backend)
    require_device(_required(name, backend), asked, where)
    if asked != Device("cpu"):
        choose_device(load_backend(name), asked, where)


def _required(name: str, given: str | None) -> BackendInfo:
    """Return the description of a backend; an error says whether the environment named it."""
    try:
        return require_backend(name)
    except BackendError as error:
        raise (error if given else error.placed(BACKEND_VARIABLE)) from None


def chosen_name(backend: str | None) -> str:
    """Return the name of the backend that the caller, the environment or dnnbridge chooses."""
    first = (each.name for each in available_backends() if each.installed)
    return backend or os.environ.get(BACKEND_VARIABLE) or next(first)


def compile_for(
    backend: Backend, experiment: Experiment, device: str, workers: Workers | None = None
) -> Run:
    """Compile an experiment for a loaded backend."""
    _check(experiment)
    if workers is not None:
        check_workers(backend, workers)
    with uncollected():
        program = experiment.program()
        check_memory(program)
        check_supported(backend, program, device)
        return Run(experiment, program, backend, device, workers)


def _check(value: Any) -> None:
    """Raise unless this is an experiment."""
    from dnnbridge.experiment import Experiment

    if not isinstance(value, Experiment):
        raise _not_an_experiment(value)


def _not_an_experiment(value: Any) -> DTypeError:
    return DTypeError(
        "compile takes an Experiment",
        where="experiment",
        got=what(value),
        hint="Write db.compile(db.Experiment(model=…, loss=…, optimizer=…)).",
    )
