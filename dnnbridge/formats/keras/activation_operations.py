"""Operations of `keras.ops` that are activations, as layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations, layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.emit.symbol import AbstractSymbol

Operation = Callable[..., AbstractSymbol | None]
"""(configuration, *arguments) -> the result, or None if these arguments cannot be read.

The layer gets the name in the configuration.
"""

Config = Mapping[str, Any]


def _activated(cls: type[AbstractActivation], **defaults: Any) -> Operation:
    """Return the operation of an activation, whose arguments Keras has in the same order."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = [field.name for field in fields]

    def make(config: Config, x: Any, *args: Any, **kwargs: Any) -> AbstractSymbol | None:
        placed = dict(zip(names, args, strict=False))
        given = {**defaults, **config, **placed, **kwargs}
        return layers.Activation(cls(**{k: v for k, v in given.items() if k != "name"}))(x)

    return make


ACTIVATIONS: Mapping[str, Operation] = {
    "Celu": _activated(activations.CELU),
    "Elu": _activated(activations.ELU),
    "Gelu": _activated(activations.GELU, approximate=True),
    "Glu": _activated(activations.GLU),
    "HardShrink": _activated(activations.HardShrink),
    "HardSigmoid": _activated(activations.HardSigmoid),
    "HardSilu": _activated(activations.HardSwish),
    "HardTanh": _activated(activations.HardTanh),
    "LeakyRelu": _activated(activations.LeakyReLU, negative_slope=0.2),
    "LogSigmoid": _activated(activations.LogSigmoid),
    "LogSoftmax": _activated(activations.LogSoftmax),
    "ReLU": _activated(activations.ReLU),
    "Relu": _activated(activations.ReLU),
    "Relu6": _activated(activations.ReLU6),
    "Selu": _activated(activations.SELU),
    "Sigmoid": _activated(activations.Sigmoid),
    "Silu": _activated(activations.SiLU),
    "SoftShrink": _activated(activations.SoftShrink),
    "Softmax": _activated(activations.Softmax),
    "Softplus": _activated(activations.Softplus),
    "Softsign": _activated(activations.Softsign),
    "SparsePlus": _activated(activations.SparsePlus),
    "SparseSigmoid": _activated(activations.SparseSigmoid),
    "Squareplus": _activated(activations.SquarePlus),
    "Tanh": _activated(activations.Tanh),
    "TanhShrink": _activated(activations.TanhShrink),
    "Threshold": _activated(activations.Threshold),
}
