"""Traces of native trainings, each made where the other framework cannot be imported."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doctor.tracing_nets import EPOCHS, EVERY, FIRST, SIZE, native, record

import dnnbridge as db
from dnnbridge.errors import RunError
from dnnbridge.formats.traces.reading import read_trace

SCRIPT = Path(__file__).parent / "trace_natives.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the start, and a trace of ours."""
    made = tmp_path_factory.mktemp("native")
    experiment, x, y = native()
    np.savez(made / "start.npz", **db.compile(experiment, "reference").weights())
    more = {"probe": (x[:FIRST], y[:FIRST]), "fit": {"shuffle": False}}
    record(made / "ours.trace", native(), "reference", EPOCHS, SIZE, EVERY, **more)
    return made


def traced(folder, which, change=""):
    """Record a native training in a process without the other framework."""
    path = folder / f"{which}{change}.trace"
    if importlib.util.find_spec(which) is None:
        pytest.skip(f"{which} is not installed")
    if not path.exists():
        command = [sys.executable, str(SCRIPT), which, str(folder), *filter(None, [change])]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert not done.returncode, done.stderr[-3000:]
    return path


def test_a_keras_model_agrees_with_ours(folder):
    found = db.align_traces(folder / "ours.trace", traced(folder, "keras"))
    assert found.agrees, str(found)
    assert len(found.steps) == len(read_trace(folder / "ours.trace").steps)
    stages = {place.stage for place in read_trace(traced(folder, "keras")).places}
    assert stages == {
        *("state", "layer", "loss", "gradient", "rate", "update", "statistics", "slots")
    }


def test_a_cell_of_mindspore_has_the_layout_of_ours(folder, tmp_path):
    """The same model in MindSpore's layout, made by from_mindspore's rules, agrees."""
    path = traced(folder, "mindspore")
    found = read_trace(path)
    spec = db.Experiment.from_dict(found.head["spec"])
    x, y = native()[1].transpose(0, 3, 1, 2), native()[2]
    run = db.compile(spec, "reference")
    start = {n: np.asarray(a, np.float32) for n, a in np.load(folder / "start.npz").items()}
    kernel = start["last/kernel"].reshape(4, 4, 3, 3).transpose(2, 0, 1, 3).reshape(48, 3)
    run.set_parameters(
        {
            "conv/kernel": start["conv/kernel"],
            "last/kernel": kernel,
            "last/bias": start["last/bias"],
        }
    )
    hook = db.Trace(tmp_path / "a.trace", EVERY, probe=(x[:FIRST], y[:FIRST]))
    run.fit(x, y, SIZE, EPOCHS, shuffle=False, callbacks=[hook], verbose=0)
    other = db.align_traces(tmp_path / "a.trace", path)
    assert other.agrees, str(other)
    assert other.closest.ratio > 0
    stages = {place.stage for place in found.places}
    assert {"input", "layer", "gradient", "update", "statistics", "slots", "rate"} <= stages


def test_keras_and_mindspore_are_compared_in_order(folder):
    """Names are the same here, and layouts are not: norms are compared."""
    found = db.align_traces(traced(folder, "keras"), traced(folder, "mindspore"))
    assert found.first is None or found.first.where.startswith("last"), str(found)


PLANTED = {
    ("keras", "epsilon"): (1, "update"),
    ("keras", "momentum"): (1, "statistics"),
}


def first_of(cases):
    """Return the cases as parameters; all but the first are slow."""
    first, *others = cases
    rest = [pytest.param(case, id="-".join(case), marks=pytest.mark.slow) for case in others]
    return [pytest.param(first, id="-".join(first)), *rest]


@pytest.mark.parametrize("case", first_of(PLANTED))
def test_a_planted_difference_is_found_first(case, folder):
    found = db.align_traces(folder / "ours.trace", traced(folder, *case))
    assert (found.first.step, found.first.stage) == PLANTED[case], str(found)


NATIVE = {
    ("keras", "momentum"): (1, "statistics"),
    ("mindspore", "epsilon"): (1, "update"),
}


@pytest.mark.parametrize("case", first_of(NATIVE))
def test_two_native_traces_are_compared_without_measured_rounding(case, folder):
    base = traced(folder, case[0])
    assert db.align_traces(base, base).agrees
    found = db.align_traces(base, traced(folder, *case))
    assert (found.first.step, found.first.stage) == NATIVE[case], str(found)


def test_recording_leaves_a_keras_model_as_it_trains(folder, tmp_path):
    pytest.importorskip("keras")
    from doctor.trace_natives import with_keras

    start = dict(np.load(folder / "start.npz"))
    traced_model = with_keras(tmp_path / "a.trace", start, "")
    alone = with_keras(None, start, "")
    for a, b in zip(alone.weights, traced_model.weights, strict=True):
        assert np.array_equal(np.array(a), np.array(b)), a.path


@pytest.mark.parametrize("mode", [0, 1], ids=["graph", "pynative"])
def test_recording_leaves_a_cell_as_it_trains(mode, folder, tmp_path):
    mindspore = pytest.importorskip("mindspore")
    from doctor.trace_natives import with_mindspore

    start, before = dict(np.load(folder / "start.npz")), mindspore.get_context("mode")
    mindspore.set_context(mode=mode)
    try:
        nets = [with_mindspore(path, start, "") for path in (tmp_path / "a.trace", None)]
        assert mindspore.get_context("mode") == mode
    finally:
        mindspore.set_context(mode=before)
    for a, b in zip(*(net.get_parameters() for net in nets), strict=True):
        assert np.array_equal(a.asnumpy(), b.asnumpy()), a.name


def test_several_steps_in_one_call_are_refused(folder, tmp_path):
    pytest.importorskip("keras")
    from doctor.trace_natives import keras_model

    model = keras_model(dict(np.load(folder / "start.npz")), "")
    model.compile(model.optimizer, model.loss, steps_per_execution=2)
    _, x, y = native()
    with pytest.raises(RunError, match="steps_per_execution=1"):
        model.fit(x, y, SIZE, verbose=0, callbacks=[db.trace_keras(tmp_path / "a.trace", 1)])


def test_a_model_that_cannot_be_read_has_its_own_names(tmp_path):
    keras = pytest.importorskip("keras")

    class Twice(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), name="scale")

        def call(self, x):
            return x * self.scale * 2

    model = keras.Sequential([keras.Input((5,)), Twice(name="own"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.ones((8, 5), np.float32)
    path = tmp_path / "a.trace"
    hooks = [db.trace_keras(path, 2, probe=(x, x[:, :1]))]
    model.fit(x, x[:, :1], 4, 3, verbose=0, callbacks=hooks)
    found = read_trace(path)
    assert found.head["spec"] is None
    assert any("scale" in place.where for place in found.places if place.stage == "gradient")
    assert db.align_traces(path, path).agrees
