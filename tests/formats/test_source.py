"""The parts of plain Python files: batches, identifiers, expressions."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.formats.source.batches import IMPORTS, batches_source
from dnnbridge.formats.source.expressions import WIDTH, Code, call, literal, wrapped
from dnnbridge.formats.source.names import Names
from dnnbridge.formats.trained import Trained


def a_run(steps_done=0, batch_size=4, count=10):
    model = db.Sequential([db.Input((1,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.0), seed=3), "reference")

    class Stop(db.Callback):
        def on_steps_end(self, run, losses):
            if run.position.step == steps_done:
                run.stop()

    if steps_done:
        x = np.zeros((count, 1))
        run.fit(x, x, batch_size, 9, steps_per_call=1, callbacks=[Stop()])
    return run


def functions_of(run):
    """Return what the text for a run defines."""
    p = run.position
    now = (p.step, p.epoch, p.batch, p.examples, p.batch_size)
    found = {}
    text = batches_source(Trained(run.experiment, run.optimizer, run.state(), *now))
    exec("\n".join([*IMPORTS, text]), found)
    return found


def fed(run, count, batch_size, epochs, shuffle):
    """Return the losses of the steps of `fit`, which name the examples of each step."""
    y = 2.0 ** np.arange(count)[:, None]
    run.set_weights({name: np.zeros_like(array) for name, array in run.weights().items()})
    run.fit(np.zeros((count, 1)), np.sqrt(y), batch_size, epochs, shuffle=shuffle)
    return run.history.step_losses


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    ("steps_done", "count", "batch_size"),
    [(0, 10, 4), (0, 3, 8), (7, 10, 4), (6, 10, 4), (7, 10, 5), (7, 9, 4)],
)
def test_the_text_gives_the_batches_that_fit_trains(steps_done, count, batch_size, shuffle):
    run = a_run(steps_done)
    found = list(functions_of(run)["batches"](count, batch_size, 2, shuffle))
    numbers = 2.0 ** np.arange(count)
    losses = fed(run, count, batch_size, 2, shuffle)
    np.testing.assert_allclose([numbers[rows].mean() for _, rows in found], losses, rtol=1e-6)
    assert found[0][0] == steps_done // 3


def test_identifiers_are_unique_and_never_code():
    names = Names(["keras"])
    given = ["a/b", "a.b", "keras", "print", "import os", "", "é", "1", "match", "a/b"]
    made = [names.of(name) for name in given]
    assert len(set(made)) == len(made)
    assert all(name.isidentifier() and name.isascii() for name in made)
    assert not {"keras", "print", "match"} & set(made)


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 1e-300, 0.1, float("inf"), "a'\"\\\n", [1, (2,), ()], {"a": {1: None}}],
    ids=str,
)
def test_literals_have_the_value(value):
    assert eval(literal(value)) == value


def test_what_has_no_literal_is_refused():
    with pytest.raises(TypeError):
        literal(object())


@pytest.mark.parametrize(
    "line",
    [
        "x = f(" + ", ".join(f"'argument number {i}, (with a bracket'" for i in range(9)) + ")",
        "x = " + "a" * 90 + "[0]",
        "x = (" + " + ".join(["value"] * 30) + ")",
        "x = [" + ", ".join(f"({i}, 'name {i}')" for i in range(20)) + "]",
        "x = f(" + repr({f"key {i}": [0.5] * 20 for i in range(3)}) + ")(1, " + "'b' " * 30 + ")",
    ],
)
def test_broken_lines_mean_the_same(line):
    assert ast.dump(ast.parse(wrapped(line))) == ast.dump(ast.parse(line))


def test_lines_are_broken_where_they_are_long():
    text = wrapped(f"x = {call('f', [Code('y')], {f'argument_{i}': [i] * 9 for i in range(8)})}")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert wrapped("f(1)", 4) == "    f(1)"
