"""A damaged checkpoint is refused with the file's name, and so is one with wrong fields."""

from __future__ import annotations

import dataclasses
import json
import logging
import os

import numpy as np
import pytest
from safetensors.numpy import save_file
from training import damage

import dnnbridge as db
from dnnbridge.errors import CheckpointError, DataError, DnnbridgeError, DTypeError
from dnnbridge.training import checkpoint_file
from dnnbridge.training.checkpoint_file import DIGEST, WITHOUT_CHECKSUMS, WITHOUT_DIGEST
from dnnbridge.training.position import Position


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    run = damage.trained()
    return run, run.save(tmp_path_factory.mktemp("saved") / "good.safetensors")


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_every_bit_counts(count, tmp_path):
    found = damage.flips(count, tmp_path, seed=count)
    assert found == {part: {"refused": count} for part in damage.PARTS}


@pytest.mark.slow
def test_every_bit_of_the_header_counts(saved, tmp_path):
    run, path = saved
    content, bad = path.read_bytes(), tmp_path / "bad.safetensors"
    where = damage.places(content)
    for byte in where["header"] + where["metadata"]:
        for bit in range(8):
            bad.write_bytes(damage.flipped(content, 8 * byte + bit))
            assert damage.outcome(bad, run) == "refused", (byte, bit)


def test_a_file_that_is_as_it_was_is_loaded(saved):
    run, path = saved
    assert damage.outcome(path, run) == "loaded, the same"


def test_the_same_content_written_by_another_program_is_loaded(saved, tmp_path):
    run, path = saved
    metadata, arrays = checkpoint_file.read(path)
    other = tmp_path / "other.safetensors"
    save_file(dict(reversed(arrays.items())), other, dict(reversed(metadata.items())))
    assert damage.outcome(other, run) == "loaded, the same"


SIZES = {
    "empty": lambda content: b"",
    "seven bytes": lambda content: content[:7],
    "length only": lambda content: content[:8],
    "half a header": lambda content: content[:500],
    "no arrays": lambda content: content[: 8 + int.from_bytes(content[:8], "little")],
    "one byte less": lambda content: content[:-1],
    "one byte more": lambda content: content + b"\0",
    "twice": lambda content: content + content,
    "header longer than the file": lambda content: (2**40).to_bytes(8, "little") + content[8:],
    "header of 2^64 - 1 bytes": lambda content: b"\xff" * 8 + content[8:],
    "header of nothing": lambda content: bytes(8) + content[8:],
    "zeros": lambda content: bytes(len(content)),
    "no JSON": lambda content: content[:8] + content[8:].replace(b"{", b"(", 1),
    "deep JSON": lambda content: (10**5).to_bytes(8, "little") + b"[" * 10**5,
}


@pytest.mark.parametrize("change", SIZES.values(), ids=SIZES)
def test_other_lengths_and_headers_are_refused(change, saved, tmp_path):
    run, path = saved
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(change(path.read_bytes()))
    assert damage.outcome(bad, run) == "refused"


def test_a_folder_is_refused(saved, tmp_path):
    assert damage.outcome(tmp_path, saved[0]) == "refused"


def changed(key, **changes):
    """Return a function that changes entries of a JSON object in the metadata."""

    def change(metadata, arrays):
        given = json.loads(metadata[key])
        for name, value in changes.items():
            given.pop(name) if value is ... else given.update({name: value})
        metadata[key] = json.dumps(given).replace("Infinity", "1e400")

    return change


def text(key, value):
    return lambda metadata, arrays: metadata.update({key: value})


def without(key):
    return lambda metadata, arrays: metadata.pop(key)


def array(name, change):
    """Return a function that changes an array, or removes it if `change` returns None."""

    def made(metadata, arrays):
        new = change(arrays.get(name, np.zeros(3)))
        arrays.pop(name) if new is None else arrays.update({name: new})

    return made


def sums(key, **changes):
    def change(metadata, arrays):
        given = json.loads(metadata["epoch_sums"])
        given[key] |= changes
        metadata["epoch_sums"] = json.dumps(given)

    return change


def optimizer(new):
    return text("optimizer", new.to_json())


