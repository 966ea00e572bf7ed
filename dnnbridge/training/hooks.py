"""Check callbacks: their methods when a class is defined, their kind when `fit` begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dnnbridge.base.messages import close_match, what
from dnnbridge.errors import ArgumentError, SpecError

if TYPE_CHECKING:
    from dnnbridge.training.callbacks import Callback

PREFIX = "on_"
"""Prefix of every hook's name; other methods of a callback are not checked."""

INSTEAD = {
    "on_epoch_begin": "Use on_train_begin for the first epoch and on_epoch_end for the next ones.",
    "on_batch_end": "Use on_steps_end: fit calls it after every compiled call; with "
    "fit(steps_per_call=1), after every step.",
    "on_train_batch_end": "Use on_steps_end: fit calls it after every compiled call; with "
    "fit(steps_per_call=1), after every step.",
}
"""For hooks of other frameworks: what to write instead."""


def check_hooks(cls: type[Any], hooks: Mapping[str, Callable[..., Any]]) -> None:
    """Raise if a method of a new class has an unknown hook name or cannot take the hook's values.

    Args:
        cls: the class.
        hooks: the hooks by name.
    """
    for name, method in vars(cls).items():
        where = f"{cls.__name__}.{name}"
        if name.startswith(PREFIX) and name not in hooks:
            raise SpecError(
                "callbacks have no such hook, so it would never be called",
                where=where,
                hint=INSTEAD.get(name, close_match(name, hooks)),
            )
        if name in hooks and inspect.isfunction(method):
            _, *given = inspect.signature(hooks[name]).parameters
            try:
                inspect.signature(method).bind(None, *given)
            except TypeError:
                raise SpecError(
                    f"the hook is called with {', '.join(given)}",
                    where=where,
                    got=f"({', '.join(inspect.signature(method).parameters)})",
                    hint=f"Write def {name}(self, {', '.join(given)}).",
                ) from None


def checked_callbacks(given: Any) -> list[Callback]:
    """Return callbacks as `fit` takes them, or raise."""
    from dnnbridge.training.callbacks import Callback

    several = isinstance(given, Iterable) and not isinstance(given, str)
    found = list(given) if several else [given]
    for place, each in enumerate(found):
        if isinstance(each, Callback) and several:
            continue
        name = each.__name__ if isinstance(each, type) else type(each).__name__
        hint = "Give a list of objects of subclasses of dnnbridge.Callback."
        if isinstance(each, type) and issubclass(each, Callback):
            hint = f"Give an instance, not the class: {name}(…)."
        elif isinstance(each, Callback):
            hint = f"Write callbacks=[{name}(…)]."
        raise ArgumentError(
            "expected a list of callbacks",
            where="callbacks" + (f"[{place}]" if several else ""),
            got=what(each),
            hint=hint,
        )
    return found
