"""Activation functions. Each is usable by name, as a spec, or as a layer in a Sequential."""

from dnnbridge.activations.base import (
    AbstractActivation,
    ActivationField,
    ActivationLike,
    as_activation,
)
from dnnbridge.activations.exponential import CELU, ELU, SELU, Exponential
from dnnbridge.activations.gated import GLU
from dnnbridge.activations.piecewise import (
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    Linear,
    ReLU,
    ReLU6,
    Threshold,
)
from dnnbridge.activations.prelu import PReLU
from dnnbridge.activations.shrinking import HardShrink, SoftShrink, TanhShrink
from dnnbridge.activations.smooth import (
    GELU,
    LogSigmoid,
    Mish,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    SquarePlus,
    Tanh,
)
from dnnbridge.activations.softmax import LogSoftmax, Softmax
from dnnbridge.activations.sparse import SparsePlus, SparseSigmoid

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "AbstractActivation",
    "ActivationField",
    "ActivationLike",
    "Exponential",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "SquarePlus",
    "Tanh",
    "TanhShrink",
    "Threshold",
    "as_activation",
]
