"""Schedules as functions and small classes of a Python file."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.keras.writing.parts import fields_of
from dnnbridge.formats.source.expressions import Code, call
from dnnbridge.schedules import AbstractSchedule, TableSchedule, as_schedule
from dnnbridge.schedules.base import ConstantSchedule
from dnnbridge.schedules.fraction import KeepRate

MODULES = {"math", "bisect"}
"""Modules of Python that an equation may use."""


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

    def numbers(self, optimizer: Any) -> Code | None:
        """Return the expression that makes the host scalars of an optimizer, by `scalars(step)`.

        Returns:
            None if a plain file cannot have its method `scalars`.
        """
        used = type(optimizer).scalars.__code__.co_names
        fields = {n: v for n, v in fields_of(optimizer).items() if n in (*used, "learning_rate")}
        plain = all(isinstance(v, (int, float, str, AbstractSchedule)) for v in fields.values())
        others = [n for n in used if callable(getattr(optimizer, n, None)) and n not in fields]
        if not plain or others not in ([], ["rate"]):
            return None
        if not self._define(type(optimizer), "scalars", _RATE if others else ""):
            return None
        made = {name: self._made(value) for name, value in fields.items()}
        return call(type(optimizer).__name__ + "Numbers", named=made)

    def _made(self, value: Any) -> Code:
        """Return the expression that makes a schedule."""
        if isinstance(value, tuple):
            return Code(f"({', '.join(map(self._made, value))},)")
        if not isinstance(value, AbstractSchedule):
            return Code(repr(value))
        kind = type(value)
        if kind.heard is not AbstractSchedule.heard or not self._define(kind, "__call__"):
            self.unknown.append(kind.__name__)
        fields = {name: self._made(field) for name, field in fields_of(value).items()}
        return call(kind.__name__, named=fields)

    def _define(self, kind: type, method: str, more: str = "") -> bool:
        """Write a class with one method of a class; return whether a plain file can have it."""
        function: Any = inspect.unwrap(getattr(kind, method))
        name = kind.__name__ + ("Numbers" if method == "scalars" else "")
        if name not in self.classes:
            if not kind.__module__.startswith("dnnbridge.") or not self._uses(function):
                return False
            source = textwrap.indent(textwrap.dedent(inspect.getsource(function)), "    ")
            self.classes[name] = _CLASS.format(name=name) + more + source
        return True

    def _uses(self, function: Callable[..., Any]) -> bool:
        """Provide the names of a function; return whether a plain file can have all of them."""
        found = vars(sys.modules[function.__module__])
        names = [name for code in _codes(function.__code__) for name in code.co_names]
        known = [(name, found[name]) for name in names if name in found]
        return all(self._provide(name, inspect.unwrap(value)) for name, value in known)

    def _provide(self, name: str, value: Any) -> bool:
        """Add what a name of the library stands for; return whether a plain file can have it."""
        module = str(getattr(value, "__module__", "")).strip("_")
        if inspect.ismodule(value):
            self.modules.add(value.__name__)
            return value.__name__ in MODULES
        if inspect.isbuiltin(value) and module in MODULES:
            self.modules.add(f"{module}:{name}")
        elif inspect.isfunction(value) and module.startswith(("dnnbridge.sch", "dnnbridge.opt")):
            if not self._uses(value):
                return False
            source = inspect.getsource(value)
            if source.startswith("@lru_cache"):
                self.modules.add("functools:lru_cache")
            self.classes.setdefault(name, source)
        elif inspect.isclass(value) and issubclass(value, DnnbridgeError):
            self.classes.setdefault(name, _ERROR.format(name=name))
        elif isinstance(value, (int, float)):
            self.classes.setdefault(name, f"{name} = {value!r}\n")
        else:
            return False
        return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of the functions and comprehensions in it."""
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)


_CLASS = """\
class {name}:
    def __init__(self, **fields):
        self.__dict__.update(fields)

"""

_RATE = """\
    def rate(self, step):
        return self.learning_rate(step)

"""

_ERROR = """\
class {name}(ValueError):
    def __init__(self, text, **more):
        super().__init__(f"{{text}} {{more}}")
"""
