"""The error for an unknown kind names few kinds, and only such as fit."""

from __future__ import annotations

import json

import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError

DENSE = ("model", "layers", 1)
EXPERIMENT = db.Experiment(
    db.Sequential([db.Input((4,)), db.Dense(3)]), "mse", "adam", metrics=["accuracy"]
).to_dict()


def error_of(*path, kind):
    data = json.loads(json.dumps(EXPERIMENT))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = {"kind": kind}
    with pytest.raises(SpecError, match=r"unknown kind") as caught:
        db.Experiment.from_dict(data)
    return caught.value


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        (("loss",), "loss.Huberr", "Did you mean 'loss.Huber'? The field takes a loss"),
        (("loss",), "mse", "Did you mean 'loss.MeanSquaredError'?"),
        (("loss",), "initializer.glorot_uniform", "initializer.GlorotUniform is an initializer."),
        (("metrics", 0), "Dense", "layer.Dense is a layer. The field takes a metric or a loss"),
        ((*DENSE, "activation"), "relu", "Did you mean 'activation.ReLU'?"),
        ((*DENSE, "kernel_initializer"), "loss.Huber2", "The field takes an initializer"),
        (("model",), "Sequentiel", "Did you mean 'layer.Sequential'?"),
        (DENSE, "layer.Qqq", "unknown kind, got 'layer.Qqq'. The field takes a layer"),
        (("seed",), "mse", "loss.MeanSquaredError"),
    ],
)
def test_it_names_what_the_field_takes(path, kind, says):
    error = error_of(*path, kind=kind)
    assert says in str(error)
    assert len(str(error)) < 320
    assert error.got == repr(kind)


def test_the_outer_of_two_unknown_kinds_is_named():
    data = {"kind": "layer.Densse", "units": 3, "activation": {"kind": "activation.Rel"}}
    with pytest.raises(SpecError, match=r"'layer.Densse'"):
        db.AbstractLayer.from_dict(data)


def test_a_few_kinds_are_listed():
    with pytest.raises(SpecError, match=r"'layer.Dens'.* Known: layer.Dense\."):
        db.Dense.from_dict({"kind": "layer.Dens"})


def test_a_kind_in_a_dictionary_of_a_field():
    data = EXPERIMENT | {"regularizers": {"*/kernel": {"kind": "L3"}}}
    with pytest.raises(SpecError, match=r"regularizers.*unknown kind.* regularizer"):
        db.Experiment.from_dict(data)
