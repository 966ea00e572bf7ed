"""Deep nets as people write them twice: a perceptron, a convolutional net, a residual one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doctor.bench.pair import compiled, sequential, trained

Arguments = Mapping[str, Any]
NONE: Arguments = {}


def perceptron(optimizer: Any, blocks: int = 5, activation: str = "gelu", **norm: Any) -> Any:
    """Return the Keras program: blocks of Dense, LayerNormalization and an activation."""

    def program(keras: Any) -> Any:
        layers = []
        for _ in range(blocks):
            layers += [
                keras.layers.Dense(8),
                keras.layers.LayerNormalization(**norm),
                keras.layers.Activation(activation),
            ]
        layers.append(keras.layers.Dense(1))
        return sequential(keras, (6,), layers, "mse", optimizer(keras.optimizers))

    return program


def perceptron_cell(
    optimizer: Any,
    blocks: int = 5,
    activation: Callable[[Any], Any] = lambda nn: nn.GELU(approximate=False),
    **norm: Any,
) -> Any:
    """Return the MindSpore program of `perceptron`."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn
        cells, inputs = [], 6
        for _ in range(blocks):
            cells += [nn.Dense(inputs, 8), nn.LayerNorm((8,), **norm), activation(nn)]
            inputs = 8
        net = nn.SequentialCell(*cells, nn.Dense(8, 1))
        return trained(net, nn.MSELoss(), lambda params: optimizer(nn, params))

    return program


def convolutional(optimizer: Any, norm: Arguments = NONE, padding: str = "same") -> Any:
    """Return the Keras program: three blocks of convolution, normalization and ReLU."""

    def program(keras: Any) -> Any:
        layers = []
        for filters, strides in ((4, 1), (6, 2), (8, 2)):
            layers += [
                keras.layers.Conv2D(filters, 3, strides, padding=padding, use_bias=False),
                keras.layers.BatchNormalization(**norm),
                keras.layers.ReLU(),
            ]
        layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return sequential(keras, (8, 8, 3), layers, loss, optimizer(keras.optimizers))

    return program


def convolutional_cell(
    optimizer: Any, norm: Arguments = NONE, convolution: Arguments = NONE, last: Arguments = NONE
) -> Any:
    """Return the MindSpore program of `convolutional`."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                cells, inputs = [], 3
                for filters, strides in ((4, 1), (6, 2), (8, 2)):
                    given = {**convolution, **(last if filters == 8 else {})}
                    cells += [
                        nn.Conv2d(inputs, filters, 3, strides, **given),
                        nn.BatchNorm2d(filters, **norm),
                        nn.ReLU(),
                    ]
                    inputs = filters
                self.features = nn.SequentialCell(*cells)
                self.head = nn.Dense(8, 3)

            def construct(self, x: Any) -> Any:
                return self.head(self.features(x).mean((2, 3)))

        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        return trained(Net(), loss, lambda params: optimizer(nn, params))

    return program


def residual(optimizer: Any, activation: str = "silu", loss: Any = "mse") -> Any:
    """Return the Keras program: four residual blocks of two layers each."""

    def program(keras: Any) -> Any:
        inputs = keras.Input((6,))
        x = keras.layers.Dense(8)(inputs)
        for _ in range(4):
            y = keras.layers.Dense(8, activation=activation)(x)
            y = keras.layers.Dense(8)(y)
            x = keras.layers.Add()([x, y])
        model = keras.Model(inputs, keras.layers.Dense(1)(x))
        found = loss(keras.losses) if callable(loss) else loss
        return compiled(keras, model, found, optimizer(keras.optimizers))

    return program


def residual_cell(
    optimizer: Any,
    activation: Callable[[Any], Any] = lambda nn: nn.SiLU(),
    loss: Callable[[Any], Any] = lambda nn: nn.MSELoss(),
    frozen: str = "",
) -> Any:
    """Return the MindSpore program of `residual`."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Block(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.first = nn.Dense(8, 8)
                self.activation = activation(nn)
                self.second = nn.Dense(8, 8)

            def construct(self, x: Any) -> Any:
                return x + self.second(self.activation(self.first(x)))

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.first = nn.Dense(6, 8)
                self.blocks = nn.SequentialCell(*[Block() for _ in range(4)])
                self.last = nn.Dense(8, 1)

            def construct(self, x: Any) -> Any:
                return self.last(self.blocks(self.first(x)))

        net = Net()
        for parameter in net.get_parameters() if frozen else ():
            parameter.requires_grad = not parameter.name.startswith(frozen)
        return trained(net, loss(nn), lambda params: optimizer(nn, params))

    return program
