"""`dnnbridge convert`: what it writes, checks and reports."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import conversion_report, conversion_targets, conversion_training, main
from dnnbridge.cli.conversion_checks import Check, of_losses, of_predictions
from dnnbridge.cli.conversion_facts import Facts
from dnnbridge.cli.conversion_sources import Given, data_of, read_source
from dnnbridge.cli.conversion_targets import given
from dnnbridge.doctor.rules import RULES

tool = pytest.importorskip("conversion_differences")


def convert(*arguments):
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.fixture
def checkpoint(tmp_path):
    model = db.Sequential([db.Input((4,)), db.Dense(5, "tanh"), db.Dense(3, name="head")])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.Adam(0.01), seed=4), "reference")
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(20, 4)).astype("float32"), draw.integers(0, 3, 20)
    run.fit(x, y, batch_size=8)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return run.save(tmp_path / "run.safetensors")


def reported(folder):
    return json.loads((folder / "report.json").read_text())


def test_a_checkpoint_becomes_plain_source_that_trains_on(checkpoint, tmp_path):
    pytest.importorskip("tensorflow")
    out, data = tmp_path / "out", tmp_path / "data.npz"
    options = ("-o", out, "--data", data, "--backend", "reference")
    done = convert(checkpoint, "--to", "tensorflow", *options)
    assert done.exit_code == 0, done.output
    names = {"model.py", "model.weights.h5", "REPORT.md", "report.json"}
    assert {p.name for p in out.iterdir() if p.is_file()} == names
    found = reported(out)
    kinds = [check["what"] for check in found["checks"]]
    assert kinds == [
        "predictions for random numbers",
        "predictions for data.npz",
        "losses of 50 training steps",
    ]
    assert max(check["difference"] for check in found["checks"]) < 1e-5
    assert found["step"] == 3
    assert found["files"] == ["model.py", "model.weights.h5"]
    assert found["native_differences"] == []
    assert "None is known: " in (out / "REPORT.md").read_text()


def test_a_check_that_fails_ends_with_status_1(checkpoint, tmp_path, monkeypatch):
    run = db.load(checkpoint, "reference")
    name = next(iter(run.experiment.model.input_types))

    def shifted(path, run):
        return conversion_targets.Target(lambda x: [run.predict(x[name]) + 1e-2])

    monkeypatch.setitem(conversion_targets.TARGETS, "keras", shifted)
    done = convert(checkpoint, "--to", "keras", "-o", tmp_path, "--backend", "reference")
    assert done.exit_code == 1
    assert "predictions for random numbers: FAILED" in done.output
    checks = reported(tmp_path)["checks"]
    assert [check["failed"] for check in checks] == [True, False]
    assert checks[1]["why"] == "the format only predicts"


def test_a_format_without_a_check_says_so(checkpoint, tmp_path, monkeypatch):
    monkeypatch.delitem(conversion_targets.TARGETS, "keras")
    done = convert(checkpoint, "--to", "keras", "-o", tmp_path, "--backend", "reference")
    assert done.exit_code == 0, done.output
    assert "not compared: this format is not run by this command" in done.output


WRONG = {
    "format": (("run.safetensors", "--to", "tflite"), "unknown format"),
    "source": (("data.npz", "--to", "keras"), "cannot be read"),
    "data": (
        ("run.safetensors", "--to", "keras", "--data", "run.safetensors"),
        "cannot be read as .npz",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_one_line(name, checkpoint, tmp_path):
    (source, *options), words = WRONG[name]
    options = [tmp_path / each if each.endswith(".safetensors") else each for each in options]
    done = convert(tmp_path / source, *options, "-o", tmp_path / "out", "--backend", "reference")
    assert done.exit_code == 1
    assert words in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("format", ["keras", "saved_model", "mindir", "mindspore"])
def test_every_format_is_checked(format, checkpoint, tmp_path):
    pytest.importorskip("tensorflow")
    pytest.importorskip("mindspore")
    done = convert(checkpoint, "--to", format, "-o", tmp_path / "out", "--backend", "reference")
    assert done.exit_code == 0, done.output
    trains = format in ("keras", "mindspore")
    compared = [check["difference"] is not None for check in reported(tmp_path / "out")["checks"]]
    assert compared == [True, trains]


def test_a_keras_file_is_compared_with_keras(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="scores")])
    model.save(tmp_path / "model.keras")
    out, source = tmp_path / "out", tmp_path / "model.keras"
    done = convert(source, "--to", "keras", "-o", out, "--backend", "reference")
    assert "Give --loss mse and --optimizer adam, or --spec" in done.output
    here = db.Sequential([db.Input((3,)), db.Dense(2)])
    (tmp_path / "spec.json").write_text(db.Experiment(here, "mse", "sgd").to_json())
    options = ("--spec", tmp_path / "spec.json", "--backend", "reference")
    done = convert(source, "--to", "keras", "-o", out, *options)
    assert done.exit_code == 0, done.output
    assert "predictions for random numbers of Keras itself, from model.keras: passed" in done.output
    found = reported(out)
    assert found["layers"][0]["name"] == "scores"
    assert found["checks"][-1]["why"].startswith("the file has no loss or no optimizer")
    assert "The optimizer is that of --spec." in found["notes"]


def keras_model(layers):
    """Return a compiled model that has made three steps of Keras."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((4,)), *layers(keras.layers)])
    made.compile(keras.optimizers.Adam(0.01), "mse")
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(24, 4)).astype("f4"), draw.normal(size=(24, 2)).astype("f4")
    made.fit(x, y, batch_size=8, verbose=0)
    return made


