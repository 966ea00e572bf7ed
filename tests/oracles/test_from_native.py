"""Live optimizers of both frameworks: each is compared with the spec that is made from it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.errors import SpecError
from dnnbridge.optimizers import NativeDifferenceWarning, from_native
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory

STEPS = 40
START = OPTIMIZER_CASES[0].start
GRADIENTS = OPTIMIZER_CASES[0].gradients[:STEPS]
KERAS_RATES = {
    "cosine": ("CosineDecay", (0.0, 20), {"alpha": 0.1, "warmup_target": 0.1, "warmup_steps": 5}),
    "cosine-plain": ("CosineDecay", (0.1, 20), {}),
    "restarts": ("CosineDecayRestarts", (0.1, 7), {"m_mul": 0.5}),
    "exponential": ("ExponentialDecay", (0.1, 4, 0.9), {"staircase": True}),
    "inverse": ("InverseTimeDecay", (0.1, 4, 0.9), {}),
    "piecewise": ("PiecewiseConstantDecay", ([5, 12], [0.1, 0.02, 0.05]), {}),
    "polynomial": ("PolynomialDecay", (0.1, 15), {"power": 2.0}),
}


def ours(native, **options):
    """Return the trajectory of the spec, in float64, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", NativeDifferenceWarning)
        made = from_native(native, **options)
    assert db.Spec.from_json(made.to_json()) == made
    return trajectory(load_backend("reference"), made, START, GRADIENTS)["p"]


def keras_moved(optimizer):
    import keras

    variable = keras.Variable(START)
    optimizer.build([variable])
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable)


def mindspore_moved(make):
    import mindspore as ms

    parameter = ms.Parameter(ms.Tensor(START), name="p")
    optimizer = make([parameter])
    for gradient in GRADIENTS:
        optimizer((ms.Tensor(gradient),))
    return optimizer, parameter.asnumpy().copy()


KERAS = {
    "SGD": {},
    "SGD-nesterov": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.02},
    "SGD-clipnorm": {"momentum": 0.5, "clipnorm": 2.0},
    "SGD-clipvalue": {"clipvalue": 0.5, "loss_scale_factor": 8.0},
    "SGD-global": {"global_clipnorm": 2.0, "weight_decay": 0.02},
    "SGD-accumulated": {"gradient_accumulation_steps": 3, "momentum": 0.9, "weight_decay": 0.1},
    "Adam": {"beta_1": 0.8, "amsgrad": True, "weight_decay": 0.02},
    "Adam-accumulated": {"gradient_accumulation_steps": 4, "clipnorm": 3.0, "epsilon": 1e-3},
    "AdamW": {},
    "Adagrad": {"initial_accumulator_value": 0.5, "weight_decay": 0.02},
    "RMSprop": {"rho": 0.8, "momentum": 0.9, "epsilon": 1e-3, "centered": True},
    "Adadelta": {"rho": 0.9},
    "Adamax": {"beta_2": 0.9},
    "Nadam": {"weight_decay": 0.02},
    "Lion": {"beta_1": 0.8, "weight_decay": 0.02},
    "Lamb": {"beta_1": 0.8, "weight_decay": 0.02},
    "Adafactor": {"beta_2_decay": -0.5, "weight_decay": 0.02},
    "Ftrl": {"l1_regularization_strength": 0.05, "beta": 0.5, "weight_decay": 0.02},
    "SGD-average": {"momentum": 0.9, "use_ema": True, "ema_overwrite_frequency": 10},
}


@witness("Keras", db.ExponentialMovingAverage)
@pytest.mark.parametrize("name", KERAS)
def test_optimizers_of_keras(name):
    keras = pytest.importorskip("keras")
    native = getattr(keras.optimizers, name.partition("-")[0])(0.05, **KERAS[name])
    assert_near(keras_moved(native), ours(native), 1e-5, name)


@pytest.mark.parametrize("name", KERAS_RATES)
@pytest.mark.parametrize("steps", [None, 2])
def test_schedules_of_keras(name, steps):
    keras = pytest.importorskip("keras")
    kind, positional, named = KERAS_RATES[name]
    rate = getattr(keras.optimizers.schedules, kind)(*positional, **named)
    native = keras.optimizers.SGD(rate, 0.9, gradient_accumulation_steps=steps, weight_decay=0.02)
    assert_near(keras_moved(native), ours(native), 1e-5, name)


