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

_STEPS_BEGIN = "Use on_steps_begin(self, run, steps), with every_steps = 1 in the class."
_STEPS_END = "Use on_steps_end(self, run, losses), with every_steps = 1 in the class."
_VALIDATION = (
    "Use on_validation_begin(self, run, epoch) and on_validation_end(self, run, epoch, logs)."
)

INSTEAD = {
    "on_batch_begin": _STEPS_BEGIN,
    "on_batch_end": _STEPS_END,
    "on_train_batch_begin": _STEPS_BEGIN,
    "on_train_batch_end": _STEPS_END,
    "on_train_step_begin": _STEPS_BEGIN,
    "on_train_step_end": _STEPS_END,
    "on_train_epoch_begin": "Use on_epoch_begin(self, run, epoch).",
    "on_train_epoch_end": "Use on_epoch_end(self, run, epoch, logs).",
    "on_test_begin": _VALIDATION,
    "on_test_end": _VALIDATION,
    "on_eval_begin": _VALIDATION,
    "on_eval_end": _VALIDATION,
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
