"""Models in which a rule must be silent: their arguments make both frameworks equal."""

from __future__ import annotations

from typing import Any

from doctor.remedy_cases import net, run_of
from doctor.remedy_cases_of_training import CASES

import dnnbridge as db

TABLE_OF_WORDS = net((4,), db.Embedding(9, 3), db.Flatten(), db.Dense(1), dtype="int32")

MORE_PLANTED: dict[str, Any] = {
    "lstm-biases": net((5, 3), db.LSTM(4)),
    "dampening-first-step": db.SGD(0.1, momentum=0.9, dampening=0.5),
    "lars-cpu": db.LARS(0.1),
    "lamb-weight-decay": db.Lamb(0.1),
    "rate-plus-one": db.ParameterGroups(
        {"head/*": db.SGD(1e-8), "*": db.SGD(db.ExponentialDecay(0.1, 10, 0.5))}
    ),
    "weight-decay-by-name": db.Experiment(
        net((2,), db.Dense(1, name="betablock")),
        "mse",
        db.SGD(0.1, weight_decay=db.CoupledWeightDecay(0.1)),
    ),
    "weight-decay-in-groups": db.Experiment(
        net((2,), db.LayerNormalization(), db.Dense(1)),
        "mse",
        db.ParameterGroups({"*": db.SGD.mindspore(0.1, weight_decay=0.1)}),
    ),
    "float32-schedule": db.ExponentialDecay(0.1, 1, 0.999999),
}
"""What a rule without a remedy in one line is about, on the way to MindSpore."""

