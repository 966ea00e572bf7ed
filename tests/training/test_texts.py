"""Texts as inputs: what is taken, what is refused, and where they go."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from new_process import predictions_elsewhere

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base.texts import digests
from dnnbridge.datasets import adapt_to, load_dataset
from dnnbridge.errors import DnnbridgeError, DTypeError, SpecError
from dnnbridge.testing.programs import data_for, measure_program
from dnnbridge.testing.subject import Subject
from dnnbridge.training.probing import activations_of, gradients_of

RNG = np.random.default_rng(0)
WORDS = RNG.choice(["north", "Süd", "", "east end"], (24, 2))
Y = (WORDS == "Süd").sum(1, keepdims=True) * 1.0 - (WORDS[:, :1] == "") * 0.5


def model(shape=(2,), name=None, mode="count"):
    lookup = db.StringLookup(output_mode=mode).adapt(WORDS)
    return db.Sequential([db.Input(shape, "string", name), lookup, db.Dense(1)])


def run_of(spec=None, backend="reference"):
    return db.compile(db.Experiment(spec or model(), "mse", db.SGD(0.1), seed=1), backend)


def test_texts_train_as_their_numbers_do():
    """The same net with an IntegerLookup of the same numbers makes the same steps."""
    names = ["north", "Süd", "", "east end"]
    numbers = np.array([[names.index(each) for each in row] for row in WORDS], np.int32)
    text = db.StringLookup(vocabulary=names, output_mode="count")
    whole = db.IntegerLookup(vocabulary=[0, 1, 2, 3], output_mode="count")
    found = run_of(db.Sequential([db.Input((2,), "string"), text, db.Dense(1, name="out")]))
    wanted = run_of(db.Sequential([db.Input((2,), "int32"), whole, db.Dense(1, name="out")]))
    wanted.set_weights({n: a for n, a in found.state().items() if n.startswith("out/")})
    history = found.fit(WORDS, Y, 5, 3, verbose=0)
    assert history.step_losses == wanted.fit(numbers, Y, 5, 3, verbose=0).step_losses
    assert history.step_losses[-1] < history.step_losses[0] / 2


def forms():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = {"a": WORDS[:, 0], "b": WORDS[:, 1]}
    return {
        "objects": WORDS.astype(object),
        "lists": WORDS.tolist(),
        "bytes": np.char.encode(WORDS, "utf-8"),
        "objects of bytes": np.char.encode(WORDS, "utf-8").astype(object),
        "other widths": WORDS.astype("U40"),
        "pandas": pd.DataFrame(columns),
        "objects of pandas": pd.DataFrame(columns, dtype=object),
        "categories": pd.DataFrame(columns).astype("category"),
        "polars": pl.DataFrame(columns),
        "categories of polars": pl.DataFrame(columns).cast(pl.Categorical),
        "slices": WORDS[::-1][::-1],
    }


def test_every_form_of_texts_gives_the_same_prediction():
    run = run_of()
    wanted = run.predict(WORDS)
    assert len(np.unique(wanted)) > 4
    for name, given in forms().items():
        np.testing.assert_array_equal(run.predict(given), wanted, err_msg=name)


def test_a_column_is_an_input_of_one_text():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    run = run_of(model((1,)))
    wanted = run.predict(WORDS[:, :1])
    for given in (pd.Series(WORDS[:, 0]), pl.Series(WORDS[:, 0]), pd.DataFrame({"w": WORDS[:, 0]})):
        np.testing.assert_array_equal(run.predict(given), wanted)


def test_texts_in_files_and_streams(tmp_path):
    np.save(tmp_path / "words.npy", WORDS)
    mapped = np.load(tmp_path / "words.npy", mmap_mode="r")
    whole, stored, streamed = run_of(), run_of(), run_of()
    wanted = whole.fit(WORDS, Y, 5, 2, shuffle=False, verbose=0).step_losses
    assert stored.fit(mapped, Y, 5, 2, shuffle=False, verbose=0).step_losses == wanted
    batches = [(WORDS[k : k + 5].tolist(), Y[k : k + 5]) for k in range(0, 24, 5)]
    found = streamed.fit(batches, epochs=2, shuffle=False, verbose=0).step_losses
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_array_equal(stored.predict(mapped), whole.predict(WORDS))


def test_a_data_set_of_texts(tmp_path):
    np.savez(tmp_path / "rows.npz", x=WORDS, y=Y)
    run = run_of()
    data = adapt_to(run.experiment, load_dataset(str(tmp_path / "rows.npz")))
    assert data.x_train.dtype.kind == "U"  # the digests would say nothing to a reader
    run.fit(data.x_train, data.y_train, 5, 1, verbose=0)
    assert np.isfinite(run.evaluate(data.x_test, data.y_test)["loss"])


def test_several_inputs_by_name():
    word, size = db.Input((2,), "string", "word"), db.Input((1,), name="size")
    inner = model(mode="multi_hot")
    joined = db.Concatenate()(inner(word), size)
    run = run_of(db.Model([word, size], db.Dense(1)(joined)))
    given = {"word": WORDS, "size": Y}
    run.fit(given, Y, 7, 2, verbose=0)
    assert set(activations_of(run, given)) >= {"sequential", "dense"}
    gradients = gradients_of(run, given, Y)
    assert all(np.isfinite(each).all() for each in gradients.values())
    assert db.AbstractLayer.from_json(run.experiment.model.to_json()) == run.experiment.model


def test_a_mask_of_padding_and_an_embedding():
    lookup = db.StringLookup(mask_token="").adapt(WORDS)
    layers = [lookup, db.Embedding(5, 3, mask_zero=True), db.GlobalAveragePooling1D()]
    run = run_of(db.Sequential([db.Input((2,), "string"), *layers, db.Dense(1)]))
    same = run.predict([["Süd", ""], ["Süd", "Süd"]])
    np.testing.assert_allclose(same[0], same[1], rtol=1e-12)


WRONG = {
    "None": (lambda: [["a", None]], "x[0, 1]: needs texts, got None"),
    "NaN": (lambda: np.array([["a", "b"], [np.nan, "c"]], object), "x[1, 0]: needs texts, got nan"),
    "a number": (lambda: [["a", "b"], ["c", 7]], "x[1, 1]: needs texts, got 7"),
    "numbers": (lambda: np.zeros((3, 2)), "dtype float64"),
    "whole numbers": (lambda: np.zeros((3, 2), np.int32), "dtype int32"),
    "shape": (lambda: WORDS[:, 0], "needs shape (batch, 2)"),
    "ragged": (lambda: [["a", "b"], ["c"]], "rows of different lengths"),
    "a text": (lambda: "north", "needs an array of texts"),
    "surrogates": (lambda: [["a", "\ud800"]], "that UTF-8 cannot hold"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    given, message = WRONG[name]
    with pytest.raises(DnnbridgeError, match=re.escape(message)):
        run_of().predict(given())


def test_missing_values_of_frames_are_named_by_their_row():
    pd = pytest.importorskip("pandas")
    for dtype in ("str", "string", object, "category"):
        frame = pd.DataFrame({"a": ["x", None], "b": ["y", "z"]}).astype({"a": dtype})
        with pytest.raises(DTypeError, match=re.escape("x[1, 0]: needs texts")) as caught:
            run_of().predict(frame)
        assert "leave the row out" in str(caught.value)


def test_texts_of_hdf5_are_read_when_they_are_needed(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("x", data=WORDS.astype(object), dtype=h5py.string_dtype())
        np.testing.assert_array_equal(run_of().predict(stored), run_of().predict(WORDS))


NUMBERS = db.Sequential([db.Input((2, 4), "int32"), db.Flatten()])


def test_a_wrong_text_in_a_file_is_named_by_its_row(tmp_path):
    wrong = WORDS.copy()
    wrong[20, 1] = "\ud800"
    np.save(tmp_path / "words.npy", wrong)
    mapped = np.load(tmp_path / "words.npy", mmap_mode="r")
    with pytest.raises(DnnbridgeError, match=re.escape("x[20, 1]: is a text that UTF-8")):
        run_of().predict(mapped, 8)


REFUSED = {
    "another layer": lambda: db.Sequential([db.Input((2,), "string"), db.Dense(1)]),
    "an activation": lambda: db.Sequential([db.Input((2,), "string"), db.Activation("relu")]),
    "an operator": lambda: db.Model(x := db.Input((2,), "string"), x + 1.0).output_shape,
    "an output": lambda: db.Model(x := db.Input((2,), "string"), x).output_shape,
    "numbers": lambda: db.Sequential([db.Input((2,), "int32"), db.StringLookup(vocabulary=["a"])]),
    "digests": lambda: db.Sequential(
        [db.Input((2, 4), "int32"), db.StringLookup(vocabulary=["a"])]
    ),
    "an IntegerLookup": lambda: db.Sequential(
        [db.Input((2,), "string"), db.IntegerLookup(vocabulary=[1])]
    ),
    "a nested model of numbers": lambda: (
        (
            db.Model(
                x := db.Input((2, 4), "string"), db.Sequential([db.Input((2, 4)), db.Flatten()])(x)
            )
        ).output_shape
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_read_texts_says_so(name):
    with pytest.raises(DnnbridgeError, match=r"StringLookup|dtype=.string.|needs inputs"):
        REFUSED[name]()


def test_a_lookup_of_arrays():
    layer = db.StringLookup(mask_token="").adapt(WORDS)
    places = layer(WORDS)
    assert places.dtype == np.int32
    known = layer.get_vocabulary()
    np.testing.assert_array_equal(np.array(known)[places], WORDS)
    np.testing.assert_array_equal(layer(WORDS.tolist()), places)
    hot = layer.replace(output_mode="one_hot")(["Süd", "nowhere"])
    assert hot.shape == (2, 4)
    assert hot[0].argmax() == known.index("Süd") - 1
    np.testing.assert_array_equal(db.IntegerLookup(vocabulary=[5, 3])([[3, 4]]), [[2, 0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: db.StringLookup(vocabulary="words.txt"), "expected a list of texts"),
        (lambda: db.StringLookup(vocabulary=["a", "a"]), "got ['a'] twice"),
        (lambda: db.StringLookup(vocabulary=["a", 1]), "expected texts"),
        (lambda: db.StringLookup(vocabulary=["\ud800"]), "UTF-8 cannot hold"),
        (lambda: db.StringLookup(vocabulary=["a"]).adapt(["b"]), "a vocabulary already"),
        (lambda: db.StringLookup().adapt(["[UNK]"]), "no text for a vocabulary"),
        (lambda: db.StringLookup().adapt(["a", None]), "[1]: needs texts, got None"),
        (lambda: db.StringLookup().adapt([["a", 1.5]]), "[0, 1]: needs texts, got 1.5"),
        (lambda: db.StringLookup(encoding="latin-1"), "UTF-8"),
        (lambda: db.StringLookup(invert=True), "get_vocabulary"),
        (lambda: db.StringLookup()(["a"]), "no vocabulary yet"),
    ],
)
def test_wrong_lookups_are_refused(make, message):
    with pytest.raises(DnnbridgeError, match=re.escape(message)):
        make()


def test_a_layer_is_equal_after_json():
    layer = db.StringLookup(output_mode="tf_idf", mask_token="").adapt(WORDS)
    assert db.AbstractLayer.from_json(layer.to_json()) == layer
    assert db.StringLookup().adapt(iter([WORDS[:9], WORDS[9:]])).vocabulary == (
        db.StringLookup().adapt(WORDS).vocabulary
    )


def test_digests_differ_where_texts_do():
    texts = ["".join(each) for n in range(4) for each in itertools.product("abAß ", repeat=n)]
    made = digests(np.array(texts, object), "x")
    assert len({row.tobytes() for row in made}) == len(texts)
    encoded = digests(np.array([b"\xc3\x9f"]), "x")
    np.testing.assert_array_equal(digests(np.array(["ß"]), "x"), encoded)


def test_a_digest_must_be_equal_as_a_whole():
    lookup = db.StringLookup(vocabulary=["north"], mask_token="south")
    vectors = [lookup, db.Embedding(3, 2), db.Flatten()]
    run = run_of(db.Sequential([db.Input((1,), "string"), *vectors]))
    unknown = run.predict([["nowhere"]])
    for word in ("north", "south"):
        digest = digests(np.array([[word]]), "x")
        np.testing.assert_array_equal(run.predict(digest), run.predict([[word]]))
        for k in range(4):
            other = digest.copy()
            other[0, 0, k] += 1
            np.testing.assert_array_equal(run.predict(other), unknown)


def test_a_saved_run_takes_texts_in_another_process(tmp_path):
    run = run_of(backend="tensorflow")
    run.fit(WORDS, Y, 5, 2, verbose=0)
    run.save(tmp_path / "run.safetensors")
    np.savez(tmp_path / "run.npz", x=WORDS)
    found = predictions_elsewhere(tmp_path, "mindspore")["run"]["prediction"]
    np.testing.assert_allclose(found, run.predict(WORDS), rtol=1e-5, atol=1e-6)


def test_text_errors_are_of_their_class():
    with pytest.raises(SpecError):
        db.StringLookup().adapt(iter([]))


def test_generated_data_hold_texts_of_the_vocabulary():
    experiment = run_of().experiment
    x, _ = data_for(experiment)
    words = set(np.unique(x["x"]))
    assert x["x"].shape[1:] == (2,)
    assert words <= {"north", "Süd", "", "east end", "Ünknown"}
    assert len(words) > 3
    for measured in measure_program(experiment, Subject(load_backend("tensorflow"))):
        assert measured.error <= measured.tolerance, measured


def test_the_page_and_the_diagnoses_show_texts(tmp_path):
    pytest.importorskip("jinja2")
    run = run_of()
    run.fit(WORDS, Y, 5, 2, verbose=0)
    db.write_report(run, tmp_path / "page.html", WORDS, Y)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&#39;Süd&#39;, &#39;" in page
    assert db.diagnose.overfit_small(run, WORDS, Y).verdict
    assert "string[batch, 2]" in run.experiment.model.plot().svg
    assert "(batch, 5)" in str(run.experiment.model.summary())


def test_the_json_schema_has_texts():
    jsonschema = pytest.importorskip("jsonschema")
    schema = db.Experiment.json_schema()
    written = run_of().experiment.to_dict()
    jsonschema.validate(written, schema)
    written["model"]["layers"][0]["dtype"] = "text"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, schema)
