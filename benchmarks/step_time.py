"""Time a training step of 784-300-100-10, batch 50, against the frameworks' own loops, in one run.

    python benchmarks/step_time.py

The contestants take turns, so that a machine that slows down slows all of them; the medians and
their ratios are printed. Only the ratios carry over to another machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import dnnbridge as db

STEPS, BATCH, ROUNDS = 440, 50, 5
RNG = np.random.default_rng(0)
X = RNG.random((STEPS * BATCH, 784), dtype=np.float32)
Y = RNG.integers(0, 10, STEPS * BATCH).astype(np.int32)

Epoch = Callable[[], object]


def ours(backend: str) -> Epoch:
    hidden = [db.Dense(n, "relu", kernel_initializer="he_normal") for n in (300, 100)]
    model = db.Sequential([db.Input((784,)), *hidden, db.Dense(10)])
    loss = db.SparseCategoricalCrossEntropy(from_logits=True)
    optimizer = db.SGD(db.ExponentialDecay(0.05, 400, 0.9), momentum=0.9, nesterov=True)
    run = db.compile(db.Experiment(model, loss, optimizer, ["accuracy"]), backend=backend)
    return lambda: run.fit(X, Y, BATCH, 1)


def keras_fit() -> Epoch:
    import keras

    layers = [keras.layers.Dense(n, "relu", kernel_initializer="he_normal") for n in (300, 100)]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10)])
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 400, 0.9)
    model.compile(
        optimizer=keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return lambda: model.fit(X, Y, batch_size=BATCH, epochs=1, verbose=0)


def mindspore_train() -> Epoch:
    import mindspore as ms
    from mindspore import nn

    ms.set_context(mode=ms.GRAPH_MODE)
    layers = [nn.Dense(784, 300), nn.ReLU(), nn.Dense(300, 100), nn.ReLU(), nn.Dense(100, 10)]
    net = nn.SequentialCell(layers)
    rates = nn.exponential_decay_lr(0.05, 0.9, 100 * STEPS, 1, 400)
    optimizer = nn.SGD(net.trainable_params(), rates, momentum=0.9, nesterov=True)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = ms.Model(net, loss, optimizer, metrics={"accuracy"})
    data = ms.dataset.NumpySlicesDataset((X, Y), shuffle=True).batch(BATCH)

    def epoch() -> None:
        ms.set_context(mode=ms.GRAPH_MODE)
        model.train(1, data, dataset_sink_mode=False)

    return epoch


PAIRS: dict[str, dict[str, Callable[[], Epoch]]] = {
    "tensorflow": {"dnnbridge": lambda: ours("tensorflow"), "keras.Model.fit": keras_fit},
    "mindspore": {
        "dnnbridge": lambda: ours("mindspore"),
        "mindspore.Model.train, GRAPH_MODE": mindspore_train,
    },
}


def compare(framework: str) -> None:
    """Let the two loops of a framework take turns and print medians and their ratio."""
    epochs = {name: make() for name, make in PAIRS[framework].items()}
    times: dict[str, list[float]] = {name: [] for name in epochs}
    for epoch in epochs.values():
        epoch()  # compiles
    for _ in range(ROUNDS):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            times[name].append((time.perf_counter() - start) / STEPS * 1e3)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
        print(f"{framework:11} {name:36} {median:6.2f} ms a step ({spread})")
    mine, theirs = medians.values()
    print(f"{framework:11} dnnbridge is {theirs / mine:.1f} times as fast")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        compare(sys.argv[1])
    else:  # one process per framework: their idle threads disturb each other
        for framework in PAIRS:
            subprocess.run([sys.executable, __file__, framework], check=True)
