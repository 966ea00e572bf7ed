"""A spec from a stranger is refused before it takes memory."""

from __future__ import annotations

import json

import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError
from dnnbridge.specs import limits
from dnnbridge.training.memory import check_memory

SMALL = db.Experiment(db.Sequential([db.Input((4,)), db.Dense(2)]), "mse", "sgd")


def nested(count):
    """Return the experiment with a model in a model in a model, as plain values."""
    data = SMALL.to_dict()
    first, layer = data["model"]["layers"]
    for _ in range(count):
        layer = {**data["model"], "layers": [first, layer]}
    return {**data, "model": layer}


def test_forty_models_in_each_other_are_read():
    made = db.Experiment.from_dict(nested(40))
    assert db.Experiment.from_json(made.to_json()) == made


@pytest.mark.parametrize("count", [60, 300])
def test_deeper_specs_are_refused(count):
    data = nested(count)
    with pytest.raises(SpecError, match="nested too deeply"):
        db.Experiment.from_dict(data)
    with pytest.raises(SpecError, match="nested too deeply"):
        db.Experiment.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '["[[[", ' * 200])
def test_deeper_text_is_refused_before_it_is_parsed(text):
    with pytest.raises(SpecError, match="nested too deeply"):
        db.Experiment.from_json(text)


def test_brackets_in_texts_do_not_count():
    with pytest.raises(SpecError, match="not an experiment"):
        db.Experiment.from_json(json.dumps({"kind": "Input", "shape": [1], "name": "[" * 500}))


def test_longer_text_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "CHARACTERS", 100)
    with pytest.raises(SpecError, match="too long"):
        db.Experiment.from_json(SMALL.to_json())


@pytest.mark.parametrize("units", [10**12, 2**63, 10**30])
def test_a_layer_that_does_not_fit_into_memory_is_refused(units):
    text = SMALL.to_json().replace('"units": 2', f'"units": {units}')
    with pytest.raises(SpecError, match="dense/kernel: the arrays of the model do not fit"):
        db.compile(db.Experiment.from_json(text), "reference")


def test_the_arrays_of_the_optimizer_count():
    program = SMALL.program()
    needed = 4 * (4 * 2 + 2) + 8 * 8
    check_memory(program, needed)
    with pytest.raises(SpecError):
        check_memory(program, needed - 1)
    with pytest.raises(SpecError):
        check_memory(SMALL.replace(optimizer=db.Adam()).program(), needed)
