"""Rows of sharded files are those of the arrays; a wrong file is named before anything is read."""

from __future__ import annotations

import copy
import os
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

import dnnbridge as db
from dnnbridge.errors import DataError, DnnbridgeError, DTypeError
from dnnbridge.formats.shards import reading

RNG = np.random.default_rng(4)
X = RNG.normal(size=(23, 3, 2)).astype(np.float32)
Y = np.arange(23, dtype=np.int64)
PARTS = [slice(0, 7), slice(7, 8), slice(8, 8), slice(8, 23)]


def npz(folder, parts=PARTS, **changed):
    for k, part in enumerate(parts):
        np.savez(folder / f"train-{k}.npz", **({"x": X[part], "y": Y[part]} | changed))
    return folder / "train-*.npz"


def safetensors(folder):
    for k, part in enumerate(PARTS):
        save_file({"x": X[part], "y": Y[part]}, folder / f"train-{k}.safetensors")
    return folder


def npy(folder):
    for k, part in enumerate(PARTS):
        np.save(folder / f"x-{k}.npy", X[part])
        np.save(folder / f"y-{k}.npy", Y[part])
    return {"x": folder / "x-*.npy", "y": [folder / f"y-{k}.npy" for k in range(len(PARTS))]}


WRITTEN = {"npz": npz, "safetensors": safetensors, "npy": npy}

CHOSEN = {
    "row": 9,
    "last": -1,
    "numpy-number": np.int32(7),
    "slice": slice(3, 12),
    "all": slice(None),
    "none": slice(5, 2),
    "steps": slice(20, 1, -3),
    "list": [22, 0, 7, 7, -2],
    "empty": [],
    "array": RNG.permutation(23),
    "truths": Y % 3 == 0,
}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", CHOSEN)
def test_rows_are_those_of_the_array(form, name, tmp_path):
    shards = db.Shards(WRITTEN[form](tmp_path))
    assert sorted(shards) == ["x", "y"]
    for array, rows in ((X, shards["x"]), (Y, shards["y"])):
        assert (rows.shape, rows.dtype, rows.ndim) == (array.shape, array.dtype, array.ndim)
        assert (len(rows), rows.nbytes, rows.counts) == (23, array.nbytes, [7, 1, 0, 15])
        index = CHOSEN[name]
        np.testing.assert_array_equal(rows[index], array[index if name != "empty" else slice(0)])
        assert np.asarray(rows[index]).dtype == array.dtype
        np.testing.assert_array_equal(list(rows), array)


def test_what_comes_is_a_copy(tmp_path):
    x = db.Shards(npz(tmp_path))["x"]
    rows = x[2:4]
    rows[:] = 0
    np.testing.assert_array_equal(x[2:4], X[2:4])


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "|i1", "<u2", "|b1", "<U3", "|S2"])
def test_dtypes(dtype, tmp_path):
    array = (np.arange(12).reshape(6, 2) % 3).astype(dtype)
    for k in range(2):
        np.savez(tmp_path / f"{k}.npz", x=array[3 * k : 3 * k + 3])
    rows = db.Shards(tmp_path)["x"]
    assert rows.dtype == array.dtype
    np.testing.assert_array_equal(rows[[5, 0, 4]], array[[5, 0, 4]])


def test_bfloat16_comes_as_float32(tmp_path):
    array = np.array([[1.5, -2.0], [0.25, 3.0]], np.float32)
    upper = (array.view(np.uint32) >> 16).astype("<u2")
    header = b'{"x":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}'
    content = struct.pack("<Q", len(header)) + header + upper.tobytes()
    (tmp_path / "a.safetensors").write_bytes(content)
    rows = db.Shards(tmp_path)["x"]
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[:], array)


def test_few_files_are_open_and_rows_are_right(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "OPEN", 3)
    for k in range(10):
        np.save(tmp_path / f"{k}.npy", np.arange(4) + 4 * k)
    rows = db.Shards({"x": tmp_path})["x"]
    order = RNG.permutation(40)
    np.testing.assert_array_equal(rows[order], order)
    assert len(rows._files._open) == 3
    np.testing.assert_array_equal(copy.deepcopy(rows)[order], order)


