"""Every checkpoint loads in a new process and predicts there what it predicts here.

Each kind of layer, models of the zoo, trainings of the suite, and layers of one's own are saved in
this process and loaded by another, which has no program or object of this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from new_process import predictions_elsewhere
from own_layers import ClosedOver, OneField, OwnBlock, SameName, TiedTable

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.hostile_cases import HOSTILE_CASE
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.testing.subject import Subject

RNG = np.random.default_rng(0)


@dataclass(frozen=True, eq=False)
class Saved:
    """An experiment whose run is saved, and the inputs of its predictions.

    Attributes:
        y: labels for one epoch of training before that, if any.
    """

    experiment: db.Experiment
    x: object
    y: object = None


def with_floats(model):
    """Return a model whose outputs are no whole numbers, for which there is no loss."""
    if all(type.dtype == "float32" for type in model.output_types.values()):
        return model
    types = model.input_types.items()
    inputs = [db.Input(t.data_shape[1:], t.kind, n) for n, t in types]
    made = model(*inputs)
    outputs = made if isinstance(made, tuple) else (made,)
    return db.Model(inputs, [db.Cast("float32")(each) for each in outputs])


def of_model(model, *arrays, y=None):
    """Return an experiment of a model with any number of outputs."""
    model = with_floats(model)
    loss = [db.Head(name, db.MeanSquaredError()) for name in model.output_names]
    names = list(model.input_types)
    x = {name: np.asarray(a) for name, a in zip(names, arrays, strict=True)}
    whole = loss if len(loss) > 1 else db.MeanSquaredError()
    return Saved(db.Experiment(model, whole, db.Adam(0.01), seed=5), x, y)


def layers():
    """Yield every kind of layer, called twice by a model. MSE accepts any output shape."""
    for case in EQUATION_CASES:
        if case.id.endswith("-twice"):
            yield case.id, of_model(case.spec, *case.inputs)


def own():
    """Yield user-defined layers, in both kinds of models, and inside another layer."""
    dense, x = db.Dense(4), db.Input((4,))
    kinds = SameName(dense, dense), SameName(dense, db.Dense(4)), OneField(OwnBlock())
    for k, layer in enumerate((*kinds, ClosedOver(), TiedTable(dense), OwnBlock())):
        given = RNG.normal(size=(7, 4))
        head = db.Dense(2)
        called = db.Model(x, db.Add()(head(layer(x)), head(layer(layer(x)))))
        yield f"own-{k}-model", of_model(called, given, y=given[:, :2])
        nested = db.Sequential([db.Input((4,)), db.Sequential([db.Input((4,)), layer]), layer])
        yield f"own-{k}-sequential", of_model(nested, given, y=given)


def of_the_zoo():
    """Yield small models of the zoo."""
    small, words = RNG.normal(size=(2, 6, 5)), RNG.integers(0, 50, (3, 12))
    yield "zoo-resnet", of_model(zoo.resnet_cifar(20, (8, 8, 3), 3), RNG.normal(size=(2, 8, 8, 3)))
    yield "zoo-lenet", of_model(zoo.lenet5(classes=3), RNG.normal(size=(2, 28, 28, 1)))
    yield "zoo-lstm", of_model(zoo.lstm_classifier(50, 12, 3, 8, 8), words)
    yield "zoo-transformer", of_model(zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2), words)
    yield "zoo-variational", of_model(zoo.variational_autoencoder((6, 5), (9, 4)), small)


def trainings():
    """Yield some trainings of the suite: optimizers, heads, schedules and rules."""
    for case in [*TRAINING_CASES[::3], HOSTILE_CASE]:
        yield f"train-{case.id}", Saved(case.experiment, case.x, case.y)


SHORT = ("MadeOfLayers-", "own-1-model", "own-2-sequential")
"""Beginnings of the names that the frameworks run, because they compile slowly."""


def saved(folder, backend, chosen):
    """Save the chosen cases, and return their predictions in this process."""
    expected, subject = {}, Subject(load_backend(backend))
    for name, case in chosen.items():
        run = subject.run(case.experiment)
        if case.y is not None:
            run.fit(case.x, case.y, on_nonfinite="warn", verbose=0)
        (only, *_) = case.experiment.model.input_types
        x = case.x if isinstance(case.x, dict) else {only: case.x}
        run.save(folder / f"{name}.safetensors")
        np.savez(folder / f"{name}.npz", **x)
        made = run.predict(x)
        expected[name] = made if isinstance(made, dict) else {"prediction": made}
    return expected


@pytest.mark.parametrize(
    "backend",
    ["reference", *(pytest.param(n, marks=pytest.mark.slow) for n in ("tensorflow", "mindspore"))],
)
def test_every_checkpoint_loads_in_a_new_process(backend, tmp_path):
    if backend != "reference":
        pytest.importorskip(backend)
    every = dict([*layers(), *own(), *of_the_zoo(), *trainings()])
    chosen = {n: c for n, c in every.items() if backend == "reference" or n.startswith(SHORT)}
    expected = saved(tmp_path, backend, chosen)
    found = predictions_elsewhere(tmp_path, backend)
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        assert "error" not in found[name], f"{name}: {found[name].get('error')}"
        assert found[name].keys() == arrays.keys(), name
        for output, array in arrays.items():
            allowed = 0.0 if backend == "reference" else 1e-5  # kernels may differ
            np.testing.assert_allclose(found[name][output], array, allowed, allowed, err_msg=name)
