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
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Ones,
    RandomNormal,
    RandomUniform,
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
    "Dropout",
    "Experiment",
    "ExponentialDecay",
    "Flatten",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "History",
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
