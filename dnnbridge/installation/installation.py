"""`Installation`: what `check_installation` found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dnnbridge.drawing.notebook import block, note, table
from dnnbridge.installation.finding import LEVELS, Finding, Level
from dnnbridge.installation.packages import Package
from dnnbridge.installation.probing import Probe


@dataclass(frozen=True)
class Installation:
    """What is installed, what each framework sees, and what must be fixed.

    Attributes:
        findings: one sentence each, the worst first.
        machine: facts about Python and the machine, by name.
        packages: the packages that dnnbridge and its extras use.
        probes: what the process of each framework and device found; empty without `run`.
    """

    findings: tuple[Finding, ...]
    machine: Mapping[str, str]
    packages: tuple[Package, ...]
    probes: tuple[Probe, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing must be fixed."""
        return not self.of("problem")

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        warnings = _count(len(self.of("warning")), "warning")
        if not self.ok:
            problems = _count(len(self.of("problem")), "thing")
            return f"{problems} must be fixed" + (f"; {warnings}." if warnings else ".")
        works = [f"{each.backend} on {each.device}" for each in self.probes if not each.failure]
        said = f"Usable: {', '.join(works)}" if works else "Nothing is wrong, and nothing was run"
        return said + (f"; {warnings}." if warnings else ".")

    def of(self, level: Level) -> tuple[Finding, ...]:
        """Return the findings of a level."""
        return tuple(each for each in self.findings if each.level == level)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "findings": [each.to_dict() for each in self.findings],
            "machine": dict(self.machine),
            "packages": [asdict(each) for each in self.packages],
            "probes": [asdict(each) for each in self.probes],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1)

    def __str__(self) -> str:
        return "\n".join([self.verdict, *self._said(), "", *self._facts()])

    def _said(self) -> list[str]:
        """Return a line for each finding, and one for its command."""
        width = max((len(each.about) for each in self.findings), default=0)
        lines = []
        for each in self.findings:
            lines.append(f"  {each.level:7}  {each.about:{width}}  {each.what}")
            if each.fix:
                lines.append(f"  {'':7}  {'':{width}}  fix: {each.fix}")
        return ["", *lines] if lines else []

    def _facts(self) -> list[str]:
        """Return aligned lines about the machine, the frameworks and the packages."""
        facts = [*self.machine.items(), *self._seen().items()]
        facts += [
            (name, f"{version}{' ' * max(1, 10 - len(version))}{wanted}".rstrip())
            for name, version, wanted in self._ranges()
        ]
        width = max(len(name) for name, _ in facts)
        return [f"  {name:{width}}  {value}" for name, value in facts]

    def _seen(self) -> dict[str, str]:
        """Return what each framework sees."""
        return {
            f"{each.backend} sees": "; ".join(
                [", ".join(each.seen), *(f"{name} {fact}" for name, fact in each.facts.items())]
            )
            for each in self.probes
            if each.seen
        }

    def _ranges(self) -> list[tuple[str, str, str]]:
        """Return name, version and supported versions of each installed package."""
        ranges: dict[tuple[str, str], list[str]] = {}
        for each in self.packages:
            wanted = ranges.setdefault((each.name, each.version or "missing"), [])
            if each.wanted and each.wanted not in wanted:
                wanted.append(each.wanted + (f" for {each.extra}" if len(wanted) else ""))
        return [(*key, ", ".join(wanted)) for key, wanted in sorted(ranges.items())]

    def _repr_html_(self) -> str:
        rows = [(each.level, each.about, each.what, each.fix) for each in self.findings]
        facts = "; ".join(f"{name} {value}" for name, value in self.machine.items())
        found = table(("", "about", "what", "fix"), rows, words=4) if rows else ""
        return block(self.verdict, found, note(facts))


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings once each, the worst first, otherwise in their order."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda each: LEVELS.index(each.level)))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""
