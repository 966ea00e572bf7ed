"""Cases of initializers: one model with a weight for each of them."""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge import initializers as start
from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.experiment import Experiment
from dnnbridge.graph import Value
from dnnbridge.initializers import AbstractInitializer
from dnnbridge.layers import AbstractLayer
from dnnbridge.losses import MeanSquaredError
from dnnbridge.models import Input, Sequential
from dnnbridge.optimizers import SGD
from dnnbridge.specs.spec import spec

MATRIX, KERNEL = (7, 12), (3, 2, 4, 6)


@dataclass(frozen=True)
class InitializerCase:
    """An initializer and the shape of the array that it fills."""

    id: str
    initializer: AbstractInitializer
    shape: tuple[int, ...] = MATRIX


INITIALIZER_CASES: list[InitializerCase] = [
    InitializerCase("zeros", start.Zeros()),
    InitializerCase("ones", start.Ones()),
    InitializerCase("constant", start.Constant(1 / 3)),
    InitializerCase("identity", start.Identity(0.1)),
    InitializerCase("dirac", start.Dirac(), KERNEL),
    InitializerCase("dirac_groups", start.Dirac(2), KERNEL),
    InitializerCase("forget_bias", start.ForgetBias(), (12,)),
    InitializerCase("forget_bias_rows", start.ForgetBias("normal"), (2, 12)),
    InitializerCase("normal", start.RandomNormal(0.1, 2.0)),
    InitializerCase("uniform", start.RandomUniform(-0.3, 0.1)),
    InitializerCase("truncated", start.TruncatedNormal(0.1, 0.3)),
    InitializerCase("truncated_mindspore", start.TruncatedNormal.mindspore(0.3)),
    InitializerCase("orthogonal", start.Orthogonal(1.5)),
    InitializerCase("orthogonal_tall", start.Orthogonal(), (12, 7)),
    InitializerCase("orthogonal_kernel", start.Orthogonal(), KERNEL),
    InitializerCase("scaling", start.VarianceScaling(2.0, "fan_out", "normal"), KERNEL),
    InitializerCase("scaling_mindspore", start.VarianceScaling.mindspore(2.0)),
    InitializerCase("glorot_normal", start.GlorotNormal()),
    InitializerCase("glorot_uniform", start.GlorotUniform()),
    InitializerCase("glorot_uniform_kernel", start.GlorotUniform(), KERNEL),
    InitializerCase("he_normal", start.HeNormal()),
    InitializerCase("he_normal_kernel", start.HeNormal(), KERNEL),
    InitializerCase("he_uniform", start.HeUniform()),
    InitializerCase("lecun_normal", start.LecunNormal()),
    InitializerCase("lecun_uniform", start.LecunUniform()),
]
"""A test checks that every initializer has a case here."""


@spec
class Started(AbstractLayer):
    """Adds to x the sum of one array per case."""

    def emit(self, scope: Scope, x: Value) -> Value:
        for case in INITIALIZER_CASES:
            array = scope.parameter(case.id, case.shape, case.initializer)
            x = x + ops.reduce_sum(array, tuple(range(array.rank)))
        return x


INITIALIZERS = Experiment(
    Sequential([Input((1,)), Started(name="started")]), MeanSquaredError(), SGD(0.1), seed=3
)
"""Its state holds the initial weights of every case, under "started/" and the case's name."""