def test_names_of_arrays(tmp_path):
    shards = db.Shards(npz(tmp_path))
    assert "x" in shards
    assert shards.get("z") is None
    assert repr(shards) == "<Shards: x (23, 3, 2), y (23,); 4 files>"
    assert repr(shards["y"]) == "<ShardRows 'y': shape (23,), int64, 4 files>"
    with pytest.raises(DataError, match=r"train-0.npz: has no such array, got 'X'. .*Known: x, y"):
        shards["X"]


@pytest.mark.parametrize("index", [23, -24, [0, 23], 1.5, "a", None, (1, 2), [[1, 2]], [True]])
def test_rows_that_are_not_there(index, tmp_path):
    with pytest.raises(DataError, match=r"^x: (has no such row|rows are chosen by number), got "):
        db.Shards(npz(tmp_path))["x"][index]


def unlike(**changed):
    """Return what writes three shards, of which the last is another one."""

    def write(folder):
        npz(folder, PARTS[:2])
        np.savez(folder / "train-2.npz", **({"x": X[:3], "y": Y[:3]} | changed))
        return folder

    return write


def other_names(folder):
    npz(folder, PARTS[:2])
    np.savez(folder / "train-2.npz", x=X[:3], label=Y[:3])
    return folder


def compressed(folder):
    np.savez_compressed(folder / "a.npz", x=X)
    return folder


def objects(folder):
    np.savez(folder / "a.npz", x=np.array([{}, 1], object))
    return folder


def cut(name):
    def write(folder):
        WRITTEN[name](folder)
        (last,) = folder.glob("*-3.*" if name != "npy" else "x-3.*")
        last.write_bytes(last.read_bytes()[:-40])
        return {"x": folder / "x-*.npy"} if name == "npy" else folder

    return write


def longer_header(folder):
    """A member whose header promises more rows than there are."""
    np.save(folder / "x.npy", X)
    content = (folder / "x.npy").read_bytes().replace(b"(23, 3, 2)", b"(99, 3, 2)")
    with zipfile.ZipFile(folder / "a.npz", "w") as packed:
        packed.writestr("x.npy", content)
    return folder / "a.npz"


def elsewhere(folder):
    """An archive whose directory says another place of the member."""
    np.savez(folder / "a.npz", x=X)
    content = bytearray((folder / "a.npz").read_bytes())
    place = content.rindex(b"PK\1\2")
    content[place + 42 : place + 46] = struct.pack("<I", 64)
    (folder / "a.npz").write_bytes(content)
    return folder


def not_an_archive(folder):
    (folder / "a.npz").write_bytes(b"PK and nothing else")
    return folder


def single(**arrays):
    def write(folder):
        np.savez(folder / "a.npz", **arrays)
        return folder

    return write


def pairs(counts):
    def write(folder):
        for k, count in enumerate(counts):
            np.save(folder / f"y-{k}.npy", Y[:count])
        np.save(folder / "x-0.npy", X[:4])
        np.save(folder / "x-1.npy", X[:5])
        return {"x": folder / "x-*.npy", "y": folder / "y-*.npy"}

    return write


