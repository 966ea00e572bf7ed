"""`trace_mindspore`: record the training of a Cell by MindSpore's `Model.train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.packages import framework
from dnnbridge.callbacks.nearby import Moves
from dnnbridge.callbacks.recorder import MAX_BYTES
from dnnbridge.convert.cell_arrays import CellArray, arrays_of_cell
from dnnbridge.convert.followed_cells import in_pynative, predicting
from dnnbridge.convert.from_mindspore import from_mindspore
from dnnbridge.doctor.native_trace import (
    AbstractNative,
    Gradients,
    NativeTrace,
    State,
    TraceOptions,
    described,
)
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.mindspore.compiled import read_slots
from dnnbridge.formats.traces.places import TracePlace


@explained()
def trace_mindspore(
    network: Any,
    out: str | Path,
    every: int = 100,
    *,
    probe: tuple[Any, Any] | None = None,
    tensors: Any = (),
    max_bytes: int = MAX_BYTES,
    rounding: bool = True,
    append: bool = False,
) -> Any:
    """Return a `mindspore.train.Callback` that records `Model.train` as `Trace` records a run.

    Weights, statistics, slots, their changes in the step, the batch, its loss and the learning rate
    are those of the training. Outputs of layers and gradients, and then the loss too, are those of
    a fixed batch, computed as in a prediction, in PyNative mode. Names and layouts of arrays are
    those of `from_mindspore` where it can read the Cell, else MindSpore's own. TensorFlow need not
    be installed.

    Args:
        network: the Cell that `mindspore.train.Model` was given.
        out: file to write.
        every: distance of recorded steps; `dataset_sink_mode` must be False.
        probe: a fixed batch (x, y) for outputs and gradients.
        tensors: names or patterns of what is recorded whole, or "all".
        max_bytes: bound of the file.
        rounding: whether to compute the probe from moved states too, at some steps.
        append: go on with an existing file.

    Raises:
        PackageNotInstalledError: MindSpore is missing.

    Example:
        >>> trace_mindspore(None, "npu.trace", every=0)
        Traceback (most recent call last):
        dnnbridge.errors.DataError: trace_mindspore.every: must be a whole number above 0, got 0.
    """
    options = TraceOptions.checked(
        "trace_mindspore", out, every, probe, tensors, max_bytes, rounding, append
    )
    mindspore = framework("mindspore", "trace_mindspore")

    class MindSporeTrace(mindspore.train.Callback):  # type: ignore[misc, name-defined]
        """Records the training of a network."""

        _trace: NativeTrace | None = None

        def on_train_step_begin(self, run_context: Any) -> None:
            given = run_context.original_args()
            if self._trace is None:
                native = _NativeCell(network, given, options)
                self._trace = NativeTrace(native, options, _head(mindspore, network, given))
                self._trace.begin(given.cur_step_num - 1)
            self._trace.before(given.cur_step_num)

        def on_train_step_end(self, run_context: Any) -> None:
            given, trace = run_context.original_args(), self._trace
            if trace is not None:
                batch = given.train_dataset_element
                arrays = None if batch is None else [each.asnumpy() for each in batch]
                trace.after(given.cur_step_num, arrays, _loss(given.net_outputs))

        def on_train_end(self, run_context: Any) -> None:
            self._trace = None

    return MindSporeTrace()


def _loss(outputs: Any) -> float | None:
    first = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
    return float(np.mean(first.asnumpy())) if hasattr(first, "asnumpy") else None


def _head(mindspore: Any, network: Any, given: Any) -> dict[str, Any]:
    return described(
        ("mindspore",),
        framework="mindspore",
        device=str(mindspore.get_context("device_target")).lower(),
        optimizer=type(given.optimizer).__name__,
        layers=[[n, type(c).__name__] for n, c in network.cells_and_names() if n],
    )


class _NativeCell(AbstractNative):
    """A Cell that is being trained.

    Args:
        network: the Cell.
        given: what MindSpore tells callbacks.
        options: what was asked for.
    """

    def __init__(self, network: Any, given: Any, options: TraceOptions) -> None:
        self.network, self.optimizer, self.loss = network, given.optimizer, given.loss_fn
        self.parameters = {p.name: p for p in network.get_parameters()}
        x = given.train_dataset_element
        first = x[0] if x is not None else options.probe[0] if options.probe else None
        self.arrays = self._arrays(first)
        trained = {p.name for p in network.trainable_params()}
        self.weights = frozenset(
            n for n, array in self.arrays.items() if set(array.names) & trained
        )

    def _arrays(self, x: Any) -> dict[str, CellArray]:
        try:
            shape = tuple(x.shape[1:]) if x is not None else ()
            arrays = arrays_of_cell(self.network, shape)
        except DnnbridgeError:
            return {name: CellArray((name,), _Same()) for name in self.parameters}
        try:
            read = from_mindspore(self.network, shape, loss=self.loss, optimizer=self.optimizer)
            self.spec = read.experiment.to_dict()
        except DnnbridgeError:
            self.spec = None
        return arrays

    def _read(self) -> dict[str, Array]:
        return {name: p.asnumpy().copy() for name, p in self.parameters.items()}

    def state(self) -> State:
        raw, made = self._read(), dict[str, Array]()
        slots, _ = read_slots(self.optimizer)
        for name, array in self.arrays.items():
            if (found := array.read(raw)) is not None:
                made[name] = found
        for slot, by_name in slots.items():
            for name, array in self.arrays.items():
                if (found := array.read(by_name)) is not None:
                    made[f"{name}:{slot}"] = found
        return made

    def rate(self) -> float | None:
        from mindspore import Parameter, Tensor

        rate = self.optimizer.learning_rate
        if isinstance(rate, Parameter):
            return float(rate.asnumpy().reshape(-1)[0])
        if not callable(rate):
            return None
        return float(rate(Tensor(self.optimizer.global_step.asnumpy())).asnumpy().reshape(-1)[0])

    def inside(self, x: Any, y: Any) -> dict[TracePlace, Array]:
        from mindspore import Tensor

        made = dict[TracePlace, Array]()

        def note(name: str) -> Any:
            def hook(cell: Any, given: Any, output: Any) -> None:
                if isinstance(output, Tensor):
                    array = output.asnumpy().copy()
                    made[TracePlace("layer", name.replace(".", "_"), array.shape[1:])] = array

            return hook

        with in_pynative(), predicting(self.network):
            cells = [(name, cell) for name, cell in self.network.cells_and_names() if name]
            hooks = [cell.register_forward_hook(note(name)) for name, cell in cells]
            try:
                self.network(*_tensors(x))
            finally:
                for hook in hooks:
                    hook.remove()
            loss, gradients = self._gradients(x, y)
        made[TracePlace("loss", "loss")] = np.asarray(loss)
        return made | {TracePlace("gradient", n, g.shape): g for n, g in gradients.items()}

    def _gradients(self, x: Any, y: Any) -> tuple[float, dict[str, Array]]:
        from mindspore import value_and_grad

        weights = self.network.trainable_params()
        inputs, labels = _tensors(x), _tensors(y)

        def forward(*given: Any) -> Any:
            return self.loss(self.network(*given[: len(inputs)]), *given[len(inputs) :]).mean()

        loss, found = value_and_grad(forward, None, weights)(*inputs, *labels)
        raw = {p.name: g.asnumpy() for p, g in zip(weights, found, strict=True)}
        made = {n: a.read(raw) for n, a in self.arrays.items() if n in self.weights}
        return float(loss.asnumpy()), {n: g for n, g in made.items() if g is not None}

    def trained_gradients(self, x: Any, y: Any) -> Gradients | None:
        if any("Dropout" in type(c).__name__ for _, c in self.network.cells_and_names()):
            return None
        with in_pynative(), predicting(self.network):
            self.network.set_train(True)
            return self._gradients(x, y)[1]

    def keep(self) -> Any:
        return self._read()

    def restore(self, kept: Any) -> None:
        from mindspore import Tensor, ops

        for name, array in kept.items():  # only assign reaches what a compiled graph holds
            ops.assign(self.parameters[name], Tensor(array))

    def move(self, moves: Moves) -> None:
        known = {name: n for n, array in self.arrays.items() for name in array.names}
        raw = self._read()
        self.restore({n: moves.moved(known.get(n, n), array) for n, array in raw.items()})


class _Same:
    """Leaves an array as it is."""

    def read(self, array: Array) -> Array:
        return array


def _tensors(given: Any) -> list[Any]:
    from mindspore import Tensor

    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    return [Tensor(np.asarray(each)) for each in listed]
