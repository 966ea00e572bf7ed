"""Run checks on a backend and keep what they measured."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from dnnbridge.errors import DeclaredLimitationError, SpecError
from dnnbridge.plugins import available_backends
from dnnbridge.testing.checks import Check
from dnnbridge.testing.measurement import Measurement
from dnnbridge.testing.subject import Subject

FORMAT = "dnnbridge conformance 1"

Status = Literal["passed", "failed", "limited"]


@dataclass(frozen=True)
class Outcome:
    """What became of a check.

    Attributes:
        area: of the check.
        entry: of the check.
        id: of the check.
        status: "limited" where the backend declares that it cannot.
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
        """The measurement that uses most of its tolerance."""
        return max(self.measurements, key=_share, default=None)


@dataclass(frozen=True)
class Conformance:
    """All outcomes of a backend, and what they were measured on.

    Attributes:
        backend: name.
        device: kind.
        versions: of Python, NumPy, dnnbridge and the framework.
        outcomes: in the order of the checks.
    """

    backend: str
    device: str
    versions: dict[str, str]
    outcomes: tuple[Outcome, ...] = field(default=())

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]

    def to_json(self) -> str:
        """Return everything as JSON text; an error that is not finite is a word."""
        data = {"format": FORMAT} | asdict(self)
        return json.dumps(_finite(data), indent=1, allow_nan=False)

    @classmethod
    def read(cls, path: str | Path) -> Conformance:
        """Read what `to_json` wrote.

        Raises:
            SpecError: the file is something else.
        """
        try:
            data = json.loads(Path(path).read_text())
            if data.pop("format") != FORMAT:
                raise KeyError("format")
            outcomes = tuple(
                Outcome(**row | {"measurements": tuple(map(_measurement, row["measurements"]))})
                for row in data.pop("outcomes")
            )
            return cls(**data, outcomes=outcomes)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SpecError(
                "is no report of dnnbridge conformance",
                where=str(path),
                got=f"{type(error).__name__}: {error}",
                hint="Give a file that --json wrote.",
            ) from None


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
        status = "passed" if all(each.ok for each in made) else "failed"
        note = "; ".join(each.note for each in made if each.note)
    except DeclaredLimitationError as error:
        status, note = "limited", str(error)
    except Exception as error:
        status, note = "failed", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begin
    return Outcome(check.area, check.entry, check.id, status, seconds, tuple(made), note)


def versions_of(backend: str) -> dict[str, str]:
    """Return the versions that decide the numbers."""
    found = {"python": platform.python_version(), "numpy": version("numpy")}
    found["dnnbridge"] = version("dnnbridge")
    for each in available_backends():
        if each.name == backend and each.version:
            found[backend] = each.version
    return found | {"platform": platform.platform()}


def _share(measurement: Measurement) -> float:
    if measurement.tolerance:
        return measurement.error / measurement.tolerance
    return 0.0 if measurement.ok else float("inf")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _measurement(row: dict[str, Any]) -> Measurement:
    error, tolerance = float(row["error"]), float(row["tolerance"])
    curve = tuple(map(float, row["curve"]))
    return Measurement(row["what"], error, tolerance, row["detail"], row["note"], curve)
