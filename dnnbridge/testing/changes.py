"""Compare the results of two runs of the suite."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dnnbridge.testing.checks import Check
from dnnbridge.testing.measurement import Measurement
from dnnbridge.testing.running import Conformance, Outcome

GROWTH = 2.0
"""An error has grown if it is at least this many times its earlier value."""

NOTABLE = 0.1
"""A grown error is reported only if it is above this fraction of its tolerance."""

Key = tuple[str, str]
"""Area and id of a check."""


@dataclass(frozen=True)
class Growth:
    """An error that has grown. It may still be within its tolerance."""

    outcome: Outcome
    before: Measurement
    now: Measurement


@dataclass(frozen=True)
class Changes:
    """The checks whose results have changed. Each check is in one list only.

    Attributes:
        failing: failed now, not before.
        passing: passed now, not before.
        limited: limited now, not before.
        new: not run before.
        gone: run before, and no longer in the suite.
        grown: with the same status and a larger error.
    """

    failing: list[Outcome]
    passing: list[Outcome]
    limited: list[Outcome]
    new: list[Outcome]
    gone: list[Outcome]
    grown: list[Growth]

    def __bool__(self) -> bool:
        return any(vars(self).values())


def changes(before: Conformance, now: Conformance, known: Collection[Key]) -> Changes:
    """Compare two runs of the suite. A check that did not run now counts as unchanged.

    Args:
        before: the earlier run.
        now: the later run, which may have run only some of the checks.
        known: the keys of all checks that the suite has now.
    """
    old = {key_of(outcome): outcome for outcome in before.outcomes}
    asked_before = [outcome for outcome in now.outcomes if key_of(outcome) in old]
    turned = [each for each in asked_before if old[key_of(each)].status != each.status]
    grown = (_growth(old[key_of(each)], each) for each in asked_before if each not in turned)
    return Changes(
        failing=[each for each in turned if each.status == "failed"],
        passing=[each for each in turned if each.status == "passed"],
        limited=[each for each in turned if each.status == "limited"],
        new=[each for each in now.outcomes if key_of(each) not in old],
        gone=[each for key, each in old.items() if key not in known],
        grown=[each for each in grown if each],
    )


def key_of(outcome: Check | Outcome) -> Key:
    """Return the unique key of a check."""
    return outcome.area, outcome.id


def _growth(old: Outcome, new: Outcome) -> Growth | None:
    """Return the growth whose new error is the largest fraction of its tolerance."""
    errors = {each.what: each for each in old.measurements}
    grown = [
        Growth(new, errors[each.what], each)
        for each in new.measurements
        if each.what in errors
        and each.share > NOTABLE
        and not each.declared
        and each.error >= GROWTH * errors[each.what].error
    ]
    return max(grown, key=lambda each: each.now.share, default=None)
