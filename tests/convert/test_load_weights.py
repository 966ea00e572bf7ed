"""`read_weights` and `load_weights`, with files of MindSpore, Keras, TensorFlow and NumPy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError, PackageNotInstalledError


def varint(number):
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def value(name, array, dtype="Float32"):
    """Write an array as a `.ckpt` has it."""
    dims = b"".join(varint(1 << 3) + varint(size) for size in array.shape)
    tensor = dims + field(2, dtype.encode()) + field(3, array.tobytes())
    return field(1, field(1, name.encode()) + field(2, tensor))


A = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_a_checkpoint_is_read(tmp_path):
    (tmp_path / "a.ckpt").write_bytes(value("fc.weight", A) + value("step", np.int64(3), "Int64"))
    found = db.read_weights(tmp_path / "a.ckpt")
    np.testing.assert_array_equal(found["fc.weight"], A)
    assert found["step"] == 3


def test_a_large_array_in_parts_is_one(tmp_path):
    def half(rows):
        dims = varint(8) + varint(2) + varint(8) + varint(3)
        tensor = dims + field(2, b"Float32") + field(3, rows.tobytes())
        return field(1, field(1, b"w") + field(2, tensor))

    (tmp_path / "a.ckpt").write_bytes(half(A[:1]) + half(A[1:]))
    np.testing.assert_array_equal(db.read_weights(tmp_path / "a.ckpt")["w"], A)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_damaged_checkpoint_is_named(tmp_path, cut):
    (tmp_path / "a.ckpt").write_bytes(value("fc.weight", A)[:-cut])
    with pytest.raises(ConversionError, match=r"a\.ckpt: is not a checkpoint"):
        db.read_weights(tmp_path / "a.ckpt")


def test_sizes_that_do_not_fit_take_no_memory(tmp_path):
    dims = b"".join(varint(8) + varint(1 << 40) for _ in range(2))
    tensor = field(1, field(1, b"w") + field(2, dims + field(2, b"Float32") + field(3, b"1234")))
    (tmp_path / "a.ckpt").write_bytes(tensor)
    with pytest.raises(ConversionError, match="4 bytes for w"):
        db.read_weights(tmp_path / "a.ckpt")


def safetensors(path, arrays):
    header, content = {}, b""
    for name, array in arrays.items():
        stop = len(content) + array.nbytes
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(content), stop],
        }
        content += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def test_a_safetensors_file_is_read_and_checked(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors(path, {"w": A})
    np.testing.assert_array_equal(db.read_weights(path)["w"], A)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ConversionError, match=r"a\.safetensors: the file is damaged"):
        db.read_weights(path)


def test_an_npz_file_with_objects_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.array([{}], object))
    with pytest.raises(ConversionError, match="allow_pickle"):
        db.read_weights(tmp_path / "a.npz")


def test_an_unknown_form_is_named(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"")
    with pytest.raises(ConversionError, match="safetensors"):
        db.read_weights(tmp_path / "a.pth")


def test_a_checkpoint_of_tensorflow_is_read(tmp_path):
    tf = pytest.importorskip("tensorflow")
    prefix = tf.train.Checkpoint(w=tf.Variable(A)).write(str(tmp_path / "model"))
    np.testing.assert_array_equal(db.read_weights(prefix)["w"], A)


def test_tensorflow_must_be_there(tmp_path, monkeypatch):
    (tmp_path / "model.index").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(PackageNotInstalledError, match="needs TensorFlow"):
        db.read_weights(tmp_path / "model")


def a_run(*layers, shape=(4, 6)):
    model = db.Sequential([db.Input(shape), *layers])
    return db.compile(db.Experiment(model, "mse", "sgd"), "reference")


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_names_of_pytorch_are_found_and_transposed(tmp_path):
    run = a_run(
        db.Conv1D(5, 3, name="features_0"),
        db.BatchNormalization(name="features_1"),
        db.Dense(5, name="head"),
    )
    arrays = {
        "features.0.weight": random((5, 6, 3)),
        "features.0.bias": random(5, 1),
        "features.1.weight": random(5, 2),
        "features.1.bias": random(5, 3),
        "features.1.running_mean": random(5, 4),
        "features.1.running_var": random(5, 5) ** 2,
        "features.1.num_batches_tracked": np.zeros(1, np.float32),
        "head.weight": random((5, 5), 6),
        "head.bias": random(5, 7),
    }
    safetensors(tmp_path / "a.safetensors", arrays)
    report = db.load_weights(run, tmp_path / "a.safetensors")
    found = run.weights()
    kernel = found["features_0/kernel"]
    np.testing.assert_array_equal(kernel, arrays["features.0.weight"].transpose(2, 1, 0))
    np.testing.assert_array_equal(found["head/kernel"], arrays["head.weight"].T)
    np.testing.assert_array_equal(found["features_1/gamma"], arrays["features.1.weight"])
    variance = run.state()["features_1/moving_variance"]
    np.testing.assert_array_equal(variance, arrays["features.1.running_var"])
    assert report.transposed == ("features_0/kernel", "head/kernel")
    assert report.unexpected == ("features.1.num_batches_tracked",)
    assert "features.0.weight" in str(report)


def test_what_is_missing_is_named_with_what_it_may_be(tmp_path):
    run = a_run(db.Dense(3, name="fc"))
    before = run.weights()
    np.savez(tmp_path / "a.npz", **{"other.weight": random((3, 6)), "fc.bias": random(3)})
    with pytest.raises(ConversionError, match=r"missing: fc/kernel; it may be other\.weight"):
        db.load_weights(run, tmp_path / "a.npz")
    np.testing.assert_array_equal(run.weights()["fc/bias"], before["fc/bias"])
    report = db.load_weights(run, tmp_path / "a.npz", strict=False)
    assert report.missing == {"fc/kernel": ("other.weight",)}
    db.load_weights(run, tmp_path / "a.npz", names={"fc/kernel": "other.weight"})
    np.testing.assert_array_equal(run.weights()["fc/kernel"], random((3, 6)).T)


def test_a_layer_can_have_another_name_in_the_file(tmp_path):
    run = a_run(db.Dense(6, name="fc"))
    np.savez(tmp_path / "a.npz", **{"net.0.weight": random((6, 6)), "net.0.bias": random(6)})
    db.load_weights(run, tmp_path / "a.npz", names={"fc": "net.0"})
    np.testing.assert_array_equal(run.weights()["fc/kernel"], random((6, 6)).T)


def test_a_run_reads_its_own_names(tmp_path):
    layers = (db.LSTM(6, name="rnn"), db.Dense(6, name="fc"))
    run, other = a_run(*layers), a_run(*layers)
    run.set_state({n: random(a.shape, 9) for n, a in run.state().items()}, run.position)
    np.savez(tmp_path / "a.npz", **run.state())
    report = db.load_weights(other, tmp_path / "a.npz")
    assert not report.transposed
    for name, array in run.state().items():
        np.testing.assert_array_equal(other.state()[name], array)


def test_a_weights_file_of_keras_is_read(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4, 6)), keras.layers.Dense(3)])
    model.save_weights(tmp_path / "a.weights.h5")
    run = a_run(db.Dense(3, name="dense"))
    db.load_weights(run, tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(run.weights()["dense/kernel"], model.get_weights()[0])


@pytest.mark.parametrize("name", ["lenet", "residual", "lstm", "bigru", "rnn", "transformer"])
def test_a_checkpoint_fits_the_model_that_came_from_the_cell(name, tmp_path):
    ms = pytest.importorskip("mindspore")
    zoo = pytest.importorskip("convert.mindspore_cells").ZOO
    make, shape = zoo[name]
    cell = make()
    numbers = np.random.default_rng(4)
    for parameter in cell.get_parameters():
        given = numbers.uniform(0.5, 1.5, parameter.shape).astype(np.float32)
        ms.ops.assign(parameter, ms.Tensor(given))
    imported = db.from_mindspore(cell, shape, loss=db.MeanSquaredError(), optimizer=db.SGD())
    run = imported.compile("reference")
    ms.save_checkpoint(cell, str(tmp_path / "a.ckpt"))
    run.set_state({n: 0 * array for n, array in run.state().items()}, run.position)
    report = db.load_weights(run, tmp_path / "a.ckpt")
    assert not report.unexpected
    for weight, array in imported.weights.items():
        np.testing.assert_array_equal(run.state()[weight], array)


def test_reading_imports_no_framework(tmp_path):
    (tmp_path / "a.ckpt").write_bytes(value("w", A))
    code = (
        f"import sys, dnnbridge as db; db.read_weights({str(tmp_path / 'a.ckpt')!r}); "
        "print([m for m in ('mindspore', 'tensorflow', 'keras', 'h5py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bfloat16_of_keras_becomes_float32(tmp_path):
    keras = pytest.importorskip("keras")
    layer = keras.layers.Dense(2, dtype="bfloat16", bias_initializer="ones")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save_weights(tmp_path / "m.weights.h5")
    kernel, bias = db.read_weights(tmp_path / "m.weights.h5").values()
    assert kernel.dtype == bias.dtype == np.float32
    np.testing.assert_array_equal(kernel, np.asarray(layer.kernel).astype(np.float32))
    np.testing.assert_array_equal(bias, [1.0, 1.0])
