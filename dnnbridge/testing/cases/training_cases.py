"""Cases of whole trainings: smooth nets, which agree step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    LSTM,
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    LayerNormalization,
    MultiHeadAttention,
    PaddingMask,
    Reshape,
    SinusoidalPositions,
)
from dnnbridge.losses import (
    AbstractLoss,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from dnnbridge.metrics import Accuracy
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.optimizers import (
    SGD,
    AbstractOptimizer,
    Adagrad,
    Adam,
    LazyAdam,
    LearningRateMultipliers,
    ParameterGroups,
)
from dnnbridge.optimizers.gradient_rules import (
    AbstractGradientRule,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
)
from dnnbridge.optimizers.weight_decay import CoupledWeightDecay
from dnnbridge.program.heads import Head
from dnnbridge.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstant,
    PolynomialDecay,
)
from dnnbridge.testing.cases.mixed_cases import MIXED_CASES
from dnnbridge.testing.cases.remat_cases import REMAT_CASES
from dnnbridge.testing.cases.training_case import TrainingCase
from dnnbridge.testing.cases.training_case import classes as _label
from dnnbridge.testing.cases.training_case import examples as _x
from dnnbridge.testing.cases.update_cases import UPDATE_CASES


def _case(
    name: str, y: Array, loss: AbstractLoss, optimizer: AbstractOptimizer, *layers: Any
) -> TrainingCase:
    model = Sequential([Input((4, 5)), Flatten(), *layers])
    metrics = [] if isinstance(loss, MeanSquaredError) else ["accuracy"]
    return TrainingCase(name, Experiment(model, loss, optimizer, metrics, seed=3), _x(), y)


def _called_twice(layer: Any, units: int) -> Model:
    x = Input((units,))
    return Model(x, layer(Dense(units, "tanh")(layer(x))))


def _sequence_case() -> TrainingCase:
    """Words, some of them padding, through attention; words occur many times in a batch."""
    words = Input((6,), "int32")
    rows = SinusoidalPositions()(Embedding(9, 8, padding_idx=0)(words))
    # Without biases: the gradient of the keys' bias is 0, so only rounding would be compared.
    heads = MultiHeadAttention(2, 4, dropout=0.1, use_bias=False, causal=True, masked=True)
    seen = heads(rows, rows, PaddingMask()(words))
    normed = LayerNormalization()(Add()(GaussianNoise(0.1)(rows), seen))
    model = Model(words, Dense(3)(Flatten()(normed)))
    x = randomness.generator(0, "words").integers(0, 9, (107, 6))
    experiment = Experiment(model, _SPARSE, SGD(0.1, momentum=0.9), ["accuracy"], seed=3)
    return TrainingCase("attention", experiment, x, (x.sum(1) % 3), batch_size=20, epochs=8)


def _tables_case() -> TrainingCase:
    """Large tables. A step reads some rows twice and most not at all; two inputs share a table.

    A backend that updates only the rows that were read must give the numbers of a full update.
    """
    rng = randomness.generator(0, "rows of tables")
    known = np.append(rng.integers(0, 2**15, 30), [0, 2**15 - 1])
    first, second = Input((4,), "int32", name="first"), Input((2, 2), "int32", name="second")
    shared = Embedding(2**15, 8, name="shared")
    tables = Embedding(2**15, 8, padding_idx=0, name="a"), Embedding(2**16, 4, name="b")
    parts = [*(table(first) for table in (shared, *tables)), Reshape((4, 8))(shared(second))]
    h = Dense(6, "tanh")(Concatenate()(*(Flatten()(part) for part in parts)))
    optimizer = ParameterGroups({"a/*": SGD(1.0), "b/*": Adagrad(0.1), "*": LazyAdam(0.05)})
    experiment = Experiment(Model([first, second], Dense(3)(h)), _SPARSE, optimizer, seed=3)
    x = {"first": rng.choice(known, (67, 4)), "second": rng.choice(known, (67, 2, 2))}
    return TrainingCase("tables", experiment, x, x["first"].sum(1) % 3, epochs=2)


_SPARSE = SparseCategoricalCrossentropy(from_logits=True)
_DECAY = ExponentialDecay(0.1, decay_rate=0.9, decay_steps=5)


def _heads() -> TrainingCase:
    """Two outputs that share a layer, one with ignored labels; sample weights."""
    x = Input((4, 5))
    h = Dense(12, "tanh")(Flatten()(x))
    kind, size = Dense(3, name="kind")(h), Dense(2, name="size")(h)
    label = _label()
    label[::7] = -1
    heads = [
        Head("size", MeanSquaredError(reduction="weighted_mean"), weight=0.3),
        Head(
            "kind",
            SparseCategoricalCrossentropy(True, 0.1, -1, (1.0, 0.5, 2.0)),
            metrics=[Accuracy(ignore_class=-1)],
        ),
    ]
    experiment = Experiment(Model(x, [kind, size]), heads, SGD(0.05, momentum=0.5), seed=3)
    weights = randomness.generator(0, "training weights").random(107)
    y = {"kind": label, "size": _x()[:, :2, 0] ** 2}
    return TrainingCase("heads", experiment, _x(), y, sample_weight=weights)


def _reduced() -> TrainingCase:
    """A loss that is a sum over the batch instead of a mean; sample weights."""
    model = Sequential([Input((4, 5)), Flatten(), Dense(8, "tanh"), Dense(3)])
    loss = SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    experiment = Experiment(model, loss, SGD(0.01), ["accuracy"], seed=3)
    weights = randomness.generator(0, "training weights").random(107)
    return TrainingCase("sum-weights", experiment, _x(), _label(), sample_weight=weights)


def _tuned() -> TrainingCase:
    """A frozen body with one unfrozen kernel, a lower learning rate for a layer, two optimizers."""
    body = Sequential(
        [Input((4, 5)), Flatten(), Dense(8), BatchNormalization(), Activation("tanh")], name="body"
    )
    last = Dense(6, "tanh", name="dense_1"), Dense(3)
    groups = {"dense_1/*": Adam(0.01), "*": SGD(0.1, momentum=0.9)}
    optimizer = LearningRateMultipliers(ParameterGroups(groups), {"body/*": 0.1})
    frozen = ("body/*", "!body/dense/kernel")
    experiment = Experiment(
        Sequential([Input((4, 5)), body, *last]),
        _SPARSE,
        optimizer,
        ["accuracy"],
        seed=3,
        frozen=frozen,
    )
    return TrainingCase("fine-tuning", experiment, _x(), _label())


def _clipped(name: str, rule: AbstractGradientRule) -> TrainingCase:
    model = Sequential([Input((4, 5)), Flatten(), Dense(8, "tanh"), Dense(3)])
    optimizer = SGD(_DECAY, momentum=0.9)
    experiment = Experiment(model, _SPARSE, optimizer, ["accuracy"], seed=3, gradients=rule)
    return TrainingCase(f"clip-{name}", experiment, _x(), _label())


TRAINING_CASES: list[TrainingCase] = [
    _case(
        "softplus-momentum",
        _label(),
        _SPARSE,
        SGD(_DECAY, momentum=0.9, nesterov=True),
        Dense(16, "softplus", kernel_initializer="he_normal"),
        Dense(3),
    ),
    _case(
        "sigmoid-adam-one_hot",
        np.eye(3)[_label()],
        CategoricalCrossentropy(),
        Adam(CosineDecay(0.02, decay_steps=40)),
        Dense(16, "sigmoid"),
        Dense(8, "tanh"),
        Dense(3, "softmax"),
    ),
    _case(
        "dropout",
        _label(),
        _SPARSE,
        SGD(0.1, momentum=0.5, dampening=0.1),
        Dense(16, "tanh"),
        Dropout(0.3),
        Dense(3),
    ),
    _case(
        "changing-dropout-momentum",
        _label(),
        _SPARSE,
        SGD(
            _DECAY,
            momentum=PiecewiseConstant((11, 29), (0.5, 0.9, 0.0)),
            weight_decay=CoupledWeightDecay(ExponentialDecay(0.01, 10, 0.5), exempt=("*/bias",)),
        ),
        Dense(16, "tanh"),
        Dropout(PolynomialDecay(0.5, decay_steps=30, end_learning_rate=0.1)),
        Dense(3),
    ),
    _case(
        "recurrent",
        _label(),
        _SPARSE,
        Adam(0.01),
        Reshape((4, 5)),
        LSTM(6, recurrent_dropout=0.2),
        Dense(3),
    ),
    _case(
        "regression",
        _x()[:, :2, 0] ** 2,
        MeanSquaredError(),
        SGD(InverseTimeDecay(0.05, 10, 0.5)),
        Dense(16, "softplus"),
        Dense(2, bias_initializer="ones"),
    ),
    _heads(),
    _reduced(),
    _tuned(),
    _clipped("value", ClipByValue(0.02)),
    _clipped("norm", ClipByNorm(0.1)),
    _clipped("global_norm", ClipByGlobalNorm(0.2)),
    _case(
        "batch_norm",
        _label(),
        _SPARSE,
        SGD(0.1, momentum=0.9),
        Dense(16, use_bias=False),
        BatchNormalization(momentum=0.9),
        Activation("tanh"),
        Dense(8, use_bias=False),
        BatchNormalization.mindspore(),
        Dense(3),
    ),
    _case(
        "batch_norm-shared",
        _label(),
        _SPARSE,
        SGD(0.1),
        Dense(8, "tanh"),
        _called_twice(BatchNormalization(momentum=0.5), 8),
        Dense(3),
    ),
    _sequence_case(),
    _tables_case(),
    *UPDATE_CASES,
    *MIXED_CASES,
    *REMAT_CASES,
]
