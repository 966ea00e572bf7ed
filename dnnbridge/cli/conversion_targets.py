"""What a file of each format computes, when `dnnbridge convert` runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import framework
from dnnbridge.convert.written_module import import_exported
from dnnbridge.formats.onnx.package import runtime
from dnnbridge.formats.source.importing import import_written
from dnnbridge.training.run import Run

Arrays = Mapping[str, Array]


class Target(NamedTuple):
    """What a written file computes.

    Attributes:
        predict: takes inputs by name and returns a list of outputs.
        train: takes inputs, labels, batch size and epochs, and returns the loss of every step;
            None where the format only predicts.
        same_masks: whether it drops what the run drops.
    """

    predict: Callable[[Arrays], Sequence[Array]]
    train: Callable[[Arrays, Arrays, int, int], Sequence[float]] | None = None
    same_masks: bool = False


def given(arrays: Arrays) -> Any:
    """Return arrays as `fit` and `predict` take them: the only one, or a dictionary."""
    return dict(arrays) if len(arrays) > 1 else next(iter(arrays.values()))


def for_keras(arrays: Arrays) -> Any:
    """Return inputs as a model of Keras takes them: as `given`, with texts as tensors."""
    return given({name: _tensor_of_texts(array) for name, array in arrays.items()})


def _tensor_of_texts(array: Array) -> Any:
    if array.dtype.kind not in "OSU":
        return array
    return framework("tensorflow", "reading texts").constant(array)


def labels_for_keras(y: Arrays) -> Any:
    """Return labels as Keras takes them: the only ones, or a list in the order of the outputs."""
    return list(y.values()) if len(y) > 1 else next(iter(y.values()))


def listed(found: Any) -> list[Array]:
    """Return the outputs of a prediction as a list."""
    if isinstance(found, Mapping):
        found = list(found.values())
    return [np.asarray(each) for each in (found if isinstance(found, (list, tuple)) else [found])]


def _python_tensorflow(path: Path, run: Run) -> Target:
    module = import_written(path)
    return _of_keras(module.load_model(), module)


def _keras(path: Path, run: Run) -> Target:
    keras = framework("keras", "running a .keras file")
    return _of_keras(keras.saving.load_model(path), import_exported(run, "python-tensorflow"))


def _of_keras(model: Any, module: Any) -> Target:
    """Train a model with the function of the plain source, which takes the batches of `fit`."""

    def train(x: Arrays, y: Arrays, size: int, epochs: int) -> Any:
        return module.train(given(x), labels_for_keras(y), size, epochs, model=model)

    return Target(lambda x: listed(model.predict(for_keras(x), verbose=0)), train)


def _python_mindspore(path: Path, run: Run) -> Target:
    module = import_written(path)
    net, optimizer = module.load()

    def train(x: Arrays, y: Arrays, size: int, epochs: int) -> Any:
        arrays = (*x.values(), *y.values())
        return module.train(net, optimizer, *arrays, batch_size=size, epochs=epochs)

    return Target(lambda x: listed(module.predict(net, *x.values())), train, True)


def _saved_model(path: Path, run: Run) -> Target:
    tf = framework("tensorflow", "running a SavedModel")
    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]

    def predict(x: Arrays) -> list[Array]:
        types = run.experiment.model.input_types
        found = serve(**{n: tf.constant(a, types[n].kind) for n, a in x.items()})
        assert loaded is not None  # TensorFlow forgets the weights with it
        return [found[name].numpy() for name in run.experiment.model.output_names]

    return Target(predict)


def _mindir(path: Path, run: Run) -> Target:
    ms = framework("mindspore", "running a MindIR file")
    net = ms.nn.GraphCell(ms.load(str(path)))
    types = run.experiment.model.input_types

    def predict(x: Arrays) -> list[Array]:
        found = net(*(ms.Tensor(np.asarray(a, types[n].dtype)) for n, a in x.items()))
        return [each.asnumpy() for each in (found if isinstance(found, tuple) else (found,))]

    return Target(predict)


def _onnx(path: Path, run: Run) -> Target:
    onnxruntime = runtime()
    if onnxruntime is None:
        raise ImportError("ONNX Runtime is not installed")
    session = onnxruntime.InferenceSession(str(path))
    types = list(run.experiment.model.input_types.values())

    def predict(x: Arrays) -> list[Array]:
        pairs = zip(session.get_inputs(), x.values(), types, strict=True)
        return list(session.run(None, {i.name: np.asarray(a, t.dtype) for i, a, t in pairs}))

    return Target(predict)


TARGETS: dict[str, Callable[[Path, Run], Target]] = {
    "keras": _keras,
    "mindir": _mindir,
    "onnx": _onnx,
    "python-mindspore": _python_mindspore,
    "python-tensorflow": _python_tensorflow,
    "saved_model": _saved_model,
}
"""What loads a file of each format; `FORMATS` may have more."""
