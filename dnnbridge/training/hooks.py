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
"""How the name of every hook begins; other methods of a callback are its own affair."""

INSTEAD = {
    "on_epoch_begin": "An epoch begins when on_epoch_end has returned; the first, after "
    "on_train_begin.",
    "on_batch_end": "on_steps_end hears of every compiled call; of every step with "
    "fit(steps_per_call=1).",
    "on_train_batch_end": "on_steps_end hears of every compiled call; of every step with "
    "fit(steps_per_call=1).",
}
"""What to write in place of hooks that callbacks have elsewhere."""


def check_hooks(cls: type[Any], hooks: Mapping[str, Callable[..., Any]]) -> None:
    """Raise unless every method of a new class that looks like a hook is one, and takes its values.

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
            hint = f"That is the class; make one: {name}(…)."
        elif isinstance(each, Callback):
            hint = f"Write callbacks=[{name}(…)]."
        raise ArgumentError(
            "expected a list of callbacks",
            where="callbacks" + (f"[{place}]" if several else ""),
            got=what(each),
            hint=hint,
        )
    return found
