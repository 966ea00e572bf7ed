"""`Names`: identifiers of a Python file, made from names of a spec."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable


class Names:
    """Identifiers that are unique in a file; no name of a spec becomes code in another way.

    Args:
        taken: identifiers that the file uses already.

    Example:
        >>> names = Names(["np"])
        >>> [names.of(name) for name in ("encoder/dense", "encoder.dense", "3x3", "np", "class")]
        ['encoder_dense', 'encoder_dense_1', 'x_3x3', 'np_1', 'class_1']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}

    def of(self, name: str) -> str:
        """Return a new identifier like a name: ASCII letters, digits and "_"."""
        base = re.sub("[^0-9A-Za-z_]", "_", name).strip("_") or "x"
        base = f"x_{base}" if base[0].isdigit() else base
        found, number = base, 0
        while found in self._taken:
            number += 1
            found = f"{base}_{number}"
        self._taken.add(found)
        return found
