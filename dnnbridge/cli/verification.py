"""Compare a file that `dnnbridge convert` wrote with the model that it was made from."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.cli.conversion_sources import Data, Source
from dnnbridge.convert.written_module import import_exported
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.source.importing import import_written
from dnnbridge.training.run import Run

STEPS, BATCH_SIZE = 50, 8

PREDICTIONS, LOSSES = 1e-4, 1e-2
"""Largest differences that pass, relative to the largest prediction, and to each loss.

Rounding alone makes a training with kinks such as ReLU drift apart within 50 steps.
"""

Inputs = Mapping[str, Array]


@dataclass(frozen=True)
class Check:
    """A comparison.

    Attributes:
        what: what was compared.
        difference: the largest relative difference; None if it was not compared.
        allowed: the largest difference that passes.
        why: why it was not compared.
    """

    what: str
    difference: float | None = None
    allowed: float = 0.0
    why: str = ""

    @property
    def failed(self) -> bool:
        return self.difference is not None and not self.difference <= self.allowed

    def __str__(self) -> str:
        if self.difference is None:
            return f"{self.what}: not compared: {self.why}"
        verdict = "FAILED" if self.failed else "passed"
        return f"{self.what}: {verdict}, {self.difference:.1e} (allowed {self.allowed:.0e})"


class Target(NamedTuple):
    """What a written file computes; None where the format cannot.

    Attributes:
        predict: takes inputs by name and returns a list of outputs.
        train: takes inputs, labels, batch size and epochs, and returns the loss of every step.
    """

    predict: Callable[[Inputs], Sequence[Array]]
    train: Callable[[Inputs, Inputs, int, int], Sequence[float]] | None = None


def verify(source: Source, format: str, path: Path, data: Data) -> list[Check]:
    """Return the comparisons of a written file with its source."""
    try:
        target = TARGETS[format](path, source.run) if format in TARGETS else None
        why = "this format is not run by this command"
    except (ImportError, DnnbridgeError) as error:
        target, why = None, f"it cannot run here ({error})"
    if target is None:
        return [Check(what, why=why) for what in ("predictions", f"{STEPS} training steps")]
    checks = []
    for name, x in data.inputs.items():
        here = _outputs(source.run.predict(_given(x)))
        found = target.predict(x)
        checks.append(Check(f"predictions for {name}", _distance(found, here), PREDICTIONS))
        checks += _with_keras(source, name, x, found)
    return [*checks, _trained(source, target, data)]


def _with_keras(source: Source, name: str, x: Inputs, found: Sequence[Array]) -> list[Check]:
    """Compare with Keras itself, if the source is a file that it loads."""
    what = f"predictions for {name}, with Keras as the source"
    if source.report is None or source.path.suffix == ".json":
        return []
    try:
        import keras

        model = keras.saving.load_model(source.path, compile=False)
        wanted = _flat(model.predict(_given(x), verbose=0))
    except Exception as error:
        return [Check(what, why=f"Keras cannot run it ({type(error).__name__}: {error})"[:200])]
    return [Check(what, _distance(found, wanted), PREDICTIONS)]


def _trained(source: Source, target: Target, data: Data) -> Check:
    """Compare the losses of the next training steps; the source is trained here."""
    what, run = f"losses of {STEPS} training steps", source.run
    if target.train is None:
        return Check(what, why="the format only predicts")
    if run.experiment.program().randoms:
        return Check(what, why="dropout and noise are drawn by the framework, with other numbers")
    examples = len(next(iter(data.x.values())))
    per_epoch = -(-examples // min(BATCH_SIZE, examples))
    epochs = -(-STEPS // per_epoch)
    found = np.array(target.train(data.x, data.y, BATCH_SIZE, epochs))[:STEPS]
    run.fit(_given(data.x), _given(data.y), BATCH_SIZE, epochs)
    wanted = np.array(run.history.step_losses)[:STEPS]
    if found.shape != wanted.shape:
        return Check(what, float("inf"), LOSSES)
    scale = np.maximum(np.abs(wanted), 1e-3 * np.abs(wanted).max())
    return Check(what, float(np.max(np.abs(found - wanted) / np.maximum(scale, 1e-30))), LOSSES)


def _distance(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    """Return the largest difference of outputs, relative to the largest number of each."""
    if [np.shape(a) for a in found] != [np.shape(a) for a in wanted]:
        return float("inf")
    pairs = zip(found, wanted, strict=True)
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)) for a, b in pairs)


def _given(arrays: Inputs) -> Any:
    return dict(arrays) if len(arrays) > 1 else next(iter(arrays.values()))


def _outputs(found: Any) -> list[Array]:
    return list(found.values()) if isinstance(found, Mapping) else [found]


def _flat(found: Any) -> list[Array]:
    return [np.asarray(each) for each in (found if isinstance(found, (list, tuple)) else [found])]


def _python_tensorflow(path: Path, run: Run) -> Target:
    module = import_written(path)
    model = module.load_model()

    def train(x: Inputs, y: Inputs, size: int, epochs: int) -> Any:
        labels = list(y.values())
        return module.train(_given(x), labels if len(y) > 1 else labels[0], size, epochs)

    return Target(lambda x: _flat(model.predict(_given(x), verbose=0)), train)


def _python_mindspore(path: Path, run: Run) -> Target:
    module = import_written(path)
    net, optimizer = module.load()

    def train(x: Inputs, y: Inputs, size: int, epochs: int) -> Any:
        given = (*x.values(), *y.values())
        return module.train(net, optimizer, *given, batch_size=size, epochs=epochs)

    return Target(lambda x: _flat(module.predict(net, *x.values())), train)


def _keras(path: Path, run: Run) -> Target:
    import keras

    model = keras.saving.load_model(path)
    module = import_exported(run, "python-tensorflow")

    def train(x: Inputs, y: Inputs, size: int, epochs: int) -> Any:
        labels = list(y.values())
        given = labels if len(y) > 1 else labels[0]
        return module.train(_given(x), given, size, epochs, model=model)

    return Target(lambda x: _flat(model.predict(_given(x), verbose=0)), train)


def _saved_model(path: Path, run: Run) -> Target:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]

    def predict(x: Inputs) -> list[Array]:
        types = run.experiment.model.input_types
        found = serve(**{n: tf.constant(a, types[n].dtype) for n, a in x.items()})
        assert loaded is not None  # TensorFlow forgets the weights with it
        return [found[name].numpy() for name in run.experiment.model.output_names]

    return Target(predict)


def _mindir(path: Path, run: Run) -> Target:
    import mindspore as ms

    net = ms.nn.GraphCell(ms.load(str(path)))
    types = run.experiment.model.input_types

    def predict(x: Inputs) -> list[Array]:
        found = net(*(ms.Tensor(np.asarray(a, types[n].dtype)) for n, a in x.items()))
        return [each.asnumpy() for each in (found if isinstance(found, tuple) else (found,))]

    return Target(predict)


def _onnx(path: Path, run: Run) -> Target:
    onnxruntime = importlib.import_module("onnxruntime")

    session = onnxruntime.InferenceSession(str(path))
    types = list(run.experiment.model.input_types.values())

    def predict(x: Inputs) -> list[Array]:
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
