"""Describe the result of a comparison in words."""

from __future__ import annotations

import math
import platform

from dnnbridge.models import AbstractModel, Sequential
from dnnbridge.report.comparing import PARTED, Comparison, Pair, kinks


def number(value: float) -> str:
    """Format a loss, an accuracy or a time: "0.1234"."""
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def difference(value: float) -> str:
    """Format a difference: "3.1e-07"; "0" only if it is exactly 0."""
    return "0" if value == 0 else f"{value:.1e}" if math.isfinite(value) else str(value)


def percent(share: float) -> str:
    """Format an error as a share of its tolerance: "12%"; "0" only if it is exactly 0.

    Example:
        >>> percent(0.123), percent(0.001), percent(0.0), percent(math.inf)
        ('12%', '<1%', '0', '∞')
    """
    if share == 0 or not math.isfinite(share):
        return "0" if share == 0 else "∞"
    return "<1%" if share < 0.01 else f"{share:.0%}"


def verdict(pair: Pair) -> str:
    """Describe whether two trainings agree, or at which step they stop agreeing."""
    if pair.parting is None:
        last = pair.epochs[-1]
        return (
            f"All step losses agree within {difference(last.step_loss)}; the final weights agree "
            f"within {difference(last.parameters)} ({last.parameter})."
        )
    parting = pair.parting
    a, b = parting.losses
    return (
        f"The step losses first differ by more than {PARTED:.0e} at step {parting.step} (epoch "
        f"{parting.epoch}): {a:.6g} against {b:.6g}, a difference of "
        f"{difference(parting.difference)}; before, at most {difference(parting.before)}."
    )


def explanation(comparison: Comparison) -> str:
    """Name the usual cause if trainings disagree; empty if all agree."""
    if all(pair.parting is None for pair in comparison.pairs):
        return ""
    found = kinks(comparison.experiment)
    if found:
        return (
            f"The model has operations with kinks ({', '.join(found)}). If an input is within "
            "rounding of a kink, backends take different branches and the gradients of that step "
            "differ. This is the usual cause of a sudden difference. To test it, use a smooth "
            "activation (softplus, tanh) instead."
        )
    return (
        "The model has no kink that would explain the difference. Either the training amplifies "
        "rounding, as a high learning rate does, or a backend computes something else. Compare "
        "each with the reference backend to find out."
    )


def start(comparison: Comparison) -> str:
    """Describe whether all trainings began with the same weights."""
    largest = max(pair.start for pair in comparison.pairs)
    if largest == 0:
        return "All backends began with bit-identical weights."
    return f"The initial weights differ by up to {difference(largest)}."


def summary(comparison: Comparison) -> dict[str, str]:
    """Describe the experiment and its training, one line per part."""
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
