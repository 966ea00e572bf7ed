"""Write the arguments and defaults of Keras' classes, which plain Keras source leaves out.

python tools/keras_arguments.py
"""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "dnnbridge" / "formats" / "keras" / "source" / "arguments.json"

MODULES = (
    *("layers", "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"),
    "optimizers.schedules",
)


def arguments() -> dict[str, dict[str, Any]]:
    """Return the arguments of every class that has no default, and the defaults of the others."""
    found: dict[str, dict[str, Any]] = {}
    for module in MODULES:
        for name, cls in sorted(vars(import_module(f"keras.{module}")).items()):
            if inspect.isclass(cls):
                required, defaults = _split(cls)
                found[f"keras.{module}.{name}"] = {"required": required, "defaults": defaults}
    return found


def _split(cls: type) -> tuple[list[str], dict[str, Any]]:
    """Return the required arguments in order, and the others, also those of the bases."""
    required, defaults = [], {}
    for depth, base in enumerate(b for b in cls.__mro__ if "__init__" in vars(b)):
        signature = inspect.signature(base.__init__)
        named = [p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL,)]
        for each in named[1:]:
            if each.kind is each.VAR_KEYWORD or each.name in {*required, *defaults}:
                continue
            if each.default is not each.empty:
                defaults[each.name] = each.default
            elif not depth:
                required.append(each.name)
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            break
    return required, defaults


def written(table: dict[str, dict[str, Any]]) -> str:
    """Return the text of the table: a line for each class."""
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(written(arguments()), encoding="utf-8")
