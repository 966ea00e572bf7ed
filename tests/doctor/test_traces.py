"""`align_traces`: agreeing pairs, planted differences, resumed and bounded files."""

import json

import numpy as np
import pytest
from doctor.tracing_nets import CLASSES, IMAGES, X, Y, cnn, lstm, mlp, record

import dnnbridge as db
from dnnbridge.errors import ArgumentError, CheckpointError, DataError
from dnnbridge.formats.traces.places import TracePlace
from dnnbridge.formats.traces.reading import read_trace
from dnnbridge.formats.traces.statistics import NAMES, NORM, distance, row

RNG = np.random.default_rng(11)
RANDOM = RNG.integers(0, 2, (len(X), 1)).astype(np.float32)
NETS = {"mlp": mlp, "cnn": cnn, "lstm": lstm}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return the trace of each net on the reference."""
    folder = tmp_path_factory.mktemp("traces")
    made = {}

    def of(name):
        if name not in made:
            made[name] = record(folder / f"{name}.trace", NETS[name]())
        return made[name]

    return of


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
@pytest.mark.parametrize("net", NETS)
def test_backends_agree(net, backend, base, tmp_path):
    pytest.importorskip(backend)
    found = db.align_traces(base(net), record(tmp_path / "b.trace", NETS[net](), backend))
    assert found.agrees, str(found)
    assert found.closest.ratio > 0
    assert len(found.steps) >= 4


def _reversed(made):
    experiment, x, y = made
    return experiment, x[::-1].copy(), y[::-1].copy()


def _other_data(made):
    experiment, x, y = made
    return experiment, x * 1.5, y


def _later(step):
    return db.PiecewiseConstantDecay([step], [0.01, 0.02])


PLANTED = {
    "epsilon": ("mlp", lambda: mlp(db.Adam(0.01, epsilon=1e-5)), {}, 1, "update"),
    "a small epsilon": ("mlp", lambda: mlp(db.Adam(0.01, epsilon=1.5e-6)), {}, 1, "update"),
    "beta_2": ("mlp", lambda: mlp(db.Adam(0.01, beta_2=0.998)), {}, 1, "update"),
    "the rate": ("mlp", lambda: mlp(db.Adam(0.0101)), {}, 1, "rate"),
    "the rate later": ("mlp", lambda: mlp(db.Adam(_later(12))), {}, 16, "rate"),
    "momentum": ("cnn", lambda: cnn(momentum=0.9), {}, 1, "statistics"),
    "epsilon of a layer": ("cnn", lambda: cnn(epsilon=1.1e-3), {}, 1, "layer"),
    "the start": ("mlp", lambda: mlp(seed=1), {"fit": {"shuffle": False}}, 1, "state"),
    "the order": ("mlp", lambda: _reversed(mlp()), {}, 1, "input"),
    "the data": ("mlp", lambda: _other_data(mlp()), {}, 1, "input"),
    "the batch size": ("mlp", mlp, {"size": 12}, 1, "input"),
    "shuffling": ("mlp", mlp, {"fit": {"shuffle": False}}, 1, "input"),
}
"""The net, what is trained instead, how, and the step and stage of the first difference."""

SAID = {
    "the start": "The start is another one. The seed is 0 here and 1 there.",
    "the order": "The data are the same, and come in another order.",
    "the data": "The data are others.",
    "the batch size": "The batch size is 8 here and 12 there.",
    "shuffling": "The data are the same, and come in another order.",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_found_first(name, base, tmp_path):
    net, made, more, step, stage = PLANTED[name]
    found = db.align_traces(base(net), record(tmp_path / "b.trace", made(), **more))
    assert (found.first.step, found.first.stage) == (step, stage), str(found)
    assert found.first.explanation.startswith(SAID.get(name, "The specs differ: "))
    assert found.verdict.startswith(f"They part at step {step}")
    assert json.loads(found.to_json())["differences"][0]["stage"] == stage
    assert "<table" in found._repr_html_()
    assert found.verdict in str(found)


KNOCKS = {"mlp": ("hidden/kernel", 0.05), "lstm": ("lstm/kernel", 0.05)}
"""A weight, and by which part of it it is changed: more than a number at its kink makes."""


@pytest.mark.parametrize("net", KNOCKS)
def test_a_weight_that_changes_in_between_is_found_at_the_next_step(net, base, tmp_path):
    name, part = KNOCKS[net]

    class Knock(db.Callback):
        every_steps = 12

        def on_steps_end(self, run, losses):
            if run.position.step == 12:
                run.set_parameters({name: run.weights()[name] * (1 + part)})

    experiment, x, y = NETS[net]()
    run = db.compile(experiment, "reference")
    hooks = [Knock(), db.Trace(tmp_path / "b.trace", 5)]
    run.fit(x, y, 8, 6, callbacks=hooks, verbose=0)
    for pair in ((base(net), tmp_path / "b.trace"), (tmp_path / "b.trace", base(net))):
        found = db.align_traces(*pair)
        assert (found.first.step, found.first.stage) == (16, "state"), str(found)
        assert found.first.where == name


def test_a_small_jump_where_numbers_cross_kinks_is_a_note(base, tmp_path):
    class Knock(db.Callback):
        every_steps = 12

        def on_steps_end(self, run, losses):
            if run.position.step == 12:
                kernel = run.weights()["hidden/kernel"]
                run.set_parameters({"hidden/kernel": kernel * (1 + 2e-3)})

    experiment, x, y = mlp()
    run = db.compile(experiment, "reference")
    hooks = [Knock(), db.Trace(tmp_path / "b.trace", 5)]
    run.fit(x, y, 8, 6, callbacks=hooks, verbose=0)
    found = db.align_traces(base("mlp"), tmp_path / "b.trace")
    assert any(note.startswith("In step 16 a number has crossed") for note in found.notes)


def test_arguments_that_differ_are_named(base, tmp_path):
    found = db.align_traces(
        base("mlp"), record(tmp_path / "b.trace", mlp(db.Adam(0.01, epsilon=1e-5)))
    )
    said = "The specs differ: epsilon of Adam is 1e-07 here and 1e-05 there."
    assert (found.first.explanation, said in found.verdict) == (said, True)


def test_common_steps_are_compared(base, tmp_path):
    found = db.align_traces(base("mlp"), record(tmp_path / "b.trace", mlp(), every=3))
    assert (found.agrees, found.steps) == (True, [1, 16, 31])


def test_a_run_is_not_changed_by_being_recorded(tmp_path):
    experiment, x, y = cnn()
    alone = db.compile(experiment, "reference")
    alone.fit(x, y, 8, 2, verbose=0)
    traced = db.compile(experiment, "reference")
    traced.fit(x, y, 8, 2, verbose=0, callbacks=[db.Trace(tmp_path / "a.trace", 3)])
    for name, array in alone.state().items():
        assert np.array_equal(array, traced.state()[name])
    assert alone.history.step_losses == traced.history.step_losses


def test_what_is_recorded_is_what_the_step_does(tmp_path):
    experiment, x, y = mlp(db.SGD(0.1))
    run = db.compile(experiment, "reference")
    before = run.weights()
    gradients = _gradients(run, x[:8], y[:8])
    hooks = [db.Trace(tmp_path / "a.trace", 1, tensors="all")]
    run.fit(x[:8], y[:8], 8, shuffle=False, callbacks=hooks, verbose=0)
    found = read_trace(tmp_path / "a.trace")
    for name, array in before.items():
        change = run.weights()[name] - array
        assert np.allclose(found.tensor(1, "state", name), array)
        assert np.allclose(found.tensor(1, "gradient", name), gradients[name], 1e-6)
        assert np.allclose(found.tensor(1, "update", name), change, 1e-6)
        rows = found.rows(1)[TracePlace("update", name, array.shape)]
        assert np.isclose(rows[NORM], np.linalg.norm(change))
    loss = found.rows(1)[TracePlace("loss", "loss")]
    assert np.isclose(loss[NORM], run.history.step_losses[0])
    assert found.epochs[0]["logs"]["loss"] == run.history.history["loss"][0]


def _gradients(run, x, y):
    from dnnbridge.training.probing import gradients_of

    return gradients_of(run, x, y)


def test_a_row_has_the_statistics_of_numpy():
    array = RNG.normal(size=(37, 50)).astype(np.float32)
    array[3, 4:9] = 0
    made = dict(zip(NAMES, row(array), strict=False))
    wide = array.astype(np.float64)
    expected = {
        "norm": np.linalg.norm(wide),
        "mean": wide.mean(),
        "std": wide.std(),
        "min": wide.min(),
        "max": wide.max(),
        "zeros": np.mean(wide == 0),
        "nonfinite": 0,
    }
    assert made == pytest.approx(expected, rel=1e-12)
    array[0, 0], array[1, 1] = np.nan, np.inf
    assert dict(zip(NAMES, row(array), strict=False))["nonfinite"] == 2


@pytest.mark.parametrize("size", [3, 16, 1000, 2**20 + 5000])
def test_sketches_tell_how_far_arrays_are_apart(size):
    a = RNG.normal(size=size).astype(np.float32)
    ratios = []
    for _ in range(8):
        b = a + 1e-3 * RNG.normal(size=size)
        ratios.append(distance(row(a), row(b)) / np.linalg.norm(b - a))
    limits = (1 - 1e-9, 1 + 1e-9) if size <= 16 else (0.4, 1.8)
    assert limits[0] < min(ratios) <= max(ratios) < limits[1]


def test_a_file_is_bounded_and_covers_the_training_evenly(tmp_path):
    bound = 40_000
    path = record(tmp_path / "a.trace", mlp(), epochs=60, every=1, max_bytes=bound, rounding=False)
    found = read_trace(path)
    assert path.stat().st_size <= bound
    assert found.every >= 16
    assert list(found.steps) == list(range(1, 361, found.every))
    assert found.head["asked"] == 1
    assert len(found.epochs) >= 60 // found.every_epochs


def test_a_step_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(DataError, match="max_bytes"):
        record(tmp_path / "a.trace", mlp(), max_bytes=4000)


def test_a_second_fit_goes_on_in_the_file(tmp_path):
    experiment, x, y = mlp()
    once = record(tmp_path / "a.trace", mlp(), epochs=4)
    run, hook = db.compile(experiment, "reference"), db.Trace(tmp_path / "b.trace", 5)
    for _ in range(2):
        run.fit(x, y, 8, 2, callbacks=[hook], verbose=0)
    found = db.align_traces(once, tmp_path / "b.trace")
    assert (found.agrees, found.steps) == (True, [1, 6, 11, 16, 21])
    assert found.closest is None or not found.closest.ratio


def test_a_loaded_run_goes_on_in_the_file(tmp_path):
    experiment, x, y = mlp()
    once = record(tmp_path / "a.trace", mlp(), epochs=4)
    run = db.compile(experiment, "reference")
    run.fit(x, y, 8, 2, callbacks=[db.Trace(tmp_path / "b.trace", 5)], verbose=0)
    file = run.save(tmp_path / "run.safetensors")
    run.fit(x, y, 8, 1, callbacks=[db.Trace(tmp_path / "b.trace", 5, append=True)], verbose=0)
    again = db.load(file, "reference")
    again.fit(x, y, 8, 2, callbacks=[db.Trace(tmp_path / "b.trace", 5, append=True)], verbose=0)
    found = db.align_traces(once, tmp_path / "b.trace")
    assert (found.agrees, found.steps) == (True, [1, 6, 11, 16, 21])


def test_a_probe_gives_outputs_of_a_prediction(tmp_path):
    probe = IMAGES[:4], CLASSES[:4]
    path = record(tmp_path / "a.trace", cnn(), epochs=1, probe=probe, tensors=("last",))
    found = read_trace(path)
    run = db.compile(cnn()[0], "reference")
    assert np.allclose(found.tensor(1, "layer", "last"), run.predict(IMAGES[:4]), atol=1e-6)
    loss = found.rows(1)[TracePlace("loss", "loss")][NORM]
    assert np.isclose(loss, run.evaluate(*probe)["loss"])
    other = db.align_traces(path, record(tmp_path / "b.trace", cnn(), epochs=1))
    said = "The outputs and gradients are of other examples (probe), and were not compared."
    assert said in other.notes


def test_other_names_are_matched_in_their_order(base, tmp_path):
    layers = [db.Dense(6, "relu", name="one"), db.Dense(1, name="two")]
    model = db.Sequential([db.Input((5,)), *layers])
    other = db.Experiment(model, "mse", db.Adam(0.01)), X, Y
    run = db.compile(other[0], "reference")
    names = {"one": "hidden", "two": "last"}
    first = db.compile(mlp()[0], "reference").weights()
    run.set_weights(
        {n: first[names[n.split("/")[0]] + "/" + n.split("/")[1]] for n in run.weights()}
    )
    run.fit(X, Y, 8, 6, callbacks=[db.Trace(tmp_path / "b.trace", 5)], verbose=0)
    found = db.align_traces(base("mlp"), tmp_path / "b.trace")
    assert found.agrees, str(found)
    assert any("hidden/kernel is one/kernel" in note for note in found.notes)


def wild():
    layers = [db.Dense(8, "tanh", name="hidden"), db.Dense(1, "sigmoid", name="last")]
    model = db.Sequential([db.Input((5,)), *layers])
    return db.Experiment(model, "mse", db.SGD(20.0, momentum=0.9)), X, RANDOM


def test_chaos_is_named(tmp_path):
    a = record(tmp_path / "a.trace", wild(), epochs=60, every=20)
    b = record(tmp_path / "b.trace", wild(), "tensorflow", epochs=60, every=20)
    found = db.align_traces(a, b)
    assert found.agrees, str(found)
    assert any(note.startswith("After step") for note in found.notes)


def test_a_stream_is_recorded(tmp_path):
    experiment, x, y = mlp()
    run = db.compile(experiment, "reference")
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 48, 8)]
    run.fit(batches, epochs=2, callbacks=[db.Trace(tmp_path / "a.trace", 5)], verbose=0)
    whole = record(tmp_path / "b.trace", mlp(), epochs=2, fit={"shuffle": False})
    found = db.align_traces(whole, tmp_path / "a.trace")
    assert found.first is None or found.first.stage == "input"
    assert found.steps == [1, 6, 11]


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"Trace\.tensors"):
        db.Trace("a.trace", tensors=3)
    with pytest.raises(ArgumentError, match=r"Trace\.probe"):
        db.Trace("a.trace", probe=X)
    with pytest.raises(DataError, match=r"Trace\.every"):
        db.Trace("a.trace", 0)
    with pytest.raises(CheckpointError, match="does not exist"):
        db.align_traces(tmp_path / "none.trace", tmp_path / "none.trace")


def test_inspect_shows_a_trace(base):
    found = db.inspect(base("mlp"))
    assert (found.format, found.facts["recorded steps"]) == ("trace", "8, from 1 to 36")
    assert found.experiment == mlp()[0]
    assert [log["epoch"] for log in found.logs] == list(range(6))
