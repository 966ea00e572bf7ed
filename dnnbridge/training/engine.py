"""`Engine`: what a run computes with: compiled steps, their arrays, and how far they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.backend.protocol import Backend, Executable, check_supported
from dnnbridge.backend.workers import Workers
from dnnbridge.base.arrays import Array
from dnnbridge.base.garbage import uncollected
from dnnbridge.base.interrupts import Move, Waiting
from dnnbridge.errors import DataError, StateError
from dnnbridge.program.agreeing import AGREE, ASKED, TOTAL, agreement_program
from dnnbridge.program.dividing import divided
from dnnbridge.program.probes import build_probes
from dnnbridge.program.program import Program
from dnnbridge.training import reuse
from dnnbridge.training.checking.arguments import Arguments
from dnnbridge.training.checking.fed import FedRows
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.position import Position
from dnnbridge.training.state_arrays import (
    check_named,
    checked_arrays,
    checked_optimizer,
    checked_position,
    initial_arrays,
    portions,
)
from dnnbridge.training.totals import checked_sums
from dnnbridge.training.train_state import TrainState

if TYPE_CHECKING:
    from dnnbridge.experiment import Experiment
    from dnnbridge.optimizers import AbstractOptimizer
    from dnnbridge.training.feeding.batches import Block
    from dnnbridge.training.fitting import Fitting


class Engine:
    """Compiled steps, their arrays, and how far they are.

    Args:
        experiment: the spec.
        program: what it emitted.
        backend: what compiles it.
        device: name of the device.
        workers: who shares each batch; None for one worker.

    Attributes:
        executable: keeps the arrays.
        state: the rest of what changes.
        arguments: checks the arrays of calls.
        fed: checks rows when they are gathered.
        buffers: where the feeds of `fit` and `evaluate` are written.
        stopped: whether `fit` is to return.
        fitting: the examples of the `fit` that is running, if one is, and they can be read again.
        block: the feeds of the steps that `fit` runs now.
        finished: whether the last `fit` ended without an error.
        torn: the error that came while the arrays were being changed, if one did.
    """

    def __init__(
        self,
        experiment: Experiment,
        program: Program,
        backend: Backend,
        device: str,
        workers: Workers | None = None,
    ) -> None:
        self.experiment, self.program, self.device = experiment, program, device
        self.arguments = Arguments(experiment.model.input_types, program)
        self.fed = FedRows(experiment.model.input_types, program)
        self.state = TrainState(experiment, program)
        self.buffers = {"fit": Buffers(turns=2), "evaluate": Buffers()}
        self.stopped, self.finished, self.torn = False, False, ""
        self.fitting: Fitting | None = None
        self.block: Block | None = None
        self._backend, self._compiled = backend, list[tuple[Executable, int]]()
        self.workers = workers
        self._agreement: Executable | None = None
        part = divided(program, workers.sync_batch_norm) if workers else program
        self.executable = self._executable(part, workers)
        self._set(initial_arrays(program, experiment.seed))

    def _executable(self, program: Program, workers: Workers | None = None) -> Executable:
        made = reuse.executable_for(self, program, self._backend, self.device, workers)
        self._compiled.append((made, made.compilations))
        return made

    @property
    def compilations(self) -> int:
        """How often the backend has compiled something since this was made."""
        return sum(made.compilations - before for made, before in self._compiled)

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of weights and buffers by name."""
        return {array.name: array.shape for array in self.program.layer_arrays}

    def check_whole(self) -> None:
        """Raise if an error came while the arrays were being changed."""
        if self.torn:
            raise StateError(
                "the run was stopped while its arrays were being changed, so that some may be of "
                "one step and some of another",
                where="run",
                got=self.torn,
                hint="Load its last checkpoint with dnnbridge.load, or give set_state a state.",
            )

    def tear(self, error: BaseException) -> None:
        """Note an error that came while the arrays were being changed."""
        self.torn = f"{type(error).__name__} {str(error)[:200]}".rstrip()

    def read(self) -> dict[str, Array]:
        """Return copies of all arrays by name."""
        self.check_whole()
        return self.executable.read()

    def _set(self, arrays: Iterable[tuple[str, Array]]) -> None:
        for portion in portions(arrays):
            self.executable.write(portion)

    def write(self, arrays: Mapping[str, Array]) -> None:
        """Set some arrays, which have been checked."""
        self.check_whole()
        with Waiting() as waiting, Move(waiting, self.tear) as move:
            self._set(arrays.items())
            move.done()

    def compute(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        """Run steps of an evaluation or prediction, which may carry states."""
        if not self.program.functions[function].writes:
            return self.executable.run(function, feeds, steps)
        with Waiting() as waiting, Move(waiting, self.tear) as move:
            made = self.executable.run(function, feeds, steps)
            move.done()
        return made

    def agree(self, asked: Array) -> Array:
        """Return the sum of an array of float32 over all workers, which must all call this."""
        if self._agreement is None:
            self._agreement = self._executable(agreement_program(len(asked)), self.workers)
        made = self._agreement.run(AGREE, {ASKED: asked[None]}, 1)
        return np.asarray(made[TOTAL][0])

    @cached_property
    def probe_program(self) -> Program:
        """Functions that return activations and gradients: see `dnnbridge.training.probing`."""
        given = self.experiment
        return build_probes(given.model, given.heads, given.rules, given.precision)

    @cached_property
    def _probe_executable(self) -> Executable:
        with uncollected():
            check_supported(self._backend, self.probe_program, self.device)
            return self._executable(self.probe_program)

    def probes(self, arrays: Mapping[str, Array] | None = None) -> Executable:
        """Return the functions of `probe_program` with copies of the arrays, compiled once.

        They have arrays of their own, so nothing that they do changes the run.

        Args:
            arrays: the arrays to copy; by default those of the run.
        """
        arrays = self.read() if arrays is None else arrays
        self._probe_executable.write({name: arrays[name] for name in self.probe_program.state})
        return self._probe_executable

    def reset_states(self, layers: tuple[str, ...]) -> None:
        """Set carried states to zeros: see `Run.reset_states`."""
        carried = self.program.carried
        below = {layer: [n for n in carried if n.startswith(f"{layer}/")] for layer in layers}
        if unknown := [layer for layer, names in below.items() if not names]:
            known = dict.fromkeys(name.rpartition("/")[0] for name in carried)
            raise DataError(
                "no such layer carries states",
                where="reset_states",
                got=", ".join(map(repr, unknown)),
                hint=f"These do: {', '.join(known)}." if known else "None of this model does.",
            )
        names = {name for each in below.values() for name in each} if layers else carried
        self.write({n: np.zeros(self.program.state[n].shape, np.float32) for n in names})

    def write_weights(self, values: Any, where: str, *, all_of_them: bool) -> None:
        """Check weights and buffers by name, and set them."""
        check_named(values, where)
        shapes = self.layer_shapes
        missing = [name for name in shapes if name not in values] if all_of_them else []
        if missing:
            raise DataError(
                "arrays are missing",
                where=where,
                got=", ".join(missing),
                hint="Give what weights() returns; set_parameters sets some of them.",
            )
        self.write(checked_arrays(values, shapes, where))

    def replace_state(
        self,
        values: Any,
        position: Position,
        optimizer: AbstractOptimizer | None,
        epoch_sums: Mapping[str, Any] | None,
    ) -> None:
        """Check all that changes, and set it: see `Run.set_state`."""
        check_named(values, "state")
        checked_position(position)
        shapes = {name: array.shape for name, array in self.program.state.items()}
        missing = sorted(shapes.keys() - values.keys())
        if missing:
            raise DataError("arrays are missing", where="state", got=", ".join(missing))
        arrays = checked_arrays(values, shapes, "state", small=False)
        chosen = checked_optimizer(optimizer or self.state.optimizer, self.experiment.optimizer)
        sums = checked_sums(epoch_sums or {}, self.program, position)
        state = TrainState(self.experiment, self.program, position, chosen, sums)
        with Waiting() as waiting, Move(waiting, self.tear) as move:
            self._set(arrays.items())
            self.state, self.torn = state, ""
            move.done()

    def averages(self) -> dict[str, Array]:
        """Return copies of the averaged weights: see `Run.averages`."""
        slot = self.state.optimizer.average
        if slot is None:
            raise DataError(
                "the optimizer keeps no average of the weights",
                where="averages",
                got=type(self.state.optimizer).__name__,
                hint="Put ExponentialMovingAverage(…) or StochasticWeightAverage(…) around it.",
            )
        state = self.read()
        slots = {name: f"{name}:{slot}" for name in self.program.parameters}
        return {name: state[array] for name, array in slots.items() if array in state}
