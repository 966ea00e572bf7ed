"""Findings about packages: missing ones, versions out of range, versions that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnnbridge.installation.finding import Finding, Level
from dnnbridge.installation.installed import OWN, Installed
from dnnbridge.installation.known_bad import MISSING, RULES, Rule
from dnnbridge.installation.versions import Requirement, meets

DEVELOPMENT = frozenset({"all", "test", "lint"})
"""Extras that are no part of an installation for use."""


@dataclass(frozen=True)
class Package:
    """A row of the table of packages.

    Attributes:
        name: the package.
        version: the installed version; empty if it is missing.
        wanted: the range of versions that is supported.
        extra: the extra that brings it; empty if it is always needed.
    """

    name: str
    version: str
    wanted: str
    extra: str = ""


def packages(here: Installed) -> list[Package]:
    """Return the packages that dnnbridge and its extras use, with versions and ranges."""
    return [
        Package(each.name, here.versions.get(each.name, ""), each.specs, each.extra)
        for each in here.requires.get(OWN, ())
        if each.extra not in DEVELOPMENT
    ]


def package_findings(here: Installed, environment: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with the packages, from their metadata alone."""
    if OWN not in here.versions:
        what = "it is not installed: its backends and the ranges of versions are not known"
        return [Finding("problem", OWN, what, "pip install .")]
    known = list(_known_bad(here, environment))
    explained = {package for rule, _ in known for package in rule.when}
    found = [finding for _, finding in known]
    found += _python(here)
    found += _unmet(here, explained)
    found += _extras(here, explained)
    return found


def _known_bad(here: Installed, environment: Mapping[str, str]) -> Iterator[tuple[Rule, Finding]]:
    for rule in RULES:
        packages_fit = all(_is_so(here, name, specs) for name, specs in rule.when.items())
        values_fit = all(environment.get(n) == value for n, value in rule.environment.items())
        if packages_fit and values_fit:
            what = rule.what
            for name in rule.when:
                what = what.replace(f"{{{name}}}", here.versions.get(name, ""))
            yield rule, Finding(rule.level, rule.about, what, rule.fix)


def _is_so(here: Installed, name: str, specs: str) -> bool:
    if specs == MISSING:
        return name not in here.versions
    return name in here.versions and meets(here.versions[name], specs)


def _python(here: Installed) -> list[Finding]:
    version = here.versions["python"]
    if meets(version, here.python):
        return []
    what = f"dnnbridge needs Python {here.python}, and this is {version}"
    return [Finding("problem", "python", what, "python3.12 -m venv .venv")]


def _unmet(here: Installed, explained: set[str]) -> Iterator[Finding]:
    """Yield what a package always needs and does not have, by its own metadata."""
    for name, needs in here.requires.items():
        for each in needs:
            wrong = "" if each.extra else _wrong(here, each)
            if wrong and not {name, each.name} <= explained:
                what = f"{name} {here.versions[name]} needs {each}, {wrong}"
                yield Finding("problem", name, what, f"pip install '{each}'")


def _extras(here: Installed, explained: set[str]) -> Iterator[Finding]:
    """Yield the extras of which packages are missing or out of range."""
    always = {each.name for each in here.of_extra("")}
    extras = dict.fromkeys(each.extra for each in here.requires.get(OWN, ()) if each.extra)
    for extra in extras:
        if extra in DEVELOPMENT:
            continue
        own = [each for each in here.of_extra(extra) if each.name not in always]
        absent = [each.name for each in own if each.name not in here.versions]
        command = f"pip install 'dnnbridge[{extra}]'"
        if len(absent) == len(own):
            what = f"not installed: {', '.join(absent)}"
            yield Finding("note", f"extra {extra}", what, command)
            continue
        for each in here.of_extra(extra):
            wrong = _wrong(here, each)
            if wrong and not (each.name in explained and each.name in always):
                level: Level = "problem" if each.name in here.versions else "warning"
                what = f"extra {extra} needs {each}, {wrong}"
                yield Finding(level, each.name, what, f"pip install '{each}'")


def _wrong(here: Installed, needed: Requirement) -> str:
    """Say why a requirement is not met; empty if it is."""
    version = here.versions.get(needed.name)
    if version is None:
        return "which is not installed"
    return "" if meets(version, needed.specs) else f"and {version} is installed"
