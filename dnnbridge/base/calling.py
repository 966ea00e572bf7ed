"""Explain wrong arguments of a call better than Python's TypeError."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from dnnbridge.base.messages import shorten
from dnnbridge.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

VARIABLE = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def explained(
    instead: Mapping[str, str] | None = None, name: str = ""
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that wrong arguments raise an `ArgumentError`.

    Args:
        instead: advice by argument name, for an unknown argument that was given or a required one
            that is missing.
        name: name of the function in messages; by default its own name.

    Example:
        >>> @explained({"epoch": "Write epochs=2."})
        ... def fit(x, y):
        ...     return x + y
        >>> fit(1, y=2)
        3
        >>> fit(1, 2, epoch=2)
        Traceback (most recent call last):
        ...
        dnnbridge.errors.ArgumentError: fit: unknown argument, got epoch=2. Write epochs=2.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
        where = name or (owner if function.__name__ == "__init__" else function.__name__)
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        refused = {n for n in instead or {} if open_ended and n not in signature.parameters}

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                signature.bind(*args, **kwargs)
                wrong = not refused.isdisjoint(kwargs)
            except TypeError:
                wrong = True
            if wrong:
                raise _wrong_call(signature, where, args, kwargs, instead or {})
            return function(*args, **kwargs)

        return call

    return decorate


def _wrong_call(
    signature: inspect.Signature,
    where: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    instead: Mapping[str, str],
) -> ArgumentError:
    known = {
        name: p
        for name, p in signature.parameters.items()
        if name not in ("self", "cls") and p.kind not in VARIABLE
    }
    positional = [name for name, p in signature.parameters.items() if p.kind in POSITIONAL]
    takes = f"{where} takes {', '.join(known) or 'no arguments'}."
    unknown = [name for name in kwargs if name not in known]
    unknown.sort(key=lambda name: name not in instead)  # first those with advice
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = instead.get(unknown[0]) or (f"Did you mean {near[0]}? " if near else "") + takes
        got = shorten(kwargs[unknown[0]], 60)
        return ArgumentError("unknown argument", where=where, got=f"{unknown[0]}={got}", hint=hint)
    if len(args) > len(positional):
        extra = shorten(args[len(positional)])
        return ArgumentError("too many arguments", where=where, got=extra, hint=takes)
    given = {*positional[: len(args)], *kwargs}
    twice = [name for name in positional[: len(args)] if name in kwargs]
    if twice:
        return ArgumentError("an argument is given twice", where=where, got=twice[0], hint=takes)
    missing = [n for n, p in known.items() if p.default is p.empty and n not in given]
    hint = instead.get(missing[0], takes) if missing else takes
    return ArgumentError(f"missing argument {', '.join(missing)}", where=where, hint=hint)


def inputs_wrong(emit: Callable[..., Any], count: int) -> str:
    """Return which inputs an equation takes if it does not take `count` of them, else ""."""
    signature = inspect.signature(emit)
    try:
        signature.bind(None, *(None for _ in range(count)))
    except TypeError:
        pass
    else:
        return ""
    _, *taken = [p for p in signature.parameters.values() if p.kind in POSITIONAL]
    names = [p.name + (" (optional)" if p.default is not p.empty else "") for p in taken]
    plural = "input" if len(names) == 1 else "inputs"
    return f"takes {len(names)} {plural}: {', '.join(names)}"
