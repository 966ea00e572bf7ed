"""The parts of the page about a training, and what each of them needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.report.examining import Examined, examine
from dnnbridge.report.examples import Confusion, confusions, table_of, worst_examples
from dnnbridge.report.gradients import gradient_flow
from dnnbridge.report.judging import judge
from dnnbridge.report.rates import rate_panel
from dnnbridge.report.trained import Trained
from dnnbridge.report.wording import number
from dnnbridge.testing.running import versions_of
from dnnbridge.training.history_charts import metric_names, panels
from dnnbridge.training.run import Run

STEPS = 600
"""Largest number of points of the curve of step losses; each is a mean of neighbours."""

DATA = "examples and labels: dnnbridge report RUN --data DATA, or write_report(run, path, x, y)"

Data = tuple[Any, Any]


def content_of(
    trained: Trained,
    data: Data | None,
    title: str,
    class_names: Sequence[str] | None,
    pictures: Array | None,
    settings: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the template shows; its texts are escaped there."""
    run = trained.run
    found = examine(run, *data) if run is not None and data is not None else None
    matrices = confusions(found, class_names) if found else _logged(trained.rows, class_names)
    rates, remark = rate_panel(run) if run is not None else (None, "")
    flow = gradient_flow(run, *data) if run is not None and data is not None else None
    shown = {
        "Learning rate": rates,
        "Gradient flow": flow,
        "Confusion matrix": matrices,
        "Worst examples": found,
        "Spec": run,
    }
    return {
        "title": title,
        "version": version("dnnbridge"),
        "judgement": judge(trained.rows, run.goals if run is not None else None),
        "charts": _charts([*panels(trained.rows), *_step_panels(trained)], "curve"),
        "rates": _charts([rates] if rates else [], "rate"),
        "remark": remark,
        "labels": _labels(trained.rows),
        "rows": trained.rows,
        "flow": flow,
        "confusions": matrices,
        "examples": worst_examples(found, class_names, pictures) if found else [],
        "facts": _facts(trained, found, settings),
        "layers": run.experiment.model.summary() if run is not None else None,
        "spec": json.dumps(run.experiment.to_dict(), indent=2, ensure_ascii=False) if run else "",
        "environment": _environment(run),
        "missing": [*trained.notes, *_missing(trained, shown)],
    }


def _charts(found: Sequence[Panel], prefix: str) -> list[Any]:
    from markupsafe import Markup

    from dnnbridge.report.hover import chart_of

    charts = (chart_of(panel, f"{prefix}-{i}") for i, panel in enumerate(found))
    return [(chart.title, Markup(chart.svg), chart.points) for chart in charts]


def _step_panels(trained: Trained) -> list[Panel]:
    """Return the losses of steps, each point the mean of its neighbours, and their running mean."""
    from dnnbridge.report.curves import WINDOWS, running_mean

    losses = np.asarray(trained.step_losses, np.float64)
    if len(losses) < 2:
        return []
    width = max(1, -(-len(losses) // STEPS))
    ends = np.arange(width, len(losses) + width, width).clip(max=len(losses))
    with np.errstate(all="ignore"):  # a loss may be infinite
        means = np.array([part.mean() for part in np.split(losses, ends[:-1])])
        window = max(1, len(means) // WINDOWS)
        smooth = running_mean(means, window)
    ends = ends + trained.steps_before
    label = "every step" if width == 1 else f"means of {width} steps"
    curves = [Curve(label, ends.tolist(), means.tolist(), faint=window > 1)]
    if window > 1:
        curves.append(Curve("running mean", ends[window - 1 :].tolist(), smooth.tolist()))
    return [Panel("loss of steps", tuple(curves), "step")]


def _labels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    known = metric_names(rows)
    found = dict.fromkeys(name for row in rows for name in row)
    return [name for name in found if name.removeprefix("val_") in known]


def _logged(
    rows: Sequence[Mapping[str, Any]], class_names: Sequence[str] | None
) -> list[Confusion]:
    """Return the matrices of counts in the metrics of the last epoch, those of validation first."""
    logs = rows[-1] if rows else {}
    made = []
    for name in sorted(logs, key=lambda each: not each.startswith("val_")):
        if isinstance(logs[name], list) and (matrix := _counts(logs[name])) is not None:
            made.append(table_of(matrix, name, class_names))
    return made


def _counts(value: list[Any]) -> Array | None:
    """Return a square matrix of whole numbers, or None."""
    try:
        array = np.asarray(value, np.float64)
    except ValueError:
        return None
    square = array.ndim == 2 and len(array) > 1 and array.shape[0] == array.shape[1]
    return array if square and (array >= 0).all() and (array == np.rint(array)).all() else None


def _facts(trained: Trained, found: Examined | None, settings: Mapping[str, str]) -> dict[str, str]:
    run, facts = trained.run, {"Epochs": str(len(trained.rows)), **settings}
    if run is not None:
        facts["Steps"] = f"{run.position.step:,}"
        facts["Weights"] = f"{sum(array.size for array in run.parameters().values()):,}"
        facts["Optimizer"] = repr(run.experiment.optimizer)
    if trained.backend:
        facts["Trained on"] = trained.backend
    if found is not None:
        numbers = (f"{k} {number(v)}" for k, v in found.metrics.items() if isinstance(v, float))
        facts["On these examples"] = f"{len(found.losses):,} examples: {', '.join(numbers)}"
    return facts


def _environment(run: Run | None) -> dict[str, str]:
    """Return the packages and the machine of this process."""
    backend = run.backend if run is not None else "reference"
    known = versions_of(backend)
    return known if run is None else {"backend": f"{run.backend} on {run.device}", **known}


def _missing(trained: Trained, shown: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each part that the page lacks."""
    if trained.run is None:
        names = [name for name, part in shown.items() if not part]
        return [
            f"{', '.join(names)}: not in a history or CSV file. Give the run or its checkpoint, "
            "and examples."
        ]
    made = []
    if not shown["Learning rate"]:
        made.append("Learning rate: no step has been trained, or its epochs are not known.")
    needs = [name for name in ("Gradient flow", "Worst examples") if not shown[name]]
    if needs:
        more = [] if shown["Confusion matrix"] else ["Confusion matrix"]
        made.append(f"{', '.join([*needs, *more])}: give {DATA}.")
    elif not shown["Confusion matrix"]:
        made.append("Confusion matrix: the loss is not one of classes.")
    return made
