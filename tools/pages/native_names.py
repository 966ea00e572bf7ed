"""The operations of MindSpore in a generated source, and where each is documented to run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

PLATFORMS = re.compile(r"Supported Platforms:\s*\n\s*(.+)")

REFERS = re.compile(r"[Rr]efer to :func:`mindspore\.ops\.(\w+)`")
"""How the documentation of a primitive names the function that has all of it."""

UNREAD = re.compile(r'"""[^"]*"""|`[^`]*`|(?<=]) = \w+(?=,?\n| *\))')
"""Docstrings, quoted names, and default Cells, which an accelerator replaces."""

NOT_OPERATIONS = frozenset({"GradOperation", "constexpr", "stop_gradient"})


def native_names(source: str) -> list[str]:
    """Return the public operations in a source and in the Cells that it names, sorted."""
    from mindspore import ops

    return sorted(name for name in set(_names(source, set())) if hasattr(ops, name))


def _names(source: str, seen: set[object]) -> Iterator[str]:
    from dnnbridge_mindspore import kernels
    from mindspore.ops import Primitive

    for name in re.findall(r"\bops\.(\w+)", source):
        if name not in NOT_OPERATIONS:
            yield name
    for name in re.findall(r"\bkernels\.(\w+)", source):
        made = getattr(kernels, name)
        if isinstance(made, Primitive):
            yield type(made).__name__
        elif made not in seen:
            seen.add(made)
            yield from _of_cell(made, seen)


def _of_cell(cell: object, seen: set[object]) -> Iterator[str]:
    """Yield the operations of a class or function of ours, with those that its module names."""
    from mindspore.ops import Primitive

    if not getattr(cell, "__module__", "").startswith("dnnbridge_mindspore"):
        return
    parts = inspect.getmro(cell) if inspect.isclass(cell) else (cell,)
    for part in parts:
        if not part.__module__.startswith("dnnbridge_mindspore"):
            continue
        source = UNREAD.sub("", inspect.getsource(part))
        yield from _names(source, seen)
        space = vars(inspect.getmodule(part))
        for name in set(re.findall(r"\b[A-Z_a-z]\w+\b", source)) & space.keys():
            known = space[name]
            if isinstance(known, Primitive):
                yield type(known).__name__
            elif callable(known) and known not in seen and known is not part:
                seen.add(known)
                yield from _of_cell(known, seen)


def platforms(name: str) -> list[str] | None:
    """Return the platforms in the documentation of a public operation; None if it names none."""
    from mindspore import ops

    text = getattr(ops, name).__doc__ or ""
    found = PLATFORMS.search(text)
    if not found and (other := REFERS.search(text)):
        return platforms(other[1]) if other[1] != name else None
    return re.findall(r"\w+", found[1]) if found else None
