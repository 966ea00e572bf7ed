"""Bad JSON of experiments, schedules and optimizers: what a hand or a program may write."""

from __future__ import annotations

import json

from robustness.row import experiment, row

import dnnbridge as db
from dnnbridge.errors import ShapeError, SpecError

GOOD = experiment().to_dict()


def changed(*path, value=None, drop=False):
    """Return the JSON of an experiment in which one place has another value."""
    data = json.loads(json.dumps(GOOD))
    place = data
    for key in path[:-1]:
        place = place[key]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


def read(text):
    return lambda c: db.Experiment.from_json(text)


DENSE = ("model", "layers", 1)

ROWS = {
    "empty": row(read(""), SpecError, "not JSON", "''"),
    "half": row(read(json.dumps(GOOD)[:100]), SpecError, "not JSON", "to_json()"),
    "a-list": row(read("[1, 2]"), SpecError, "not an experiment"),
    "null": row(read("null"), SpecError, "not an experiment"),
    "a-number": row(read("3"), SpecError, "not an experiment"),
    "python": row(read("{'format': 1}"), SpecError, "not JSON"),
    "yaml": row(read("format: 1\nkind: Experiment"), SpecError, "not JSON"),
    "bytes-of-another-coding": row(
        lambda c: db.Experiment.from_json(b"\xff\xfe{}"), SpecError, "not JSON"
    ),
    "none": row(lambda c: db.Experiment.from_json(None), SpecError, "not JSON", "None"),
    "deep": row(read("[" * 5000), SpecError, "nested", "100"),
    "two-values": row(read(json.dumps(GOOD) * 2), SpecError, "not JSON"),
    "a-number-of-5000-digits": row(
        read(changed("seed", value=0).replace('"seed": 0', '"seed": ' + "9" * 5000)),
        SpecError,
        "not JSON",
    ),
    "keras-model": row(
        read('{"class_name": "Sequential", "config": {}}'), SpecError, "not an experiment"
    ),
    "without-format": row(read(changed("format", drop=True)), SpecError, "not an experiment"),
    "format-of-the-future": row(read(changed("format", value=99)), SpecError, "format", "99"),
    "format-a-text": row(read(changed("format", value="1")), SpecError, "format", "'1'"),
    "kind-of-the-whole": row(read(changed("kind", value="Layer")), SpecError, "not an experiment"),
    "kind-a-list": row(
        read(changed(*DENSE, "kind", value=["layer.Dense"])), SpecError, "model.layers[1]", "kind"
    ),
    "kind-null": row(read(changed(*DENSE, "kind", value=None)), SpecError, "layers[1]", "None"),
    "kind-misspelt": row(
        read(changed(*DENSE, "kind", value="layer.Dens")), SpecError, "layers[1]", "layer.Dense"
    ),
    "kind-of-a-module": row(
        read(changed(*DENSE, "kind", value="os.system")), SpecError, "layers[1]", "os.system"
    ),
    "kind-private": row(
        read(changed(*DENSE, "kind", value="__class__")), SpecError, "layers[1]", "__class__"
    ),
    "kind-abstract": row(
        read(changed(*DENSE, "kind", value="layer.AbstractLayer")), SpecError, "AbstractLayer"
    ),
    "kind-of-another-family": row(
        read(changed(*DENSE, value={"kind": "loss.MeanSquaredError"})), SpecError, "layers"
    ),
    "kind-of-another-family-without-it": row(
        read(changed("loss", value={"kind": "GlorotUniform"})),
        SpecError,
        "loss: unknown kind",
        "initializer.GlorotUniform is an initializer. The field takes a loss",
    ),
    "kind-an-object": row(
        read(changed("loss", value={"kind": {"kind": "initializer.GlorotUniform"}})),
        SpecError,
        "loss: unknown kind",
        "Write a text",
    ),
    "kind-of-an-optimizer": row(
        read(changed("optimizer", value={"kind": "optimizer.Adm"})),
        SpecError,
        "Did you mean 'optimizer.Adam'? The field takes an optimizer",
    ),
    "layer-null": row(read(changed(*DENSE, value=None)), SpecError, "layers[1]"),
    "layer-without-kind": row(read(changed(*DENSE, "kind", drop=True)), SpecError, "layers[1]"),
    "layers-a-text": row(read(changed("model", "layers", value="Dense")), SpecError, "layers"),
    "layers-empty": row(read(changed("model", "layers", value=[])), SpecError, "layers"),
    "field-unknown": row(read(changed(*DENSE, "unit", value=3)), SpecError, "layers[1]", "unit"),
    "field-missing": row(
        read(changed(*DENSE, "units", drop=True)), SpecError, "layers[1].Dense.units"
    ),
    "field-private": row(read(changed(*DENSE, "__init__", value=3)), SpecError, "__init__"),
    "field-self": row(read(changed(*DENSE, "self", value=3)), SpecError, "self"),
    "field-a-list": row(read(changed(*DENSE, "units", value=[3])), SpecError, "units", "[1]"),
    "units-a-text": row(read(changed(*DENSE, "units", value="3")), SpecError, "units", "'3'"),
    "units-infinite": row(
        read(changed(*DENSE, "units", value=float("inf"))), SpecError, "units", "inf"
    ),
    "name-a-tag": row(
        read(changed(*DENSE, "name", value="<script>")), SpecError, "unique", "<script>"
    ),
    "name-code": row(
        read(changed(*DENSE, "name", value='"); import os; ("')), SpecError, "import os"
    ),
    "name-line": row(read(changed(*DENSE, "name", value="a\nb")), SpecError, "layer"),
    "activation-an-object": row(
        read(changed(*DENSE, "activation", value={"kind": "layer.Dense", "units": 1})),
        SpecError,
        "activation",
    ),
    "shape-below-0": row(
        read(changed("model", "layers", 0, "shape", value=[-4])), SpecError, "shape", "-4"
    ),
    "shape-of-100-axes": row(
        read(changed("model", "layers", 0, "shape", value=[1] * 100)), ShapeError, "101 axes"
    ),
    "loss-missing": row(read(changed("loss", drop=True)), SpecError, "loss"),
    "loss-null": row(read(changed("loss", value=None)), SpecError, "loss", "None"),
    "optimizer-an-object": row(read(changed("optimizer", value={})), SpecError, "optimizer"),
    "rate-null": row(
        read(changed("optimizer", value={"kind": "optimizer.SGD", "learning_rate": None})),
        SpecError,
        "learning_rate",
        "None",
    ),
    "rate-nan": row(
        read(changed("optimizer", value={"kind": "optimizer.SGD", "learning_rate": float("nan")})),
        SpecError,
        "learning_rate",
        "nan",
    ),
    "rate-no-float": row(
        read(changed("optimizer", value={"kind": "optimizer.SGD", "learning_rate": 10**400})),
        SpecError,
        "optimizer.SGD.learning_rate",
    ),
    "metric-null": row(read(changed("metrics", value=[None])), SpecError, "metrics", "None"),
    "metric-a-function": row(
        read(changed("metrics", value=["__main__.f"])), SpecError, "metrics", "__main__.f"
    ),
    "seed-a-fraction": row(read(changed("seed", value=0.5)), SpecError, "seed", "0.5"),
    "seed-huge": row(read(changed("seed", value=-(10**40))), SpecError, "seed"),
    "frozen-a-number": row(read(changed("frozen", value=[3])), SpecError, "frozen", "3"),
    "frozen-a-pattern-without-end": row(
        read(changed("frozen", value=["[" * 50])), SpecError, "frozen"
    ),
    "regularizers-a-list": row(read(changed("regularizers", value=[1])), SpecError, "regularizers"),
    "surplus-field": row(read(changed("callbacks", value=[])), SpecError, "callbacks"),
    "from-dict-a-key": row(
        lambda c: db.Dense.from_dict({"kind": "layer.Dense", "units": 3, 4: 5}), SpecError, "4"
    ),
    "from-dict-itself": row(lambda c: db.Experiment.from_dict(_endless()), SpecError, "nested"),
    "of-another-class": row(
        lambda c: db.SGD.from_json(db.Dense(3).to_json()), SpecError, "expected"
    ),
    "schedule-of-a-schedule": row(
        lambda c: db.CosineDecay.from_json('{"kind": "schedule.CosineDecay"}'),
        SpecError,
        "initial_learning_rate",
    ),
}


def _endless():
    """Return a dictionary that holds itself."""
    made = dict(GOOD)
    made["model"] = made
    return made
