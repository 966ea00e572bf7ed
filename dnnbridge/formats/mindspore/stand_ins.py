"""What stands for Cells, modules and results while `construct` runs."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dnnbridge.formats.mindspore.traced import CannotFollowError, Traced

if TYPE_CHECKING:
    from dnnbridge.formats.mindspore.following import Follower


class Child:
    """A Cell in a Cell; calling it writes the call down."""

    def __init__(self, follower: Follower, cell: Any) -> None:
        self._follower, self._cell = follower, cell

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._follower.call(self._cell, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(Itself(self._follower, self._cell), name)

    def __iter__(self) -> Iterator[Any]:
        return iter([self._follower.replaced(each) for each in self._cell])

    def __len__(self) -> int:
        return len(self._cell)

    def __getitem__(self, key: Any) -> Any:
        return self._follower.replaced(self._cell[key])


class Itself:
    """Stands for `self` in `construct`."""

    def __init__(self, follower: Follower, cell: Any) -> None:
        object.__setattr__(self, "_follower", follower)
        object.__setattr__(self, "_cell", cell)

    def __getattr__(self, name: str) -> Any:
        follower, value = self._follower, getattr(self._cell, name)
        if name == "training":
            return Training(follower)
        if isinstance(value, types.MethodType) and value.__func__.__module__ != "mindspore.nn.cell":
            copy = follower.rebound(value.__func__)
            return lambda *args, **kwargs: copy(self, *args, **kwargs)
        return follower.replaced(value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise CannotFollowError(f"construct changes self.{name}")


class Training:
    """Stands for `self.training`, which a dropout may take."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def __bool__(self) -> bool:
        self._follower.findings.add(self._follower.path, "a part that depends on self.training")
        return False


class Module:
    """Stands for a module of MindSpore."""

    def __init__(self, follower: Follower, module: types.ModuleType) -> None:
        self._follower, self._module = follower, module

    def __getattr__(self, name: str) -> Any:
        return self._follower.replaced(getattr(self._module, name))


class Unseen:
    """A result that is not followed; using it is an error."""

    def __init__(self, what: str) -> None:
        self._what = what

    def refuse(self, *args: Any) -> Any:
        raise CannotFollowError(f"{self._what} is used")

    def __getattr__(self, name: str) -> Any:
        self.refuse()

    def __getitem__(self, key: Any) -> Any:
        return self.refuse()

    __add__ = __mul__ = __iter__ = __call__ = refuse


class LastState(Unseen):
    """The state after the last step of one level in one direction; its first axis is of size 1."""

    def __init__(self, what: str, steps: Traced, time_first: bool) -> None:
        super().__init__(what)
        self._steps, self._time_first = steps, time_first

    def __getitem__(self, key: Any) -> Any:
        if key not in (0, -1):
            return self.refuse()
        return self._steps[-1] if self._time_first else self._steps[:, -1]

    def squeeze(self, axis: int = 0) -> Any:
        return self[0] if axis == 0 else self.refuse()


def is_mindspore(module: str | None) -> bool:
    """Return whether a module is one of MindSpore."""
    return (module or "").partition(".")[0] == "mindspore"
