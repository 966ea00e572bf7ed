"""`Installed`: the packages of this Python with their versions and requirements, not imported."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from dnnbridge.installation.versions import Requirement, normal, read_requirement

OWN = "dnnbridge"


@dataclass(frozen=True)
class Installed:
    """Packages by normalised name.

    Attributes:
        versions: the version of each; "python" is that of Python.
        requires: what each needs; a package of another source may have none.
        python: the versions of Python that dnnbridge supports.
    """

    versions: Mapping[str, str]
    requires: Mapping[str, tuple[Requirement, ...]]
    python: str = ""

    def of_extra(self, extra: str) -> list[Requirement]:
        """Return what an extra of dnnbridge needs; "" for what it always needs."""
        return [each for each in self.requires.get(OWN, ()) if each.extra == extra]


def installed(*names: str) -> Installed:
    """Read the metadata of dnnbridge, of some packages, and of all that these need.

    Args:
        names: packages to look for, besides those that dnnbridge and its extras need.
    """
    versions, requires, python = {"python": platform.python_version()}, {}, ""
    left, seen = [OWN, *map(normal, names)], set[str]()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        versions[name] = found.version
        requires[name] = tuple(_read(found.requires or []))
        python = found.metadata["Requires-Python"] or "" if name == OWN else python
        left += [each.name for each in requires[name] if not each.extra or name == OWN]
    return Installed(versions, requires, python.replace(" ", ""))


def _read(texts: list[str]) -> Iterator[Requirement]:
    for text in texts:
        found = read_requirement(text)
        if found is not None:
            yield found
