"""Plain MindSpore files: they run without dnnbridge, and go on as the run does."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from formats.plain_models import EXAMPLES, LONG, QUICK, mlp, residual, sequences

import dnnbridge as db
from dnnbridge.errors import ConversionError, DTypeError
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES

needs_mindspore = pytest.mark.skipif(
    importlib.util.find_spec("mindspore") is None, reason="MindSpore is not installed"
)
BATCH = 8


def written(folder, name, batch_size, experiment, inputs, labels):
    """Train for an epoch and write the run; return what it does next."""
    run = db.compile(experiment, "reference")
    x = dict(zip(experiment.model.input_types, inputs, strict=True))
    keys = [head.output for head in experiment.heads]
    y = dict(zip(keys, labels, strict=True)) if keys != [""] else labels[0]
    run.fit(x, y, epochs=1, batch_size=batch_size)
    run.export(folder / f"{name}.py", format="python-mindspore")
    arrays = {f"x{i}": array for i, array in enumerate(inputs)}
    arrays |= {f"y{i}": array for i, array in enumerate(labels)}
    arrays["batch_size"] = batch_size
    np.savez(folder / f"{name}.in.npz", **arrays)
    before = run.predict(x)
    losses = run.fit(x, y, epochs=2, batch_size=batch_size).history["loss"]
    return as_list(before), losses, as_list(run.predict(x))


def as_list(predictions):
    return list(predictions.values()) if isinstance(predictions, dict) else [predictions]


def run_elsewhere(folder):
    """Run the files in a process that finds MindSpore and NumPy, and no dnnbridge."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    script = Path(__file__).with_name("run_plain.py")
    command = [sys.executable, "-P", str(script), str(folder)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1000
    )
    assert not done.returncode, done.stdout + done.stderr


def check(folder, models, batch_size):
    """Compare each file with its run; a loss of an epoch is the mean over the examples."""
    wanted = {name: written(folder, name, batch_size, *make()) for name, make in models.items()}
    run_elsewhere(folder)
    sizes = [min(batch_size, EXAMPLES - first) for first in range(0, EXAMPLES, batch_size)]
    for name, (before, losses, after) in wanted.items():
        with np.load(folder / f"{name}.out.npz") as found:
            for i, (old, new) in enumerate(zip(before, after, strict=True)):
                close(found[f"before{i}"], old, 2e-6, f"{name} before")
                close(found[f"after{i}"], new, 2e-5, f"{name} after")
            epochs = found["losses"].reshape(2, -1) @ sizes / EXAMPLES
        np.testing.assert_allclose(epochs, losses, rtol=5e-6, err_msg=name)


def close(found, wanted, tolerance, what):
    assert found.shape == wanted.shape
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert error < tolerance, f"{what}: {error}"


@needs_mindspore
def test_files_go_on_as_the_run_does(tmp_path):
    check(tmp_path, QUICK, BATCH)


