"""Operations of `keras.ops` in Functional models, as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations, layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.emit.symbol import AbstractSymbol

Operation = Callable[..., AbstractSymbol | None]
"""(configuration, *arguments) -> the result, or None if these arguments cannot be read.

The layer gets the name in the configuration.
"""


def _merged(layer: type[layers.AbstractLayer]) -> Operation:
    def make(config: Mapping[str, Any], x1: Any, x2: Any) -> AbstractSymbol | None:
        if isinstance(x1, AbstractSymbol) and isinstance(x2, AbstractSymbol):
            return layer(name=config["name"])(x1, x2)
        return None

    return make


def _activated(make_activation: Callable[..., AbstractActivation]) -> Operation:
    def make(config: Mapping[str, Any], x: Any, **more: Any) -> AbstractSymbol | None:
        arguments = {k: v for k, v in {**config, **more}.items() if k != "name"}
        return layers.Activation(make_activation(**arguments), name=config["name"])(x)

    return make


def _concatenate(config: Mapping[str, Any], xs: Any, axis: int = 0) -> AbstractSymbol | None:
    return layers.Concatenate(config.get("axis", axis), name=config["name"])(*xs)


def _reshape(config: Mapping[str, Any], x: Any, newshape: Any = None) -> AbstractSymbol | None:
    shape = config.get("newshape", newshape)
    if shape is None or shape[0] not in (-1, None):
        return None
    return layers.Reshape(tuple(shape[1:]), name=config["name"])(x)


OPERATIONS: dict[str, Operation] = {
    "Add": _merged(layers.Add),
    "Subtract": _merged(layers.Subtract),
    "Multiply": _merged(layers.Multiply),
    "Maximum": _merged(layers.Maximum),
    "Minimum": _merged(layers.Minimum),
    "Concatenate": _concatenate,
    "Reshape": _reshape,
    "Elu": _activated(activations.ELU),
    "Exp": _activated(activations.Exponential),
    "Gelu": _activated(lambda approximate=True: activations.GELU(approximate)),
    "Glu": _activated(activations.GLU),
    "HardShrink": _activated(activations.HardShrink),
    "HardSigmoid": _activated(activations.HardSigmoid),
    "HardSilu": _activated(activations.HardSwish),
    "HardTanh": _activated(activations.HardTanh),
    "LeakyRelu": _activated(lambda negative_slope=0.2: activations.LeakyReLU(negative_slope)),
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
"""The operation of each class, by Keras' name."""
