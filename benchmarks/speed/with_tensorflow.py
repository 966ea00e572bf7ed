"""TensorFlow's contestants: Keras as usual, Keras with its best settings, and a manual loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers
from speed.workloads import Workload, residual_blocks

STEPS_PER_EXECUTION = 20

Epoch = Callable[[], object]


def mlp(inputs: int, units: tuple[int, ...], activation: str) -> Any:
    """Return a multilayer perceptron."""
    hidden = [layers.Dense(n, activation) for n in units]
    return keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(10)])


def lenet() -> Any:
    """Return LeNet-5."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, "tanh"),
            layers.Dense(84, "tanh"),
            layers.Dense(10),
        ]
    )


def resnet() -> Any:
    """Return ResNet-20 with padded shortcuts."""

    def conv(x: Any, width: int, stride: int = 1) -> Any:
        x = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    image = keras.Input((32, 32, 3))
    x = layers.ReLU()(conv(image, 16))
    for channels, width, stride in residual_blocks():
        skip = x
        if width != channels:
            extra = (width - channels) // 2
            skip = layers.AveragePooling2D(1, 2)(x)
            skip = layers.Permute((1, 3, 2))(skip)
            skip = layers.ZeroPadding2D(((0, 0), (extra, extra)))(skip)
            skip = layers.Permute((1, 3, 2))(skip)
        y = layers.ReLU()(conv(x, width, stride))
        x = layers.ReLU()(layers.Add()([conv(y, width), skip]))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def lstm() -> Any:
    """Return an LSTM."""
    return keras.Sequential([keras.Input((64, 32)), layers.LSTM(128), layers.Dense(10)])


class Positions(layers.Layer):
    """Adds a trained vector for each position."""

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=shape[1:], initializer="uniform")

    def call(self, x: Any) -> Any:
        return x + self.table


def transformer() -> Any:
    """Return an encoder of two blocks."""
    words = keras.Input((64,), dtype="int32")
    x = Positions()(layers.Embedding(1000, 64)(words))
    for _ in range(2):
        x = layers.LayerNormalization(epsilon=1e-6)(x + layers.MultiHeadAttention(4, 16)(x, x))
        y = layers.Dense(64)(layers.Dense(128, "relu")(x))
        x = layers.LayerNormalization(epsilon=1e-6)(x + y)
    return keras.Model(words, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))


MODELS: dict[str, Callable[[], Any]] = {
    "mlp": lambda: mlp(784, (300, 100), "relu"),
    "wide": lambda: mlp(784, (784, 784), "sigmoid"),
    "adam": lambda: mlp(784, (784, 784), "sigmoid"),
    "lenet": lenet,
    "resnet": resnet,
    "lstm": lstm,
    "transformer": transformer,
}


def fit(**settings: Any) -> Callable[[Workload], Epoch]:
    """Return a contestant that runs `keras.Model.fit` with these settings of `compile`."""

    def make(work: Workload) -> Epoch:
        model = MODELS[work.name]()
        sgd, adam = keras.optimizers.SGD(0.01, momentum=0.9), keras.optimizers.Adam(0.001)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(sgd if work.optimizer == "sgd" else adam, loss, **settings)
        x, y = work.data("tensorflow")
        epochs = work.epochs["tensorflow"]
        return lambda: model.fit(x, y, batch_size=work.batch, epochs=epochs, verbose=0)

    return make


def loop(jit_compile: bool) -> Callable[[Workload], Epoch]:
    """Return a contestant: a `tf.function` over an epoch, with data on the device."""

    def make(work: Workload) -> Epoch:
        model = MODELS[work.name]()
        x, y = (tf.constant(array) for array in work.data("tensorflow"))
        epoch = trained(model, work, x, y, jit_compile)
        rows = len(x)

        def run() -> object:
            for _ in range(work.epochs["tensorflow"]):
                order = tf.reshape(tf.random.shuffle(tf.range(rows)), (-1, work.batch))
                losses = epoch(order).numpy()
            return losses

        return run

    return make


def trained(model: Any, work: Workload, x: Any, y: Any, jit_compile: bool) -> Callable[..., Any]:
    """Return the compiled epoch of a model, a function from an order to the losses."""
    variables = [v.value for v in model.trainable_variables]
    slots = [[tf.Variable(tf.zeros_like(v)) for _ in range(2)] for v in variables]
    step = tf.Variable(0.0)

    def update(variable: Any, gradient: Any, m: Any, v: Any) -> None:
        if work.optimizer == "sgd":
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=m.handle, lr=0.01, grad=gradient, momentum=0.9
            )
            return
        powers = {"beta1_power": 0.9 ** (step + 1.0), "beta2_power": 0.999 ** (step + 1.0)}
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.handle,
            v=v.handle,
            **powers,
            **{"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "grad": gradient},
        )

    def one(index: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(tf.gather(x, index), training=True)
            labels = tf.gather(y, index)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        for variable, gradient, (m, v) in zip(variables, gradients, slots, strict=True):
            update(variable, tf.convert_to_tensor(gradient), m, v)
        step.assign_add(1.0)
        return loss

    @tf.function(jit_compile=jit_compile)
    def epoch(order: Any) -> Any:
        count = order.shape[0]
        losses = tf.TensorArray(tf.float32, size=count, element_shape=[])
        for k in tf.range(count):
            losses = losses.write(k, one(order[k]))
        return losses.stack()

    return epoch


CONTESTANTS: dict[str, Callable[[Workload], Epoch]] = {
    "keras fit": fit(),
    "keras fit, best": fit(jit_compile=False, steps_per_execution=STEPS_PER_EXECUTION),
    "keras fit, best, XLA": fit(jit_compile=True, steps_per_execution=STEPS_PER_EXECUTION),
    "tf.function loop": loop(jit_compile=False),
    "tf.function loop, XLA": loop(jit_compile=True),
}
