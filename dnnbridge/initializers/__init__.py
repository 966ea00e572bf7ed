"""Initializers: the initial values of parameters."""

from dnnbridge.initializers.base import (
    AbstractInitializer,
    InitializerField,
    InitializerLike,
    as_initializer,
    fans,
)
from dnnbridge.initializers.constant import (
    Constant,
    Dirac,
    ForgetBias,
    Identity,
    Ones,
    Zeros,
)
from dnnbridge.initializers.random import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from dnnbridge.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

__all__ = [
    "AbstractInitializer",
    "Constant",
    "Dirac",
    "ForgetBias",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "InitializerField",
    "InitializerLike",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "as_initializer",
    "fans",
]
