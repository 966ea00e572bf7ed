"""Sum losses and metrics over an epoch, and compute their means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten, what
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.program.objectives import Objective
from dnnbridge.program.program import Program
from dnnbridge.training.history import Logs
from dnnbridge.training.position import Position


class Totals:
    """Sums over the real examples of an epoch, in float64.

    Args:
        objectives: the objectives of the program.
        begun: the result of `to_dict` in the middle of the epoch.
    """

    def __init__(
        self, objectives: Mapping[str, Objective], begun: Mapping[str, Any] | None = None
    ) -> None:
        given = begun or {}
        self.objectives = objectives
        self.count: float = given.get("count", 0.0)
        self.rest: float = given.get("rest", 0.0)
        self.terms: dict[str, float] = dict.fromkeys(objectives, 0.0) | given.get("terms", {})
        self.divisors: dict[str, float] = dict.fromkeys(objectives, 0.0)
        self.divisors |= given.get("divisors", {})
        labels = [label for o in objectives.values() for label in o.summed]
        sums = given.get("sums", {})
        self.sums = {label: np.asarray(sums.get(label, 0.0), np.float64) for label in labels}

    def to_dict(self) -> dict[str, Any]:
        """Return all sums as JSON types."""
        sums = {label: array.tolist() for label, array in self.sums.items()}
        numbers = {"count": self.count, "rest": self.rest}
        return numbers | {"terms": self.terms, "divisors": self.divisors, "sums": sums}

    def copy(self) -> Totals:
        """Return a copy; `add` to the copy does not change the original."""
        made = copy(self)
        made.terms, made.divisors, made.sums = {**self.terms}, {**self.divisors}, {**self.sums}
        return made

    @np.errstate(over="ignore", invalid="ignore")  # `NonFiniteGuard` reports non-finite values
    def add(self, results: Mapping[str, Array], counts: Array) -> list[float]:
        """Add the results of some steps and return their losses; `counts` are their examples."""
        losses = results["loss"].astype(np.float64)
        rest, separate = losses, False
        for key, objective in self.objectives.items():
            own = np.asarray(results.get(objective.loss_label, losses), np.float64)
            divisor = np.asarray(results.get(objective.divisor_result, counts), np.float64)
            if objective.loss.reduction == "sum":  # summed over the epoch too, never divided
                self.terms[key] = float(_added(self.terms[key], own))
                self.divisors[key] = 1.0
            else:
                self.terms[key] = float(_added(self.terms[key], own * divisor))
                self.divisors[key] += float(divisor.sum())
            if objective.loss_label in results:
                rest, separate = rest - objective.weight * own, True
        self.count += float(counts.sum())
        if separate:
            self.rest = float(_added(self.rest, rest * counts))
        for label in self.sums:
            self.sums[label] = _added(self.sums[label], results[label])
        return [float(loss) for loss in losses]

    @np.errstate(over="ignore", invalid="ignore")
    def means(self) -> Logs:
        """Return the loss, the losses of several outputs, and every metric."""
        logs: Logs = {}
        if not self.count:  # the epoch is over, but its sums are unknown
            return {"loss": float("nan")}
        total = self.rest / self.count
        for key, objective in self.objectives.items():
            divisor = self.divisors[key]
            own = self.terms[key] / divisor if divisor else 0.0
            total += objective.weight * own
            if objective.name:
                logs[objective.loss_label] = own
            for label, metric in objective.metrics.items():
                weighted = label in objective.weighted
                count = float(self.sums[objective.metric_weights]) if weighted else self.count
                logs[label] = metric.result(self.sums[label], count)
        return {"loss": total} | logs


def _added(total: Any, values: Array) -> Any:
    """Add the rows of an array one by one, so that the sum is the same however they are grouped."""
    start = np.broadcast_to(np.asarray(total, np.float64), values.shape[1:])
    return np.add.accumulate(np.concatenate([start[None], values], dtype=np.float64))[-1]


def checked_sums(given: Mapping[str, Any], program: Program, position: Position) -> dict[str, Any]:
    """Return the checked result of `Totals.to_dict` for a program, or raise.

    An empty mapping stands for an epoch whose sums are unknown.
    """
    if not isinstance(given, Mapping):
        raise DTypeError(
            "must be the result of epoch_sums() of a run", where="epoch_sums", got=what(given)
        )
    if not given:
        return {}
    labels = [label for o in program.objectives.values() for label in o.summed]
    names = {"terms": program.objectives, "divisors": program.objectives, "sums": labels}
    _check_names(given, {"count", "rest", *names}, "epoch_sums")
    for key, wanted in names.items():
        if not isinstance(given[key], Mapping):
            raise DataError("must be a dict", where=f"epoch_sums.{key}", got=shorten(given[key]))
        _check_names(given[key], set(wanted), f"epoch_sums.{key}")
    numbers = {"count": given["count"], "rest": given["rest"]}
    numbers |= {f"{k}.{n}": given[k][n] for k in ("terms", "divisors") for n in given[k]}
    for name, value in numbers.items():
        _check_shape(value, {()}, f"epoch_sums.{name}")
    results = program.functions["train"]
    types = dict(zip(results.results, results.graph.outputs, strict=False))
    for label, value in given["sums"].items():
        shapes = {types[label].shape} | ({()} if not given["count"] else set())
        _check_shape(value, shapes, f"epoch_sums.sums.{label}")
    most = position.batch * position.batch_size
    if position.examples:
        most = min(most, position.examples)
    if not 0 <= given["count"] <= (most if position.batch else math.inf):
        raise DataError(
            f"must be from 0 to {most}, the number of examples in the finished steps",
            where="epoch_sums.count",
            got=repr(given["count"]),
        )
    return dict(given)


def _check_names(given: Mapping[str, Any], wanted: set[str], where: str) -> None:
    if given.keys() != wanted:
        raise DataError(
            f"must have {', '.join(sorted(wanted)) or 'nothing'}",
            where=where,
            got=", ".join(map(str, given)) or "nothing",
        )


def _check_shape(value: Any, shapes: set[tuple[int | None, ...]], where: str) -> None:
    """Raise unless a value is a number, or lists of numbers; they need not be finite."""
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "iuf" or array.shape not in shapes:
        raise DataError(
            "must be numbers in the shape of the metric" if shapes != {()} else "must be a number",
            where=where,
            got=shorten(value),
        )
