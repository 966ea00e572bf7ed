"""Convert Keras optimizers to specs, using only their public `get_config()`."""

from __future__ import annotations

from typing import Any

from dnnbridge.backend import AbstractOptimizer, NativeOptions, SpecError, read_keras_optimizer


def read(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of a Keras optimizer, or None; implements `dnnbridge_from_native`."""
    kind = type(optimizer).__name__
    if kind == "LossScaleOptimizer":
        raise SpecError(
            "loss scaling is an argument of Experiment here, not an optimizer",
            where="keras.optimizers.LossScaleOptimizer",
            hint="Write Experiment(optimizer=from_native(optimizer.inner_optimizer), "
            f"loss_scale=DynamicLossScale({optimizer.initial_scale}, "
            f"growth_steps={optimizer.dynamic_growth_steps})).",
        )
    if not type(optimizer).__module__.startswith("keras."):
        return None
    return read_keras_optimizer(kind, optimizer.get_config(), options)