def test_adafactor_of_keras_has_a_relative_step_all_the_same():
    keras = pytest.importorskip("keras")
    rate = keras.optimizers.schedules.ExponentialDecay(0.5, 4, 0.9)
    native = keras.optimizers.Adafactor(rate, relative_step=False)
    with pytest.warns(NativeDifferenceWarning, match="ignores relative_step"):
        made = from_native(native)
    found = trajectory(load_backend("reference"), made, START, GRADIENTS)["p"]
    assert_near(keras_moved(native), found, 1e-5, "Adafactor")


def test_a_rate_that_was_assigned_is_the_one_that_is_read():
    keras = pytest.importorskip("keras")
    native = keras.optimizers.SGD(0.5)
    native.learning_rate = 0.1
    assert from_native(native) == db.SGD.keras(0.1)
    ms = pytest.importorskip("mindspore")
    native = ms.nn.Momentum([ms.Parameter(ms.Tensor(START), name="p")], 0.5, 0.9)
    ms.ops.assign(native.learning_rate, ms.Tensor(0.1, ms.float32))
    ms.ops.assign(native.momentum, ms.Tensor(0.7, ms.float32))
    assert from_native(native) == db.SGD.mindspore(0.1, 0.7)


def test_keras_does_not_say_what_it_excludes_from_weight_decay():
    keras = pytest.importorskip("keras")
    native = keras.optimizers.SGD(0.1, weight_decay=0.5)
    before, public = native.get_config(), set(filter(lambda n: n[0] != "_", dir(native)))
    native.exclude_from_weight_decay(var_names=["bias"])
    assert native.get_config() == before
    assert set(filter(lambda n: n[0] != "_", dir(native))) == public
    assert not from_native(native, exempt=["*/bias"]).weight_decay.applies("dense/bias")


MINDSPORE = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.02, "loss_scale": 8.0},
    "SGD-nesterov": {"momentum": 0.9, "nesterov": True},
    "SGD-dampening": {"momentum": 0.9, "dampening": 0.3},
    "Momentum": {"momentum": 0.8, "weight_decay": 0.02},
    "Adam": {"beta1": 0.8, "eps": 1e-3, "weight_decay": 0.02, "loss_scale": 4.0},
    "Adam-nesterov": {"use_nesterov": True},
    "Adam-amsgrad": {"use_amsgrad": True, "beta2": 0.9},
    "AdamWeightDecay": {"weight_decay": 0.02, "beta1": 0.8},
    "Adagrad": {"accum": 0.5, "weight_decay": 0.02},
    "RMSProp": {"decay": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    "Adadelta": {"rho": 0.8, "weight_decay": 0.02},
    "AdaMax": {"beta2": 0.9, "eps": 1e-3},
    "ASGD": {"lambd": 0.01, "alpha": 0.6, "weight_decay": 0.02},
    "AdaFactor": {"relative_step": False, "scale_parameter": False, "beta1": 0.0},
    "FTRL": {"initial_accum": 0.2, "l2": 0.1, "weight_decay": 0.02},
    "ProximalAdagrad": {"accum": 0.5, "l1": 0.05, "l2": 0.1, "weight_decay": 0.02},
    "Rprop": {"etas": (0.6, 1.5), "step_sizes": (1e-3, 2.0), "weight_decay": 0.02},
}


@pytest.mark.parametrize("name", MINDSPORE)
def test_optimizers_of_mindspore(name):
    nn = pytest.importorskip("mindspore").nn
    make = getattr(nn, name.partition("-")[0])
    native, moved = mindspore_moved(lambda p: make(p, learning_rate=0.05, **MINDSPORE[name]))
    assert_near(moved, ours(native), 1e-5, name)


MINDSPORE_RATES = {
    "cosine": lambda nn: nn.CosineDecayLR(0.01, 0.1, 15),
    "exponential": lambda nn: nn.ExponentialDecayLR(0.1, 0.9, 4, True),
    "natural": lambda nn: nn.NaturalExpDecayLR(0.1, 0.1, 4),
    "inverse": lambda nn: nn.InverseDecayLR(0.1, 0.9, 4),
    "polynomial": lambda nn: nn.PolynomialDecayLR(0.1, 0.01, 15, 2.0, True),
    "warm-up": lambda nn: nn.WarmUpLR(0.1, 15),
    "list": lambda nn: nn.cosine_decay_lr(0.01, 0.1, STEPS, 2, 9),
}


