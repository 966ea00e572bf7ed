"""Deep nets for series, as people write them twice: recurrent layers, and attention."""

from __future__ import annotations

from typing import Any

from doctor.bench.pair import compiled, sequential, trained


def recurrent(kind: str, optimizer: Any, heads: int = 7, **given: Any) -> Any:
    """Return the Keras program: two recurrent layers, then layers of Dense."""

    def program(keras: Any) -> Any:
        cls = getattr(keras.layers, kind)
        layers = [cls(4, return_sequences=True, **given), cls(3, **given)]
        layers += [keras.layers.Dense(4, activation="silu") for _ in range(heads)]
        layers.append(keras.layers.Dense(1))
        return sequential(keras, (5, 4), layers, "mse", optimizer(keras.optimizers))

    return program


def recurrent_cell(kind: str, optimizer: Any, heads: int = 7, **given: Any) -> Any:
    """Return the MindSpore program of `recurrent`."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.first = getattr(nn, kind)(4, 4, batch_first=True, **given)
                self.second = getattr(nn, kind)(4, 3, batch_first=True, **given)
                cells, inputs = [], 3
                for _ in range(heads):
                    cells += [nn.Dense(inputs, 4), nn.SiLU()]
                    inputs = 4
                self.heads = nn.SequentialCell(*cells, nn.Dense(4, 1))

            def construct(self, x: Any) -> Any:
                x, _ = self.first(x)
                x, _ = self.second(x)
                return self.heads(x[:, -1])

        return trained(Net(), nn.MSELoss(), lambda params: optimizer(nn, params))

    return program


def transformer(optimizer: Any, epsilon: float = 1e-5) -> Any:
    """Return the Keras program: two blocks of attention and a small net, normalised before."""

    def program(keras: Any) -> Any:
        inputs = x = keras.Input((5, 4))
        for _ in range(2):
            y = keras.layers.LayerNormalization(epsilon=epsilon)(x)
            y = keras.layers.MultiHeadAttention(num_heads=2, key_dim=2)(y, y)
            x = keras.layers.Add()([x, y])
            y = keras.layers.LayerNormalization(epsilon=epsilon)(x)
            y = keras.layers.Dense(8, activation="gelu")(y)
            y = keras.layers.Dense(4)(y)
            x = keras.layers.Add()([x, y])
        x = keras.layers.GlobalAveragePooling1D()(x)
        model = keras.Model(inputs, keras.layers.Dense(1)(x))
        return compiled(keras, model, "mse", optimizer(keras.optimizers))

    return program


def transformer_cell(optimizer: Any, epsilon: float = 1e-5, approximate: bool = False) -> Any:
    """Return the MindSpore program of `transformer`."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Block(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.norm1 = nn.LayerNorm((4,), epsilon=epsilon)
                self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
                self.norm2 = nn.LayerNorm((4,), epsilon=epsilon)
                self.net = nn.SequentialCell(
                    nn.Dense(4, 8), nn.GELU(approximate=approximate), nn.Dense(8, 4)
                )

            def construct(self, x: Any) -> Any:
                y = self.norm1(x)
                x = x + self.attention(y, y, y)[0]
                return x + self.net(self.norm2(x))

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.blocks = nn.SequentialCell(Block(), Block())
                self.head = nn.Dense(4, 1)

            def construct(self, x: Any) -> Any:
                return self.head(self.blocks(x).mean(1))

        return trained(Net(), nn.MSELoss(), lambda params: optimizer(nn, params))

    return program
