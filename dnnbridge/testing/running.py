"""Run checks on a backend and collect their measurements."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from dnnbridge.backend.plugins import available_backends, backend_facts
from dnnbridge.base.machine import machine
from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.testing.checks import Check
from dnnbridge.testing.measurement import Measurement, worst_of
from dnnbridge.testing.subject import Subject

Status = Literal["passed", "failed", "limited"]


@dataclass(frozen=True)
class Outcome:
    """The result of a check.

    Attributes:
        area: area of the check.
        entry: entry of the check.
        id: id of the check.
        status: "limited" if the backend declares a limitation or a deviation there.
        seconds: how long it took.
        measurements: all measurements of the check.
        note: why it is limited, the error that ended it, or the notes of its measurements, such as
            the flips of a training.
    """

    area: str
    entry: str
    id: str
    status: Status
    seconds: float
    measurements: tuple[Measurement, ...] = ()
    note: str = ""

    @property
    def worst(self) -> Measurement | None:
        """The measurement with the largest share of its tolerance, declared ones excepted."""
        return worst_of(each for each in self.measurements if not each.declared)

    @property
    def reason(self) -> str:
        """Why it did not pass: the note, or the measurement furthest beyond its tolerance."""
        wrong = sum(not each.ok for each in self.measurements)
        more = f" (and {wrong - 1} more)" if wrong > 1 else ""
        return self.note or (f"{self.worst}{more}" if wrong else "")


@dataclass(frozen=True)
class Conformance:
    """All outcomes of a backend, and the machine and versions that they were measured on.

    Attributes:
        backend: name of the backend.
        device: kind of the device.
        versions: versions of Python, NumPy, dnnbridge and the framework; the platform, the
            processor, and the facts that the backend reports.
        outcomes: outcomes in the order of the checks.
        variant: name of the backend's variant; empty for the default.
    """

    backend: str
    device: str
    versions: dict[str, str]
    outcomes: tuple[Outcome, ...] = ()
    variant: str = ""

    @property
    def name(self) -> str:
        """The backend and its variant."""
        return f"{self.backend} {self.variant}".rstrip()

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]

    @property
    def limited(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "limited"]

    @property
    def seconds(self) -> float:
        """Total time of all checks, without the import of the framework."""
        return sum(outcome.seconds for outcome in self.outcomes)


def run_checks(
    checks: Iterable[Check], subject: Subject, done: Callable[[Outcome], None] = lambda _: None
) -> Conformance:
    """Run checks on a backend. An error in a check fails only that check.

    Args:
        checks: checks from `all_checks`.
        subject: the backend.
        done: called with every outcome as soon as it is known.
    """
    outcomes = []
    for check in checks:
        outcomes.append(run_check(check, subject))
        done(outcomes[-1])
    name = subject.backend.info.name
    return Conformance(name, subject.device, versions_of(name), tuple(outcomes))


def run_check(check: Check, subject: Subject) -> Outcome:
    """Run one check on a backend."""
    begin = time.perf_counter()
    made: list[Measurement] = []
    note = ""
    status: Status
    try:
        made = check.measure(subject)
        status = status_of(made)
        told = [each.declared or each.note for each in made]
        note = "; ".join(dict.fromkeys(filter(None, told)))
    except DeclaredLimitationError as error:
        status, note = "limited", str(error)
    except Exception as error:
        status, note = "failed", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begin
    return Outcome(check.area, check.entry, check.id, status, seconds, tuple(made), note)


def status_of(made: Sequence[Measurement]) -> Status:
    """Return the status of a check with these measurements."""
    wrong = [each for each in made if not each.ok]
    if all(each.declared for each in wrong):
        return "limited" if wrong else "passed"
    return "failed"


def versions_of(backend: str) -> dict[str, str]:
    """Return the versions, and the facts of this machine that affect the numbers or the speed."""
    found = {"python": platform.python_version(), "numpy": version("numpy")}
    found["dnnbridge"] = version("dnnbridge")
    facts: dict[str, str] = {}
    for each in available_backends():
        if each.name == backend:
            found |= {backend: each.version} if each.version else {}
            facts = backend_facts(backend)
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found | {"processor": str(machine())} | facts
