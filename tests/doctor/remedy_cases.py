"""For each rule: a model that it concerns, and code around the remedy of each framework.

`REMEDY` stands for the pasted code, in brackets if it is an expression. The value is the last
expression, as in the rows of the measured table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import dnnbridge as db


class Case(NamedTuple):
    """A case.

    Attributes:
        thing: what `lint` is given.
        keras: code around the remedy for Keras.
        mindspore: code around the remedy for MindSpore.
        tolerance: relative to the larger number; more than 1e-5 only where numbers are drawn.
    """

    thing: Any
    keras: str
    mindspore: str
    tolerance: float = 1e-5


def net(shape: tuple[int, ...], *layers: Any, dtype: str = "float32") -> db.Sequential:
    return db.Sequential([db.Input(shape, dtype), *layers])


def run_of(model: db.Sequential) -> db.Run:
    """Return a run, which has weights to copy."""
    return db.compile(db.Experiment(model, "mse", "sgd"), "reference")


def activation(spec: Any, numbers: str, gradient: bool = False) -> Case:
    """Return the case of an activation at some numbers: its value, or its derivative."""
    keras, there = f"np.float32({numbers})", f"tensor({numbers})"
    if gradient:
        return Case(spec, f"slope(REMEDY, {keras})", f"REMEDY\nslope(selu, {numbers})")
    return Case(spec, f"REMEDY({keras})", f"FUNCTION({there})")


BINARY = (
    "y = np.float32([[1], [1], [0]])\np = np.float32([[0], [0.9], [0.2]])\n",
    "y = tensor([[1], [1], [0]])\np = tensor([[0], [0.9], [0.2]])\n",
)

PAIRS = "[[0.5, 0.5], [0.2, 0.8]]", "[[0.9, 0.1], [0.4, 0.6]]"

KERAS_PAIR = f"p = np.float32({PAIRS[0]})\ny = np.float32({PAIRS[1]})\n"
MINDSPORE_PAIR = f"p = tensor({PAIRS[0]})\ny = tensor({PAIRS[1]})\n"

KERAS_LOGITS = "logits = np.float32([[1, 0], [3, -1]])\ny = np.array([0, 1])\n"
MINDSPORE_LOGITS = "logits = tensor([[1, 0], [3, -1]])\ny = integers([0, 1])\n"

IMAGE = "np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)"
IMAGE_THERE = "tensor(np.arange(36).reshape(1, 1, 6, 6))"

DRAWN = 0.02
"""Relative error of a statistic of some ten thousand drawn numbers."""

LAYERS: dict[str, Case] = {
    "batch-norm-defaults": Case(
        net((1,), db.BatchNormalization(momentum=0.7)),
        "layer = REMEDY\n[*np.ravel(layer(np.float32([[-0.01], [0.01], [3]]), training=True)),"
        " layer.moving_mean.numpy()[0]]",
        "layer = REMEDY.set_train()\n[*layer(tensor([[-0.01], [0.01], [3]])).asnumpy().ravel(),"
        " layer.moving_mean.asnumpy()[0]]",
    ),
    "batch-norm-variance": Case(
        net((1,), db.BatchNormalization(momentum=0.5)),
        "layer = REMEDY\nx = np.float32([[0], [1], [2], [3]])\nlayer(x, training=True)\n"
        "layer(x, training=True)\nlayer.moving_variance.numpy()",
        "x = tensor([[0], [1], [2], [3]])\nREMEDY_FIRST\nfor _ in range(2):\n    REMEDY_REST\n"
        "norm.moving_variance.asnumpy()",
    ),
    "layer-norm-epsilon": Case(
        net((2,), db.LayerNormalization()),
        "REMEDY(np.float32([[-1e-3, 1e-3]]))",
        "REMEDY(tensor([[-1e-3, 1e-3]]))",
    ),
    "dropout-argument": Case(
        net((300,), db.Dropout(0.1)),
        "(np.asarray(REMEDY(np.ones((300, 300), np.float32), training=True)) == 0).mean().round(2)",
        "(REMEDY.set_train()(tensor(np.ones((300, 300)))).asnumpy() == 0).mean().round(2)",
    ),
    "max-pool-defaults": Case(
        net((6, 6, 1), db.MaxPooling2D(3)), f"REMEDY({IMAGE})", f"REMEDY({IMAGE_THERE})"
    ),
    "conv-defaults": Case(
        net((6, 6, 1), db.Conv2D(1, 3, strides=2)),
        f"layer = REMEDY\nlayer.build((None, 6, 6, 1))\n"
        f"layer.set_weights([np.ones((3, 3, 1, 1)), np.ones(1)])\nlayer({IMAGE})",
        f"layer = REMEDY\nlayer.weight.set_data(tensor(np.ones((1, 1, 3, 3))))\n"
        f"layer.bias.set_data(tensor([1]))\nlayer({IMAGE_THERE})",
    ),
    "average-pool-padding": Case(
        net((5, 5, 1), db.AveragePooling2D(2, padding="same", count_include_pad=True)),
        "REMEDY(np.ones((1, 5, 5, 1), np.float32))",
        "REMEDY(tensor(np.ones((1, 1, 5, 5))))",
    ),
    "embedding-padding": Case(
        db.Embedding(3, 2, padding_idx=0),
        "embedding = keras.layers.Embedding(3, 2, embeddings_initializer='ones')\n"
        "ids = np.array([[0, 1]])\nREMEDY\nnp.asarray(h)",
        "embedding = nn.Embedding(3, 2, embedding_table='ones')\nids = integers([[0, 1]])\n"
        "REMEDY\nh.asnumpy()",
    ),
    "dense-layout": Case(
        run_of(net((2,), db.Dense(3))),
        "layer = keras.layers.Dense(3)\nlayer.build((None, 2))\n"
        "class cell:\n    class weight:\n"
        "        asnumpy = lambda: np.float32([[1, 4], [2, 5], [3, 6]])\n"
        "REMEDY\nlayer.kernel.numpy()",
        "cell = nn.Dense(2, 3)\n"
        "class layer:\n    class kernel:\n"
        "        numpy = lambda: np.float32([[1, 2, 3], [4, 5, 6]])\n"
        "REMEDY\ncell.weight.asnumpy().T",
    ),
}

ACTIVATIONS: dict[str, Case] = {
    "tanh": activation(
        db.Tanh(),
        "[-3, -0.5, 0, 1e-3, 4.9, 9]",
    ),
    "gelu-approximate": activation(db.GELU(), "[-1, 0.5, 2]"),
    "leaky-relu-slope": activation(db.LeakyReLU(0.1), "[-1, 2]"),
    "elu-alpha": activation(db.ELU(0.5), "[-1, 2]"),
    "selu-gradient": activation(db.SELU(), "[-3, -0.5, 2]", gradient=True),
    "mish-overflow": activation(db.Mish(), "[-9, -1, 0.5, 50]"),
    "log-sigmoid-overflow": activation(db.LogSigmoid(), "[-100, -1, 2]"),
    "softplus-underflow": Case(
        db.Softplus(), "REMEDY(np.float32([-1, 0.5, 30]))", "FUNCTION(tensor([-1, 0.5, 30]))"
    ),
}

LOSSES: dict[str, Case] = {
    "kl-mean": Case(db.KLDivergence(), KERAS_PAIR + "REMEDY", MINDSPORE_PAIR + "REMEDY"),
    "cosine-offset": Case(db.CosineSimilarity(), KERAS_PAIR + "REMEDY", MINDSPORE_PAIR + "REMEDY"),
    "bce-clipping": Case(db.BinaryCrossentropy(), BINARY[0] + "REMEDY", BINARY[1] + "REMEDY"),
    "bce-one": Case(
        db.BinaryCrossentropy(),
        "y, p = np.float32([[1]]), np.float32([[0.3]])\nREMEDY",
        "y, p = tensor([[1]]), tensor([[0.3]])\nREMEDY",
    ),
    "reduction-sum": Case(
        db.MeanSquaredError(reduction="sum"), KERAS_PAIR + "REMEDY", MINDSPORE_PAIR + "REMEDY"
    ),
    "cross-entropy-shape": Case(
        db.SparseCategoricalCrossentropy(from_logits=True),
        KERAS_LOGITS + "REMEDY",
        MINDSPORE_LOGITS + "REMEDY",
    ),
    "sparse-mean-infinite": Case(
        db.SparseCategoricalCrossentropy(from_logits=True),
        "logits, y = np.float32([[110, 0]]), np.array([1])\nREMEDY",
        "logits, y = tensor([[110, 0]]), integers([1])\nREMEDY",
    ),
    "mse-broadcast": Case(
        db.Experiment(net((2,), db.Dense(1)), "mse", "sgd"),
        "p, y = np.float32([[1], [2]]), np.float32([1, 3])\nREMEDY",
        "p, y = tensor([[1], [2]]), tensor([1, 3])\nREMEDY",
    ),
    "class-weights": Case(
        db.SparseCategoricalCrossentropy(from_logits=True, class_weights=(1.0, 3.0)),
        KERAS_LOGITS + "REMEDY\nloss",
        MINDSPORE_LOGITS + "REMEDY\nloss",
    ),
    "all-ignored": Case(
        db.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
        "logits, y = np.float32([[1, 0], [3, -1]]), np.array([-1, -1])\nREMEDY",
        "logits, y = tensor([[1, 0], [3, -1]]), integers([-1, -1])\nREMEDY",
    ),
}

KURTOSIS = "[(x**4).mean() / x.var() ** 2, x.std()]"

KERAS_DRAWN = f"x = np.asarray(REMEDY((300, 400)), np.float64)\n{KURTOSIS}"

MINDSPORE_DRAWN = f"""
from mindspore.common.initializer import initializer
REMEDY_FIRST
x = initializer(REMEDY_REST, (400, 300)).init_data().asnumpy().astype(np.float64)
{KURTOSIS}
"""

STARTS: dict[str, Case] = {
    "dense-start": Case(
        net((300,), db.Dense(400)),
        "layer = REMEDY\nlayer.build((None, 300))\n[w.numpy().std() for w in layer.weights]",
        "REMEDY_FIRST\nlayer = REMEDY_REST\n"
        "[layer.weight.asnumpy().std(), layer.bias.asnumpy().std()]",
        DRAWN,
    ),
    "embedding-start": Case(
        db.Embedding(300, 400),
        "layer = REMEDY\nlayer.build()\n[layer.embeddings.numpy().std()]",
        "REMEDY_FIRST\nlayer = REMEDY_REST\n[layer.embedding_table.asnumpy().std()]",
        DRAWN,
    ),
    "truncated-normal": Case(
        net((300,), db.Dense(400, kernel_initializer=db.TruncatedNormal(0.0, 0.01))),
        KERAS_DRAWN,
        MINDSPORE_DRAWN,
        DRAWN,
    ),
    "normal-kinds": Case(
        net((300,), db.Dense(400, kernel_initializer="he_normal")),
        KERAS_DRAWN,
        MINDSPORE_DRAWN,
        DRAWN,
    ),
    "variance-scaling": Case(
        net((300,), db.Dense(400, kernel_initializer=db.VarianceScaling(2.0, "fan_avg"))),
        KERAS_DRAWN,
        MINDSPORE_DRAWN,
        DRAWN,
    ),
    "lstm-forget": Case(
        net((5, 3), db.LSTM(4)),
        "layer = REMEDY\nlayer.build((None, 5, 3))\nlayer.weights[2].numpy()",
        "REMEDY\nsum(p.asnumpy() for p in lstm.trainable_params() if 'bias' in p.name)",
    ),
    "prelu-start": Case(
        net((2,), db.Activation(db.PReLU())),
        "REMEDY(np.float32([[-1, -2]]))",
        "REMEDY(tensor([[-1, -2]]))",
    ),
}

CASES_OF_MODELS = LAYERS | ACTIVATIONS | LOSSES | STARTS
