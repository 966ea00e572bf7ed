"""Each function is emitted once, and for every learning rate at once."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program import build
from dnnbridge.schedules import FractionLike, ScheduleLike
from dnnbridge.specs.fields import PositiveFloat

RNG = np.random.default_rng(0)
X, Y = RNG.random((8, 3), np.float32), RNG.random((8, 2), np.float32)
MODEL = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dense(2)])


@pytest.fixture
def emitted(monkeypatch):
    """Counts how often each layer was emitted, by its path and the name of the function."""
    forget()
    found: Counter[tuple[str, str]] = Counter()
    emit = db.Dense.emit

    def counted(self, scope, *inputs):
        root = scope.builder
        while root.parent is not None:
            root = root.parent
        found[scope.path, root.name] += 1
        return emit(self, scope, *inputs)

    monkeypatch.setattr(db.Dense, "emit", counted)
    yield found
    forget()


def forget():
    build.forget()


def experiment(optimizer, seed=0, **more):
    return db.Experiment(MODEL, "mse", optimizer, seed=seed, **more)


def moves(optimizer, epochs=1):
    """Return the change of each weight at every step; a step has one batch of all examples."""
    run = db.compile(experiment(optimizer), "reference")
    found = [run.weights()]
    for _ in range(epochs):
        run.fit(X, Y, len(X))
        found.append(run.weights())
    return [
        {name: after[name] - before[name] for name in before}
        for before, after in itertools.pairwise(found)
    ]


def test_a_layer_is_emitted_once_for_each_function(emitted):
    run = db.compile(experiment(db.SGD(0.1), metrics=["mae"]), "reference")
    run.fit(X, Y)
    functions = ("train", "evaluate", "predict")
    assert emitted == {(path, name): 1 for path in ("dense", "dense_1") for name in functions}


RATES = {
    "equal": 0.1,
    "number": 0.2,
    "schedule": db.ExponentialDecay(0.1, 10, 0.5),
    "list": [0.3, 0.1],
    "listening": db.Plateau(0.1, monitor="loss"),
}
AROUND = {
    "bare": lambda rate: db.SGD(rate, momentum=0.9),
    "groups": lambda rate: db.ParameterGroups({"dense/*": db.Adam(rate), "*": db.SGD(0.5)}),
    "average": lambda rate: db.ExponentialMovingAverage(db.AdamW(rate, weight_decay=0.01)),
    "multipliers": lambda rate: db.LearningRateMultipliers(db.SGD(rate), {"dense/*": 0.5}),
}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_another_rate_emits_nothing(emitted, around, rate):
    first = db.compile(experiment(around(0.1)), "reference")
    emitted.clear()
    second = db.compile(experiment(around(rate), seed=3), "reference")
    for run in (first, second):
        run.fit(X, Y, 4, 2)
    assert not emitted


def test_every_rate_gives_its_own_numbers(emitted):
    (small,), (large,) = moves(db.SGD(0.125)), moves(db.SGD(0.25))
    first, second = moves(db.SGD([0.25, 0.0]), epochs=2)
    for name in small:
        np.testing.assert_allclose(2 * small[name], large[name], rtol=1e-12)
        np.testing.assert_array_equal(first[name], large[name])
        assert not second[name].any()


def test_another_momentum_is_emitted(emitted):
    db.compile(experiment(db.SGD(0.1, momentum=0.9)), "reference")
    emitted.clear()
    db.compile(experiment(db.SGD(0.1, momentum=0.8)), "reference")
    assert emitted


@db.spec
class Written(AbstractOptimizer):
    """Writes its rate into the graph, against the rule of `AbstractOptimizer`."""

    learning_rate: ScheduleLike = 0.1

    def scalars(self, step):
        return {"unused": 0.0}

    def update(self, p, g, slots, scalars):
        return p - self.rate(0) * g, {}


@db.spec
class WrittenNumber(AbstractOptimizer):
    """The same with a rate that cannot be a schedule."""

    learning_rate: PositiveFloat = 0.1

    def scalars(self, step):
        return {}

    def update(self, p, g, slots, scalars):
        return p - self.learning_rate * g, {}


@db.spec
class Named(AbstractOptimizer):
    """Has a host scalar only if its rate is a schedule."""

    learning_rate: FractionLike = 0.1

    def scalars(self, step):
        return {} if isinstance(self.learning_rate, float) else {"rate": self.rate(step)}

    def update(self, p, g, slots, scalars):
        return p - scalars.get("rate", self.learning_rate) * g, {}


@pytest.mark.parametrize("kind", [Written, WrittenNumber, Named])
def test_a_rate_that_is_written_into_the_graph_has_a_graph_of_its_own(emitted, kind):
    for rate in (0.125, 0.25):
        (found,), (wanted,) = moves(kind(rate)), moves(db.SGD(rate))
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, err_msg=name)
