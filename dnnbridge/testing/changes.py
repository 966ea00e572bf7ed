"""What has changed since a backend was measured before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dnnbridge.testing.checks import Check
from dnnbridge.testing.measurement import Measurement
from dnnbridge.testing.running import Conformance, Outcome

GROWTH = 2.0
"""An error that is so many times what it was has grown."""

NOTABLE = 0.1
"""It is told where it is more than this share of its tolerance."""

Key = tuple[str, str]
"""Area and id of a check."""


@dataclass(frozen=True)
class Growth:
    """An error that has grown, though it may be within its tolerance."""

    outcome: Outcome
    before: Measurement
    now: Measurement


@dataclass(frozen=True)
class Changes:
    """The checks of which something else is known now, each in one place.

    Attributes:
        failing: that did not fail before.
        passing: that did not pass before.
        limited: that were not limited before.
        new: that had not been asked before.
        gone: that the suite has no more.
        grown: that are as they were, with larger errors.
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
    """Compare two runs of the suite; what was not asked now is no change.

    Args:
        before: may have been asked other checks.
        now: may have been asked a few only.
        known: every check of the suite as it is now.
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
    """Return what tells a check from all others."""
    return outcome.area, outcome.id


def _growth(old: Outcome, new: Outcome) -> Growth | None:
    """Return the growth that leaves the least of a tolerance."""
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
