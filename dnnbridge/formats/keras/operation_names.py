"""The names of the layers that operations of Keras become."""

from __future__ import annotations

from collections.abc import Mapping

from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.layers.base import LayerOutput


class OperationNames:
    """Names layers as Keras names their operations, each name once in a model.

    Args:
        names: the name here of each layer of the model.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names, self._taken = names, set[str]()

    def name(self, made: AbstractSymbol, name: str) -> None:
        """Name the layers that an operation made: the last one as Keras names the operation."""
        pending = [made]
        while pending:
            output = pending.pop()
            if isinstance(output, LayerOutput) and output.layer.name is None:
                output.layer = output.layer.replace(name=self._free(name))
                pending += output.sources

    def _free(self, wish: str) -> str:
        """Return a name that no other layer has, and take it."""
        name, number = wish, 0
        while name in self._taken or (number and name in self._names.values()):
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name