@pytest.mark.parametrize("name", MINDSPORE_RATES)
def test_schedules_of_mindspore(name):
    nn = pytest.importorskip("mindspore").nn
    rate = MINDSPORE_RATES[name](nn)
    native, moved = mindspore_moved(lambda p: nn.SGD(p, rate, 0.9, weight_decay=0.02))
    assert_near(moved, ours(native), 1e-5, name)
    if isinstance(rate, list):
        read = from_native(native).learning_rate
        assert read.values(STEPS) == rate
        assert read(10**6) == rate[-1]


def test_a_schedule_of_ones_own_is_tabulated():
    ms = pytest.importorskip("mindspore")

    class Falling(ms.nn.learning_rate_schedule.LearningRateSchedule):
        def construct(self, global_step):
            return ms.ops.cast(1.0 / (global_step + 10.0), ms.float32)

    native, moved = mindspore_moved(lambda p: ms.nn.SGD(p, Falling(), 0.9))
    with pytest.raises(SpecError, match=r"class Falling. Give steps="):
        from_native(native)
    assert_near(moved, ours(native, steps=STEPS), 1e-5, "tabulated")


EXPERIMENTAL = {
    "SGD": {"momentum": 0.9, "dampening": 0.2, "weight_decay": 0.02},
    "Adam": {"betas": (0.8, 0.99), "weight_decay": 0.02},
    "AdamW": {"betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1},
    "Adagrad": {"lr_decay": 0.1, "eps": 1e-3, "weight_decay": 0.02},
    "Adadelta": {"rho": 0.8, "weight_decay": 0.02},
    "NAdam": {"weight_decay": 0.02},
    "ASGD": {"lambd": 0.01, "alpha": 0.6, "weight_decay": 0.02},
    "Rprop": {"etas": (0.6, 1.5), "step_sizes": (1e-3, 2.0)},
    "RMSprop": {"alpha": 0.8, "eps": 1e-3, "centered": True, "weight_decay": 0.02},
}


@pytest.mark.parametrize("name", EXPERIMENTAL)
def test_experimental_optimizers_of_mindspore(name):
    pytest.importorskip("mindspore")
    from mindspore.experimental import optim

    native, moved = mindspore_moved(lambda p: getattr(optim, name)(p, 0.05, **EXPERIMENTAL[name]))
    assert_near(moved, ours(native), 1e-5, name)


def test_every_class_that_is_read_has_a_row_and_a_trajectory():
    pytest.importorskip("mindspore")
    from dnnbridge_mindspore import native_experimental, native_optimizers

    from dnnbridge.formats.keras.optimizers import OPTIMIZERS, SCHEDULES

    text = (Path(__file__).parents[2] / "docs" / "guide" / "migrating.md").read_text()
    tables = (OPTIMIZERS, native_optimizers.OPTIMIZERS, native_experimental.EXPERIMENTAL)
    cases = (KERAS, MINDSPORE, EXPERIMENTAL)
    for table, tried in zip(tables, cases, strict=True):
        assert all(f"`{name}`" in text for name in table)
        missing = set(table) - {name.partition("-")[0] for name in tried} - set(BROKEN)
        assert missing <= {"AdamOffload", "LARS"}, missing
    assert {kind for kind, *_ in KERAS_RATES.values()} == set(SCHEDULES)


def two_weights(ms):
    arrays = {"body.weight": START, "head.bias": START[0]}
    return [ms.Parameter(ms.Tensor(array), name=name) for name, array in arrays.items()]


@witness("MindSpore", db.ParameterGroups)
def test_groups_are_groups_of_names():
    ms = pytest.importorskip("mindspore")
    body, head = two_weights(ms)
    groups = [{"params": [body], "lr": 0.1, "weight_decay": 0.02}, {"params": [head]}]
    native = ms.nn.Momentum(groups, 0.01, 0.9, weight_decay=0.5)
    expected = {
        name: db.SGD(rate, momentum=0.9, weight_decay=db.CoupledWeightDecay(decay))
        for name, rate, decay in (("body/kernel", 0.1, 0.02), ("head/bias", 0.01, 0.5))
    }
    assert from_native(native) == db.ParameterGroups(expected)
    renamed = from_native(native, names={"body.weight": "p", "head.bias": "q"})
    for gradient in GRADIENTS:
        native((ms.Tensor(gradient), ms.Tensor(gradient[0])))
    only = dict(renamed.groups)["p"]
    found = trajectory(load_backend("reference"), only, START, GRADIENTS)["p"]
    assert_near(body.asnumpy(), found, 1e-5, "body")


def test_ftrl_decays_beta_and_gamma_too():
    ms = pytest.importorskip("mindspore")
    beta = ms.Parameter(ms.Tensor(START), name="norm.beta")
    for kind, moves in (("FTRL", True), ("Adagrad", False)):
        native = getattr(ms.nn, kind)([beta], weight_decay=0.5)
        assert from_native(native).weight_decay.applies("norm/beta") is moves
        assert native.decay_flags == (moves,)


def test_groups_of_what_keeps_no_arguments():
    ms = pytest.importorskip("mindspore")
    body, head = two_weights(ms)
    groups = [{"params": [head], "lr": 0.1}, {"params": [body], "weight_decay": 0.3}]
    read = from_native(ms.nn.AdamWeightDecay(groups, 0.01, eps=1e-3))
    plain = db.AdamW.mindspore(0.1, eps=1e-3)
    decayed = plain.replace(learning_rate=0.01, weight_decay=db.DecoupledWeightDecay(0.3))
    assert read == db.ParameterGroups({"head/bias": plain, "body/kernel": decayed})


BROKEN = {
    "Momentum": ("nn", {"momentum": 0.9, "use_nesterov": True}, "uses Nesterov"),
    "SGD": ("nn", {"dampening": 0.5}, "ignores dampening"),
    "RMSProp": ("nn", {}, "always adds it inside"),
    "LazyAdam": ("nn", {}, "for every table"),
    "FTRL": ("nn", {"l1": 0.1}, "z is negative"),
    "Lamb": ("nn", {}, "no kernel"),
    "Adam": ("experimental.optim", {"amsgrad": True}, "ignores amsgrad"),
    "Adamax": ("experimental.optim", {}, "like nn.AdaMax"),
    "RMSprop": ("experimental.optim", {"momentum": 0.9}, "multiplies the momentum"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_native_class_gets_wrong_is_said(name):
    ms = pytest.importorskip("mindspore")
    from mindspore.experimental import optim

    where, arguments, said = BROKEN[name]
    module = ms.nn if where == "nn" else optim
    native = getattr(module, name)(two_weights(ms), 0.1, **arguments)
    with pytest.warns(NativeDifferenceWarning, match=f"mindspore.{where}.{name}.*{said}"):
        from_native(native)


def test_what_goes_wrong_in_groups_is_said():
    ms = pytest.importorskip("mindspore")
    body, head = two_weights(ms)
    groups = [{"params": [body], "lr": [0.1, 0.2]}, {"params": [head], "grad_centralization": True}]
    native = ms.nn.SGD(groups, 1e-4)
    with pytest.warns(NativeDifferenceWarning) as said:
        read = from_native(native)
    assert ["grad_centralization" in str(w.message) for w in said] == [True, False]
    assert "lr + 1 - 1" in str(said[1].message)
    assert read.groups_of()[1][1].optimizer.rate(0) == 1e-4


def test_what_has_no_spec_says_what_to_write():
    keras, ms = pytest.importorskip("keras"), pytest.importorskip("mindspore")
    from mindspore.experimental import optim

    class Mine(keras.optimizers.SGD):
        pass

    class Rate(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

        def get_config(self):
            return {}

    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=8.0)
    refused = {
        r"loss_scale=DynamicLossScale\(8.0, growth_steps=2000\)": scaled,
        r"not an optimizer that an installed backend can read, got .*Mine": Mine(0.1),
        r"not a built-in Keras schedule": keras.optimizers.SGD(Rate()),
        r"update_slots": ms.nn.Adagrad(two_weights(ms), update_slots=False),
        r"LARS.mindspore\(learning_rate, momentum, epsilon=1e-05": ms.nn.LARS(
            ms.nn.SGD(two_weights(ms), 0.1)
        ),
        r"give the spec a DecoupledWeightDecay": ms.nn.AdaFactor(two_weights(ms), weight_decay=0.1),
        r"first step size must be a number, got TableSchedule": ms.nn.Rprop(
            two_weights(ms), [0.1, 1.0]
        ),
        r"put ExponentialMovingAverage around": keras.optimizers.SGD(
            use_ema=True, gradient_accumulation_steps=2
        ),
        r"Negate the loss": optim.SGD(two_weights(ms), 0.1, maximize=True),
        r"not an optimizer that an installed backend can read, got builtins.int": 3,
    }
    for message, native in refused.items():
        with pytest.raises(SpecError, match=message):
            from_native(native)
    assert from_native(scaled.inner_optimizer) == db.Adam.keras()
