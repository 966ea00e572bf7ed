"""Say in plain words how a training went."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dnnbridge.diagnose.generalising import RISES
from dnnbridge.report.wording import number
from dnnbridge.specs.goals import Goal, goal_of
from dnnbridge.training.history_charts import VALIDATION, metric_names, points

LATE = 0.1
"""A training whose best epoch is in this last part of its epochs still improves."""

FALL = 0.01
"""The training loss falls if its last value is below that before by more than this part of it."""


@dataclass(frozen=True)
class Judgement:
    """What a training looks like.

    Attributes:
        title: the finding in few words.
        text: the numbers behind it, and what to try.
        good: whether nothing has to be done; None if that cannot be said.
    """

    title: str
    text: str
    good: bool | None


def judge(
    rows: Sequence[Mapping[str, Any]], goals: Mapping[str, Goal | None] | None = None
) -> Judgement:
    """Return the judgement of a training from the rows of its epochs.

    Args:
        rows: as `Run.logs`.
        goals: as `Run.goals`; by default those of the metrics of these names.

    Example:
        >>> losses = [(3.0, 3.1), (1.0, 2.0), (0.5, 2.5), (0.2, 4.0)]
        >>> rows = [{"epoch": i, "loss": a, "val_loss": b} for i, (a, b) in enumerate(losses)]
        >>> judge(rows).title
        'The model overfits since epoch 2'
    """
    epochs, losses = points(rows, "loss")
    if not epochs:
        text = "There is no column of the loss." if rows else "No epoch has been finished."
        return Judgement("The loss is not known", text, None)
    wrong = next((e for e, loss in zip(epochs, losses, strict=True) if not math.isfinite(loss)), 0)
    if wrong:
        text = "Try a smaller learning rate, or ClipByGlobalNorm; look at the data for outliers."
        return Judgement(f"The loss is not finite in epoch {wrong:.0f}", text, False)
    if len(epochs) == 1:
        text = f"The training loss is {number(losses[0])}. One epoch shows no trend."
        return Judgement("One epoch", _with_metrics(text, rows, goals), None)
    places, values = points(rows, f"{VALIDATION}loss")
    finite = [(e, v) for e, v in zip(places, values, strict=True) if math.isfinite(v)]
    judged = _validated(epochs, losses, finite) if len(finite) > 1 else _training_only(losses)
    return Judgement(judged.title, _with_metrics(judged.text, rows, goals), judged.good)


def _training_only(losses: Sequence[float]) -> Judgement:
    before, last = losses[-2], losses[-1]
    fell = f"The training loss went from {number(losses[0])} to {number(last)}."
    unknown = "There are no validation data, so that overfitting cannot be seen: give fit "
    unknown += "validation_split=0.2 or validation_data."
    if last < before - FALL * abs(before):
        return Judgement("The training loss still falls", f"{fell} {unknown}", None)
    return Judgement("The training loss has settled", f"{fell} {unknown}", None)


def _validated(
    epochs: Sequence[float], losses: Sequence[float], found: Sequence[tuple[float, float]]
) -> Judgement:
    best, least = min(found, key=lambda each: each[1])
    last, value = found[-1]
    at = dict(zip(epochs, losses, strict=True))
    text = f"The validation loss was lowest in epoch {best:.0f}, {number(least)}"
    if last - best < max(1.0, LATE * last):
        text += ", the last one" if best == epochs[-1] else ""
        text += ". More epochs may make it better."
        return Judgement("The model still improves", text, True)
    rise = (value - least) / abs(least) if least else math.inf
    falls = last in at and best in at and at[last] < at[best]
    text += f", and is {number(value)} in epoch {last:.0f}"
    if rise > RISES and falls:
        text += (
            f", while the training loss fell from {number(at[best])} to {number(at[last])}. "
            "EarlyStopping(restore_best_weights=True) keeps the best epoch; dropout, weight decay "
            "and more data work against overfitting."
        )
        return Judgement(f"The model overfits since epoch {best:.0f}", text, False)
    if rise > RISES:
        text += ". The training loss has not fallen either: try a smaller learning rate."
        return Judgement(f"The model gets worse since epoch {best:.0f}", text, False)
    return Judgement("The training has settled", f"{text}: more epochs change little.", True)


def _with_metrics(
    text: str, rows: Sequence[Mapping[str, Any]], goals: Mapping[str, Goal | None] | None
) -> str:
    """Add the best value of each metric that has a goal."""
    said = [text]
    for name in metric_names(rows):
        label = f"{VALIDATION}{name}" if points(rows, f"{VALIDATION}{name}")[0] else name
        places, values = points(rows, label)
        goal = goal_of(name) if goals is None else goals.get(name)
        if name.endswith("loss") or goal is None or not places:
            continue
        choose = max if goal == "max" else min
        value, epoch = choose(zip(values, places, strict=True), key=lambda each: each[0])
        shown = label.replace(VALIDATION, "validation ")
        said.append(f"Best {shown}: {number(value)}, in epoch {epoch:.0f}.")
    return " ".join(said)
