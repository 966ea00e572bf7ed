"""A tensor in `construct`: MindSpore's value, and what it is here."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

Apply = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""(name, function on MindSpore's tensors, arguments, keyword arguments) -> the result."""


class CannotFollowError(Exception):
    """`construct` did something with a tensor that leaves no trace; the text says what."""


class Traced:
    """Stands for a tensor while `construct` runs.

    Attributes:
        value: MindSpore's tensor.
        symbol: the tensor here; None if an earlier operation could not be followed.
    """

    def __init__(self, apply: Apply, value: Any, symbol: Any) -> None:
        self._apply, self.value, self.symbol = apply, value, symbol

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return int(self.value.ndim)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def T(self) -> Any:  # noqa: N802
        return self.transpose()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("asnumpy", "item", "tolist", "numpy", "set_data", "data", "copy"):
            raise CannotFollowError(f"the numbers of a tensor are read by .{name}")
        if not callable(getattr(self.value, name)):
            return getattr(self.value, name)

        def method(*args: Any, **kwargs: Any) -> Any:
            def of_value(x: Any, *rest: Any, **named: Any) -> Any:
                return getattr(x, name)(*rest, **named)

            return self._apply(name, of_value, (self, *args), kwargs)

        return method

    def __getitem__(self, key: Any) -> Any:
        return self._apply("getitem", operator.getitem, (self, key), {})

    def _no_number(self, *args: Any) -> NoReturn:
        raise CannotFollowError("a decision, a loop or an index depends on the numbers of a tensor")

    __bool__ = __int__ = __float__ = __index__ = __iter__ = __setitem__ = _no_number
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __ne__ = _no_number
    __hash__ = object.__hash__

    def __neg__(self) -> Any:
        return self._apply("neg", operator.neg, (self,), {})

    def __abs__(self) -> Any:
        return self._apply("abs", operator.abs, (self,), {})

    def __len__(self) -> int:
        return self.shape[0]


def _of_two(name: str, function: Callable[[Any, Any], Any]) -> None:
    def forward(self: Traced, other: Any) -> Any:
        return self._apply(name, function, (self, other), {})

    def backward(self: Traced, other: Any) -> Any:
        return self._apply(name, function, (other, self), {})

    setattr(Traced, f"__{name}__", forward)
    setattr(Traced, f"__r{name}__", backward)


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    _of_two(_name, getattr(operator, _name))
