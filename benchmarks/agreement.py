"""Print the differences between the backends and the float64 reference; nothing is asserted.

    python benchmarks/agreement.py [--data mnist:FOLDER] [--backends tensorflow,mindspore]
    python benchmarks/agreement.py --scenarios

Without MNIST the check runs on random images of its shape.

1. Smooth nets, 784-300-100-10, 200 steps of batch 50: relative L2 distance of every weight.
2. The ReLU net of examples/mnist_mlp.py for three epochs (MNIST only): accuracy, the differences of
   the loss curves, and the ReLU where they separate.
3. The trainings of the suite, step by step (only with `--scenarios`): the largest error of those
   that run freely, of those that start every step from the reference, and their CPU time.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import time

import numpy as np

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base.randomness import permutation
from dnnbridge.datasets import Dataset, adapt_to, load_dataset
from dnnbridge.testing.checks import Check, all_checks
from dnnbridge.testing.measurement import relative_distance
from dnnbridge.testing.running import Outcome, run_check
from dnnbridge.testing.subject import Subject

RATE = db.ExponentialDecay(0.05, decay_rate=0.9, decay_steps=40)
OPTIMIZERS = {
    "SGD, momentum, decaying rate": db.SGD(RATE, momentum=0.9),
    "SGD, Nesterov, decaying rate": db.SGD(RATE, momentum=0.9, nesterov=True),
    "Adam": db.Adam(0.001),
}


def net(activation: str, optimizer: db.AbstractOptimizer) -> db.Experiment:
    """Return 784-300-100-10 with one activation."""
    hidden = [db.Dense(n, activation, kernel_initializer="he_normal") for n in (300, 100)]
    model = db.Sequential([db.Input((784,)), *hidden, db.Dense(10)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, optimizer, metrics=["accuracy"], seed=0)


def smooth(data: Dataset, backends: list[str]) -> None:
    """Print the largest distance of a weight array after 200 steps."""
    x, y = data.x_train[:10000], data.y_train[:10000]
    for activation, (name, optimizer) in itertools.product(
        ("softplus", "sigmoid"), OPTIMIZERS.items()
    ):
        experiment = net(activation, optimizer)
        reference = db.compile(experiment, backend="reference")
        expected = reference.fit(x, y, 50, 1, verbose=0)
        for backend in backends:
            run = db.compile(experiment, backend=backend)
            losses = np.array(run.fit(x, y, 50, 1, verbose=0).step_losses)
            weights = reference.parameters()
            worst = max(relative_distance(run.parameters()[k], weights[k]) for k in weights)
            loss = np.abs(losses / np.array(expected.step_losses) - 1).max()
            print(f"{activation:9} {name:30} {backend:11} weights {worst:.1e}  losses {loss:.1e}")


def relu(data: Dataset, backends: list[str]) -> None:
    """Print the accuracy of every backend and the loss difference of every pair."""
    from mnist_mlp import experiment

    curves = {}
    for backend in [*backends, "reference"]:
        run = db.compile(experiment, backend=backend)
        history = run.fit(data.x_train, data.y_train, 50, 3, verbose=0)
        accuracy = run.evaluate(data.x_test, data.y_test)["accuracy"]
        curves[backend] = np.array(history.step_losses)
        print(f"{backend:11} test accuracy {accuracy:.4f}, losses {history.history['loss']}")
    steps = len(data.x_train) // 50
    for a, b in itertools.combinations(curves, 2):
        difference = np.abs(curves[a] / curves[b] - 1)
        apart = np.flatnonzero(difference > 1e-4)
        where = f"apart from step {apart[0]} on" if len(apart) else "together until the end"
        print(f"{a}, {b}: largest difference in epoch 1 {difference[:steps].max():.1e}; {where}")
        if len(apart):
            explain(experiment, data, (a, b), int(apart[0]))


def explain(experiment: db.Experiment, data: Dataset, pair: tuple[str, str], step: int) -> None:
    """Print the smallest pre-activation just before two backends disagree.

    A ReLU whose input is within rounding of 0 can be on for one backend and off for the other.
    """
    run, callback = db.compile(experiment, backend=pair[0]), _Stop(step)
    with contextlib.suppress(KeyboardInterrupt):
        run.fit(
            data.x_train, data.y_train, 50, 3, callbacks=[callback], steps_per_call=1, verbose=0
        )
    first = max(0, step - 3)
    nearest = [
        (_smallest(callback.weights[number], data, experiment.seed, number), number)
        for number in range(first, step)
    ]
    z, number = min(nearest)
    print(f"    nearest to a kink: |pre-activation| {z:.1e} in step {number}")


def _smallest(weights: dict[str, np.ndarray], data: Dataset, seed: int, step: int) -> float:
    """Return the smallest |pre-activation| of the hidden layers in the batch of a step."""
    count = len(data.x_train) // 50
    order = permutation(seed, step // count, len(data.x_train))
    h = data.x_train[order[step % count * 50 :][:50]].astype(float)
    smallest = []
    for layer in ("dense", "dense_1"):
        kernel, bias = (weights[f"{layer}/{name}"].astype(float) for name in ("kernel", "bias"))
        z = h @ kernel + bias
        smallest.append(float(np.abs(z).min()))
        h = np.maximum(z, 0)
    return min(smallest)


class _Stop(db.Callback):
    """Keep the weights before every step and stop after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.weights: list[dict[str, np.ndarray]] = []

    def on_train_begin(self, run: db.Run, epochs: int, steps_per_epoch: int) -> None:
        self.weights.append(run.parameters())

    def on_steps_end(self, run: db.Run, losses: list[float]) -> None:
        self.weights.append(run.parameters())
        if run.position.step > self.steps:
            raise KeyboardInterrupt


