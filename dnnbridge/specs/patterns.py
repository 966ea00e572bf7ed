"""Patterns of weight names: "head/*" adds names, "!head/bias" removes names added before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.specs.former_names import present_weight

T = TypeVar("T")


def named_by(name: str, patterns: Iterable[str]) -> bool:
    """Return whether the last pattern that fits the name adds it; False if none fits.

    Example:
        >>> [named_by(name, ("*", "!head/*")) for name in ("body/kernel", "head/kernel")]
        [True, False]
    """
    said = False
    for pattern in patterns:
        if _fits(name, pattern.removeprefix("!")):
            said = not pattern.startswith("!")
    return said


def rule_for(name: str, rules: Iterable[tuple[str, T]], default: T) -> T:
    """Return the value of the first rule whose pattern fits the name."""
    return next((value for pattern, value in rules if _fits(name, pattern)), default)


def check_patterns(patterns: Sequence[str], names: Sequence[str], where: str) -> None:
    """Raise if a pattern fits no name, or if the first pattern removes names."""
    if patterns and patterns[0].startswith("!"):
        raise SpecError(
            'the first pattern starts with "!", which only removes names of earlier patterns',
            where=where,
            got=repr(patterns[0]),
            hint=f'Write "*" first: ("*", {patterns[0]!r}).',
        )
    for pattern in patterns:
        if not any(_fits(name, pattern.removeprefix("!")) for name in names):
            raise _fits_nothing(pattern, names, where)


def check_layer_patterns(patterns: Iterable[str], paths: Sequence[str], where: str) -> None:
    """Raise if a pattern fits no path of a layer."""
    for pattern in patterns:
        if not any(_fits(path, pattern.removeprefix("!")) for path in paths):
            raise _fits_nothing(pattern, paths, where, "layer")


def check_rules(patterns: Iterable[str], names: Sequence[str], where: str) -> None:
    """Raise if a rule applies to no name: no name fits, or earlier rules apply to all that fit."""
    left = list(names)
    for pattern in patterns:
        if pattern.startswith("!"):
            raise SpecError(
                '"!" has no meaning where the first pattern that fits decides',
                where=where,
                got=repr(pattern),
                hint="Put a rule for the exception before the others.",
            )
        if pattern != "*" and not any(_fits(name, pattern) for name in names):
            raise _fits_nothing(pattern, names, where)
        rest = [name for name in left if not _fits(name, pattern)]
        if len(rest) == len(left) and pattern != "*":
            raise SpecError(
                "earlier patterns already fit all names that this pattern fits",
                where=where,
                got=repr(pattern),
                hint="Put it before them.",
            )
        left = rest


def _fits(name: str, pattern: str) -> bool:
    if fnmatchcase(name, pattern):
        return True
    present = present_weight(pattern)
    return present != pattern and fnmatchcase(name, present)


def _fits_nothing(
    pattern: str, names: Sequence[str], where: str, kind: str = "weight"
) -> SpecError:
    return SpecError(
        f"the pattern fits no {kind}",
        where=where,
        got=repr(pattern),
        hint=f"{kind.capitalize()}s are called {', '.join(names[:4])}…; * stands for anything.",
    )


def by_pattern(value: Any, each: Callable[[Any], T]) -> tuple[tuple[str, T], ...]:
    """Return a dictionary with pattern keys, or pairs of pattern and value, as ordered pairs.

    Args:
        value: what was given.
        each: checks a value and returns the value to store.
    """
    pairs = tuple(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, (list, tuple)) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in pairs
    ):
        raise SpecError(
            "expected a dictionary with patterns of names as keys",
            got=shorten(value),
            hint='Write {"head/*": …, "*": …}.',
        )
    return tuple((pattern, each(given)) for pattern, given in pairs)
