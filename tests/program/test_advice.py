"""Compiling warns about a model whose last layer does not fit its loss, and about no other."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import main

PER_CLASS = (
    db.SparseCategoricalCrossentropy,
    db.CategoricalCrossentropy,
    db.CategoricalFocalCrossentropy,
    db.KLDivergence,
)
BINARY = db.BinaryCrossentropy, db.BinaryFocalCrossentropy


def ending_with(*layers, shape=(6,)):
    return db.Sequential([db.Input(shape), *layers])


def experiment(model, loss, metrics=()):
    return db.Experiment(model, loss, db.SGD(0.1), metrics)


ENDS = {
    "dense": lambda act: ending_with(db.Dense(3, act)),
    "activation": lambda act: ending_with(db.Dense(3), db.Activation(act)),
    "nested": lambda act: ending_with(ending_with(db.Dense(3, act))),
    "linear-after": lambda act: ending_with(db.Dense(3, act), db.Activation("linear")),
    "without_bias": lambda act: ending_with(db.Dense(3, act, use_bias=False)),
    "convolution": lambda act: ending_with(db.Conv1D(3, 2, activation=act), shape=(5, 2)),
    "channels_first": lambda act: ending_with(
        db.Conv1D(3, 2, activation=act, data_format="channels_first"),
        db.Permute((2, 1)),
        shape=(2, 5),
    ),
}


@pytest.mark.parametrize("loss", [*PER_CLASS, *BINARY])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_linear_outputs_are_no_probabilities(end, loss):
    if end is ENDS["nested"] and loss in BINARY:
        end = ENDS["dense"]
    with pytest.warns(db.LogitsWarning, match=f"loss: {loss.__name__} reads the linear outputs"):
        db.compile(experiment(end("linear"), loss()), "reference")


@pytest.mark.parametrize("loss", [*PER_CLASS, *BINARY])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_are_no_logits(activation, loss):
    for name, end in ENDS.items():
        if name == "channels_first":
            continue  # after a Permute, the classes cannot be identified
        with pytest.warns(db.LogitsWarning, match=rf"from_logits=True.*final {activation}"):
            db.compile(experiment(end(activation), loss(from_logits=True)), "reference")


def test_what_fits_is_not_warned_of():
    good = [
        (end(activation), loss())
        for end in ENDS.values()
        for loss in (*PER_CLASS, *BINARY)
        for activation in ("softmax", "sigmoid")
    ]
    good += [(end("linear"), loss(from_logits=True)) for end in ENDS.values() for loss in PER_CLASS]
    good += [(ending_with(db.Dense(3, "relu")), db.CategoricalCrossentropy())]
    good += [(ending_with(db.Dense(3)), db.MeanSquaredError()), (_mixture(), PER_CLASS[0]())]
    for model, loss in good:
        db.compile(experiment(model, loss), "reference")


def _mixture():
    """Outputs that are a sum of two softmaxes."""
    x = db.Input((6,))
    return db.Model(x, db.Average()(db.Dense(3, "softmax")(x), db.Dense(3, "softmax")(x)))


def test_each_head_and_metric_has_its_own():
    x = db.Input((6,))
    kind, flag = db.Dense(3, name="kind")(x), db.Dense(2, "sigmoid", name="flag")(x)
    heads = [
        db.Head("kind", db.SparseCategoricalCrossentropy(from_logits=True)),
        db.Head("flag", db.MeanSquaredError(), metrics=[db.BinaryCrossentropy(from_logits=True)]),
    ]
    with pytest.warns(db.LogitsWarning) as found:
        db.compile(db.Experiment(db.Model(x, [kind, flag]), heads, db.SGD(0.1)), "reference")
    assert [str(w.message).partition(": ")[0] for w in found] == ["flag_binary_crossentropy"]
    assert found[0].filename == __file__


@pytest.mark.parametrize("command", ["train", "compare"])
def test_the_command_line_says_it_once(command, tmp_path, monkeypatch):
    file = tmp_path / "experiment.json"
    model = ending_with(db.Dense(10), shape=(64,))
    file.write_text(experiment(model, db.SparseCategoricalCrossentropy()).to_json())
    given = ["--data", "digits", "--epochs", "1", "--batch-size", "500"]
    given += ["--backend", "reference"] if command == "train" else []
    given += ["--backends", "reference,tensorflow"] if command == "compare" else []
    # The workers of a comparison write into files of their own.
    compare = importlib.import_module("dnnbridge.cli.compare")
    for name in ("_train_and_compare", "_print", "_write"):
        monkeypatch.setattr(compare, name, lambda *given: None)
    result = CliRunner().invoke(main, [command, str(file), *given])
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if "warning" in line.lower()]
    assert line.startswith("warning: loss: SparseCategoricalCrossentropy reads the linear outputs")
    assert line.endswith("or a sigmoid.")


def test_a_warning_stops_nothing():
    with pytest.warns(db.LogitsWarning):
        run = db.compile(experiment(ENDS["dense"]("linear"), PER_CLASS[0]()), "reference")
    assert np.isfinite(run.evaluate(np.ones((4, 6)), np.zeros(4, int))["loss"])
