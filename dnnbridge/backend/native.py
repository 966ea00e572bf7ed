"""`from_native`: the spec of a live optimizer of a framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dnnbridge.backend.plugin_loading import hooks
from dnnbridge.backend.plugins import all_described
from dnnbridge.base.messages import shorten
from dnnbridge.errors import BackendError, DnnbridgeError, SpecError
from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.optimizers.native import NativeOptions


def from_native(
    optimizer: Any,
    *,
    names: Mapping[str, str] | Callable[[str], str] | None = None,
    exempt: Sequence[str] = (),
    steps: int | None = None,
) -> AbstractOptimizer:
    """Return the spec of a `keras.optimizers`, `mindspore.nn` or experimental optimizer.

    Its learning rate, schedule, weight decay, clipping and groups come along; what it has
    accumulated so far does not. Docs: `docs/guide/migrating.md` has a table of all classes and of
    what differs. Where a native class does not compute what it documents, the spec does, with a
    `NativeDifferenceWarning`.

    Args:
        optimizer: the live object. Its class must be the framework's own, not a subclass.
        names: how weights are called here, by their native name; needed for groups, whose
            weights would otherwise have their native name with "/" for "." and "kernel" for
            "weight".
        exempt: patterns of weights that do not decay. Keras keeps what
            `exclude_from_weight_decay` was given in private attributes: say it here again.
        steps: how many values of a schedule are read if it is not one of the framework's own.

    Raises:
        SpecError: there is no such spec; the message says what to write.
    """
    translate = names.__getitem__ if isinstance(names, Mapping) else names
    found = read_native(optimizer, NativeOptions(translate, tuple(exempt), steps))
    if found is None:
        raise SpecError(
            "is no optimizer that a backend knows",
            where="from_native",
            got=f"the class {optimizer.__qualname__}"
            if isinstance(optimizer, type)
            else f"{type(optimizer).__module__}.{type(optimizer).__qualname__}",
            hint="Give the live object."
            if isinstance(optimizer, type)
            else "Write its update as a class of dnnbridge: see CONTRIBUTING.md.",
        )
    return found


def read_native(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of a live optimizer; asks only plugins of the packages that define its class.

    Such a package has been imported already: the object is there. A plugin that breaks over it is
    an error only where no other can read it.
    """
    packages = {cls.__module__.partition(".")[0] for cls in type(optimizer).__mro__}
    failed: BackendError | None = None
    for info in all_described()[0]:
        if packages & set(info.natives):
            try:
                found = _read(info.name, optimizer, options)
            except BackendError as error:
                failed = failed or error
            else:
                if found is not None:
                    return found
    if failed is not None:
        raise failed
    return None


def _read(name: str, optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    where = f"backend {name}"
    try:
        found: Any = hooks(name).dnnbridge_from_native(optimizer=optimizer, options=options)
    except (DnnbridgeError, Warning):
        raise
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        raise BackendError("cannot read a live optimizer", where=where, got=got) from error
    if found is None or isinstance(found, AbstractOptimizer):
        return found
    raise BackendError("reads a live optimizer as none", where=where, got=shorten(found))
