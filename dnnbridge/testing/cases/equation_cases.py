"""Cases of layers, activations, losses and metrics: their equations on real shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge import activations, initializers, layers, losses, metrics, randomness
from dnnbridge.arrays import Array
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.scope import Emitter


@dataclass(frozen=True, eq=False)
class EquationCase:
    """A spec with an `emit`, and its inputs.

    Attributes:
        id: name in test reports.
        spec: what is held to its equation.
        inputs: arrays; the first axis is the batch.
        gradient: whether it is differentiated by its first input and its parameters.
        reduced: number of terms summed into an element.
        training: whether it is emitted for training.
    """

    id: str
    spec: Emitter
    inputs: tuple[Array, ...]
    gradient: bool = True
    reduced: int = 1
    training: bool = True

    @property
    def types(self) -> list[TensorType]:
        return [
            TensorType((BATCH, *a.shape[1:]), "int32" if a.dtype.kind == "i" else "float32")
            for a in self.inputs
        ]


def _normal(*shape: int, scale: float = 1.0, key: int = 0) -> Array:
    return randomness.generator(key, "equation case", *shape).normal(0.0, scale, shape)


def _labels(*shape: int, classes: int) -> Array:
    return randomness.generator(0, "labels", *shape).integers(0, classes, shape)


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


_WIDE = np.concatenate([_normal(40, 6, scale=4.0), np.full((1, 6), 40.0), np.full((1, 6), -40.0)])
_KINKS = np.array([[0.0, 1e-7, -1e-7, 1.0, -1.0, 5.0]])

_ACTIVATIONS: Sequence[activations.AbstractActivation] = [
    activations.Linear(),
    activations.ReLU(),
    activations.LeakyReLU(),
    activations.LeakyReLU(0.01),
    activations.Sigmoid(),
    activations.Tanh(),
    activations.Softplus(),
    activations.Softmax(),
]


def _activation_cases() -> list[EquationCase]:
    return [
        EquationCase(f"{a}-{name}", a, (x,), reduced=x.shape[-1])
        for a in _ACTIVATIONS
        for name, x in (("wide", _WIDE), ("kinks", _KINKS))
    ] + [EquationCase("Softmax-axis1", activations.Softmax(1), (_normal(3, 5, 4),), reduced=5)]


def _layer_cases() -> list[EquationCase]:
    dense = layers.Dense(7, activation="tanh", kernel_initializer=initializers.HeNormal())
    return [
        EquationCase("Dense", dense, (_normal(5, 33),), reduced=33),
        EquationCase("Dense-no_bias", layers.Dense(3, use_bias=False), (_normal(4, 8),), reduced=8),
        EquationCase("Dense-one_example", layers.Dense(1), (_normal(1, 1),)),
        EquationCase("Dense-rank3", layers.Dense(4, "relu"), (_normal(2, 3, 8),), reduced=8),
        EquationCase("Flatten", layers.Flatten(), (_normal(3, 4, 2, 5),)),
        EquationCase("Flatten-rank1", layers.Flatten(), (_normal(3),)),
        EquationCase("Activation", layers.Activation("sigmoid"), (_normal(3, 4),)),
        EquationCase("Dropout", layers.Dropout(0.4), (_normal(6, 9),)),
        EquationCase("Dropout-off", layers.Dropout(0.4), (_normal(6, 9),), training=False),
    ]


def _loss_cases() -> list[EquationCase]:
    logits, label = _normal(9, 10, scale=3.0), _labels(9, classes=10)
    steps, step_label = _normal(3, 4, 5), _labels(3, 4, classes=5)
    hard = np.array([[100.0, 0.0, -100.0], [0.0, 0.0, 0.0], [-300.0, 300.0, 0.0]])
    hard_label, soft = np.array([1, 2, 0]), _softmax(_normal(9, 10, scale=1.5))
    sparse, dense = losses.SparseCategoricalCrossEntropy, losses.CategoricalCrossEntropy
    sure, sure_label = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]]), np.array([0, 1, 1])
    return [
        EquationCase("sparse-logits", sparse(True), (logits, label), reduced=10),
        EquationCase("sparse-logits-hard", sparse(True), (hard, hard_label), reduced=3),
        EquationCase("sparse-logits-steps", sparse(True), (steps, step_label), reduced=20),
        EquationCase("sparse-probabilities", sparse(), (_softmax(logits), label), reduced=10),
        EquationCase("sparse-probabilities-sure", sparse(), (sure, sure_label)),
        EquationCase("one_hot-logits", dense(True), (logits, np.eye(10)[label]), reduced=10),
        EquationCase("one_hot-logits-soft", dense(True), (logits, soft), reduced=10),
        EquationCase("one_hot-logits-hard", dense(True), (hard, np.eye(3)[hard_label]), reduced=3),
        EquationCase(
            "one_hot-logits-steps", dense(True), (steps, np.eye(5)[step_label]), reduced=20
        ),
        EquationCase("one_hot-probabilities", dense(), (_softmax(logits), soft), reduced=10),
        EquationCase("one_hot-probabilities-sure", dense(), (sure, np.eye(2)[sure_label])),
        EquationCase(
            "mse", losses.MeanSquaredError(), (_normal(7, 3), _normal(7, 3, key=1)), reduced=3
        ),
        EquationCase("mse-rank3", losses.MeanSquaredError(), (steps, steps * 2), reduced=20),
    ]


def _metric_cases() -> list[EquationCase]:
    scores, label = (
        np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]]),
        np.array([1, 1, 2]),
    )
    accuracy = metrics.Accuracy()
    return [
        EquationCase("Accuracy-ties", accuracy, (scores, label), gradient=False),
        EquationCase("Accuracy-one_hot", accuracy, (scores, np.eye(3)[label]), gradient=False),
    ]


EQUATION_CASES: list[EquationCase] = [
    *_activation_cases(),
    *_layer_cases(),
    *_loss_cases(),
    *_metric_cases(),
]
"""Every activation, layer, loss and metric has a case here; the suite insists."""