def scenarios(backends: list[str]) -> None:
    """Print a row for every training of the suite."""
    subjects = [Subject(load_backend(name)) for name in backends]
    print(
        "| scenario | steps |"
        + "".join(f" {name}: weights or gradients, loss, CPU |" for name in backends)
    )
    print("|---|---|" + "---|" * len(backends))
    for check in all_checks():
        if check.area == "training" and check.id.startswith(("train-", "follow-")):
            cells = [_timed(check, subject) for subject in subjects]
            print(
                f"| `{check.id}` | {cells[0][0]} | {' | '.join(text for _, text in cells)} |",
                flush=True,
            )


def _timed(check: Check, subject: Subject) -> tuple[int, str]:
    """Return the number of steps, and the errors and seconds as text."""
    begin = time.process_time()
    outcome = run_check(check, subject)
    seconds = time.process_time() - begin
    if outcome.status != "passed":
        return 0, f"{outcome.status}: {outcome.note}"
    return _cell(outcome, seconds)


def _cell(outcome: Outcome, seconds: float) -> tuple[int, str]:
    by_name = {each.what: each for each in outcome.measurements}
    first = outcome.measurements[0]
    loss = by_name.get("loss") or by_name["step losses"]
    note = f"; {outcome.note}" if outcome.note else ""
    return len(first.curve), f"{first.error:.1e}, {loss.error:.1e}, {seconds:.1f} s{note}"


def random_images() -> Dataset:
    """Return random images with MNIST's shape."""
    rng = np.random.default_rng(0)
    x, y = rng.random((10000, 784), dtype=np.float32), rng.integers(0, 10, 10000)
    return Dataset("random images", x, y, x[:100], y[:100])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--backends", default="tensorflow,mindspore")
    parser.add_argument("--scenarios", action="store_true")
    options = parser.parse_args()
    chosen = options.backends.split(",")
    if options.scenarios:
        scenarios(chosen)
        raise SystemExit
    example = net("relu", db.SGD())
    images = adapt_to(example, load_dataset(options.data)) if options.data else random_images()
    smooth(images, chosen)
    if options.data:
        import sys
        from pathlib import Path

        sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
        relu(images, chosen)
