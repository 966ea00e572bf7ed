"""Results of the suite as tables and lines, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from dnnbridge.report.wording import difference, percent
from dnnbridge.testing.changes import Changes, Growth
from dnnbridge.testing.running import Conformance, Outcome


def area_table(found: Conformance) -> Table:
    """Return a table of counts, largest shares of a tolerance and times, one row per area."""
    table = Table("area")
    for label in ("checks", "passed", "failed", "limited", "of its tolerance", "seconds"):
        table.add_column(label, justify="right")
    areas = dict.fromkeys(outcome.area for outcome in found.outcomes)
    for area in areas:
        table.add_row(area, *_row([each for each in found.outcomes if each.area == area]))
    if len(areas) > 1:
        table.add_section()
        table.add_row("all", *_row(list(found.outcomes)))
    return table


def _row(outcomes: list[Outcome]) -> list[str]:
    states = [outcome.status for outcome in outcomes]
    share = max((o.worst.share for o in outcomes if o.worst), default=0.0)
    counts = [len(states), *(states.count(each) for each in ("passed", "failed", "limited"))]
    seconds = sum(outcome.seconds for outcome in outcomes)
    return [*map(str, counts), percent(share), f"{seconds:.1f}"]


def outcome_lines(found: Conformance) -> Iterator[str]:
    """Yield a line for each failure and limitation, then the verdict with the versions."""
    for outcome in found.failed:
        yield f"FAILED {_name(outcome)}: {outcome.reason}"
    by_reason: dict[str, list[str]] = {}
    for outcome in found.limited:
        by_reason.setdefault(outcome.note, []).append(_name(outcome))
    for note, names in by_reason.items():
        yield f"limited {', '.join(names)}: {note}"
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    verdict = f"{len(found.failed)} of {len(found.outcomes)} checks failed"
    if not found.failed:
        verdict = f"conforms: {len(found.outcomes)} checks, {len(found.limited)} of them limited"
    yield f"{found.name} on {found.device} {verdict} ({versions})"


def change_lines(before: Conformance, now: Conformance, found: Changes) -> Iterator[str]:
    """Yield a line for each change since earlier results, or one line if there is none."""
    for name in sorted(before.versions.keys() | now.versions.keys()):
        old, new = (each.versions.get(name, "none") for each in (before, now))
        if old != new:
            yield f"{name}: {old} before, {new} now"
    for outcome in found.failing:
        yield f"newly failing: {_name(outcome)}: {outcome.reason}"
    for outcome in found.passing:
        yield f"newly passing: {_name(outcome)}"
    for outcome in found.limited:
        yield f"newly limited: {_name(outcome)}: {outcome.note}"
    for growth in found.grown:
        yield f"grown: {_name(growth.outcome)}: {_growth(growth)}"
    for what, outcomes in (("new", found.new), ("gone", found.gone)):
        if outcomes:
            yield f"{what}: {', '.join(map(_name, outcomes))}"
    if not found:
        yield "No changes."


def _growth(growth: Growth) -> str:
    before, now = growth.before, growth.now
    errors = f"{difference(before.error)} before, {difference(now.error)} now"
    return f"{now.what}: {errors}, {difference(now.tolerance)} allowed"


def _name(outcome: Outcome) -> str:
    return f"{outcome.area} {outcome.id}"
