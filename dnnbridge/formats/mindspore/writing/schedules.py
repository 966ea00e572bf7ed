"""Schedules as functions and small classes of a Python file."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from dnnbridge.formats.keras.writing.parts import fields_of
from dnnbridge.formats.source.expressions import Code, call
from dnnbridge.schedules import AbstractSchedule, TableSchedule, as_schedule
from dnnbridge.schedules.base import ConstantSchedule
from dnnbridge.schedules.fraction import KeepRate

MODULES = {"math", "bisect"}
"""Modules of Python that a schedule may use."""


class ScheduleWriter:
    """Writes schedules; each class is written once.

    Attributes:
        classes: the text of each class, by name.
        modules: what the file must import.
        unknown: the names of schedules that cannot be written.
    """

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.modules: set[str] = set()
        self.unknown: list[str] = []

    def at(self, schedule: AbstractSchedule, step: str) -> str:
        """Return the expression of the value at a step."""
        if isinstance(schedule, ConstantSchedule):
            return repr(schedule.value)
        if isinstance(schedule, TableSchedule):
            table = schedule.table
            return f"{list(table)!r}[min({step}, {len(table) - 1})]"
        if isinstance(schedule, KeepRate):
            return f"float(np.float32(1.0 - {self.at(as_schedule(schedule.rate), step)}))"
        return f"{self._made(schedule)}({step})"

    def _made(self, value: Any) -> Code:
        """Return the expression that makes a schedule."""
        if isinstance(value, TableSchedule):  # its own class also raises an error of dnnbridge
            self.classes["Table"] = _TABLE
            return call("Table", [list(value.table)])
        if not isinstance(value, AbstractSchedule):
            return Code(repr(value)) if not isinstance(value, tuple) else self._tuple(value)
        self._define(type(value))
        fields = {name: self._made(field) for name, field in fields_of(value).items()}
        return call(type(value).__name__, named=fields)

    def _tuple(self, values: tuple[Any, ...]) -> Code:
        return Code(f"({', '.join(map(self._made, values))},)")

    def _define(self, kind: type[AbstractSchedule]) -> None:
        """Write the class of a schedule: its equation is that of its class here."""
        if kind.__name__ in self.classes:
            return
        function: Any = kind.__call__
        listens = kind.heard is not AbstractSchedule.heard
        if listens or not kind.__module__.startswith("dnnbridge.") or not self._uses(function):
            self.unknown.append(kind.__name__)
            return
        body = textwrap.indent(textwrap.dedent(inspect.getsource(function)), "    ")
        self.classes[kind.__name__] = _CLASS.format(name=kind.__name__) + body

    def _uses(self, function: Callable[..., Any]) -> bool:
        """Provide the names of a function; return whether a plain file can have all of them."""
        found = vars(sys.modules[function.__module__])
        for name in function.__code__.co_names:
            value = found.get(name)
            if value is None:
                continue
            if getattr(value, "__name__", "") in MODULES:
                self.modules.add(value.__name__)
            elif inspect.isfunction(value) and value.__module__.startswith("dnnbridge.schedules"):
                if not self._uses(value):
                    return False
                self.classes.setdefault(name, inspect.getsource(value))
            elif inspect.isbuiltin(value) and value.__module__ in ("_bisect", "math"):
                module = value.__module__.strip("_")
                self.modules.add(f"{module}:{name}")
            elif not isinstance(value, (int, float)):
                return False
            else:
                self.classes.setdefault(name, f"{name} = {value!r}\n")
        return True


_CLASS = """\
class {name}:
    def __init__(self, **fields):
        self.__dict__.update(fields)

"""

_TABLE = """\
class Table:
    def __init__(self, values):
        self.values = values

    def __call__(self, step):
        return self.values[min(step, len(self.values) - 1)]
"""
