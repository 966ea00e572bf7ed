"""Layers that apply another layer in both directions or at every step."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.emit.declarations import BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.time_axis import swapped
from dnnbridge.graph import BATCH, Builder, TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.masking import as_steps
from dnnbridge.layers.recurrence import AbstractRecurrent
from dnnbridge.layers.states import AbstractStates, check_states
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.spec import spec


@spec
class Bidirectional(AbstractStates):
    """A recurrent layer and its copy that runs backwards in time, with separate weights, merged

    The outputs of the backward layer are put into the order of the input before the merge. With a
    mask and return_sequences, outputs at steps with mask 0 are 0, as in Keras. The weights are
    named forward/… and backward/…. If the layer has return_state, a call returns the merged output,
    the last states of the forward layer, and those of the backward layer. `initial_state` has them
    in the same order. (Schuster & Paliwal, 1997)

    Args:
        layer: the forward layer; the backward layer is the same in the other direction.
        merge_mode: "concat" along the last axis, "sum", "mul" or "ave" (the mean).

    Example:
        >>> from dnnbridge import Input, LSTM, Sequential
        >>> Sequential([Input((7, 3)), Bidirectional(LSTM(5))]).output_shape
        (None, 10)
    """

    layer: Annotated[AbstractRecurrent, PlainValidator(instance_of(AbstractRecurrent))]
    merge_mode: Literal["concat", "sum", "mul", "ave"] = "concat"

    @property
    def state_names(self) -> tuple[str, ...]:
        sides = ("forward", "backward")
        return tuple(f"{side}_{name}" for side in sides for name in self.layer.state_names)

    @property
    def returns_states(self) -> bool:
        return self.layer.return_state

    def emit(
        self, scope: Scope, x: Value, *mask: Value, initial_state: tuple[Value, ...] = ()
    ) -> Value | tuple[Value, ...]:
        lists: list[dict[str, tuple[Value, ...]]] = [{}, {}]
        if initial_state:
            wanted = self.layer.state_type(scope, x)
            check_states(scope, initial_state, self.state_names, wanted)
            half = len(initial_state) // 2
            halves = initial_state[:half], initial_state[half:]
            lists = [{"initial_state": given} for given in halves]
        forward, *first = scope.call_all(self.layer, x, *mask, name="forward", **lists[0])
        turned = _turned(self.layer)
        backward, *second = scope.call_all(turned, x, *mask, name="backward", **lists[1])
        if self.layer.return_sequences:
            backward = ops.reverse(backward, 1)
        y = self._merged(forward, backward)
        known = mask[0] if mask else scope.mask(x)
        if known is not None and self.layer.return_sequences:
            y = ops.where(as_steps(scope, known, y) > 0.5, y, 0.0)
        return (y, *first, *second) if self.returns_states else y

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return self.layer.mask_of(scope, *inputs)

    def _merged(self, forward: Value, backward: Value) -> Value:
        if self.merge_mode == "concat":
            return ops.concat([forward, backward])
        if self.merge_mode == "mul":
            return forward * backward
        total = forward + backward
        return total if self.merge_mode == "sum" else 0.5 * total


def _turned(layer: AbstractRecurrent) -> AbstractRecurrent:
    """Return the layer for the other direction."""
    return layer.replace(go_backwards=not layer.go_backwards)


@spec
class TimeDistributed(AbstractLayer):
    """A layer applied to every step of (batch, time, …), with one set of weights

    The steps run in a loop. A layer that draws random numbers, keeps batch statistics or adds to
    the loss is written once per step instead: each step draws on its own, and a
    `BatchNormalization` updates its running statistics at each step, as in Keras. A mask
    (batch, time, …) of the input gives each step its mask.

    Example:
        >>> from dnnbridge import Dense, Flatten, Input, Sequential
        >>> Sequential([Input((7, 3, 2)), TimeDistributed(Flatten())]).output_shape
        (None, 7, 6)
    """

    layer: Annotated[AbstractLayer, PlainValidator(instance_of(AbstractLayer))]

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank >= 3,
            "TimeDistributed needs an input (batch, time, …)",
            got=f"shape ({shape_text(x.shape)})",
            hint="Give every step at least one feature axis.",
        )

        def step(
            inner: Scope, states: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            if len(slices) > 1:
                inner.set_mask(*slices)
            return (), (inner.call(self.layer, slices[0], name="layer"),)

        length = scope.known(x.shape[1], "the number of steps")
        mask = scope.mask(x)
        if self._needs_calls(scope, x):
            return self._called(scope, x, mask, length)
        masks = [] if mask is None or mask.rank == 2 else [swapped(mask)]
        _, (y,) = scope.scan(step, [], [swapped(x), *masks], length)
        return swapped(y)

    def _needs_calls(self, scope: Scope, x: Value) -> bool:
        """Return whether a step of the layer draws, updates buffers or adds to the loss."""
        builder = Builder("step")
        mask, normalizer = builder.input("mask", TensorType((BATCH,))), TensorType(())
        batch = BatchMask(mask, builder.input("normalizer", normalizer))
        declared = Declarations(builder, batch, scope.fixed_batch)
        alone = Scope(builder, declared, scope.training, scope.path, sampling=scope.sampling)
        alone.call(self.layer, builder.input("x", _step_type(x)), name="layer")
        return bool(alone.extras() or declared.randoms)

    def _called(self, scope: Scope, x: Value, mask: Value | None, length: int) -> Value:
        """Call the layer on each step and stack the results."""
        scope.require(
            length <= STEPS,
            f"a layer that draws or updates is written once per step, for at most {STEPS} steps",
            got=f"{length} steps",
            hint="Take shorter sequences, or a layer that works on all steps at once.",
        )
        made = []
        for t in range(length):
            step = _step(x, t)
            scope.set_mask(step, None if mask is None else _step(mask, t))
            y = scope.call(self.layer, step, name="layer")
            made.append(ops.reshape(y, (y.shape[0], 1, *y.shape[1:])))
        return ops.concat(made, 1)


STEPS = 2000
"""Most steps for which a layer is written once per step; a compiler needs minutes for these."""


def _step(x: Value, t: int) -> Value:
    """Return step t of (batch, time, …)."""
    start = (0, t, *(0 for _ in x.shape[2:]))
    found = ops.slice(x, start, (x.shape[0], 1, *x.shape[2:]))
    return ops.reshape(found, _step_type(x).shape)


def _step_type(x: Value) -> TensorType:
    return TensorType((x.shape[0], *x.shape[2:]), x.dtype)
