"""Independent witnesses: decay, accumulation and loss scales of the frameworks' own optimizers."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.backend.plugins import load_backend
from dnnbridge.emit.declarations import StateArray
from dnnbridge.graph import Builder
from dnnbridge.initializers import Zeros
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.program.program import Function, Program
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.cases.optimizer_cases import CHANGING, OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory

STEPS = 40
START = OPTIMIZER_CASES[0].start
GRADIENTS = OPTIMIZER_CASES[0].gradients[:STEPS]
RATES = CHANGING.values(STEPS)


def ours(optimizer):
    return trajectory(load_backend("reference"), optimizer, START, GRADIENTS)["p"]


def keras_trajectory(optimizer, rates=None):
    import keras

    variable = keras.Variable(START)
    optimizer.build([variable])
    for step, gradient in enumerate(GRADIENTS):
        if rates is not None:
            optimizer.learning_rate = rates[step]
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable)


MINDSPORE = {
    "sgd": (db.SGD.mindspore, "SGD", {}),
    "sgd-momentum": (lambda rate, **d: db.SGD.mindspore(rate, 0.9, **d), "SGD", {"momentum": 0.9}),
    "momentum": (lambda rate, **d: db.SGD.mindspore(rate, 0.9, **d), "Momentum", {"momentum": 0.9}),
    "adam": (db.Adam.mindspore, "Adam", {}),
}


@pytest.mark.parametrize(("make", "name", "arguments"), MINDSPORE.values(), ids=MINDSPORE)
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_coupled_decay_and_loss_scale_equal_mindspore(make, name, arguments, scale):
    """Gradients are divided by the scale, then the decay is added."""
    ms = pytest.importorskip("mindspore")
    decayed = make(CHANGING).replace(weight_decay=db.CoupledWeightDecay(0.1))
    found = ours(db.WithGradientRules(decayed, db.ScaleGradients(1.0 / scale)))
    parameter = ms.Parameter(ms.Tensor(START), name="p")
    given = {"weight_decay": 0.1, "loss_scale": scale, **arguments}
    theirs = getattr(ms.nn, name)([parameter], learning_rate=RATES, **given)
    for gradient in GRADIENTS:
        theirs((ms.Tensor(gradient),))
    assert_near(parameter.asnumpy(), found, 2e-5, name)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_decoupled_decay_equals_keras(name):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.optimizers, name)(0.1, weight_decay=0.1)
    found = ours(getattr(db, name)(CHANGING, weight_decay=0.1))
    assert_near(keras_trajectory(theirs, RATES), found, 2e-5, name)


@witness("Keras", db.GradientAccumulation, db.WithGradientRules)
@pytest.mark.parametrize("clip", [None, "clipnorm", "clipvalue", "global_clipnorm"])
def test_accumulation_equals_keras(clip):
    """The schedule of a Keras optimizer advances with every batch; `Strided` does the same."""
    keras = pytest.importorskip("keras")
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    given = {clip: 0.05} if clip else {}
    theirs = keras.optimizers.SGD(schedule, 0.9, gradient_accumulation_steps=3, **given)
    inner = db.SGD.keras(db.Strided(db.ExponentialDecay(0.1, 10, 0.5), 3, 2), 0.9)
    rules = {"clipnorm": db.ClipByNorm, "clipvalue": db.ClipByValue}.get(clip, db.ClipByGlobalNorm)
    ruled = db.WithGradientRules(inner, rules(0.05)) if clip else inner
    expected = keras_trajectory(theirs)
    assert_near(expected, ours(db.GradientAccumulation(ruled, 3)), 2e-5, str(clip))
    counted = db.GradientAccumulation(
        inner.replace(learning_rate=db.ExponentialDecay(0.1, 10, 0.5)), 3
    )
    assert clip or np.abs(ours(counted) - expected).max() > 1e-2


def test_accumulation_for_adam_equals_keras():
    """Bias corrections count updates, in Keras too."""
    keras = pytest.importorskip("keras")
    theirs = keras_trajectory(keras.optimizers.Adam(0.1, gradient_accumulation_steps=3))
    assert_near(theirs, ours(db.GradientAccumulation(db.Adam(0.1), 3)), 2e-5, "adam")


def scaled_program(scale, optimizer):
    """Return the program of one update from a gradient of the scaled loss."""
    builder = Builder("update")
    array = StateArray("p", START.shape, Zeros())
    p, g = builder.input("p", array.type), builder.input("g", array.type)
    updates = Updates.of(builder, optimizer)
    updates.loss_factor = scale.begin(updates)
    scale.emit(updates, optimizer, [Weight(array, p, g)])
    function = Function(
        builder.graph([ops.reduce_sum(g, (0, 1)), *updates.writes.values()]),
        {p: "p"} | updates.reads,
        ("seen",),
        tuple(updates.writes),
        training=True,
    )
    return Program({"update": function}, {"p": array} | updates.slots)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_dynamic_loss_scale_equals_keras(backend):
    """The scale grows after four finite steps in a row; a non-finite step changes nothing else."""
    keras = pytest.importorskip("keras")
    pytest.importorskip(backend if backend != "reference" else "numpy")
    inner = keras.optimizers.SGD(0.1, 0.9)
    theirs = keras.optimizers.LossScaleOptimizer(inner, 64.0, dynamic_growth_steps=4)
    variable = keras.Variable(START)
    theirs.build([variable])
    scale = db.DynamicLossScale(64.0, growth_steps=4)
    optimizer = db.SGD.keras(0.1, 0.9)
    program = scaled_program(scale, optimizer)
    executable = load_backend(backend).compile(program, "cpu")
    slots = {n: a.initializer.sample(None, a.shape) for n, a in program.state.items()}
    executable.write(slots | {"p": START})
    scales = []
    for step, gradient in enumerate(GRADIENTS[:24]):
        given = gradient * np.float32(theirs.dynamic_scale)
        if step in (5, 6, 15):
            given[3, 1] = (np.inf, -np.inf, np.nan)[step % 3]
        theirs.apply([keras.ops.convert_to_tensor(given)], [variable])
        feeds = {f"scalar:{n}": np.array([v]) for n, v in optimizer.host_scalars(step).items()}
        executable.run("update", feeds | {"g": given[None]}, 1)
        scales.append(float(executable.read()["loss_scale:scale"]))
        assert scales[-1] == float(theirs.dynamic_scale)
    assert scales[4:8] == [128.0, 64.0, 32.0, 32.0]
    assert scales[-1] > 32.0
    assert_near(executable.read()["p"], np.asarray(variable), 1e-5, backend)