TO_KERAS: dict[str, Any] = {
    "indexed-slices": db.Experiment(TABLE_OF_WORDS, "mse", "adam"),
    "accumulation-schedule": db.GradientAccumulation(
        db.SGD(db.ExponentialDecay(0.1, 10, 0.5)), steps=2
    ),
    "adafactor-relative-step": db.Adafactor(relative_step=False),
    "batch-norm-variance": db.BatchNormalization.mindspore(),
    "piecewise-boundary": db.PiecewiseConstant.mindspore([2, 5], [0.1, 0.05]),
    "momentum-changing-rate": db.SGD(db.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
    "weight-decay-coupled": db.Adam.mindspore(0.1, weight_decay=0.1),
    "class-weights": db.SparseCategoricalCrossentropy.mindspore((1.0, 3.0)),
    "nadam-decay": db.Nadam(0.1, momentum_decay=0.004),
}
"""What Keras computes otherwise than a spec of this library."""

PLANTED = {name: case.thing for name, case in CASES.items()} | MORE_PLANTED

DEFAULT_DENSE = db.Dense.mindspore(4, 2)

NEUTRAL: dict[str, list[Any]] = {
    "dense-layout": [net((2,), db.Dense(3))],  # has no weights to copy
    "gru-order": [net((5, 3), db.GRU(2))],
    "flatten-order": [
        net((3, 3, 2), db.Conv2D(2, 2), db.Flatten()),  # has no weights to copy
        run_of(net((3, 3, 2), db.Conv2D(2, 3), db.Flatten(), db.Dense(1))),  # one pixel
        run_of(net((3, 3, 2), db.Conv2D(1, 2), db.Flatten(), db.Dense(1))),  # one channel
    ],
    "conv-defaults": [net((6, 6, 1), db.Conv2D(1, 3, padding="same", use_bias=False))],
    "conv-nhwc": [net((1, 6, 6), db.Conv2D(1, 3, data_format="channels_first"))],
    "batch-norm-defaults": [net((2,), db.BatchNormalization(momentum=0.9, epsilon=1e-5))],
    "batch-norm-variance": [net((2,), db.BatchNormalization(unbiased=True))],
    "dropout-argument": [net((2,), db.Dropout(0.0)), net((2,), db.Dropout(0.5))],
    "layer-norm-epsilon": [net((2,), db.LayerNormalization.mindspore())],
    "max-pool-defaults": [net((6, 6, 1), db.MaxPooling2D(1, strides=1))],
    "average-pool-padding": [net((6, 6, 1), db.AveragePooling2D(2, padding="same"))],
    "embedding-padding": [db.Embedding(3, 2)],
    "lstm-biases": [db.LSTM.mindspore(4), db.LSTM(4, use_bias=False)],
    "dense-start": [net((4,), DEFAULT_DENSE)],
    "embedding-start": [db.Embedding.mindspore(3, 2)],
    "lstm-forget": [db.LSTM(4, unit_forget_bias=False)],
    "prelu-start": [db.PReLU.mindspore()],
    "variance-scaling": [
        db.Dense(2, kernel_initializer=db.VarianceScaling(distribution="uniform"))
    ],
    "truncated-normal": [db.Dense(2, kernel_initializer=db.TruncatedNormal.mindspore(0.01))],
    "normal-kinds": [db.Dense(2, kernel_initializer=db.HeNormal.mindspore())],
    "tanh": [db.LSTM(4), db.Dense(2, "relu")],
    "gelu-approximate": [db.GELU(approximate=True)],
    "leaky-relu-slope": [db.LeakyReLU(0.2)],
    "elu-alpha": [db.ELU()],
    "selu-gradient": [db.ELU()],
    "mish-overflow": [db.ELU()],
    "log-sigmoid-overflow": [db.ELU()],
    "softplus-underflow": [db.ELU()],
    "reduction-sum": [
        db.MeanSquaredError(),
        db.Experiment(net((2,), db.Dense(1)), db.MeanSquaredError(reduction="sum"), "sgd"),
    ],
    "mse-broadcast": [db.Experiment(net((2,), db.Dense(2)), "mse", "sgd")],
    "sparse-mean-infinite": [db.CategoricalCrossentropy()],
    "cross-entropy-shape": [db.SparseCategoricalCrossentropy(reduction="sum")],
    "bce-clipping": [db.BinaryCrossentropy(from_logits=True)],
    "bce-one": [db.BinaryCrossentropy(from_logits=True)],
    "kl-mean": [db.MeanSquaredError()],
    "cosine-offset": [db.MeanSquaredError()],
    "class-weights": [
        db.SparseCategoricalCrossentropy(),
        db.SparseCategoricalCrossentropy(class_weights=(1.0, 1.0)),
        db.SparseCategoricalCrossentropy.mindspore((1.0, 3.0)),
    ],
    "all-ignored": [db.SparseCategoricalCrossentropy()],
    "adam-epsilon": [db.Adam(epsilon=1e-8)],
    "adadelta-defaults": [db.Adadelta.mindspore()],
    "rmsprop-body-and-tail": [db.RMSprop(centered=True)],
    "rmsprop-start": [db.RMSprop.mindspore(0.1)],
    "adagrad-epsilon": [db.Adagrad(), db.Adagrad(epsilon=1e-8, initial_accumulator_value=0.0)],
    "ftrl-l1": [db.Ftrl()],
    "nadam-decay": [db.Nadam(momentum_decay=0.004)],
    "adam-weight-decay-no-correction": [db.AdamW.mindspore()],
    "weight-decay-coupled": [
        db.Adam(),
        db.SGD(0.1, weight_decay=db.DecoupledWeightDecay(0.1)),
        db.Adam.mindspore(weight_decay=0.1),
        db.AdamW(),
    ],
    "weight-decay-by-name": [db.Experiment(net((2,), db.Dense(1)), "mse", db.AdamW())],
    "bias-decays": [
        db.Experiment(net((2,), db.Dense(1)), "mse", db.AdamW()),
        db.Experiment(
            net((2,), db.LayerNormalization()), "mse", db.SGD.mindspore(weight_decay=0.1)
        ),
    ],
    "weight-decay-in-groups": [db.ParameterGroups({"*": db.SGD()})],
    "rate-plus-one": [
        db.ParameterGroups({"head/*": db.SGD(1e-8), "*": db.SGD(0.1)}),
        db.ParameterGroups({"head/*": db.SGD(0.1), "*": db.SGD(db.ExponentialDecay(0.1, 10, 0.5))}),
    ],
    "momentum-changing-rate": [
        db.SGD.keras(0.1, momentum=0.9),
        db.SGD.keras(db.ExponentialDecay(0.1, 10, 0.5)),
        db.SGD(db.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
    ],
    "nesterov-changing-rate": [
        db.SGD.keras(0.1, momentum=0.9, nesterov=True),
        db.SGD(db.ExponentialDecay(0.1, 10, 0.5), momentum=0.9, nesterov=True),
    ],
    "dampening-first-step": [db.SGD(0.1, momentum=0.9)],
    "lars-cpu": [db.SGD()],
    "lamb-weight-decay": [db.Adam()],
    "piecewise-boundary": [db.PiecewiseConstant((2,), (0.1, 0.05))],
    "cosine-floor": [db.CosineDecay(0.1, 10)],
    "float32-schedule": [db.ExponentialDecay(0.1, 10, 0.5), db.ExponentialDecay(0.1, 1, 0.9)],
    "clip-norm": [
        db.Experiment(net((2,), db.Dense(2)), "mse", "sgd", gradients=[db.ClipByGlobalNorm(1.0)]),
        db.Experiment(
            net((2,), db.Dense(2, use_bias=False)), "mse", "sgd", gradients=[db.ClipByNorm(1.0)]
        ),
    ],
    "gradient-centralization": [db.SGD()],
    "indexed-slices": [db.Experiment(TABLE_OF_WORDS, "mse", "sgd")],
    "accumulation-schedule": [db.SGD(db.ExponentialDecay(0.1, 10, 0.5))],
    "adafactor-relative-step": [db.Adafactor()],
}
"""By rule: models in which it is silent, whatever the target."""

NEUTRAL_TO_KERAS: dict[str, list[Any]] = {
    "lamb-weight-decay": [db.Lamb()],
    "batch-norm-variance": [db.BatchNormalization()],
    "average-pool-padding": [db.AveragePooling2D(2, padding="same")],
    "piecewise-boundary": [db.PiecewiseConstant.keras([2], [0.1, 0.05])],
    "momentum-changing-rate": [
        db.SGD.keras(db.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
        db.SGD(0.1, momentum=0.9),
    ],
    "nesterov-changing-rate": [
        db.SGD.keras(db.ExponentialDecay(0.1, 10, 0.5), momentum=0.9, nesterov=True)
    ],
    "weight-decay-coupled": [
        db.Adam.keras(0.1, weight_decay=0.1),
        db.SGD.mindspore(0.1, weight_decay=0.1),
    ],
    "adam-weight-decay-no-correction": [db.AdamW()],
    "nadam-decay": [db.Nadam()],
    "rmsprop-start": [db.RMSprop()],
    "class-weights": [db.SparseCategoricalCrossentropy(class_weights=(1.0, 3.0))],
    "float32-schedule": [db.ExponentialDecay(0.1, 1, 0.9)],
}
"""The same for rules that a spec of this library may meet on the way to Keras."""
