"""A run as a plain MindSpore file: model, loss, optimizer and training, with a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.mindspore.writing.checkpoint import write_checkpoint
from dnnbridge.formats.mindspore.writing.file import File, file_source
from dnnbridge.formats.mindspore.writing.forward import forward_of
from dnnbridge.formats.mindspore.writing.host_scalars import scalar_source
from dnnbridge.formats.mindspore.writing.native_optimizers import native_optimizer
from dnnbridge.formats.mindspore.writing.network import NetworkWriter
from dnnbridge.formats.mindspore.writing.objective import wanted_values, write_objective
from dnnbridge.formats.mindspore.writing.schedules import ScheduleWriter
from dnnbridge.formats.mindspore.writing.updates import UpdateWriter
from dnnbridge.formats.states import find_states
from dnnbridge.formats.texts import find_texts
from dnnbridge.formats.trained import Trained
from dnnbridge.optimizers.accumulation import Accumulation, GradientAccumulation
from dnnbridge.schedules import as_schedule


def save_mindspore(run: Trained, path: Path) -> Path:
    """Write a run as a Python file, and its arrays as a `.ckpt` file beside it.

    Neither MindSpore nor dnnbridge is needed to write, and the file needs MindSpore and NumPy.

    Raises:
        ConversionError: something of the experiment cannot be written. The message names all of
            it.
    """
    file, arrays = plain_file(run, path.with_suffix(".ckpt").name)
    write_checkpoint(path.with_suffix(".ckpt"), arrays)
    path.write_text(file_source(file), encoding="utf-8")
    return path


def plain_file(run: Trained, checkpoint: str) -> tuple[File, Mapping[str, Array]]:
    """Return the parts of the file, and the arrays of its checkpoint by name.

    Args:
        run: the run.
        checkpoint: the name of the checkpoint file.

    Raises:
        ConversionError: something of the experiment cannot be written.
    """
    experiment, findings = run.experiment, Findings()
    where = f"{type(experiment.model).__name__} to MindSpore"
    _check(run, findings)
    findings.check(where, "written")
    program = experiment.program()
    helpers: set[str] = set()
    forward = forward_of(program)
    writer = NetworkWriter(forward, program, helpers)
    network = writer.write(wanted_values(forward))
    objective = write_objective(forward, program, network.placements, network.arguments, helpers)
    file = File(run, checkpoint, program, network, writer.results, objective)
    arrays = {p.name: p.layout.there(run.state[n]) for n, p in network.placements.items()}
    arrays |= network.constants
    arrays |= {name: np.zeros(shape, np.float32) for name, shape in network.fixed.items()}
    arrays |= _optimizer(run, file, helpers, findings)
    _layer_schedules(file, findings)
    findings.check(where, "written")
    file.helpers = helpers
    return file, arrays


def _check(run: Trained, findings: Findings) -> None:
    """Find what the file has no place for."""
    experiment = run.experiment
    find_states(experiment.program(), findings)
    find_texts(experiment.program(), findings)
    for name in experiment.program().replaced:
        findings.add(name, "a layer replaces this weight before each step")
    if experiment.loss_scale is not None:
        findings.add("loss_scale", "a plain file computes the loss as it is; leave it out")
    windows = [experiment.accumulate, *_windows(run.optimizer)]
    if any(window.steps > 1 and window.last != "carry" for window in windows):
        findings.add(
            "accumulate", 'a window that an epoch ends early; write Accumulation(…, last="carry")'
        )


def _windows(optimizer: object) -> list[Accumulation]:
    found: list[Accumulation] = []
    while optimizer is not None:
        if isinstance(optimizer, GradientAccumulation):
            found.append(optimizer.window)
        optimizer = getattr(optimizer, "optimizer", None)
    return found


def _optimizer(run: Trained, file: File, helpers: set[str], findings: Findings) -> dict[str, Array]:
    """Choose the optimizer of the file; return its arrays by name."""
    places = file.network.placements
    arrays: dict[str, Array] = {"global_step": np.array([run.step], np.int32)}
    found = native_optimizer(
        run.experiment, run.optimizer, file.program, places, run.state, run.step
    )
    rate = getattr(run.optimizer, "learning_rate", None)
    if found is not None:
        file.native = found
        file.scalars = {"learning_rate": file.schedules.at(as_schedule(rate), "step")}
        _report(file.schedules, findings)
        return {**arrays, **found.arrays}
    file.updates = updates = UpdateWriter(file.program, places, helpers).write()
    for what in updates.unknown:
        findings.add("optimizer", what)
    optimizer = run.experiment.updater(run.optimizer)
    for name in updates.scalars:
        text = scalar_source(optimizer, name, file.schedules)
        if text is None:
            findings.add("optimizer", f"{run.optimizer!r}: its number {name} of every step")
        file.scalars[name] = text or ""
    _report(file.schedules, findings)
    return arrays | {p.name: p.layout.there(run.state[n]) for n, p in updates.slots.items()}


def _report(schedules: ScheduleWriter, findings: Findings) -> None:
    for name in schedules.unknown:
        findings.add("schedule", f"{name} has no plain form")


def _layer_schedules(file: File, findings: Findings) -> None:
    """Write the schedules of layers: dropout rates that change."""
    for name, schedule in file.program.schedules.items():
        file.layer_schedules[f"schedule:{name}"] = file.schedules.at(schedule, "step")
    _report(file.schedules, findings)
