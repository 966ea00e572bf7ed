"""`db.lint`: what it reads, and what its result says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError, DTypeError


def model(**more):
    layers = [db.Dense(4, "relu", name="first"), db.BatchNormalization(name="norm", **more)]
    return db.Sequential([db.Input((3,)), *layers, db.Dense(1, name="last")])


def rules(found):
    return {each.rule.name for each in found.findings}


def test_an_experiment_has_findings_with_places_numbers_and_remedies():
    found = db.lint(db.Experiment(model(momentum=0.7), "mse", db.Adam(0.01)), to="mindspore")
    assert found.to == "mindspore"
    assert not found.ok
    assert found.parts == 5  # three layers, a loss, an optimizer
    by_name = {each.rule.name: each for each in found.findings}
    norm = by_name["batch-norm-defaults"]
    assert norm.where == "norm"
    assert norm.remedy.mindspore == "nn.BatchNorm1d(4, eps=0.001, momentum=0.7)"
    want = "keras.layers.BatchNormalization(momentum=0.7, epsilon=0.001)"
    assert norm.remedy.tensorflow == want
    assert norm.effect.number == pytest.approx(0.9)
    assert by_name["adam-epsilon"].where == "optimizer"
    assert "this model has 1e-07" in by_name["adam-epsilon"].explanation
    assert by_name["mse-broadcast"].only == "labels of shape (n,)"


def test_the_verdict_is_the_first_line_and_counts_parts():
    found = db.lint(db.Experiment(model(), "mse", db.Adam(0.01)), to="mindspore")
    first = str(found).splitlines()[0]
    assert first == found.verdict
    assert first.startswith("4 of 5 parts give other numbers in MindSpore under the same name; ")
    assert first.endswith("the worst is 'Epsilon and momentum of BatchNormalization' at norm.")
    fine = db.lint(db.Dense(2, kernel_initializer="zeros", use_bias=False), to="tensorflow")
    assert fine.ok
    assert str(fine) == "No known difference of 1 part in Keras under the same name."
    rare = db.lint(db.Mish())
    assert "for usual inputs; for some 1 do." in rare.verdict


def test_the_worst_comes_first():
    layers = [
        db.Conv2D(2, 3),
        db.BatchNormalization(),
        db.Dense(2, db.GELU()),
        db.Activation("mish"),
    ]
    shown = db.Sequential([db.Input((6, 6, 1)), *layers])
    found = db.lint(shown).findings
    order = [each.rule.name for each in found]
    wanted = ["batch-norm-defaults", "batch-norm-variance", "gelu-approximate"]
    wanted += ["dense-start", "conv-nhwc", "mish-overflow"]  # a start, an error, and rare inputs
    assert [name for name in order if name in wanted] == wanted
    assert [each.rank for each in found] == sorted(each.rank for each in found)


def test_every_kind_of_spec_can_be_given():
    experiment = db.Experiment(model(), "mse", db.Adam())
    run = db.compile(experiment, "reference")
    things = {
        "batch-norm-defaults": [model(), db.BatchNormalization(), run],
        "adam-epsilon": [db.Adam(), experiment, run],
        "kl-mean": [db.KLDivergence()],
        "gelu-approximate": [db.GELU(), db.Dense(2, db.GELU())],
        "lstm-biases": [db.Bidirectional(db.LSTM(4))],
        "cosine-floor": [db.CosineDecay(0.1, 4, alpha=0.1), db.SGD(db.CosineDecay(0.1, 4, 0.1))],
    }
    for name, given in things.items():
        for thing in given:
            assert name in rules(db.lint(thing)), (name, thing)
    assert "dense-layout" in rules(db.lint(run))
    assert "dense-layout" not in rules(db.lint(experiment))


def test_another_loss_and_optimizer_take_the_place_of_its_own():
    found = db.lint(db.Experiment(model(), "mse", db.Adam()), loss="kl_divergence", optimizer="sgd")
    assert "kl-mean" in rules(found)
    assert not {"adam-epsilon", "mse-broadcast"} & rules(found)


def test_what_cannot_be_looked_at_is_an_error(tmp_path):
    for thing in (3, None, [model()], db.Adam):
        with pytest.raises(DTypeError, match=r"takes a model"):
            db.lint(thing)
    with pytest.raises(ConversionError, match=r"does not exist"):
        db.lint(tmp_path / "missing.keras")
    with pytest.raises(ConversionError, match=r"unknown framework"):
        db.lint(model(), to="torch")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(ConversionError, match=r"is no file of a model"):
        db.lint(tmp_path / "x.txt")


def test_checkpoints_and_json_are_read(tmp_path):
    experiment = db.Experiment(model(), "mse", db.Adam())
    run = db.compile(experiment, "reference")
    saved = run.save(tmp_path / "run.safetensors")
    (tmp_path / "spec.json").write_text(experiment.to_json())
    assert rules(db.lint(saved)) == rules(db.lint(run))
    assert rules(db.lint(str(tmp_path / "spec.json"))) == rules(db.lint(experiment))


def test_the_result_as_json_and_as_a_page():
    layer = db.Dense(2, db.GELU(), name="dense")
    found = db.lint(layer)
    plain = json.loads(found.to_json())
    assert plain == found.to_dict()
    gelu = plain["findings"][0]
    assert gelu["rule"] == "gelu-approximate"
    assert gelu["effect"]["measured"] == {"mindspore": "1.9546", "keras": "1.9545"}
    assert gelu["remedy"]["mindspore"] == "nn.GELU(approximate=False)"
    assert plain["verdict"] == found.verdict
    page = db.lint(db.ELU(0.5))._repr_html_()
    assert "ops.where(x &gt; 0" in page
    assert "ops.where(x > 0" not in page
    assert json.loads(db.lint(db.LARS()).to_json())["findings"][0]["effect"]["number"] is None


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    made = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, name="first"), layers.BatchNormalization(name="norm")]
    )
    made.compile(keras.optimizers.Adam(0.01), "kl_divergence")
    path = tmp_path_factory.mktemp("lint") / "model.keras"
    made.save(path)
    made.save(path.with_suffix(".h5"))
    return path, made


@pytest.mark.filterwarnings("ignore")
def test_files_and_live_models_of_keras(keras_file):
    path, live = keras_file
    found = db.lint(path)
    assert found.to == "mindspore"
    wanted = {"batch-norm-defaults", "adam-epsilon", "kl-mean", "dense-start", "dense-layout"}
    assert wanted <= rules(found)
    assert rules(db.lint(live)) == rules(found)
    assert rules(db.lint(str(path.with_suffix(".h5")))) == rules(found)
    with pytest.raises(ConversionError, match=r"comes from this framework itself"):
        db.lint(path, to="tensorflow")


def test_a_file_is_read_without_a_framework(keras_file):
    code = (
        "import sys, dnnbridge as db\n"
        f"found = db.lint({str(keras_file[0])!r})\n"
        "assert not found.ok\n"
        "print(sorted({'keras', 'tensorflow', 'mindspore'} & sys.modules.keys()))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_layers_that_are_not_known_are_listed(tmp_path):
    keras = pytest.importorskip("keras")

    class Own(keras.layers.Layer):
        def call(self, x):
            return x * 2

    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.2, name="drop")])
    made = keras.Sequential(
        [keras.Input((3,)), Own(name="own"), inner, keras.layers.BatchNormalization(name="norm")]
    )
    made.compile("adam", "kl_divergence")
    made.save(tmp_path / "own.keras")
    found = db.lint(tmp_path / "own.keras")
    places = {each.rule.name: each.where for each in found.findings}
    assert places["batch-norm-defaults"] == "norm"
    assert places["dropout-argument"].endswith("/drop")
    assert "adam-epsilon" in places
    assert [each for each in found.unread if each.startswith("own: ")]
    assert "Not looked at:\n- own: " in str(found)


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_leaves_sizes_open_is_read_in_parts(tmp_path):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    memory = layers.Bidirectional(layers.LSTM(4), name="both")
    words = layers.Embedding(9, 3, mask_zero=True)
    made = keras.Sequential([keras.Input((None,)), words, memory, layers.Dense(1, "sigmoid")])
    made.compile(keras.optimizers.AdamW(1e-3), "binary_crossentropy")
    made.save(tmp_path / "open.keras")
    found = db.lint(tmp_path / "open.keras")
    places = {each.rule.name: each.where for each in found.findings}
    assert places["lstm-biases"] == "both/layer"
    assert places["bce-clipping"] == "loss"
    assert places["adam-weight-decay-no-correction"] == "optimizer"
    whole = db.lint(tmp_path / "open.keras", input_shapes=(7,))
    assert rules(found) < rules(whole)
    assert "both/layer" in {each.where for each in db.lint(memory).findings}


def test_parts_of_keras():
    keras = pytest.importorskip("keras")
    assert rules(db.lint(keras.optimizers.Adam(0.1))) == {"adam-epsilon"}
    assert db.lint(keras.optimizers.Adam(0.1, epsilon=1e-8)).ok
    assert rules(db.lint(keras.layers.Dropout(0.2))) == {"dropout-argument"}
    assert db.lint(keras.layers.Dropout(0.5)).ok
    assert rules(db.lint(keras.losses.KLDivergence())) == {"kl-mean"}
    with pytest.raises(ConversionError, match=r"has no counterpart here"):
        db.lint(keras.losses.CTC())
    with pytest.raises(ConversionError, match=r"is nothing of Keras"):
        db.lint(keras.metrics.Mean())


def test_cells_and_optimizers_of_mindspore():
    mindspore = pytest.importorskip("mindspore")
    nn = mindspore.nn
    cell = nn.SequentialCell(nn.Dense(3, 4), nn.BatchNorm1d(4), nn.LayerNorm((4,)), nn.Dense(4, 2))
    optimizer = nn.Adam(cell.trainable_params(), 0.01)
    found = db.lint(cell, input_shapes=(3,), loss=nn.MSELoss(), optimizer=optimizer)
    assert found.to == "tensorflow"
    wanted = {"batch-norm-defaults", "batch-norm-variance", "layer-norm-epsilon", "adam-epsilon"}
    assert wanted <= rules(found)
    assert not {"dense-start", "mse-broadcast"} & rules(found)
    equal = nn.BatchNorm1d(4, eps=1e-3, momentum=0.99)
    same = db.lint(nn.SequentialCell(nn.Dense(3, 4), equal), input_shapes=(3,))
    assert "batch-norm-defaults" not in rules(same)
    assert rules(db.lint(optimizer)) == {"adam-epsilon"}
    assert db.lint(nn.MSELoss()).ok
    mean = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    assert rules(db.lint(mean)) == {"sparse-mean-infinite"}
    with pytest.raises(ConversionError, match=r"Give input_shapes"):
        db.lint(cell)