FIELDS = {
    "step is text": (changed("progress", step="a"), "position.step: must be a whole number"),
    "step is negative": (changed("progress", step=-5), "position.step: must be a whole number"),
    "step is infinite": (changed("progress", step=float("inf")), "position.step"),
    "step is huge": (changed("progress", step=10**30), "position.step"),
    "step is a fraction": (changed("progress", step=5.5), "position.step"),
    "step is true": (changed("progress", step=True), "position.step"),
    "step is nothing": (changed("progress", step=None), "position.step"),
    "too few steps": (
        changed("progress", step=2),
        "position.step: must be at least the number of epochs",
    ),
    "epoch is text": (changed("progress", epoch="1"), "position.epoch"),
    "batch is negative": (changed("progress", batch=-1), "position.batch"),
    "more steps than batches": (
        changed("progress", batch=4),
        "cannot have more steps than batches",
    ),
    "no batch size": (changed("progress", batch_size=0), "cannot have more steps than batches"),
    "another entry": (changed("progress", stp=1), "progress: the header is incomplete"),
    "progress is a list": (text("progress", "[1]"), "progress: the header is incomplete"),
    "progress is no JSON": (text("progress", "{"), "progress: the header is incomplete"),
    "no progress": (without("progress"), "progress: the header is incomplete"),
    "no optimizer": (without("optimizer"), "optimizer: the header is incomplete"),
    "another optimizer": (optimizer(db.SGD(0.1)), "may differ from the experiment's optimizer"),
    "another constant": (optimizer(db.Adam(beta_1=0.5)), "which differs in beta_1"),
    "a layer": (text("optimizer", db.Dense(3).to_json()), "expected an optimizer"),
    "unknown optimizer": (text("optimizer", '{"kind": "optimizer.Adm"}'), "unknown kind"),
    "optimizer is no JSON": (text("optimizer", "{"), "not JSON"),
    "rate is infinite": (
        text("optimizer", db.Adam(0.25).to_json().replace("0.25", "1e400")),
        "should be a finite number",
    ),
    "no sums": (without("epoch_sums"), "epoch_sums: the header is incomplete"),
    "sums are a list": (text("epoch_sums", "[]"), "epoch_sums: the header is incomplete"),
    "count is text": (changed("epoch_sums", count="3"), "epoch_sums.count: must be a number"),
    "count is negative": (
        changed("epoch_sums", count=-1.0),
        "epoch_sums.count: must be from 0 to 20",
    ),
    "count is large": (changed("epoch_sums", count=21.0), "epoch_sums.count: must be from 0 to 20"),
    "count is NaN": (changed("epoch_sums", count=float("nan")), "epoch_sums.count: must be from 0"),
    "no count": (changed("epoch_sums", count=...), "epoch_sums: must have count, divisors"),
    "another sum": (changed("epoch_sums", other=0.0), "epoch_sums: must have count"),
    "sums without names": (changed("epoch_sums", sums=[1.0]), "epoch_sums.sums: must be a dict"),
    "another metric": (sums("sums", precision=1.0), "epoch_sums.sums: must have accuracy"),
    "another output": (sums("terms", z=1.0), "epoch_sums.terms: must have y"),
    "a term is a list": (sums("terms", y=[1.0]), "epoch_sums.terms.y: must be a number"),
    "a metric is text": (sums("sums", accuracy="a"), "epoch_sums.sums.accuracy: must be"),
    "a metric has another shape": (sums("sums", confusion_matrix=[1.0, 2.0]), "confusion_matrix"),
    "a metric is ragged": (sums("sums", confusion_matrix=[[1.0], [1.0, 2.0]]), "confusion_matrix"),
    "no array": (array("dense/kernel:m", lambda a: None), "arrays are missing, got dense/kernel:m"),
    "another array": (array("dense/kernal", lambda a: a), "unknown name, got 'dense/kernal'"),
    "another shape": (array("dense/bias", lambda a: a[:2]), r"needs shape \(5,\)"),
    "transposed": (array("dense/kernel", lambda a: a.T.copy()), r"needs shape \(6, 5\)"),
    "whole numbers": (array("dense/bias", lambda a: a.astype(np.int64)), "float32 or float64"),
    "half precision": (array("dense/bias", lambda a: a.astype(np.float16)), "float32 or float64"),
    "another experiment": (
        lambda metadata, arrays: metadata.update(
            experiment=damage.trained(4).experiment.to_json(), optimizer=db.Adam().to_json()
        ),
        "needs shape",
    ),
    "experiment is no JSON": (text("experiment", "{"), "not JSON"),
    "experiment is deep": (text("experiment", "[" * 10**5), "nested too deeply"),
    "logs are no list": (text("logs", "{}"), "logs: the header is incomplete"),
    "no experiment": (without("experiment"), "experiment: the header is incomplete"),
}


