"""AdamW: Adam whose weights decay apart from its gradients."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Self

from dnnbridge.fields import Bool
from dnnbridge.optimizers.adam import Adam
from dnnbridge.schedules import ScheduleLike
from dnnbridge.specification import spec
from dnnbridge.weight_decay import MINDSPORE_EXEMPT, DecoupledWeightDecay, WeightDecayLike


@spec
class AdamW(Adam):
    """Adam after p ← p - lr · weight_decay · p (Loshchilov & Hutter, 2019)

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `Adam`.
        epsilon_hat: as in `Adam`: True is Keras, False PyTorch and MindSpore's experimental one.
        amsgrad: as in `Adam`.
        nesterov: as in `Adam`.
        bias_correction: False leaves out the divisions by 1 - βᵗ, as BERT does.
        weight_decay: 0.004 of all weights by default, as in Keras.

    Example:
        >>> AdamW(0.1).host_scalars(step=0)["decay"]
        0.0004
    """

    bias_correction: Bool = True
    weight_decay: WeightDecayLike = field(default=0.004, kw_only=True)

    def scalars(self, step: int) -> dict[str, float]:
        if self.bias_correction:
            return super().scalars(step)
        return {"alpha": self.rate(step), "epsilon": self.epsilon} | self.betas(step)

    @classmethod
    def keras(  # type: ignore[override]
        cls,
        learning_rate: ScheduleLike = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> Self:
        """Return `keras.optimizers.AdamW` with these arguments."""
        more: dict[str, Any] = {"amsgrad": amsgrad, "weight_decay": weight_decay}
        return cls(learning_rate, beta_1, beta_2, epsilon, **more)

    @classmethod
    def mindspore(  # type: ignore[override]
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> Self:
        """Return `mindspore.nn.AdamWeightDecay` with these arguments.

        It has no bias correction, and leaves out what has beta or gamma in its name.
        """
        decay = (
            DecoupledWeightDecay(weight_decay, exempt=MINDSPORE_EXEMPT) if weight_decay else None
        )
        more: dict[str, Any] = {"bias_correction": False, "weight_decay": decay}
        return cls(learning_rate, beta1, beta2, eps, **more)
