"""Base of layers that start with states and can return their last ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from dnnbridge.emit.scope import Scope
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import ArgumentError, DnnbridgeError
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers.base import AbstractLayer, LayerOutput, require_symbol


class AbstractStates(AbstractLayer):
    """Base of recurrent layers and `Bidirectional`."""

    @property
    @abstractmethod
    def state_names(self) -> tuple[str, ...]:
        """Names of the states, in order."""

    @property
    @abstractmethod
    def returns_states(self) -> bool:
        """Whether the last states are outputs too."""

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("output", *self.state_names) if self.returns_states else ("output",)

    def __call__(
        self,
        *inputs: AbstractSymbol | Sequence[AbstractSymbol],
        initial_state: AbstractSymbol | Sequence[AbstractSymbol] | None = None,
        **unknown: Any,
    ) -> Any:
        """Call the layer on an input (batch, time, …) and, optionally, on a mask.

        Args:
            inputs: the sequence, and the mask (batch, time).
            initial_state: the states to start with, each as large as the last output; by default
                zeros.
            unknown: refused, with advice.

        Returns:
            The output, or with `return_state` a tuple of the output and the last states.

        Raises:
            ArgumentError: it is called on numbers, or with another number of states.
        """
        made: LayerOutput = super().__call__(*inputs, **unknown)
        if initial_state is not None:
            made.initial_state = self._checked(initial_state)
        return made.each()

    def _checked(self, state: Any) -> tuple[AbstractSymbol, ...]:
        given = tuple(state) if isinstance(state, (list, tuple)) else (state,)
        for each in given:
            try:
                require_symbol(self, each)
            except DnnbridgeError as error:
                raise error.placed(f"{type(self).__name__}.initial_state") from None
        if len(given) != len(self.state_names):
            names = ", ".join(self.state_names)
            raise ArgumentError(
                f"initial_state must have {len(self.state_names)} states: {names}",
                where=type(self).__name__,
                got=str(len(given)),
            )
        return given


def check_states(
    scope: Scope, states: Sequence[Value], names: Sequence[str], wanted: TensorType
) -> None:
    """Raise unless there is one state of this type for each name."""
    scope.require(
        len(states) == len(names) and all(state.type == wanted for state in states),
        f"initial_state must be {', '.join(names)}, each {wanted}",
        got=", ".join(str(state.type) for state in states),
        hint="Use the states of a layer with as many units, or a Dense layer before."
        if wanted.rank == 2
        else "Use the states of a layer with as many filters and the same sizes.",
    )
