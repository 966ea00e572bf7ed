"""Compare versions and read requirements, as PEP 440 and PEP 508 write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

VERSION = re.compile(
    r"v?(?:\d+!)?(\d+(?:\.\d+)*)[-_.]?(dev|a|alpha|b|beta|c|rc|pre|preview|post)?[-_.]?(\d*)"
)
STAGES = {"dev": -4, "a": -3, "b": -2, "c": -1, "r": -1, "p": -1, "": 0, "post": 1}
"""The order of releases of one number: previews, the release, corrections."""

CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*")
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
EXTRA = re.compile(r"""\s*extra\s*==\s*['"]([^'"]+)['"]\s*""")

Key = tuple[tuple[int, ...], int, int]


@dataclass(frozen=True)
class Requirement:
    """A package that another one needs.

    Attributes:
        name: its name, normalised.
        specs: the versions that fit, such as ">=1.26,<2"; empty for all.
        extra: the extra that needs it; empty if it is always needed.
    """

    name: str
    specs: str
    extra: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.specs}"


def normal(name: str) -> str:
    """Return the name of a package as PEP 503 normalises it: "ml_dtypes" is "ml-dtypes"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirement(text: str) -> Requirement | None:
    """Read a requirement; None if it depends on more than an extra.

    Example:
        >>> read_requirement("numpy<2,>=1.26; extra == 'mindspore'")
        Requirement(name='numpy', specs='<2,>=1.26', extra='mindspore')
    """
    found = REQUIREMENT.fullmatch(text)
    if found is None or "@" in found[2]:  # a package at an address has no range
        return None
    extra = EXTRA.fullmatch(found[3]) if found[3] else None
    if found[3] and extra is None:
        return None
    return Requirement(normal(found[1]), found[2].replace(" ", ""), extra[1] if extra else "")


def meets(version: str, specs: str) -> bool:
    """Return whether a version is in a range; one that cannot be read is in every range.

    Example:
        >>> meets("1.26.4", ">=1.26,<2"), meets("2.0.0rc1", "<2"), meets("2.10.0", "==2.10.*")
        (True, False, True)
    """
    if VERSION.match(version) is None:
        return True
    return all(_fits(version, *clause) for clause in CLAUSE.findall(specs))


def _fits(version: str, sign: str, bound: str) -> bool:
    if sign == "===":
        return version == bound
    if bound.endswith(".*"):
        wanted = _key(bound[:-2])[0]
        release = (*_key(version)[0], *(0,) * len(wanted))[: len(wanted)]
        return (release == wanted) == (sign == "==")
    here, there = _key(version), _key(bound)
    if sign == "~=":
        return here >= there and _fits(version, "==", f"{bound.rpartition('.')[0]}.*")
    if sign == "<" and not there[1] and _trimmed(here) == _trimmed(there):
        return False  # a preview of the bound itself is not below it
    before, after = (_trimmed(here), *here[1:]), (_trimmed(there), *there[1:])
    return {
        "==": before == after,
        "!=": before != after,
        "<": before < after,
        "<=": before <= after,
        ">": before > after,
        ">=": before >= after,
    }[sign]


def _trimmed(key: Key) -> tuple[int, ...]:
    """Return the numbers without zeros at the end: 2.0 is 2."""
    numbers = key[0]
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers


def _key(version: str) -> Key:
    found = VERSION.match(version)
    assert found is not None
    stage = found[2] or ""
    place = STAGES[stage if stage in ("dev", "post") else stage[:1]]
    return tuple(int(n) for n in found[1].split(".")), place, int(found[3] or 0)
