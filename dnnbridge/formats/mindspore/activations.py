"""MindSpore's activations, as Cells, operators and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations as here
from dnnbridge.activations import AbstractActivation
from dnnbridge.errors import DnnbridgeError

Made = Callable[[Any], AbstractActivation | None]
"""Make an activation from a Cell; None if these arguments have no counterpart."""


def _axis(axis: Any) -> int:
    return int(axis[0]) if isinstance(axis, (tuple, list)) else int(axis)


def _hard_tanh(cell: Any) -> AbstractActivation | None:
    return here.HardTanh() if (cell.min_val, cell.max_val) == (-1.0, 1.0) else None


CELLS: Mapping[str, Made] = {
    "ReLU": lambda cell: here.ReLU(),
    "ReLU6": lambda cell: here.ReLU6(),
    "LeakyReLU": lambda cell: here.LeakyReLU(float(cell.alpha)),
    "ELU": lambda cell: here.ELU(float(cell.elu.alpha)),
    "CELU": lambda cell: here.CELU(float(cell.celu.alpha)),
    "GELU": lambda cell: here.GELU(cell.approximate == "tanh"),
    "SiLU": lambda cell: here.SiLU(),
    "Tanh": lambda cell: here.Tanh(),
    "Sigmoid": lambda cell: here.Sigmoid(),
    "HSwish": lambda cell: here.HardSwish(),
    "HSigmoid": lambda cell: here.HardSigmoid(),
    "Mish": lambda cell: here.Mish(),
    "SeLU": lambda cell: here.SELU(),
    "Softsign": lambda cell: here.Softsign(),
    "SoftShrink": lambda cell: here.SoftShrink(float(cell.softshrink.lambd)),
    "HShrink": lambda cell: here.HardShrink(float(cell.hshrink.lambd)),
    "LogSigmoid": lambda cell: here.LogSigmoid(),
    "Tanhshrink": lambda cell: here.TanhShrink(),
    "Threshold": lambda cell: here.Threshold(float(cell.threshold), float(cell.value)),
    "GLU": lambda cell: here.GLU(_axis(cell.dim)),
    "Hardtanh": _hard_tanh,
    "Softmax": lambda cell: here.Softmax(_axis(cell.softmax.axis)),
    "LogSoftmax": lambda cell: here.LogSoftmax(_axis(cell.log_softmax.axis)),
    "Identity": lambda cell: here.Linear(),
}
"""The activation of each class of Cell."""


def _gelu(approximate: Any = "none") -> AbstractActivation:
    return here.GELU(approximate == "tanh")


def _softmax(axis: Any = -1, dim: Any = None) -> AbstractActivation:
    return here.Softmax(_axis(axis if dim is None else dim))


def _log_softmax(axis: Any = -1, dim: Any = None) -> AbstractActivation:
    return here.LogSoftmax(_axis(axis if dim is None else dim))


FUNCTIONS: Mapping[str, Callable[..., AbstractActivation]] = {
    "relu": here.ReLU,
    "relu6": here.ReLU6,
    "leakyrelu": lambda alpha=0.2: here.LeakyReLU(float(alpha)),
    "elu": lambda alpha=1.0: here.ELU(float(alpha)),
    "celu": lambda alpha=1.0: here.CELU(float(alpha)),
    "gelu": _gelu,
    "silu": here.SiLU,
    "tanh": here.Tanh,
    "sigmoid": here.Sigmoid,
    "hardswish": here.HardSwish,
    "hswish": here.HardSwish,
    "hardsigmoid": here.HardSigmoid,
    "hsigmoid": here.HardSigmoid,
    "mish": here.Mish,
    "selu": here.SELU,
    "softplus": lambda: here.Softplus(),
    "softsign": here.Softsign,
    "softshrink": lambda lambd=0.5: here.SoftShrink(float(lambd)),
    "hardshrink": lambda lambd=0.5: here.HardShrink(float(lambd)),
    "logsigmoid": here.LogSigmoid,
    "softmax": _softmax,
    "logsoftmax": _log_softmax,
    "glu": lambda axis=-1: here.GLU(int(axis)),
}
"""The activation of each function and operator, by its name in lower case without "_"."""


def of_function(name: str, *args: Any, **kwargs: Any) -> AbstractActivation | None:
    """Return the activation of a call; None if it has no counterpart."""
    try:
        return FUNCTIONS[name](*args, **kwargs)
    except (KeyError, TypeError, ValueError, DnnbridgeError):
        return None
