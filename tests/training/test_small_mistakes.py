"""Small mistakes of a training that were silent, or had a message that did not help."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, DataError
from dnnbridge.report.trained import read_trained

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


def run(**more):
    x = db.Input((3,))
    model = db.Model(x, db.Dense(1, "sigmoid", name="o")(x))
    return db.compile(db.Experiment(model, "binary_crossentropy", "adam", **more), "reference")


def test_predictions_of_shuffled_rows_are_refused():
    batches = [(X[:10], Y[:10]), (X[10:], Y[10:])]
    with pytest.raises(DataError, match=r"predict: x: .*order of the examples"):
        run().predict(db.Shuffled(batches, 4))


@pytest.mark.parametrize("data", [{"validation_data": (X, Y)}, {"validation_split": 0.5}])
def test_a_validation_that_never_comes_is_warned_of(data):
    made = run()
    assert "val_loss" in made.fit(X, Y, 5, 3, validation_freq=[2], verbose=0, **data).history
    with pytest.warns(db.ValidationWarning, match=r"\[2\] names none of the epochs 4 to 5"):
        made.fit(X, Y, 5, 2, validation_freq=[2], verbose=0, **data)


def test_a_pattern_of_a_checkpoint_says_when_its_metric_is_there(tmp_path):
    saved = db.callbacks.ModelCheckpoint(f"{tmp_path}/{{val_loss:.2f}}.safetensors")
    with pytest.raises(ArgumentError, match="val_loss is there after epochs with a validation"):
        run().fit(X, Y, 5, 1, callbacks=[saved], verbose=0)


def test_a_metric_of_several_numbers_is_no_curve():
    metric = db.metrics.Precision(thresholds=[0.2, 0.5])
    history = run(metrics=[metric]).fit(X, Y, 5, 1, verbose=0)
    with pytest.raises(ArgumentError, match="several numbers in each epoch"):
        history.plot(["precision"])


def test_labels_of_one_output_may_be_given_by_its_name():
    plain, named = run(), run()
    expected = plain.fit(X, Y, 5, 1, verbose=0).step_losses
    assert named.fit(X, {"o": Y}, 5, 1, verbose=0).step_losses == expected
    batches = [(X[i : i + 5], {"o": Y[i : i + 5]}) for i in range(0, 20, 5)]
    assert run().fit(batches, verbose=0, shuffle=False).history["loss"]
    with pytest.raises(DataError, match="a dictionary with other"):
        run().fit(X, {"other": Y}, verbose=0)


def test_sparse_rows_can_be_adapted_to():
    sparse = pytest.importorskip("scipy.sparse")
    rows = np.where(X > 0, X, 0)
    assert db.Normalization().adapt(sparse.csr_matrix(rows)) == db.Normalization().adapt(rows)
    with pytest.raises(db.errors.SpecError, match="astype"):
        db.Normalization().adapt(np.array([["a"]]))


def test_a_file_of_logs_with_a_word_for_a_loss_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,confusion\n0,abc,[1 2]\n")
    with pytest.raises(DataError, match="'abc' is no number"):
        read_trained(path)
    path.write_text("epoch,loss,confusion\n0,0.5,[1 2]\n1,NA,[1 2]\n")
    assert [row.get("loss") for row in read_trained(path).rows] == [0.5, None]