WRONG = {
    "names": (other_names, DataError, "train-2.npz: must have the arrays of train-0.npz: x, y"),
    "dtype": (unlike(y=Y[:3].astype("i4")), DTypeError, "train-2.npz: y: must have dtype <i8"),
    "sizes": (unlike(x=X[:3, :2]), DataError, "train-2.npz: x: must have rows of shape (3, 2)"),
    "rows": (unlike(y=Y[:2]), DataError, "train-2.npz: all arrays need the same number of rows"),
    "compressed": (compressed, DataError, "a.npz: x: is compressed or encrypted"),
    "objects": (objects, DataError, "allow_pickle=False refuses them"),
    "short-npz": (cut("npz"), DataError, "train-3.npz: the file is damaged"),
    "short-npy": (cut("npy"), DataError, "x-3.npy: the file is damaged"),
    "short-safetensors": (cut("safetensors"), DataError, "train-3.safetensors: the file is dam"),
    "header": (longer_header, DataError, "bytes for shape (99, 3, 2) in float32"),
    "elsewhere": (elsewhere, DataError, "no member at byte 64 for x.npy"),
    "no-archive": (not_an_archive, DataError, "a.npz: the file is damaged"),
    "no-arrays": (single(), DataError, "a.npz: "),
    "number": (single(x=np.float32(3)), DataError, "a.npz: x: has no rows"),
    "fortran": (single(x=np.asfortranarray(X)), DataError, "numpy.ascontiguousarray"),
    "fields": (single(x=np.zeros(3, "i4,f4")), DataError, "numbers, truths or texts"),
    "dates": (single(x=np.zeros(3, "M8[s]")), DataError, "got dtype datetime64[s]"),
    "pairs": (pairs([4, 6]), DataError, "files that belong together need the same number of rows"),
    "fewer": (pairs([9]), DataError, "all arrays need the same number of files, got 2 of x, 1 of"),
    "unnamed": (lambda folder: npy(folder)["y"], DataError, 'db.Shards({"x": "x-*.npy"'),
    "named": (lambda folder: {"x": npz(folder)}, DataError, "train-0.npz: must be .npy, got .npz"),
    "pattern": (lambda folder: folder / "no-*.npz", DataError, "Shards: paths: has no files"),
    "folder": (lambda folder: folder, DataError, "Shards: paths: has no files"),
    "file": (lambda folder: folder / "no.npz", DataError, "no.npz: the file does not exist"),
    "empty": (lambda folder: [], DataError, "Shards: paths: has no files, got []"),
    "dictionary": (lambda folder: {}, DataError, "Shards: paths: has no files"),
    "argument": (lambda folder: 3, DataError, "Shards: paths: must be the path of a file or fol"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name, tmp_path):
    write, error, message = WRONG[name]
    given = write(tmp_path)
    with pytest.raises(DnnbridgeError) as caught:
        db.Shards(given)
    assert type(caught.value) is error
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("change", ["shorter", "gone", "shorter while open"])
def test_a_file_that_changes_is_an_error(change, tmp_path):
    np.save(tmp_path / "a.npy", X)
    rows = db.Shards({"x": tmp_path})["x"]
    if change == "shorter while open":
        assert rows[0].shape == (3, 2)
    if change == "gone":
        (tmp_path / "a.npy").unlink()
    else:
        with (tmp_path / "a.npy").open("r+b") as file:
            file.truncate(300)
    for _ in range(2):
        with pytest.raises(DataError, match=r"a\.npy: (has changed|cannot be read any more)"):
            rows[-1]


def test_a_file_of_the_same_size_that_is_written_later_is_an_error(tmp_path):
    np.save(tmp_path / "a.npy", X)
    rows = db.Shards({"x": tmp_path})["x"]
    np.save(tmp_path / "a.npy", X + 1)
    os.utime(tmp_path / "a.npy", ns=(1, 1))
    with pytest.raises(DataError, match=r"a\.npy: has changed .* written later"):
        rows[0]


def test_rows_are_those_of_numpy_for_any_numbers_also_repeated(tmp_path):
    for k in range(2):
        np.savez(tmp_path / f"{k}.npz", x=np.arange(8) + 8 * k)
    rows, rng = db.Shards(tmp_path)["x"], np.random.default_rng(0)
    for _ in range(300):
        wanted = rng.integers(0, 16, rng.integers(1, 9))
        for numbers in (wanted, np.sort(wanted), wanted.tolist()):
            np.testing.assert_array_equal(rows[numbers], numbers)
    np.testing.assert_array_equal(rows[range(3, 5)], [3, 4])
    assert rows[np.array(3)] == 3


@pytest.mark.parametrize("index", [True, np.array(True), np.False_, [[1], [2, 3]], None])
def test_what_is_no_number_is_refused(index, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(8))
    with pytest.raises(DataError, match="rows are chosen by number"):
        db.Shards(tmp_path)["x"][index]


def test_the_current_folder_may_change(tmp_path, monkeypatch):
    for k in range(2):
        (tmp_path / str(k)).mkdir()
        np.savez(tmp_path / str(k) / "a.npz", x=np.full(8, k))
    monkeypatch.chdir(tmp_path / "0")
    rows = db.Shards("a.npz")["x"]
    monkeypatch.chdir(tmp_path / "1")
    assert rows[0] == 0
