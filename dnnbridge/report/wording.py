"""Say in words what a comparison found."""

from __future__ import annotations

import math
import platform

from dnnbridge.models import AbstractModel, Sequential
from dnnbridge.report.comparing import PARTED, Comparison, Pair, kinks


def number(value: float) -> str:
    """Write a loss, an accuracy or a time: "0.1234"."""
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def difference(value: float) -> str:
    """Write a difference: "3.1e-07", and "0" only where there is none."""
    return "0" if value == 0 else f"{value:.1e}" if math.isfinite(value) else str(value)


def percent(share: float) -> str:
    """Write the share of a tolerance that an error uses: "12%", and "0" only where there is none.

    Example:
        >>> percent(0.123), percent(0.001), percent(0.0), percent(math.inf)
        ('12%', '<1%', '0', '∞')
    """
    if share == 0 or not math.isfinite(share):
        return "0" if share == 0 else "∞"
    return "<1%" if share < 0.01 else f"{share:.0%}"


def verdict(pair: Pair) -> str:
    """Say whether two trainings agree, or at which step they part."""
    if pair.parting is None:
        last = pair.epochs[-1]
        return (
            f"All step losses agree within {difference(last.step_loss)}; the weights end within "
            f"{difference(last.parameters)} of each other ({last.parameter})."
        )
    parting = pair.parting
    a, b = parting.losses
    return (
        f"The step losses part by more than {PARTED:.0e} at step {parting.step} (epoch "
        f"{parting.epoch}): {a:.6g} against {b:.6g}, a difference of "
        f"{difference(parting.difference)}; before, at most {difference(parting.before)}."
    )


def explanation(comparison: Comparison) -> str:
    """Name the usual cause where trainings part; empty where none do."""
    if all(pair.parting is None for pair in comparison.pairs):
        return ""
    found = kinks(comparison.experiment)
    if found:
        return (
            f"The model is piecewise ({', '.join(found)}). Where an input of such an operation is "
            "within rounding of its kink, backends take different branches and the gradients of "
            "that step differ: the usual cause of a sudden parting. A smooth activation in its "
            "place (softplus, tanh) shows whether it is the cause here."
        )
    return (
        "The model has no kink that would explain it: the training amplifies rounding (a high "
        "learning rate does), or a backend computes something else. Compare each with the "
        "reference backend to see which."
    )


def start(comparison: Comparison) -> str:
    """Say whether all trainings began with the same weights."""
    largest = max(pair.start for pair in comparison.pairs)
    if largest == 0:
        return "All backends began with bit-identical weights."
    return f"The initial weights differ by up to {difference(largest)}."


def summary(comparison: Comparison) -> dict[str, str]:
    """Describe the experiment and how it was trained, a line for each part."""
    experiment = comparison.experiment
    program = experiment.program()
    count = sum(math.prod(program.state[name].shape) for name in program.parameters)
    return comparison.settings | {
        "Model": f"{_model(experiment.model)}  ({count:,} parameters)",
        "Loss": repr(experiment.loss),
        "Optimizer": repr(experiment.optimizer),
        "Seed": str(experiment.seed),
        "Machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def _model(model: AbstractModel) -> str:
    if not isinstance(model, Sequential):
        return repr(model)
    return " → ".join(repr(layer) for layer in model.layers)
