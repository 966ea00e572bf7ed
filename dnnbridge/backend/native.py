"""`from_native`: convert an optimizer object of a framework to a spec."""

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

    It includes the learning rate, schedule, weight decay, clipping and groups, but not the
    accumulated slots. `docs/guide/migrating.md` has a table of all classes and their differences.
    If a native class does not compute what it documents, the spec computes the documented
    equation, with a `NativeDifferenceWarning`.

    Args:
        optimizer: the optimizer object. Its class must be the framework's own, not a subclass.
        names: names of the weights here, by their native name. Needed for groups. By default "/"
            replaces "." in a native name, and "kernel" replaces "weight".
        exempt: patterns of weights that do not decay. Keras keeps the arguments of
            `exclude_from_weight_decay` in private attributes, so repeat them here.
        steps: number of values to read from a schedule that is not one of the framework's own.

    Raises:
        SpecError: there is no such spec; the message says what to write.
    """
    translate = names.__getitem__ if isinstance(names, Mapping) else names
    found = read_native(optimizer, NativeOptions(translate, tuple(exempt), steps))
    if found is None:
        raise SpecError(
            "not an optimizer that an installed backend can read",
            where="from_native",
            got=f"the class {optimizer.__qualname__}"
            if isinstance(optimizer, type)
            else f"{type(optimizer).__module__}.{type(optimizer).__qualname__}",
            hint="Give the optimizer object, not its class."
            if isinstance(optimizer, type)
            else "Write its update as a dnnbridge optimizer: see CONTRIBUTING.md.",
        )
    return found


def read_native(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of an optimizer object, from plugins of the packages that define its class.

    Such a package is already imported, as the object exists. The error of a plugin is raised only
    if no other plugin can read the object.
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
        raise BackendError("cannot read an optimizer object", where=where, got=got) from error
    if found is None or isinstance(found, AbstractOptimizer):
        return found
    raise BackendError(
        "dnnbridge_from_native must return an optimizer spec or None",
        where=where,
        got=shorten(found),
    )
