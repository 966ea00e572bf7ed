"""Record a native training: `python trace_natives.py keras|mindspore folder [change]`.

The other framework cannot be imported. Both start from the weights in `folder/start.npz`, which
are those of `tracing_nets.native()`, and see its examples in order.
"""

from __future__ import annotations

import sys
from pathlib import Path

OTHERS = {"keras": ("mindspore",), "mindspore": ("tensorflow", "keras")}

if __name__ == "__main__":
    for name in OTHERS[sys.argv[1]]:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np  # noqa: E402
from doctor.tracing_nets import EPOCHS, EVERY, FIRST, SIZE, native  # noqa: E402

import dnnbridge as db  # noqa: E402


def keras_model(start, change):
    import keras

    epsilon, momentum = (1e-5 if change == "epsilon" else 1e-7), 0.99
    layers = [
        keras.layers.Conv2D(3, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(
            momentum=0.9 if change == "momentum" else momentum, name="bn"
        ),
        keras.layers.Activation("tanh", name="act"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(3, name="last"),
    ]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01, epsilon=epsilon), loss)
    for variable in model.weights:
        name = "/".join(variable.path.split("/")[-2:])
        variable.assign(start[name])
    return model


def with_keras(path, start, change):
    _, x, y = native()
    probe = x[:FIRST], y[:FIRST]
    hooks = [db.trace_keras(path, EVERY, probe=probe)] if path else []
    model = keras_model(start, change)
    model.fit(x, y, SIZE, EPOCHS, shuffle=False, verbose=0, callbacks=hooks)
    return model


def with_mindspore(path, start, change):
    import mindspore as ms
    from mindspore import dataset, nn

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 3, 3, pad_mode="valid")
            self.bn = nn.BatchNorm2d(3, eps=1e-3, momentum=0.9 if change == "momentum" else 0.99)
            self.act = nn.Tanh()
            self.flat = nn.Flatten()
            self.last = nn.Dense(48, 3)

        def construct(self, x):
            return self.last(self.flat(self.act(self.bn(self.conv(x)))))

    _, x, y = native()
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    net = Net()
    net.conv.weight.set_data(ms.Tensor(start["conv/kernel"].transpose(3, 2, 0, 1).copy()))
    # the order of flattened numbers: channels first here
    kernel = start["last/kernel"].reshape(4, 4, 3, 3).transpose(2, 0, 1, 3).reshape(48, 3)
    net.last.weight.set_data(ms.Tensor(kernel.T.copy()))
    net.last.bias.set_data(ms.Tensor(start["last/bias"]))
    optimizer = nn.Adam(net.trainable_params(), 0.01, eps=1e-5 if change == "epsilon" else 1e-7)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    probe = x[:FIRST], y[:FIRST]
    hooks = [db.trace_mindspore(net, path, EVERY, probe=probe)] if path else []
    model = ms.train.Model(net, loss, optimizer)
    data = dataset.NumpySlicesDataset((x, y), shuffle=False).batch(SIZE)
    model.train(EPOCHS, data, callbacks=hooks, dataset_sink_mode=False)
    return net


def main(which, folder, change=""):
    with np.load(Path(folder) / "start.npz") as arrays:
        start = {name: arrays[name] for name in arrays.files}
    path = Path(folder) / f"{which}{change}.trace"
    {"keras": with_keras, "mindspore": with_mindspore}[which](path, start, change)
    assert not set(OTHERS[which]) & {n for n, module in sys.modules.items() if module}


if __name__ == "__main__":
    main(*sys.argv[1:])
