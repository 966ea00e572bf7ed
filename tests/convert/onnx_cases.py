"""Models for the tests of ONNX, and their arrays."""

from __future__ import annotations

import numpy as np

import dnnbridge as db
from dnnbridge.activations import AbstractActivation
from dnnbridge.layers import AbstractLayer, Activation
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.extreme_cases import EXTREME_CASES
from dnnbridge.testing.cases.twice_cases import MADE_OF_LAYERS


def _layer_cases():
    """Return the layer and the arrays of every case of a layer or an activation, by its name."""
    left_out = {id(case) for case in (*EXTREME_CASES, MADE_OF_LAYERS)}
    found = {}
    for case in EQUATION_CASES:
        spec = Activation(case.spec) if isinstance(case.spec, AbstractActivation) else case.spec
        texts = any(each.text for each in case.types)  # export refuses them
        finite = not texts and all(np.isfinite(array).all() for array in case.inputs)
        refused = case.id.endswith(("twice", "out_of_range")) or "-stateful" in case.id
        fits = case.batched and finite and not refused and id(case) not in left_out
        if fits and isinstance(spec, AbstractLayer):
            found[case.id] = (spec, case.inputs)
    return found


LAYER_CASES = _layer_cases()

ZOO = {
    "autoencoder": db.zoo.autoencoder,
    "dcgan-discriminator": lambda: db.zoo.dcgan().discriminator,
    "dcgan-generator": lambda: db.zoo.dcgan().generator,
    "lenet5": db.zoo.lenet5,
    "lstm_classifier": lambda: db.zoo.lstm_classifier(50, 12),
    "mlp": db.zoo.mlp,
    "resnet_cifar": db.zoo.resnet_cifar,
    "transformer_classifier": lambda: db.zoo.transformer_classifier(50, 12),
    "variational_autoencoder": db.zoo.variational_autoencoder,
}
"""The models of the zoo that are small, or small with these arguments."""


def model_of(layer, arrays):
    """Return a model of one layer, and its inputs by name."""
    inputs, feeds = [], {}
    for i, array in enumerate(arrays):
        dtype = "int32" if array.dtype.kind == "i" else "float32"
        inputs.append(db.Input(array.shape[1:], dtype, name=f"x{i}"))
        feeds[f"x{i}"] = array.astype(dtype)
    made = layer(*inputs)
    outputs = made if isinstance(made, tuple) else (made,)
    # A loss refuses whole numbers, and a mask of another rank than (batch, time).
    outputs = [db.Unmask()(each) for each in outputs]
    types = db.Model(inputs, outputs).output_types.values()
    outputs = [
        db.Cast("float32")(each) if type.dtype == "int32" else each
        for each, type in zip(outputs, types, strict=True)
    ]
    return db.Model(inputs, outputs), feeds


def run_of(model, backend="reference"):
    """Return a run with other weights than zeros and ones."""
    names = model.output_names
    loss = [db.Head(name, "mse") for name in names] if len(names) > 1 else "mse"
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1)), backend)
    rng = np.random.default_rng(0)
    state = {n: a + rng.normal(0.0, 0.1, a.shape).astype(a.dtype) for n, a in run.state().items()}
    state = {n: np.abs(a) + 0.1 if n.endswith("variance") else a for n, a in state.items()}
    run.set_state(state, run.position)
    return run


def feeds_of(model, count, seed=1):
    """Return random inputs by name."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, type in model.input_types.items():
        shape = type.concrete(count)
        if type.dtype == "float32":
            made[name] = rng.normal(size=shape).astype(np.float32)
        else:
            made[name] = rng.integers(0, 7, shape).astype(type.dtype)
    return made


def predicted(run, feeds):
    """Return the predictions in the order of the outputs."""
    made = run.predict(feeds if len(feeds) > 1 else next(iter(feeds.values())))
    return list(made.values()) if isinstance(made, dict) else [made]


def distance(made, expected):
    """Return the largest difference, in units of the largest number."""
    assert len(made) == len(expected)
    pairs = list(zip(made, expected, strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    assert all(np.array_equal(np.isnan(a), np.isnan(b)) for a, b in pairs)
    pairs = [(np.nan_to_num(a), np.nan_to_num(b)) for a, b in pairs]
    return max(np.abs(a - b).max() / (np.abs(b).max() + 1e-6) for a, b in pairs)


def check_read_back(run, path, feeds):
    """Compare a model that is read from a file with the run that wrote it, and return it."""
    imported = db.from_onnx(path)
    names = imported.model.output_names
    loss = [db.Head(name, "mse") for name in names] if len(names) > 1 else "mse"
    again = imported.replace(loss=loss, optimizer="sgd").compile("reference")
    assert distance(predicted(again, feeds), predicted(run, feeds)) < 1e-6
    return imported
