"""Give the metrics of an epoch to the schedules of a spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar, cast

from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.schedules.plateau import Plateau
from dnnbridge.specs.rewriting import rewritten, specs_in
from dnnbridge.specs.spec import Spec

S = TypeVar("S", bound=Spec)


def listens(spec: Spec) -> bool:
    """Return whether a spec contains a schedule that depends on metrics.

    Example:
        >>> from dnnbridge import SGD, Plateau
        >>> listens(SGD(Plateau(0.1))), listens(SGD(0.1))
        (True, False)
    """
    return any(
        isinstance(each, AbstractSchedule) and type(each).heard is not AbstractSchedule.heard
        for each in specs_in(spec)
    )


def heard(spec: S, logs: Mapping[str, object]) -> S:
    """Return a spec whose schedules, at any depth, have received the metrics of an epoch.

    A spec without a schedule that depends on metrics is returned unchanged, as the same object.

    Args:
        spec: an optimizer or a schedule.
        logs: loss and metrics of the epoch by name.

    Raises:
        SpecError: a schedule needs a metric that `logs` does not have.

    Example:
        >>> from dnnbridge import SGD, Plateau, Warmup
        >>> optimizer = SGD(Warmup(Plateau(0.1, patience=1), steps=5))
        >>> for loss in (0.5, 0.7):
        ...     optimizer = heard(optimizer, {"val_loss": loss})
        >>> round(optimizer.scalars(step=20)["learning_rate"], 6)
        0.01
    """

    def listen(inner: Spec) -> Spec:
        return inner.heard(logs) if isinstance(inner, AbstractSchedule) else inner

    return cast(S, rewritten(spec, listen))


def check_heard(spec: Spec, labels: Collection[str]) -> None:
    """Raise if a schedule of a spec needs a metric that no epoch will have.

    Args:
        spec: an optimizer or a schedule.
        labels: names of all metrics that epochs may have.
    """
    logs = dict.fromkeys(labels, 0.0)
    for each in specs_in(spec):
        if isinstance(each, Plateau):
            each.monitored(logs)
    heard(spec, logs)
