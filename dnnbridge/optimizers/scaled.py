"""The `loss_scale` argument of MindSpore's optimizers."""

from __future__ import annotations

from dnnbridge.errors import SpecError
from dnnbridge.optimizers.base import AbstractOptimizer


def scaled(made: AbstractOptimizer, loss_scale: float) -> AbstractOptimizer:
    """Return an optimizer that first divides gradients by `loss_scale`; for 1 the same optimizer.

    Example:
        >>> from dnnbridge import SGD
        >>> scaled(SGD(0.1), 1024.0).rules
        (ScaleGradients(factor=0.0009765625),)
    """
    from dnnbridge.optimizers.gradient_rules import ScaleGradients
    from dnnbridge.optimizers.wrappers import WithGradientRules

    if isinstance(loss_scale, bool) or not isinstance(loss_scale, (int, float)) or loss_scale <= 0:
        raise SpecError(
            "must be a number above 0",
            where="loss_scale",
            got=repr(loss_scale),
            hint="The optimizer divides the gradients by it. For a scale that changes, write "
            "Experiment(loss_scale=DynamicLossScale()).",
        )
    if loss_scale == 1.0:
        return made
    return WithGradientRules(made, [ScaleGradients(1.0 / loss_scale)])
