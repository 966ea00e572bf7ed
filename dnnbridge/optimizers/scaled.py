"""What `loss_scale` means in an optimizer of MindSpore."""

from __future__ import annotations

from dnnbridge.errors import SpecError
from dnnbridge.optimizers.base import AbstractOptimizer


def scaled(made: AbstractOptimizer, loss_scale: float) -> AbstractOptimizer:
    """Return an optimizer that divides gradients by a number first; with 1 the optimizer itself.

    Example:
        >>> from dnnbridge import SGD
        >>> scaled(SGD(0.1), 1024.0).rules
        (ScaleGradients(factor=0.0009765625),)
    """
    from dnnbridge.optimizers.gradient_rules import ScaleGradients
    from dnnbridge.optimizers.wrappers import WithGradientRules

    if isinstance(loss_scale, bool) or not isinstance(loss_scale, (int, float)) or loss_scale <= 0:
        raise SpecError(
            "is a number above 0",
            where="loss_scale",
            got=repr(loss_scale),
            hint="It divides the gradients of a loss that was multiplied by it. A scale that "
            "changes belongs to the experiment: Experiment(loss_scale=DynamicLossScale()).",
        )
    if loss_scale == 1.0:
        return made
    return WithGradientRules(made, [ScaleGradients(1.0 / loss_scale)])
