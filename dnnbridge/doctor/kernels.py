"""`kernel_of`: the known error of MindSpore on a CPU that a difference without an argument is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.sides import Spot, Stage
from dnnbridge.doctor.subject import subject_of
from dnnbridge.experiment import Experiment


class Shows(NamedTuple):
    """How a known error shows.

    Attributes:
        stages: where a training first shows it.
        finite: whether the wrong numbers are finite.
        largest: the largest relative error that it makes.
    """

    stages: tuple[Stage, ...]
    finite: bool = True
    largest: float = float("inf")


UPDATE: tuple[Stage, ...] = ("update", "weights", "slots")

KERNELS: Mapping[str, Shows] = {
    "nesterov-ignored": Shows(UPDATE),
    "rmsprop-body-and-tail": Shows(UPDATE),
    "ftrl-l1": Shows(UPDATE),
    "reduction-sum": Shows(("loss", "gradient")),
    "sparse-mean-infinite": Shows(("loss",), finite=False),
    "bce-clipping": Shows(("loss", "gradient")),
    "mse-broadcast": Shows(("loss",)),
    "tanh": Shows(("layer",), largest=1e-3),
    "selu-gradient": Shows(("gradient",)),
    "mish-overflow": Shows(("layer",), finite=False),
    "log-sigmoid-overflow": Shows(("layer",), finite=False),
    "softplus-underflow": Shows(("layer",), largest=1e-3),
}
"""The rules of what a MindSpore program computes that is not what its classes say."""


def kernel_of(experiment: Experiment, spot: Spot, error: float, finite: bool) -> str | None:
    """Return the rule of a known error that shows at a place; None if none fits.

    Args:
        experiment: what is trained.
        spot: the place, by the names of the experiment.
        error: how far it is from float64.
        finite: whether its numbers are finite.

    Example:
        >>> import dnnbridge as db
        >>> layers = [db.Input((2,)), db.Dense(1, "tanh", name="last")]
        >>> experiment = db.Experiment(db.Sequential(layers), "mse", db.SGD(0.1))
        >>> kernel_of(experiment, Spot("layer", "last"), 1e-4, True)
        'tanh'
        >>> kernel_of(experiment, Spot("layer", "last"), 0.5, True) is None
        True
    """
    subject = subject_of(experiment)
    for name, shows in KERNELS.items():
        if spot.stage not in shows.stages or finite != shows.finite:
            continue
        if finite and error > shows.largest:
            continue
        if any(_fits(place.where, spot) for place in RULES[name].found(subject)):
            return name
    return None


def _fits(place: str, spot: Spot) -> bool:
    """Whether a place of a rule is that of a difference; of a loss or an optimizer there is one."""
    return spot.stage != "layer" or place.partition(".")[0] == spot.where