def test_training_is_compared_with_that_of_keras_from_the_file(tmp_path):
    model = keras_model(lambda k: [k.Dense(6, "tanh"), k.Dropout(0.4), k.Dense(2)])
    model.save(tmp_path / "model.keras")
    source = read_source(tmp_path / "model.keras", Given(), "reference")
    data = data_of(source.run, None)
    kept = [array.copy() for array in source.run.state().values()]
    losses = conversion_training.keras_losses(source.keras, source.run, data, True)
    assert len(losses) == 50
    quiet = conversion_training.without_dropout(source.run)
    quiet.fit(given(data.x), given(data.y), 8, 25)
    check = of_losses("losses", quiet.history.step_losses[:50], losses, 1e-2)
    assert check.difference < 1e-4
    for before, after in zip(kept, source.run.state().values(), strict=True):
        np.testing.assert_array_equal(before, after)
    changed = [loss * (1.02 if i == 40 else 1) for i, loss in enumerate(losses)]
    assert of_losses("losses", changed, losses, 1e-2).failed


def test_the_table_of_differences_is_that_of_the_page():
    assert tool.TABLE.read_text("utf-8") == tool.table()


def test_weights_of_mindspore_and_a_spec_become_a_keras_model(checkpoint, tmp_path):
    pytest.importorskip("keras")
    run = db.load(checkpoint, "reference")
    run.export(tmp_path / "net.py", "python-mindspore")
    (tmp_path / "spec.json").write_text(run.experiment.to_json())
    out = tmp_path / "out"
    ckpt, spec = tmp_path / "net.ckpt", tmp_path / "spec.json"
    options = ("--to", "keras", "-o", out, "--backend", "reference")
    done = convert(ckpt, "--spec", spec, *options)
    assert done.exit_code == 0, done.output
    rows = {row["name"]: row["here"] for row in reported(out)["layers"]}
    assert rows["head/kernel"] == "head.weight"
    weights = db.from_keras(out / "model.keras").weights
    for name, array in run.weights().items():
        np.testing.assert_array_equal(weights[name], array.astype("float32"))
    assert "without the model" in convert(ckpt, *options).output
    found = db.inspect(ckpt)
    assert found.format == "MindSpore checkpoint"
    assert "head.weight" in {array.name for array in found.arrays}


def concerns(model, format, loss="mse", optimizer="sgd", source="", trains=True, **more):
    """Return the rows of a report by id."""
    experiment = db.Experiment(model, loss, optimizer, **more)
    facts = Facts(experiment, experiment.optimizer, format, trains, source)
    return {row["id"]: row for row in conversion_report.differences(facts)}


def convolutions():
    return db.Sequential(
        [
            db.Input((6, 6, 1)),
            db.Conv2D(2, 3, padding="same", use_bias=False, name="first"),
            db.BatchNormalization(momentum=0.8, name="norm"),
            db.Flatten(),
            db.Dense(3, "softmax", name="scores"),
        ]
    )


def test_differences_have_the_layers_and_the_numbers_of_the_model():
    loss = "sparse_categorical_crossentropy"
    found = concerns(convolutions(), "python-mindspore", loss, db.Adam(epsilon=1e-5))
    assert "this model has 1e-05" in found["adam-epsilon"]["says"]
    assert found["batch-norm-defaults"]["where"] == "norm (epsilon 0.001, momentum 0.8)"
    assert found["conv-defaults"]["where"] == "first (padding 'same', no bias)"
    assert found["dense-layout"]["where"] == "scores (72, 3)"
    assert {"flatten-order", "sparse-mean-infinite"} <= found.keys()
    others = {"lamb-weight-decay", "lstm-biases", "momentum-changing-rate", "float32-schedule"}
    assert not others & found.keys()


def test_differences_that_the_conversion_does_not_meet_are_left_out():
    assert not concerns(convolutions(), "keras", "sparse_categorical_crossentropy", db.Adam())
    assert not concerns(convolutions(), "onnx", trains=False)
    found = concerns(convolutions(), "mindir", optimizer=db.Adam(), trains=False)
    assert "batch-norm-defaults" in found
    assert not {"adam-epsilon", "batch-norm-one", "mse-broadcast"} & found.keys()
    words = db.Sequential([db.Input((4,), "int32"), db.Embedding(9, 3), db.Flatten(), db.Dense(1)])
    assert "indexed-slices" in concerns(words, "keras", optimizer="adam")
    assert "indexed-slices" not in concerns(words, "keras", optimizer="sgd")


