"""Run checks on a backend and keep what they measured."""

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
    """What became of a check.

    Attributes:
        area: of the check.
        entry: of the check.
        id: of the check.
        status: "limited" where the backend declares that it cannot, or that it deviates.
        seconds: how long it took.
        measurements: all of them.
        note: why it is limited, the error that ended it, or what measurements have to tell, such
            as the flips of a training.
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
        """The measurement that uses most of its tolerance, of those that have to keep it."""
        return worst_of(each for each in self.measurements if not each.declared)

    @property
    def reason(self) -> str:
        """Why it is not passed: the note, or what is most beyond its tolerance."""
        wrong = sum(not each.ok for each in self.measurements)
        more = f" (and {wrong - 1} more)" if wrong > 1 else ""
        return self.note or (f"{self.worst}{more}" if wrong else "")


@dataclass(frozen=True)
class Conformance:
    """All outcomes of a backend, and what they were measured on.

    Attributes:
        backend: name.
        device: kind.
        versions: of Python, NumPy, dnnbridge and the framework; the platform, the processor, and
            what the backend says of itself.
        outcomes: in the order of the checks.
        variant: of the backend, by name; empty for what it is by default.
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
        """How long all of it took, without the import of the framework."""
        return sum(outcome.seconds for outcome in self.outcomes)


def run_checks(
    checks: Iterable[Check], subject: Subject, done: Callable[[Outcome], None] = lambda _: None
) -> Conformance:
    """Ask a backend every check; an error of a check is a failure of that check.

    Args:
        checks: of `all_checks`.
        subject: the backend.
        done: is told every outcome as it comes.
    """
    outcomes = []
    for check in checks:
        outcomes.append(run_check(check, subject))
        done(outcomes[-1])
    name = subject.backend.info.name
    return Conformance(name, subject.device, versions_of(name), tuple(outcomes))


def run_check(check: Check, subject: Subject) -> Outcome:
    """Ask a backend one check."""
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
    """Return what measurements amount to."""
    wrong = [each for each in made if not each.ok]
    if all(each.declared for each in wrong):
        return "limited" if wrong else "passed"
    return "failed"


def versions_of(backend: str) -> dict[str, str]:
    """Return the versions, and what else of this machine decides the numbers or the speed."""
    found = {"python": platform.python_version(), "numpy": version("numpy")}
    found["dnnbridge"] = version("dnnbridge")
    facts: dict[str, str] = {}
    for each in available_backends():
        if each.name == backend:
            found |= {backend: each.version} if each.version else {}
            facts = backend_facts(backend)
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found | {"processor": str(machine())} | facts
