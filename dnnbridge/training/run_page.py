"""What a notebook shows of a `Run`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dnnbridge.drawing import notebook
from dnnbridge.program.program import Program
from dnnbridge.training import history_charts
from dnnbridge.training.progress import describe

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


def html_of(run: Run, program: Program) -> str:
    """Return where a run computes, how far it is, its last numbers, and its curves."""
    rows = run.logs
    return notebook.block(
        "Run",
        notebook.facts(facts(run, program)),
        history_charts.table(rows) if rows else "",
        history_charts.overview(rows),
        notebook.folded("The experiment", run.experiment._repr_html_()),
    )


def facts(run: Run, program: Program) -> dict[str, str]:
    """Return what is known of a run at this moment, by name."""
    position, rate, rows = run.position, run.learning_rate, run.logs
    weights = sum(math.prod(program.state[name].shape) for name in program.parameters)
    buffers = [array for array in program.layer_arrays if not array.trainable]
    kept = sum(math.prod(array.shape) for array in buffers)
    within = f", {position.batch} of them in the epoch that has begun" if position.batch else ""
    found = {
        "backend": f"{run.backend} on {run.device}",
        "trained": f"{position.epoch} epochs, {position.step} steps{within}",
        "weights": f"{weights:,} trained" + (f", {kept:,} others" if kept else ""),
        "learning rate": "" if rate is None else f"{rate:.6g}",
    }
    if rows:
        logs = {name: value for name, value in rows[-1].items() if name != "epoch"}
        found["last epoch"] = describe(logs)
    return {name: text for name, text in found.items() if text}
