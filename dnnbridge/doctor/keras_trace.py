"""`trace_keras`: record the training of a live Keras model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.packages import framework
from dnnbridge.callbacks.nearby import Moves
from dnnbridge.callbacks.recorder import MAX_BYTES
from dnnbridge.doctor.keras_side import Kept, Saved, arrays_of_model, outputs_of_layers
from dnnbridge.doctor.native_trace import (
    AbstractNative,
    Gradients,
    NativeTrace,
    State,
    TraceOptions,
    described,
)
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.traces.places import TracePlace


@explained()
def trace_keras(
    out: str | Path,
    every: int = 100,
    *,
    probe: tuple[Any, Any] | None = None,
    tensors: Any = (),
    max_bytes: int = MAX_BYTES,
    rounding: bool = True,
    append: bool = False,
) -> Any:
    """Return a `keras.callbacks.Callback` that records `model.fit` as `Trace` records a run.

    Keras shows no batch to a callback. So outputs of layers, loss and gradients are those of a
    fixed batch, computed as in a prediction; give the other trace the same one. Weights,
    statistics, slots, their changes in the step and the learning rate are those of the training.
    Names are those of `from_keras` where it can read the model, else Keras' own. MindSpore need not
    be installed.

    Args:
        out: file to write.
        every: distance of recorded steps; `steps_per_execution` must be 1.
        probe: a fixed batch (x, y).
        tensors: names or patterns of what is recorded whole, or "all".
        max_bytes: bound of the file.
        rounding: whether to compute the probe from moved states too, at some steps.
        append: go on with an existing file.

    Raises:
        PackageNotInstalledError: Keras is missing.

    Example:
        >>> trace_keras("keras.trace", every=0)
        Traceback (most recent call last):
        dnnbridge.errors.DataError: trace_keras.every: must be a whole number above 0, got 0.
    """
    options = TraceOptions.checked(
        "trace_keras", out, every, probe, tensors, max_bytes, rounding, append
    )
    keras = framework("keras", "trace_keras")

    class KerasTrace(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Records the training of its model."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.model.optimizer.build(self.model.trainable_variables)
            native = _NativeKeras(self.model)
            self._trace = NativeTrace(native, options, _head(keras, self.model))
            self._trace.begin(self._done())

        def _done(self) -> int:
            return int(self.model.optimizer.iterations)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self._trace.before(self._done() + 1)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._trace.after(self._done(), None, None)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            found = {name: float(value) for name, value in (logs or {}).items()}
            self._trace.recorder.writer.epoch(epoch, self._done(), found)

    return KerasTrace()


def _head(keras: Any, model: Any) -> dict[str, Any]:
    tf = framework("tensorflow", "trace_keras")
    return described(
        ("keras", "tensorflow"),
        framework="keras",
        device="gpu" if tf.config.list_physical_devices("GPU") else "cpu",
        optimizer=type(model.optimizer).__name__,
        layers=[[each.name, type(each).__name__] for each in model.layers],
    )


class _NativeKeras(AbstractNative):
    """A live, compiled model.

    Args:
        model: compiled, and built.
    """

    def __init__(self, model: Any) -> None:
        self.model, saved = model, Saved(model)
        try:
            self.kept, imported = arrays_of_model(model)
            self.spec = imported.experiment.to_dict()
        except DnnbridgeError:
            self.kept = _own(model)
        finally:
            saved.restore()
        trained = {id(variable) for variable in model.trainable_variables}
        self.weights = frozenset(n for n, k in self.kept.items() if id(k.variable) in trained)
        self.names = {id(kept.variable): name for name, kept in self.kept.items()}
        self._layers = outputs_of_layers(model) if getattr(model, "inputs", None) else None

    def state(self) -> State:
        return {n: k.sign * np.array(k.variable) for n, k in self.kept.items()}

    def rate(self) -> float | None:
        return float(self.model.optimizer.learning_rate)

    def inside(self, x: Any, y: Any) -> dict[TracePlace, Array]:
        made = dict[TracePlace, Array]()
        outputs = self._layers(x, training=False) if self._layers is not None else {}
        for name, array in outputs.items():
            made[TracePlace("layer", name, tuple(array.shape[1:]))] = np.array(array)
        loss, gradients = self._gradients(x, y, training=False)
        made[TracePlace("loss", "loss")] = np.asarray(loss)
        return made | {TracePlace("gradient", n, g.shape): g for n, g in gradients.items()}

    def _gradients(self, x: Any, y: Any, training: bool) -> tuple[float, dict[str, Array]]:
        tf = framework("tensorflow", "trace_keras")
        with tf.GradientTape() as tape:
            outputs = self.model(x, training=training)
            loss = self.model.compute_loss(x, y, outputs, None, training=training)
        found = tape.gradient(loss, self.model.trainable_variables)
        pairs = zip(self.model.trainable_variables, found, strict=True)
        made = {
            self.names[id(v)]: np.array(tf.convert_to_tensor(g))
            for v, g in pairs
            if g is not None and id(v) in self.names
        }
        return float(loss), made

    def trained_gradients(self, x: Any, y: Any) -> Gradients | None:
        saved = Saved(self.model)
        try:
            saved.quieten()
            return self._gradients(x, y, training=True)[1]
        finally:
            saved.restore()

    def keep(self) -> Any:
        return Saved(self.model)

    def restore(self, kept: Any) -> None:
        kept.restore_arrays()

    def move(self, moves: Moves) -> None:
        for name, kept in self.kept.items():
            if ":" not in name:
                kept.variable.assign(moves.moved(name, np.array(kept.variable)))


def _own(model: Any) -> dict[str, Kept]:
    """Return the variables of a model that `from_keras` cannot read, by their own names."""
    made = {v.path: Kept(v, 1.0) for v in model.weights if "float" in str(v.dtype)}
    for variable in model.optimizer.variables:
        if "float" in str(variable.dtype) and variable.name != "learning_rate":
            made[f"{variable.path}:slot"] = Kept(variable, 1.0)
    return made
