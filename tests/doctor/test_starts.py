"""What two trainings start with, and which rules the values of arguments are."""

import itertools

import numpy as np
import pytest
from doctor.aligning_nets import DATA, net, run

import dnnbridge as db
from dnnbridge.doctor import starts
from dnnbridge.doctor.aligning import align
from dnnbridge.doctor.kernels import kernel_of
from dnnbridge.doctor.sides import Spot
from dnnbridge.doctor.velocities import unit_of

RNG = np.random.default_rng(2)


def test_arrays_of_an_optimizer_that_start_otherwise_are_found_before_the_first_step():
    found = align(run(optimizer=db.RMSprop()), run(optimizer=db.RMSprop.mindspore(0.001)), DATA, 2)
    (difference, cause) = found.found[0]
    assert (difference.step, difference.stage, difference.where) == (0, "start", "hidden/kernel:s")
    assert (cause.rule, cause.argument.name) == ("rmsprop-start", "initial_mean_square")
    assert not any("initial_mean_square" in note for note in found.notes)


def test_arrays_that_start_alike_are_no_difference():
    first, second = (net(optimizer=db.Adagrad(0.1, epsilon=each)) for each in (1e-7, 1e-6))
    assert starts.of_slots(first, second) == []


DRAWN = {
    "zeros and uniform": (np.zeros(20), RNG.uniform(-1, 1, 20), True),
    "two constants": (np.zeros(4), np.full(4, 0.25), True),
    "the same constant": (np.ones(4), np.ones(4), False),
    "one distribution": (RNG.normal(size=40), RNG.normal(size=40), False),
    "half as wide": (RNG.uniform(-1, 1, 200), RNG.uniform(-2, 2, 200), True),
    "one number": (np.zeros(1), np.ones(1), True),
}


@pytest.mark.parametrize("name", DRAWN)
def test_weights_are_apart_if_their_spreads_are(name):
    a, b, apart = DRAWN[name]
    assert starts.apart(*map(starts.spread_of, (a, b))) == apart


def test_one_distribution_is_hardly_ever_taken_for_two():
    draws = [starts.spread_of(RNG.uniform(-1, 1, 24)) for _ in range(400)]
    assert not any(starts.apart(a, b) for a, b in itertools.pairwise(draws))


def test_weights_that_start_otherwise_are_named_with_their_rule():
    experiment = net()
    a = {"hidden/kernel": RNG.normal(size=(5, 4)), "hidden/bias": np.zeros(4)}
    b = a | {"hidden/bias": RNG.normal(size=4)}
    (said,) = starts.of_weights(experiment, a, b)
    assert "[dense-start]: hidden/bias (0 in the first, random with a deviation of " in said
    assert starts.of_weights(experiment, a, a) == []


FALLING = db.ExponentialDecay(0.4, decay_steps=1, decay_rate=0.5)
WITHIN, WITHOUT = (
    net(optimizer=cls(FALLING, momentum=0.9)) for cls in (db.SGD.keras, db.SGD.mindspore)
)


def test_a_velocity_has_the_rate_of_the_step_before():
    assert [unit_of(WITHIN, WITHOUT, step) for step in range(3)] == [1.0, 0.4, 0.2]
    assert [unit_of(WITHOUT, WITHIN, step) for step in range(3)] == [1.0, 2.5, 5.0]
    assert unit_of(WITHIN, WITHIN, 2) == unit_of(WITHIN, net(), 2) == 1.0


def test_momentum_differs_once_the_rate_changes_and_not_before():
    pair = [db.compile(each, "reference") for each in (WITHIN, WITHOUT)]
    found = align(*pair, DATA, 3, 8)
    assert (found.first.step, found.first.stage, found.first.where) == (
        2,
        "update",
        "hidden/kernel",
    )
    assert [cause.rule for cause in found.causes] == ["momentum-changing-rate"]
    constant = [run(optimizer=cls(0.1, momentum=0.9)) for cls in (db.SGD.keras, db.SGD.mindspore)]
    assert align(*constant, DATA, 3, 8).agrees


def test_an_update_is_judged_after_a_rate_of_0():
    warm = [db.LinearWarmup(0.1, steps) for steps in (2, 4)]
    found = align(*(run(optimizer=db.SGD(each)) for each in warm), DATA, 3, 8)
    assert (found.first.step, found.first.stage, found.first.where) == (
        2,
        "update",
        "hidden/kernel",
    )


TANH, MISH = (net(db.Dense(4, each, name="hidden")) for each in ("tanh", "mish"))

KERNELS = {
    "tanh": (TANH, Spot("layer", "hidden"), 1e-4, True, "tanh"),
    "far off": (TANH, Spot("layer", "hidden"), 0.1, True, None),
    "another layer": (TANH, Spot("layer", "last"), 1e-4, True, None),
    "another stage": (TANH, Spot("statistics", "hidden"), 1e-4, True, None),
    "not a number": (MISH, Spot("layer", "hidden"), np.inf, False, "mish-overflow"),
    "a finite number": (MISH, Spot("layer", "hidden"), 0.1, True, None),
    "nesterov": (
        net(optimizer=db.SGD(0.1, momentum=0.9, nesterov=True)),
        Spot("update", "hidden/kernel"),
        0.5,
        True,
        "nesterov-ignored",
    ),
    "plain": (net(), Spot("update", "hidden/kernel"), 0.5, True, None),
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_known_error_is_named_where_it_shows(name):
    experiment, spot, error, finite, rule = KERNELS[name]
    assert kernel_of(experiment, spot, error, finite) == rule


def sgd(rate):
    return run(optimizer=db.SGD(rate))


def table(schedule, size):
    return [schedule(step // size * size) for step in range(12)]


DECAY = db.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.8)
CAUSES = {
    "by epochs": (DECAY, table(DECAY, 2), "exponential-epochs"),
    "by other rates": (DECAY, [0.1, 0.2, 0.3], None),
    "a boundary": (
        db.PiecewiseConstantDecay([1], [0.1, 0.01]),
        [0.1, 0.01, 0.01],
        "piecewise-boundary",
    ),
    "the floor": (db.CosineDecay(0.1, 4, 0.01), db.CosineDecay(0.1, 4, 0.1), "cosine-floor"),
    "another floor": (db.CosineDecay(0.1, 4, 0.01), db.CosineDecay(0.1, 4, 0.2), None),
}


@pytest.mark.parametrize("name", CAUSES)
def test_schedules_are_rules_by_their_values(name):
    first, second, rule = CAUSES[name]
    found = align(sgd(first), sgd(second), DATA, 4, 8)
    assert [cause.rule for cause in found.causes] == [rule]


def test_weights_that_decay_on_one_side_alone_are_a_rule_by_their_name():
    layers = db.Dense(4, name="betablock"), db.BatchNormalization(name="bn")
    for chosen, rule in ((layers[:1], "weight-decay-by-name"), (layers[1:], "bias-decays")):
        decays = [db.DecoupledWeightDecay(0.1, each) for each in ((), ("*beta*", "*gamma*"))]
        pair = [run(*chosen, optimizer=db.SGD(0.1, weight_decay=each)) for each in decays]
        found = align(*pair, DATA, 2, 8)
        assert [cause.rule for cause in found.causes] == [rule]
