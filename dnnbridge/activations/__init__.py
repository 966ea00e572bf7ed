"""Activation functions. Each is usable by name, as a spec, or as a layer in a Sequential."""

from dnnbridge.activations.base import (
    AbstractActivation,
    ActivationField,
    ActivationLike,
    as_activation,
)
from dnnbridge.activations.exponential import CELU, ELU, SELU
from dnnbridge.activations.piecewise import (
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU6,
)
from dnnbridge.activations.smooth import (
    GELU,
    LogSigmoid,
    Mish,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from dnnbridge.activations.softmax import LogSoftmax, Softmax

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "AbstractActivation",
    "ActivationField",
    "ActivationLike",
    "HardSigmoid",
    "HardSwish",
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
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "as_activation",
]
