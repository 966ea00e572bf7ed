"""The zoo: every model trains on every backend as on the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.base.arrays import Array
from dnnbridge.errors import SpecError
from dnnbridge.testing.assertions import assert_close, assert_near

EXAMPLES = Path(__file__).parents[2] / "examples"
RNG = np.random.default_rng(0)
BACKENDS = ["tensorflow", "mindspore"]


@dataclass(frozen=True, eq=False)
class Case:
    """A small model of the zoo with smooth activations, and data for two steps of two examples."""

    make: Callable[[], object]
    loss: db.AbstractLoss
    x: Array
    y: Array
    tolerance: float = 2e-5

    def train(self, backend: str) -> tuple[list[float], Array]:
        """Return the losses of the two steps, and the velocities, which hold both gradients."""
        experiment = db.Experiment(self.make(), self.loss, db.SGD(1e-3, momentum=0.9))
        run = db.compile(experiment, backend)
        losses = run.fit(self.x, self.y, batch_size=2).step_losses
        state = run.state()
        kept = [state[name].ravel() for name in sorted(state) if name.endswith(":velocity")]
        return losses, np.concatenate(kept)


def classified(make: Callable[[], object], x: Array, tolerance: float = 2e-5) -> Case:
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return Case(make, loss, x, RNG.integers(0, 3, len(x)), tolerance)


def rebuilt(make: Callable[[], object]) -> Case:
    x = RNG.random((4, 6, 5))
    return Case(make, db.BinaryCrossentropy(), x, x)


WORDS = np.where(np.arange(12) < RNG.integers(3, 12, (4, 1)), RNG.integers(1, 50, (4, 12)), 0)
PICTURES, SMALL = RNG.normal(size=(4, 32, 32, 3)), (32, 32, 3)
LARGE = RNG.normal(size=(4, 64, 64, 3))


def cifar(depth: int, shortcut: str = "padding", tolerance: float = 2e-5) -> Case:
    return classified(
        lambda: zoo.resnet_cifar(depth, SMALL, 3, shortcut, "silu"), PICTURES, tolerance
    )


CASES = {
    "mlp": classified(lambda: zoo.mlp((6, 5), (8, 7), 3, "tanh"), RNG.normal(size=(4, 6, 5))),
    "lenet5": classified(lambda: zoo.lenet5(classes=3), RNG.normal(size=(4, 28, 28, 1))),
    "vgg11": classified(lambda: zoo.vgg11(SMALL, 3, (16, 16), "silu"), PICTURES),
    "resnet20": cifar(20),
    "resnet20-projection": cifar(20, "projection"),
    "resnet32": cifar(32),
    "resnet56": cifar(56),
    "resnet110": cifar(110, tolerance=6e-5),
    "resnet18": classified(lambda: zoo.resnet18((64, 64, 3), 3, "silu"), LARGE),
    # Fifty normalisations, the last ones over eight numbers each, amplify rounding.
    "resnet50": classified(lambda: zoo.resnet50((64, 64, 3), 3, "silu"), LARGE, 3e-4),
    "lstm": classified(lambda: zoo.lstm_classifier(50, 12, 3, 8, 8), WORDS),
    "transformer": classified(lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2), WORDS),
    "autoencoder": rebuilt(lambda: zoo.autoencoder((6, 5), (9, 4))),
    "variational": rebuilt(lambda: zoo.variational_autoencoder((6, 5), (9, 4))),
}


@cache
def expected(name: str) -> tuple[list[float], Array]:
    return CASES[name].train("reference")


DEEP = {
    "resnet20",
    "resnet20-projection",
    "resnet18",
    "resnet32",
    "resnet50",
    "resnet56",
    "resnet110",
    "vgg11",
}
"""Larger models, which run only with `pytest -m slow`."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in DEEP else n for n in CASES]
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_trains_as_on_the_reference(name, backend):
    losses, velocities = CASES[name].train(backend)
    wanted, gradients = expected(name)
    tolerance = CASES[name].tolerance
    assert_close(np.array(losses), np.array(wanted), tolerance, f"{name}: losses")
    assert_near(velocities, gradients, tolerance, f"{name}: gradients")


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_resnet20(backend):
    """One step of the model of the paper, ReLU and all, from the same weights.

    With two images no pre-activation is so near to 0 that float32 falls on its other side.
    """
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 32, 32, 3)), rng.integers(0, 10, 2)
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    experiment = db.Experiment(zoo.resnet_cifar(20), loss, db.SGD(0.1, momentum=0.9))
    runs = [db.compile(experiment, name) for name in (backend, "reference")]
    for run in runs:
        run.fit(x, y, 2)
    states = [run.state() for run in runs]
    names = [name for name in states[1] if name.endswith(":velocity")]
    found, wanted = (np.concatenate([state[n].ravel() for n in names]) for state in states)
    assert_near(found, wanted, 5e-6, "gradients")
    for name in names:
        assert_near(states[0][name], states[1][name], 1e-5, name)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: zoo.resnet_cifar(21), "depth must be 6 n"),
        (lambda: zoo.dcgan((30, 30, 1)), "divisible by 4"),
    ],
)
def test_what_does_not_fit_is_refused(make, what):
    with pytest.raises(SpecError, match=what):
        make()


@pytest.mark.parametrize("name", CASES)
def test_json_round_trip(name):
    model = CASES[name].make()
    assert db.Spec.from_json(model.to_json()) == model


def test_published_numbers_of_weights():
    """Other models are counted in the examples of their docstrings."""
    published = {20: 0.27e6, 32: 0.46e6, 44: 0.66e6, 56: 0.85e6, 110: 1.7e6}
    for depth, count in published.items():
        found = zoo.resnet_cifar(depth).summary().parameters
        assert float(f"{found:.2g}") == pytest.approx(count, rel=0.02), depth
