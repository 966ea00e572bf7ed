"""Loops inside a step: the reference's derivative, errors, and counts of operations."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base.randomness import Bernoulli
from dnnbridge.errors import DnnbridgeError
from dnnbridge.testing.cases.scan_cases import SCAN_CASES
from dnnbridge.testing.harness import equation

SHORT = [case for case in SCAN_CASES if case.gradient and case.inputs[-1].size < 200]


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.id)
def test_the_derivative_is_that_of_finite_differences(case):
    reference = load_backend("reference")
    built = equation(case.spec.emit, case.types, case.inputs)
    feeds = {name: np.asarray(array, np.float64) for name, array in built.feeds.items()}
    executable = reference.compile(built.program, "cpu")

    def run(changed):
        stacked = {name: array[None] for name, array in (feeds | changed).items()}
        results = executable.run("equation", stacked, 1)
        return {name: array[0] for name, array in results.items()}

    found = run({})
    gradients = {name[2:]: g for name, g in found.items() if name.startswith("d/")}
    assert gradients
    for name, gradient in gradients.items():
        for index in np.ndindex(gradient.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = feeds[name].copy()
                moved[index] += step
                sides.append((run({name: moved})["value"] * feeds["weights"]).sum())
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-6)


def written(step, carry=(None, 3)):
    """Return a model of a layer that loops 4 times over `step`."""

    @db.spec
    class Loop(db.AbstractLayer):
        def emit(self, scope, x):
            start = ops.slice(x, (0, 0), (None, carry[1]))
            return scope.scan(step, [start], [], 4)[0][0]

    return db.Sequential([db.Input((5,)), Loop(name="loop")])


def _updates(scope, carries, slices):
    scope.buffer("mean", (3,), db.Zeros())
    if scope.training:
        scope.update("mean", ops.reduce_sum(carries[0], 0))
    return carries, ()


BAD = {
    "carry": (lambda s, c, x: ([ops.reduce_sum(c[0], 1)], ()), "keep its type"),
    "random": (
        lambda s, c, x: ([c[0] * s.random("m", (None, 3), Bernoulli(0.5))], ()),
        "must not draw",
    ),
    "dtype": (lambda s, c, x: (c, [ops.argmax(c[0])]), "Scan takes float32"),
}


@pytest.mark.parametrize(("step", "what"), BAD.values(), ids=BAD)
def test_what_a_step_may_not_do(step, what):
    with pytest.raises(DnnbridgeError, match=what) as caught:
        written(step)
    assert "loop" in str(caught.value)


def test_a_buffer_in_a_loop_is_refused_in_training():
    model = written(_updates)
    with pytest.raises(DnnbridgeError, match="update buffers"):
        db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))


def test_the_source_for_mindspore_does_not_grow_with_the_steps():
    pytest.importorskip("mindspore")
    from dnnbridge_mindspore.generator import generate

    layers = [db.GRU(4), db.TimeDistributed(db.Dense(3, "softmax"))]
    for layer, has_derivative in zip(layers, (True, False), strict=True):
        sources = []
        for steps in (5, 500):
            model = db.Sequential([db.Input((steps, 3)), layer, db.Flatten()])
            experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
            sources.append(generate(experiment.program().functions["train"])[0])
        assert len(sources[0].splitlines()) == len(sources[1].splitlines())
        assert ("def bprop" in sources[0]) == has_derivative


def test_a_summary_counts_every_step():
    (row,) = written(lambda s, c, x: ([c[0] * 2.0], ())).summary().rows
    assert row.flops == 4 * 3
