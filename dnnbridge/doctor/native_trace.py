"""`NativeTrace`: what the callbacks of Keras and MindSpore share to record a trace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.randomness import generator
from dnnbridge.callbacks.nearby import NOISE, SPACING, Moves, relative
from dnnbridge.callbacks.recorder import (
    MAX_BYTES,
    Recorder,
    about,
    checked_probe,
    checked_tensors,
    probe_print,
)
from dnnbridge.errors import RunError
from dnnbridge.formats.traces.places import TracePlace, TraceStage
from dnnbridge.training.checking.data import check_bool, check_positive

State = Mapping[str, Array]
Gradients = Mapping[str, Array]


class TraceOptions(NamedTuple):
    """What a native trace was asked for, checked."""

    out: Path
    every: int
    probe: tuple[Any, Any] | None
    tensors: tuple[str, ...]
    max_bytes: int
    rounding: bool
    append: bool

    @classmethod
    def checked(
        cls,
        name: str,
        out: str | Path,
        every: int = 100,
        probe: Any = None,
        tensors: Any = (),
        max_bytes: int = MAX_BYTES,
        rounding: bool = True,
        append: bool = False,
    ) -> TraceOptions:
        """Check arguments."""
        check_bool(rounding, f"{name}.rounding")
        check_bool(append, f"{name}.append")
        return cls(
            Path(out),
            check_positive(every, f"{name}.every"),
            checked_probe(probe, f"{name}.probe"),
            checked_tensors(tensors, f"{name}.tensors"),
            check_positive(max_bytes, f"{name}.max_bytes"),
            bool(rounding),
            bool(append),
        )


class AbstractNative(ABC):
    """A model of a framework, whose arrays go by names here.

    Attributes:
        weights: names of what is trained.
        spec: its experiment as JSON types, if it can be read.
    """

    weights: frozenset[str]
    spec: Mapping[str, Any] | None = None

    @abstractmethod
    def state(self) -> State:
        """Return weights, statistics and slots."""

    @abstractmethod
    def rate(self) -> float | None:
        """Return the learning rate of the next step, if there is one."""

    @abstractmethod
    def inside(self, x: Any, y: Any) -> dict[TracePlace, Array]:
        """Return outputs of layers, loss and gradients of a batch, as in a prediction."""

    @abstractmethod
    def trained_gradients(self, x: Any, y: Any) -> Gradients | None:
        """Return gradients as in a training without dropout; None if they cannot be had."""

    @abstractmethod
    def keep(self) -> Any:
        """Return what `restore` needs."""

    @abstractmethod
    def restore(self, kept: Any) -> None:
        """Set all arrays to what they were."""

    @abstractmethod
    def move(self, moves: Moves) -> None:
        """Move all weights and statistics."""


class NativeTrace:
    """Records a model of a framework.

    Args:
        native: the model.
        options: what was asked for.
        head: what the training is.
    """

    def __init__(
        self, native: AbstractNative, options: TraceOptions, head: Mapping[str, Any]
    ) -> None:
        self.native, self.options = native, options
        known: dict[str, Any] = {"layers": [], "data": None, "spec": native.spec}
        known["probe"] = probe_print(options.probe)
        self.recorder = Recorder(
            options.out, options.every, options.max_bytes, options.tensors, {**known, **head}
        )
        self._now: tuple[int, State, dict[TracePlace, Array], Any, float | None] | None = None

    def begin(self, step: int) -> None:
        """Start the file, after so many steps."""
        self.recorder.begin(self.options.append, step)

    def before(self, step: int) -> None:
        """Hear that a step, counted from 1, is about to run."""
        if not self.recorder.takes(step):
            return
        inside, near = dict[TracePlace, Array](), None
        probe = self.options.probe
        state = self.native.state()
        if probe is not None:
            kept = self.native.keep()
            try:
                inside = self.native.inside(*probe)
                if self.options.rounding and self.recorder.moves:
                    near = self._near(step, inside, kept)
            finally:
                self.native.restore(kept)
        self._now = step, state, inside, near, self.native.rate()

    def _near(self, step: int, inside: Mapping[TracePlace, Array], kept: Any) -> dict[str, Any]:
        """Return how far changes of the state move what is inside a step."""
        probe, native, recorder = self.options.probe, self.native, self.recorder
        assert probe is not None
        native.restore(kept)
        exact = native.trained_gradients(*probe)
        native.restore(kept)
        native.move(Moves(SPACING, generator(0, "trace", step, "noise")))
        moved = native.trained_gradients(*probe)
        if exact is not None and moved is not None:
            noise = {n for n, g in exact.items() if relative(moved[n], g) >= NOISE}
            recorder.noise |= noise

        def compute(moves: Moves) -> Mapping[TracePlace, Array]:
            native.restore(kept)
            native.move(moves)
            return native.inside(*probe)

        return recorder.near(step, inside, compute)

    def after(self, step: int, batch: Sequence[Array] | None, loss: float | None) -> None:
        """Hear that a step has run.

        Args:
            step: its number.
            batch: inputs and labels, if they are known.
            loss: of the step, if it is known.
        """
        if self._now is None:
            return
        number, before, inside, near, rate = self._now
        self._now = None
        if step != number:
            raise RunError(
                "several steps run in one call, so that one step cannot be seen",
                where=str(self.options.out),
                got=f"step {step} after step {number - 1}",
                hint="Train with steps_per_execution=1, or with dataset_sink_mode=False.",
            )
        made = self._made(before, inside, batch, loss, rate)
        if near is not None:
            near = near | {"moved": _spread(made, inside, near["moved"])}
        self.recorder.step(step, made, batch, near)

    def _made(
        self,
        before: State,
        inside: Mapping[TracePlace, Array],
        batch: Sequence[Array] | None,
        loss: float | None,
        rate: float | None,
    ) -> dict[TracePlace, Array]:
        made = {TracePlace("state", n, a.shape): a for n, a in before.items()}
        for number, array in enumerate((batch or [])[:-1]):
            name = f"input_{number}" if number else "input"
            made[TracePlace("input", name, array.shape[1:])] = array
        made |= inside
        if not inside and loss is not None:
            made[TracePlace("loss", "loss")] = np.asarray(loss)
        if rate is not None:
            made[TracePlace("rate", "optimizer")] = np.asarray(rate)
        after, parts = self.native.state(), dict[TraceStage, dict[TracePlace, Array]]()
        parts = {"update": {}, "statistics": {}, "slots": {}}
        for name, array in before.items():
            kind: TraceStage = "update" if name in self.native.weights else "statistics"
            kind = "slots" if ":" in name else kind
            parts[kind][TracePlace(kind, name, array.shape)] = after[name] - array
        return made | parts["update"] | parts["statistics"] | parts["slots"]


def _spread(
    made: Mapping[TracePlace, Array], inside: Mapping[TracePlace, Array], moved: Any
) -> Any:
    """Return measured distances among all places; the others are not known."""
    column = {place: number for number, place in enumerate(inside)}
    spread = np.full((len(moved), len(made)), np.nan)
    for number, place in enumerate(made):
        if place in column:
            spread[:, number] = moved[:, column[place]]
    return spread


def described(distributions: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return the head of a native trace."""
    return about(distributions) | {"kind": "native", "start": 0, "batch_size": None} | more