def test_what_was_done_is_read_from_the_file():
    model = db.Sequential([db.Input((4, 3)), db.LSTM(5, name="memory")])
    native = concerns(model, "python-mindspore", source="self.memory = nn.LSTM(3, 5)")
    assert native["lstm-biases"]["where"] == "memory (20 numbers)"
    assert "bias_ih_l0" in native["lstm-biases"]["done"]
    written = concerns(model, "python-mindspore", source="class LSTM(nn.Cell):")
    assert "from its equation" in written["lstm-biases"]["done"]
    rate = db.ExponentialDecay(0.1, 10, 0.5)
    moving = concerns(model, "python-mindspore", optimizer=db.SGD(rate, momentum=0.9))
    assert "for about 10 steps (μ = 0.9)" in moving["momentum-changing-rate"]["says"]
    still = concerns(model, "python-mindspore", optimizer=db.SGD(0.1, momentum=0.9))
    assert "momentum-changing-rate" not in still


def test_everything_that_was_done_is_about_a_rule_and_says_something():
    assert conversion_report.DONE.keys() <= RULES.keys()
    assert len(conversion_report.DONE) >= 55
    for row in concerns(convolutions(), "python-mindspore").values():
        assert row["where"]
        assert row["says"].endswith(".")
        assert row["done"].endswith(".")


def test_checks_that_cannot_pass():
    short = of_predictions("p", [np.zeros(2)], [np.zeros(3)], 1e-4)
    assert short.failed
    assert str(short) == "p: FAILED: shapes [(2,)], expected [(3,)]"
    assert short.to_dict()["difference"] is None
    nan = of_predictions("p", [np.array([np.nan, 1])], [np.ones(2)], 1e-4)
    assert nan.failed
    assert "FAILED: a number is not finite" in str(nan)
    assert of_losses("l", [1.0], [1.0, 1.0], 1e-2).failed
    assert of_losses("l", [1.0, 1.02], [1.0, 1.0], 1e-2).failed
    assert not of_losses("l", [1.0, 1.005], [1.0, 1.0], 1e-2).failed
    assert not Check("p", why="nothing").failed


def test_an_onnx_file_becomes_a_keras_model(checkpoint, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.delitem(conversion_targets.TARGETS, "keras")
    run = db.load(checkpoint, "reference")
    source = run.export(tmp_path / "net.onnx")
    options = ("--to", "keras", "-o", tmp_path / "out", "--backend", "reference")
    refused = convert(source, *options)
    assert refused.exit_code == 1
    assert "Give --loss mse and --optimizer adam" in refused.output
    assert not (tmp_path / "out").exists()
    done = convert(source, *options, "--loss", "mse", "--optimizer", "adam")
    assert done.exit_code == 0, done.output
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    again = db.from_keras(tmp_path / "out" / "model.keras").compile("reference")
    np.testing.assert_allclose(again.predict(x), run.predict(x), rtol=1e-5, atol=1e-6)
    assert "The loss is that of --loss." in (tmp_path / "out" / "REPORT.md").read_text()


def test_a_format_that_predicts_needs_no_loss(checkpoint, tmp_path):
    pytest.importorskip("onnxruntime")
    run = db.load(checkpoint, "reference")
    source = run.export(tmp_path / "net.onnx")
    out = tmp_path / "out"
    done = convert(source, "--to", "onnx", "-o", out, "--backend", "reference")
    assert done.exit_code == 0, done.output
    text = (out / "REPORT.md").read_text()
    assert "Loss and optimizer were left out." in text
    assert "Checks: 1 passed, 0 failed, 1 could not be made." in text


def test_a_file_that_cannot_be_run(checkpoint, tmp_path, monkeypatch):
    def broken(path, run):
        def predict(x):
            raise RuntimeError(
                "Graph error (most recent call last):\n  File a\nNo kernel\n\t [[{n}]]"
            )

        return conversion_targets.Target(predict)

    monkeypatch.setitem(conversion_targets.TARGETS, "keras", broken)
    options = ("--to", "keras", "--backend", "reference")
    done = convert(checkpoint, *options, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "random numbers: FAILED: the file raises RuntimeError: No kernel\n" in done.output
    layers = [db.Conv2D(2, 3, data_format="channels_first"), db.Flatten(), db.Dense(1)]
    model = db.Sequential([db.Input((1, 5, 5)), *layers])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    done = convert(run.save(tmp_path / "first.safetensors"), *options, "-o", tmp_path / "first")
    assert done.exit_code == 0, done.output
    assert "need a GPU there" in done.output


def test_random_numbers_that_an_embedding_reads_are_in_its_table():
    x = db.Input((4,))
    rows = db.Embedding(5, 2)(db.Cast("int32")(x))
    run = db.compile(db.Experiment(db.Model(x, db.Dense(1)(rows)), "mse", "sgd"), "reference")
    assert np.isfinite(run.predict(next(iter(data_of(run, None).x.values())))).all()
