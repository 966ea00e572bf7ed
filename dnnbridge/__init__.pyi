"""What `dnnbridge` offers: read by type checkers, and at run time to find each name."""

from . import ops
from .activations import (
    AbstractActivation,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from .checkpoint import load
from .experiment import Experiment
from .initializers import (
    AbstractInitializer,
    Constant,
    Dirac,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from .layers import AbstractLayer, Activation, Dense, Dropout, Flatten
from .losses import (
    AbstractLoss,
    CategoricalCrossEntropy,
    MeanSquaredError,
    SparseCategoricalCrossEntropy,
)
from .metrics import AbstractMetric, Accuracy
from .model import AbstractModel, Input, Sequential
from .optimizers import SGD, AbstractOptimizer, Adam
from .plugins import available_backends
from .schedules import (
    AbstractSchedule,
    ConstantSchedule,
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    NaturalExpDecay,
    PiecewiseConstant,
    PolynomialDecay,
    cosine_decay_lr,
    exponential_decay_lr,
    inverse_decay_lr,
    natural_exp_decay_lr,
    piecewise_constant_lr,
    polynomial_decay_lr,
    warmup_lr,
)
from .specification import Spec, spec
from .training.callbacks import Callback, Checkpoint
from .training.compiling import compile
from .training.history import History
from .training.run import Run

__version__: str

__all__ = [
    "AbstractActivation",
    "AbstractInitializer",
    "AbstractLayer",
    "AbstractLoss",
    "AbstractMetric",
    "AbstractModel",
    "AbstractOptimizer",
    "AbstractSchedule",
    "Accuracy",
    "Activation",
    "Adam",
    "Callback",
    "CategoricalCrossEntropy",
    "Checkpoint",
    "Constant",
    "ConstantSchedule",
    "CosineDecay",
    "Dense",
    "Dirac",
    "Dropout",
    "Experiment",
    "ExponentialDecay",
    "Flatten",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "History",
    "Identity",
    "Input",
    "InverseTimeDecay",
    "LeakyReLU",
    "LecunNormal",
    "LecunUniform",
    "Linear",
    "LinearWarmup",
    "MeanSquaredError",
    "NaturalExpDecay",
    "Ones",
    "Orthogonal",
    "PiecewiseConstant",
    "PolynomialDecay",
    "RandomNormal",
    "RandomUniform",
    "ReLU",
    "Run",
    "SGD",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SparseCategoricalCrossEntropy",
    "Spec",
    "Tanh",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "available_backends",
    "compile",
    "cosine_decay_lr",
    "exponential_decay_lr",
    "inverse_decay_lr",
    "load",
    "natural_exp_decay_lr",
    "ops",
    "piecewise_constant_lr",
    "polynomial_decay_lr",
    "spec",
    "warmup_lr",
]