@pytest.mark.parametrize(("change", "words"), FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("digest", [True, False])
def test_wrong_fields_are_refused_with_the_name_of_the_file(change, words, digest, saved, tmp_path):
    """The digest is right, or the file has the earlier format without one."""
    metadata, arrays = checkpoint_file.read(saved[1])
    path = tmp_path / "bad.safetensors"
    del metadata[DIGEST]
    change(metadata, arrays)
    if not digest and not metadata.keys() >= {"optimizer", "epoch_sums"}:
        pytest.skip("the first versions had none")
    if digest:
        checkpoint_file.write(path, metadata, arrays, False)
    else:
        save_file(arrays, path, metadata | {"format": WITHOUT_DIGEST})
    with pytest.raises(CheckpointError, match=words) as caught:
        db.load(path, "reference")
    assert str(caught.value).startswith(str(path))


DIGESTS = {
    "none": (without(DIGEST), "the file is damaged"),
    "another": (text(DIGEST, 64 * "0"), "the file is damaged"),
    "the old format with a digest": (text("format", WITHOUT_DIGEST), "not a checkpoint"),
    "another format": (text("format", "dnnbridge checkpoint 4"), "not a checkpoint"),
    "one more entry": (text("more", "x"), "the file is damaged"),
    "another backend": (text("backend", "tensorflow"), "the file is damaged"),
    "a name changed": (
        lambda metadata, arrays: arrays.update(dense=arrays.pop("dense/bias")),
        "the file is damaged",
    ),
    "another type": (array("dense/bias", lambda a: a.astype(np.float32)), "the file is damaged"),
    "another number": (array("dense/bias", lambda a: a + 1e-9), "other values in dense/bias"),
    "no array": (lambda metadata, arrays: arrays.pop("dense/bias"), "other values in dense/bias"),
    "no checksums": (text("checksums", "["), "the file is damaged"),
    "-0 for 0": (array("loss", lambda a: -a), "the file is damaged"),
}


@pytest.mark.parametrize(("change", "words"), DIGESTS.values(), ids=DIGESTS)
def test_a_digest_that_does_not_fit_is_refused(change, words, saved, tmp_path):
    metadata, arrays = checkpoint_file.read(saved[1])
    change(metadata, arrays)
    path = tmp_path / "bad.safetensors"
    save_file(arrays, path, metadata)
    with pytest.raises(CheckpointError, match=words):
        db.load(path, "reference")


def test_a_file_without_a_digest_is_loaded_with_a_warning(saved, tmp_path, caplog):
    run, path = saved
    metadata, arrays = checkpoint_file.read(path)
    old = {key: metadata[key] for key in ("experiment", "progress", "optimizer", "epoch_sums")}
    save_file(arrays, tmp_path / "old.safetensors", old | {"format": WITHOUT_DIGEST})
    with caplog.at_level(logging.WARNING):
        assert damage.outcome(tmp_path / "old.safetensors", run) == "loaded, the same"
    assert "wrote no digest" in caplog.text


def test_a_file_of_the_second_format_is_loaded(saved, tmp_path, caplog):
    run, path = saved
    metadata, arrays = checkpoint_file.read(path)
    names = ("experiment", "progress", "optimizer", "epoch_sums", "backend")
    old = {key: metadata[key] for key in names} | {"format": WITHOUT_CHECKSUMS}
    old[DIGEST] = checkpoint_file.digest(old, arrays)
    save_file(arrays, tmp_path / "old.safetensors", old)
    assert damage.outcome(tmp_path / "old.safetensors", run) == "loaded, the same"
    assert db.load(tmp_path / "old.safetensors", "reference").logs == []
    assert not caplog.text


WRONG_STATES = {
    "position": (lambda run: {"position": Position(7, 1)}, None),
    "rate": (lambda run: {"optimizer": db.Adam(0.5)}, None),
    "schedule": (lambda run: {"optimizer": db.Adam(db.Plateau(0.5, "loss"))}, None),
    "optimizer": (lambda run: {"optimizer": db.AdamW()}, DataError),
    "no optimizer": (lambda run: {"optimizer": "adam"}, DTypeError),
    "sums": (lambda run: {"epoch_sums": {"count": 1}}, DataError),
    "array": (lambda run: {"values": run.state() | {"dense/bias": np.zeros(3)}}, DataError),
}


@pytest.mark.parametrize(("change", "error"), WRONG_STATES.values(), ids=WRONG_STATES)
def test_set_state_sets_all_or_nothing(change, error, saved):
    run = damage.trained()
    before = run.state(), run.position, run.optimizer, run.epoch_sums()
    given = dict(zip(("values", "position", "optimizer", "epoch_sums"), before, strict=True))
    given["values"] = {name: array + 1.0 for name, array in before[0].items()}
    given |= change(run)
    if error is None:
        given["epoch_sums"] = None
        run.set_state(**given)
        assert run.optimizer == given["optimizer"]
        return
    with pytest.raises(error):
        run.set_state(**given)
    assert (run.position, run.optimizer, run.epoch_sums()) == before[1:]
    for name, array in before[0].items():
        np.testing.assert_array_equal(run.state()[name], array)


@pytest.mark.parametrize(
    "values",
    [("a",), (-5,), (1e400,), (2.0,), (True,), (None,), (0, 1), (3, 1, 2, 10, 10), (9, 0, 1)],
    ids=repr,
)
def test_a_position_that_there_is_not(values):
    with pytest.raises(DnnbridgeError, match=r"position\."):
        Position(*values)


def test_a_position_of_numpy_is_one_of_python():
    made = Position(np.int64(7), np.int32(1), 2, 30, 10, [[np.int64(5), np.int32(1)]])
    *numbers, past = dataclasses.astuple(made)
    assert {type(value) for value in (*numbers, *past[0])} == {int}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("count", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_while_saving(count):
    found = damage.kills_elsewhere(count, seed=count)
    assert (found["killed"], found["loaded, old or new"]) == (count, count)
    assert found["temporary files after the next save"] == 0
