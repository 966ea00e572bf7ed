"""Sabotages of layers, activations and losses: another equation under the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge import activations, layers, losses, metrics, ops
from dnnbridge.graph import Value
from sabotage.operations import value
from sabotage.rewriting import emitted
from sabotage.row import Sabotage


@dataclass(frozen=True)
class Written:
    """An emitter that is a function of (spec, scope, *inputs)."""

    write: Any
    spec: Any

    def emit(self, scope, *inputs):
        return self.write(self.spec, scope, *inputs)


def _by(write):
    return emitted(lambda spec: Written(write, spec))


def _with(**fields):
    return emitted(lambda spec: spec.replace(**fields))


def _spec(name, cls, rewrite, *caught, **more):
    return Sabotage(name, caught, specs={cls: rewrite}, **more)


def _mish(spec, scope, x):
    """x ((1 + eˣ)² - 1) / ((1 + eˣ)² + 1), which overflows."""
    square = ops.square(1.0 + ops.exp(x))
    return x * ((square - 1.0) / (square + 1.0))


def _dropped_in_evaluation(spec, scope, x):
    if scope.training:
        return spec.emit(scope, x)
    return x * scope.constant((np.arange(x.shape[-1]) % 3 > 0) * 1.5)


def _scaled_in_evaluation(spec, scope, x):
    """The older form of dropout: scales all numbers in evaluation, and none in training."""
    return x * (1.0 - spec.rate) if not scope.training else spec.emit(scope, x)


def _sees_padding(spec, scope, *inputs):
    return spec.emit(scope, *inputs[:-1], 1.0 + 0.0 * inputs[-1])


def _root_plus_epsilon(name, cls, *caught):
    return Sabotage(
        name,
        caught,
        rules={ops.Sqrt: value(lambda y, x: y + 1e-3)},
        specs={cls: _with(epsilon=1e-30)},
    )


def _mean_of_squares(spec, scope, prediction, target):
    """Half the squared error, as in some textbooks."""
    return 0.5 * spec.emit(scope, prediction, target)


def _logarithms(spec, scope, prediction, target):
    return ops.reduce_mean(ops.square(ops.log(prediction + 1.0) - ops.log(target + 1.0)), 1)


def _log_cosh(x):
    return ops.log(0.5 * (ops.exp(x) + ops.exp(-x)))


def _log_of_softmax(spec, scope, prediction, target):
    e = ops.exp(prediction) if spec.from_logits else prediction
    p = e / ops.reduce_sum(e, -1, keepdims=True)
    return -ops.reduce_sum(target * ops.log(p), -1)


def _counts_ignored(spec, scope, prediction, target):
    made = spec.emit(scope, prediction, target)
    loss = spec.replace(ignore_class=None).emit(scope, prediction, target)
    return loss if isinstance(made, Value) else (loss, *(1.0 + 0.0 * v for v in made[1:]))


def _kernel_as_mindspore(spec, scope, x):
    """The numbers of a kernel (in, out) read as (out, in)."""
    units = spec.units
    kernel = scope.parameter("kernel", (x.shape[-1], units), spec.kernel_initializer)
    bias = scope.parameter("bias", (units,), spec.bias_initializer)
    turned = ops.transpose(ops.reshape(kernel, (units, x.shape[-1])), (1, 0))
    return scope.call(activations.Tanh(), x @ turned + bias)


LAYERS = [
    _root_plus_epsilon(
        "BatchNormalization's epsilon beside the root",
        layers.BatchNormalization,
        "layer/BatchNormalization",
    ),
    _root_plus_epsilon(
        "LayerNormalization's epsilon beside the root",
        layers.LayerNormalization,
        "layer/LayerNormalization",
    ),
    _root_plus_epsilon(
        "RMSNormalization's epsilon beside the root",
        layers.RMSNormalization,
        "layer/RMSNormalization",
    ),
    _spec(
        "running variance unbiased",
        layers.BatchNormalization,
        _with(unbiased=True),
        "layer/BatchNormalization",
        "training/train-batch_norm",
    ),
    _spec(
        "running variance biased",
        layers.BatchNormalization,
        _with(unbiased=False),
        "layer/BatchNormalization-mindspore",
        "training/train-batch_norm",
    ),
    _spec(
        "momentum of running statistics the other way round",
        layers.BatchNormalization,
        emitted(lambda norm: norm.replace(momentum=1.0 - norm.momentum)),
        "training/train-batch_norm",
    ),
    _spec(
        "running statistics of the last call alone",
        layers.BatchNormalization,
        emitted(lambda norm: norm),
        "layer/BatchNormalization-twice",
        "training/train-batch_norm-shared",
    ),
    _spec(
        "gamma left out",
        layers.BatchNormalization,
        _by(lambda norm, scope, x: _without_gamma(norm, scope, x)),
        "layer/BatchNormalization",
    ),
    _spec(
        "penalty of an output left out",
        layers.ActivityRegularization,
        _with(l1=0.0),
        "layer/ActivityRegularization",
    ),
    _spec(
        "half of the divergence",
        layers.GaussianSampling,
        emitted(lambda layer: layer.replace(kl_weight=0.5 * layer.kl_weight)),
        "layer/GaussianSampling",
    ),
    _spec("kernel (out, in)", layers.Dense, _by(_kernel_as_mindspore), "layer/Dense"),
    _spec(
        "dropout in evaluation",
        layers.Dropout,
        _by(_dropped_in_evaluation),
        "layer/Dropout-off",
        "training/train-dropout",
    ),
    _spec(
        "evaluation scaled by what dropout keeps",
        layers.Dropout,
        _by(_scaled_in_evaluation),
        "layer/Dropout-off",
    ),
    _spec(
        "rate of a dropout as what is kept",
        layers.Dropout,
        emitted(lambda dropout: dropout.replace(rate=1.0 - dropout.rate)),
        "layer/Dropout",
    ),
    _spec(
        "the future seen",
        layers.MultiHeadAttention,
        _with(causal=False),
        "layer/MultiHeadAttention-causal",
    ),
    _spec(
        "padding seen",
        layers.MultiHeadAttention,
        _by(_sees_padding),
        "layer/MultiHeadAttention-mask",
    ),
    _spec(
        "the row of the padding trained",
        layers.Embedding,
        _with(padding_idx=None),
        "layer/Embedding-padding",
        "training/train-attention",
    ),
    _spec(
        "sequence not turned",
        layers.LSTM,
        _with(go_backwards=False),
        "layer/LSTM-backwards",
    ),
    _spec(
        "bilinear as nearest",
        layers.UpSampling2D,
        _with(interpolation="nearest"),
        "layer/UpSampling2D-bilinear",
    ),
]


def _without_gamma(norm, scope, x):
    gamma = scope.parameter("gamma", x.shape[-1:], norm.gamma_initializer)
    beta = scope.parameter("beta", x.shape[-1:], norm.beta_initializer)
    return norm.replace(scale=False, center=False).emit(scope, x) + beta + 0.0 * gamma


ACTIVATIONS = [
    _spec("MindSpore's mish", activations.Mish, _by(_mish), "activation/Mish()-large"),
    _spec(
        "gelu by tanh",
        activations.GELU,
        _with(approximate=True),
        "activation/GELU()-wide",
    ),
    _spec(
        "slope of LeakyReLU 0.2",
        activations.LeakyReLU,
        _with(negative_slope=0.2),
        "activation/LeakyReLU(negative_slope=0.01)-wide",
    ),
    _spec("alpha of ELU 1", activations.ELU, _with(alpha=1.0), "activation/ELU(alpha=0.3)-wide"),
    _spec(
        "logarithm of a sigmoid",
        activations.LogSigmoid,
        _by(lambda spec, scope, x: ops.log(ops.sigmoid(x))),
        "activation/LogSigmoid()-large",
    ),
]

LOSSES = [
    _spec(
        "labels not smoothed",
        losses.SparseCategoricalCrossentropy,
        _with(label_smoothing=0.0),
        "loss/sparse-smoothed",
        "training/train-heads",
    ),
    _spec(
        "ignored labels counted",
        losses.SparseCategoricalCrossentropy,
        _by(_counts_ignored),
        "loss/sparse-ignored-class",
    ),
    _spec(
        "weights of classes ignored",
        losses.SparseCategoricalCrossentropy,
        _with(class_weights=None),
        "loss/sparse-weighted",
    ),
    _spec(
        "logits taken for probabilities",
        losses.BinaryCrossentropy,
        _with(from_logits=False),
        "loss/binary-logits",
    ),
    _spec(
        "ignored labels in an accuracy",
        metrics.Accuracy,
        _by(_counts_ignored),
        "metric/Accuracy-ignored",
    ),
    _spec(
        "ignored labels in a perplexity",
        metrics.Perplexity,
        _by(_counts_ignored),
        "metric/Perplexity-ignored",
    ),
    _spec("half of the squares", losses.MeanSquaredError, _by(_mean_of_squares), "loss/mse"),
    _spec("delta of Huber 1", losses.Huber, _with(delta=1.0), "loss/huber-half"),
    _spec(
        "cosh as it stands",
        losses.LogCosh,
        _by(lambda spec, scope, p, y: ops.reduce_mean(_log_cosh(p - y), 1)),
        "loss/log_cosh-ends",
    ),
    _spec(
        "logarithms of numbers below -1",
        losses.MeanSquaredLogarithmicError,
        _by(_logarithms),
        "loss/msle-below-infinite",
    ),
    _spec(
        "percentage without its least divisor",
        losses.MeanAbsolutePercentageError,
        _with(epsilon=1e-38),
        "loss/mape-ends",
    ),
    _spec(
        "logarithms of a softmax, by hand",
        losses.CategoricalCrossentropy,
        _by(_log_of_softmax),
        "loss/one_hot-logits-ends",
    ),
    _spec(
        "classes that weigh 0 counted",
        losses.SparseCategoricalCrossentropy,
        _with(class_weights=None),
        "loss/sparse-weights_of_0-probabilities-ends",
    ),
]

EQUATIONS = [*LAYERS, *ACTIVATIONS, *LOSSES]
