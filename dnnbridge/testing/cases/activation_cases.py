"""Cases of activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dnnbridge import activations
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, normal
from dnnbridge.testing.cases.op_case import both_signs

_WIDE = np.concatenate([normal(40, 6, scale=4.0), np.full((1, 6), 40.0), np.full((1, 6), -40.0)])
_KINKS = np.array([[0.0, 1e-7, -1e-7, 1.0, -1.0, 5.0], [6.0, 5.9999, 6.0001, 3.0, -3.0, -2.9999]])
_LARGE = np.array([[88.0, 100.0, 1e4, 1e19, 1e38, 0.0], [-88.0, -100.0, -1e4, -1e19, -1e38, 0.0]])
"""Not beyond 1e38, where the gradient of a product, times the cotangent, overflows."""

_LIMITS = np.array(
    [[np.inf, 1.0, 2.0], [-np.inf, 1.0, 2.0], [np.nan, 1.0, 2.0], [3e38, 1.0, 2.0], [-3e38, 1, 2]]
)

_ACTIVATIONS: Sequence[activations.AbstractActivation] = [
    activations.Linear(),
    activations.ReLU(),
    activations.ReLU(negative_slope=0.25),
    activations.ReLU(max_value=6.0, negative_slope=0.1),
    activations.ReLU(max_value=5.0, negative_slope=0.1),
    activations.ReLU(max_value=5.0, threshold=1.0),
    activations.ReLU(negative_slope=0.1, threshold=1.0),
    activations.ReLU6(),
    activations.HardTanh(),
    activations.Threshold(1.0, 0.25),
    activations.SoftShrink(),
    activations.SoftShrink(1.0),
    activations.HardShrink(),
    activations.HardShrink(1.0),
    activations.TanhShrink(),
    activations.SparsePlus(),
    activations.SparseSigmoid(),
    activations.SquarePlus(),
    activations.SquarePlus(0.25),
    activations.LeakyReLU(),
    activations.LeakyReLU(0.01),
    activations.PReLU(),
    activations.PReLU.mindspore(),
    activations.HardSigmoid(),
    activations.HardSwish(),
    activations.ELU(),
    activations.ELU(0.3),
    activations.CELU(),
    activations.CELU(2.5),
    activations.SELU(),
    activations.Sigmoid(),
    activations.LogSigmoid(),
    activations.Tanh(),
    activations.Softplus(),
    activations.Softsign(),
    activations.SiLU(),
    activations.GELU(),
    activations.GELU(approximate=True),
    activations.Mish(),
    activations.Softmax(),
    activations.LogSoftmax(),
]


_RELATIVE = np.concatenate([both_signs(1e-36, 0.25, 60), both_signs(0.3, 80.0, 60)]).reshape(40, 6)
"""Inputs close to 0 and in the tails, where results are small."""

_TAILS = both_signs(1e-36, 80.0, 120).reshape(40, 6)

_ALONG_AXES = activations.Softmax, activations.LogSoftmax

_IMAGES = normal(3, 4, 5, 6)

_SHARING: Sequence[activations.PReLU] = [
    activations.PReLU("ones", shared_axes=1),
    activations.PReLU("ones", shared_axes=(1, 2)),
    activations.PReLU("ones", alpha_regularizer="l2", alpha_constraint="non_neg"),
]


def _glu(arrays: Mapping[str, Array], axis: int) -> Array:
    a, b = np.split(arrays["input_0"], 2, axis)
    return np.asarray(a / (1.0 + np.exp(-b)))


def _with_reasons() -> list[EquationCase]:
    """Return the cases of activations that need other inputs than most."""
    wide, along = activations.GLU(), activations.GLU(1)
    return [
        EquationCase("Exponential-wide", activations.Exponential(), (normal(40, 6, scale=4.0),)),
        EquationCase("Exponential-relative", activations.Exponential(), (_TAILS,), relative=True),
        EquationCase("GLU", wide, (_WIDE,), witness=lambda arrays: _glu(arrays, -1)),
        EquationCase("GLU-axis1", along, (_IMAGES,), witness=lambda arrays: _glu(arrays, 1)),
        *(EquationCase(f"{a}-images", a, (_IMAGES,), reduced=60) for a in _SHARING),
    ]


def _cases() -> list[EquationCase]:
    points = (("wide", _WIDE), ("kinks", _KINKS), ("large", _LARGE), ("limits", _LIMITS))
    return [
        EquationCase(f"{a}-{name}", a, (x,), gradient=name != "limits", reduced=x.shape[-1])
        for a in _ACTIVATIONS
        for name, x in points
    ] + [
        *_with_reasons(),
        *(
            EquationCase(f"{a}-relative", a, (_RELATIVE,), relative=True)
            for a in _ACTIVATIONS
            if not isinstance(a, _ALONG_AXES)
        ),
        EquationCase("Softmax-axis1", activations.Softmax(1), (normal(3, 5, 4),), reduced=5),
        EquationCase("LogSoftmax-axis1", activations.LogSoftmax(1), (normal(3, 5, 4),), reduced=5),
        EquationCase("PReLU-rank3", activations.PReLU(), (normal(7, 5, 4),), reduced=7),
    ]


ACTIVATION_CASES: list[EquationCase] = _cases()
