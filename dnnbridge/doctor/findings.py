"""`Lint`: what `lint` found, and how it is shown."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dnnbridge.doctor.rule import Remedy, Rule
from dnnbridge.doctor.subject import Framework
from dnnbridge.doctor.table import PAGE, Effect
from dnnbridge.drawing import notebook

NAMES: Mapping[str, str] = {"mindspore": "MindSpore", "tensorflow": "Keras"}


@dataclass(frozen=True)
class Finding:
    """A part of a model that computes something else under the same name.

    Attributes:
        rule: the rule that says so.
        where: the path of the layer, "loss", "optimizer", or the schedule.
        part: the layer, loss or optimizer that it belongs to.
        explanation: what differs.
        remedy: code that computes the numbers of this model: `remedy.tensorflow` for Keras and
            `remedy.mindspore`.
    """

    rule: Rule
    where: str
    part: str
    explanation: str
    remedy: Remedy

    @property
    def effect(self) -> Effect:
        """The size of the difference, as measured."""
        return self.rule.effect

    @property
    def only(self) -> str:
        """For which inputs alone it shows; "" if a usual training shows it."""
        return self.rule.only

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """The worst first: always before sometimes, silent before loud, large before small.

        How weights start comes after what is computed with them.
        """
        start = self.rule.stage == "start"
        return bool(self.only), self.effect.loud, start, -self.effect.number

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as `json.dumps` takes them."""
        effect = self.effect
        number = effect.number if math.isfinite(effect.number) else None
        return {
            "rule": self.rule.name,
            "title": self.rule.row.title,
            "kind": self.rule.row.kind,
            "stage": self.rule.stage,
            "where": self.where,
            "only": self.only,
            "effect": {
                "number": number,
                "unit": effect.unit,
                "loud": effect.loud,
                "measured": dict(effect.measured),
            },
            "explanation": self.explanation,
            "remedy": self.remedy._asdict(),
        }


@dataclass(frozen=True)
class Lint:
    """What of a model computes something else in the other framework, made by `lint`.

    Attributes:
        to: the other framework, "mindspore" or "tensorflow".
        findings: the worst first.
        parts: how many layers, losses, optimizers and schedules were looked at.
        unread: what could not be looked at, a sentence each.

    Example:
        >>> import dnnbridge as db
        >>> found = db.lint(db.Dropout(0.2), "mindspore")
        >>> [(each.rule.name, each.remedy.mindspore) for each in found.findings]
        [('dropout-argument', 'nn.Dropout(p=0.2)')]
        >>> found.ok, found.parts
        (False, 1)
    """

    to: Framework
    findings: tuple[Finding, ...]
    parts: int
    unread: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """One sentence: how many parts differ, and the worst."""
        there = NAMES[self.to]
        counted = f"{self.parts} part{'' if self.parts == 1 else 's'}"
        if self.ok:
            return f"No known difference of {counted} in {there} under the same name."
        worst = self.findings[0]
        usual = {each.part for each in self.findings if not each.only}
        if not usual:
            return (
                f"No part of {counted} gives other numbers in {there} under the same name for "
                f"usual inputs; for some {len({each.part for each in self.findings})} do."
            )
        verb = "gives" if len(usual) == 1 else "give"
        loud = " or an error" if any(each.effect.loud for each in self.findings) else ""
        return (
            f"{len(usual)} of {counted} {verb} other numbers{loud} in {there} under the same "
            f"name; the worst is {worst.rule.row.title!r} at {worst.where}."
        )

    def by_rule(self) -> list[tuple[Finding, list[str]]]:
        """Return the first finding of each rule and all its places."""
        found: dict[str, tuple[Finding, list[str]]] = {}
        for each in self.findings:
            found.setdefault(each.rule.name, (each, []))[1].append(each.where)
        return list(found.values())

    def __str__(self) -> str:
        lines = [self.verdict]
        for number, (each, places) in enumerate(self.by_rule(), 1):
            lines += ["", f"{number}. {each.rule.row.title} ({each.rule.name}): {_listed(places)}"]
            lines += textwrap.wrap(
                each.explanation, 96, initial_indent="   ", subsequent_indent="   "
            )
            lines += [f"   {text}" for text in (_only(each), f"measured: {each.effect}") if text]
            lines += _code("Keras", each.remedy.tensorflow)
            lines += _code("MindSpore", each.remedy.mindspore)
        if self.unread:
            lines += ["", "Not looked at:", *(f"- {text}" for text in self.unread)]
        if not self.ok:
            lines += ["", f"The code of both sides computes this model. Measured in {PAGE}."]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as `json.dumps` takes them."""
        return {
            "to": self.to,
            "ok": self.ok,
            "verdict": self.verdict,
            "parts": self.parts,
            "findings": [each.to_dict() for each in self.findings],
            "unread": list(self.unread),
        }

    def to_json(self) -> str:
        """Return the findings as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def _repr_html_(self) -> str:
        head = ("difference", "where", "what differs", "Keras", "MindSpore")
        rows = [
            (
                each.rule.row.title,
                _listed(places),
                " ".join(filter(None, (each.explanation, _only(each)))),
                each.remedy.tensorflow,
                each.remedy.mindspore,
            )
            for each, places in self.by_rule()
        ]
        parts = [notebook.table(head, rows, words=len(head))] if rows else []
        parts += [notebook.note(f"Not looked at: {text}") for text in self.unread]
        return notebook.block(self.verdict, *parts)


def _listed(places: Sequence[str], shown: int = 6) -> str:
    rest = len(places) - shown
    return ", ".join(places[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _only(finding: Finding) -> str:
    return f"Only for {finding.only}." if finding.only else ""


def _code(side: str, code: str) -> list[str]:
    """Return lines of code under the name of a framework."""
    first, *rest = code.splitlines() or [""]
    if not rest:
        return [f"   {side + ':':11}{first}"] if first else []
    return [f"   {side}:", *(f"       {line}" for line in (first, *rest))]