@needs_mindspore
@pytest.mark.slow
def test_more_files_go_on_as_the_run_does(tmp_path):
    check(tmp_path, LONG, EXAMPLES // 2)  # one size: MindSpore compiles each only once


def source_of(tmp_path, experiment):
    run = db.compile(experiment, "reference")
    return run.export(tmp_path / "model.py", "python-mindspore").read_text(encoding="utf-8")


def test_the_source_is_made_of_layers_of_mindspore(tmp_path):
    text = source_of(tmp_path, mlp()[0])
    assert "self.dense = nn.Dense(6, 8)" in text
    assert "nn.SGD(" in text
    assert "dnnbridge" not in re.sub(r'""".*?"""', "", text, flags=re.S)


def test_channels_move_once_for_a_chain_of_convolutions(tmp_path):
    """A shortcut, a normalisation and an activation leave them where they are."""
    text = source_of(tmp_path, residual()[0])
    net = text[text.index("class Net") : text.index("class Loss")]
    assert net.count("ops.transpose") == 1
    assert "ops.mean(depthwise_conv2d, (2, 3))" in net


def test_equal_layers_share_a_class(tmp_path):
    layers = [db.GRU(4, return_sequences=True), db.GRU(4, return_sequences=True)]
    text = source_of(tmp_path, sequences(layers, "mse", "sgd")[0])
    assert text.count("class GRU") == 1


HOSTILE = ('"""\nimport os\n', "'''; import os; '''", "a\\", "{x}")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_becomes_code(tmp_path, name):
    """All that the file imports is what it needs."""
    x = db.Input((3,))
    model = db.Model(x, db.Dense(1)(x))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    folder = tmp_path / "folder"
    folder.mkdir()
    file = re.sub("[/\0]", "_", name) + ".py"
    tree = ast.parse(run.export(folder / file, "python-mindspore").read_text(encoding="utf-8"))
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imports == {"Path", "hashlib", "mindspore", "nn", "numpy", "ops"}
    assert (folder / file).with_suffix(".ckpt").exists()


def test_what_cannot_be_written_is_named_at_once(tmp_path):
    made = mlp()[0].replace(loss_scale=db.DynamicLossScale(), accumulate=2)
    with pytest.raises(ConversionError, match=r"(?s)loss_scale.*accumulate"):
        source_of(tmp_path, made)


def test_a_schedule_that_listens_is_named(tmp_path):
    made = mlp()[0].replace(optimizer=db.SGD(db.Plateau(0.1)))
    with pytest.raises(ConversionError, match="Plateau"):
        source_of(tmp_path, made)


@needs_mindspore
@pytest.mark.parametrize(
    "layer",
    [
        db.MaxPooling2D((2, 3), dilation_rate=(3, 2)),
        db.MaxPooling2D(2, ceil_mode=True),
        db.AveragePooling2D(3, 2, ceil_mode=True),
    ],
)
def test_pools_with_ceil_mode_or_dilation_are_not_the_plain_ones(layer):
    model = db.Sequential([db.Input((6, 5, 3)), layer, db.Flatten(), db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)
    close(db.to_mindspore(run).predict(x), run.predict(x), 2e-6, "prediction")


@needs_mindspore
def test_live_objects_go_on_as_the_run_does():
    import mindspore as ms

    experiment, inputs, labels = mlp()
    run = db.compile(experiment, "reference")
    run.fit(inputs[0], labels[0], epochs=1, batch_size=BATCH)
    made = db.to_mindspore(run)
    assert type(made.optimizer) is ms.nn.SGD
    close(made.predict(*inputs), run.predict(inputs[0]), 2e-6, "before")
    losses = made.train(*inputs, *labels, epochs=1, batch_size=EXAMPLES)
    wanted = run.fit(inputs[0], labels[0], epochs=1, batch_size=EXAMPLES).history["loss"]
    np.testing.assert_allclose(losses, wanted, rtol=5e-6)
    close(made.predict(*inputs), run.predict(inputs[0]), 2e-6, "after")


def test_to_mindspore_takes_a_run():
    with pytest.raises(DTypeError, match="to_mindspore"):
        db.to_mindspore(mlp()[0])


def test_a_layer_that_replaces_its_weights_is_refused(tmp_path):
    model = db.Sequential([db.Input((4,)), db.SpectralNormalization(db.Dense(3))])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match="layer/kernel: a layer replaces this weight"):
        run.export(tmp_path / "model.py", "python-mindspore")
    assert not list(tmp_path.iterdir())


def layer_cases():
    for case in EQUATION_CASES:
        layer = case.spec
        if isinstance(layer, db.AbstractActivation):
            layer = db.Activation(layer)
        refused = "SpectralNormalization" in case.id or "stateful" in case.id
        refused |= any(each.text for each in case.types)
        if isinstance(layer, db.AbstractLayer) and not refused:
            yield pytest.param(layer, case.inputs, id=case.id)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::dnnbridge.base.warning.UnadaptedWarning")
@pytest.mark.parametrize(("layer", "arrays"), list(layer_cases()))
def test_every_layer_can_be_written(tmp_path, layer, arrays):
    inputs = [
        db.Input(a.shape[1:], "int32" if a.dtype.kind == "i" else "float32", name=f"in{i}")
        for i, a in enumerate(arrays)
    ]
    made = layer(*inputs)
    first = made[0] if isinstance(made, tuple | list) else made
    (type,) = db.Model(inputs, first).output_types.values()
    first = db.Cast("float32")(first) if type.dtype != "float32" else first
    model = db.Model(inputs, db.Dense(1)(db.Flatten()(first)))
    ast.parse(source_of(tmp_path, db.Experiment(model, "mse", "sgd")))
