"""Write the conformance of several backends as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from dnnbridge.report.html import fill
from dnnbridge.report.wording import difference, percent
from dnnbridge.testing.measurement import Measurement, worst_of
from dnnbridge.testing.running import Conformance, Outcome

TITLES = {
    "operation": "Operations",
    "structure": "Structure",
    "layer": "Layers",
    "activation": "Activations",
    "loss": "Losses",
    "metric": "Metrics",
    "initializer": "Initializers",
    "optimizer": "Optimizers",
    "schedule": "Schedules",
    "gradient_rule": "Rules for gradients",
    "weight_decay": "Weight decay",
    "loss_scale": "Loss scales",
    "precision": "Precisions",
    "regularizer": "Regularizers",
    "constraint": "Constraints",
    "training": "Trainings",
    "resuming": "Trainings resumed on another backend",
    "behaviour": "Behaviour",
}
"""Titles of the areas in the order of the report; other areas follow under their own names."""

SHADES = (0.01, 0.1, 0.3, 0.6, 1.0)
"""Upper bounds of the colours, as shares of the tolerance."""


@dataclass(frozen=True)
class Cell:
    """The result of a backend for an entry or for one of its checks.

    Attributes:
        label: the backend.
        outcomes: its outcomes; empty if the backend did not run the checks.
    """

    label: str
    outcomes: Sequence[Outcome]

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def status(self) -> str:
        """Failed if any check failed, else passed if any passed, else limited or absent."""
        return next(
            (each for each in ("failed", "passed", "limited") if self.count(each)), "absent"
        )

    @property
    def worst(self) -> Measurement | None:
        """The measurement with the largest share of its tolerance."""
        return worst_of(outcome.worst for outcome in self.outcomes if outcome.worst)

    @property
    def shade(self) -> str:
        """The CSS class of its colour."""
        if self.status != "passed":
            return self.status
        share = self.worst.share if self.worst else 0.0
        return f"s{sum(share > shade for shade in SHADES)}" if share else "exact"

    @property
    def text(self) -> str:
        """The error, or a word."""
        if self.worst is None or self.status in ("limited", "absent"):
            return "–" if self.status == "absent" else self.status
        if self.worst.error == 0:
            return "exact"
        return difference(self.worst.error) if self.worst.tolerance else "differs"

    @property
    def allowed(self) -> str:
        """The tolerance of that error; empty if it is zero."""
        return difference(self.worst.tolerance) if self.worst and self.worst.tolerance else ""

    @property
    def notes(self) -> list[str]:
        """Text below the error: its tolerance and the numbers of failed and limited checks."""
        notes = [f"of {self.allowed}"] if self.allowed else []
        if len(self.outcomes) > 1:
            counts = ((self.count(each), each) for each in ("failed", "limited"))
            notes += [f"{count} {each}" for count, each in counts if count]
        return notes

    @property
    def remark(self) -> str:
        """The reasons of failed or limited checks, or else the worst measurement."""
        why = "; ".join(
            dict.fromkeys(outcome.reason for outcome in self.outcomes if outcome.reason)
        )
        return why or str(self.worst or "")


@dataclass(frozen=True)
class Row:
    """An entry or a check, on every backend."""

    name: str
    cells: Sequence[Cell]
    checks: Sequence[Row] = ()


@dataclass(frozen=True)
class Area:
    """The rows of one area, and a row for the whole area."""

    key: str
    title: str
    rows: Sequence[Row]
    total: Row


def render(found: Sequence[Conformance], title: str = "Conformance of backends") -> str:
    """Return the report: every entry on every backend, without external resources."""
    labels = label(found)
    content = {
        "title": title,
        "version": version("dnnbridge"),
        "found": list(zip(labels, found, strict=True)),
        "areas": areas(found),
        "failed": [(n, o) for n, each in zip(labels, found, strict=True) for o in each.failed],
        "limited": [(n, o) for n, each in zip(labels, found, strict=True) for o in each.limited],
        "percent": percent,
        "count": plural,
    }
    return fill("conformance.html", content)


def label(found: Sequence[Conformance]) -> list[str]:
    """Return the name of every column: the backend, its variant, and its device if ambiguous."""
    names = [each.name for each in found]
    return [
        each.name if names.count(each.name) == 1 else f"{each.name} {each.device}" for each in found
    ]


def areas(found: Sequence[Conformance]) -> list[Area]:
    """Group all outcomes by area, in the order of `TITLES`."""
    keys = dict.fromkeys(outcome.area for each in found for outcome in each.outcomes)
    order = list(TITLES)
    made = []
    for key in sorted(keys, key=lambda key: order.index(key) if key in TITLES else len(order)):
        columns = [[o for o in each.outcomes if o.area == key] for each in found]
        labels = label(found)
        rows = []
        for entry in sorted(_names(columns, "entry"), key=str.lower):
            own = [[o for o in column if o.entry == entry] for column in columns]
            checks = [
                _row(id, labels, [[o for o in column if o.id == id] for column in own])
                for id in _names(own, "id")
            ]
            rows.append(_row(entry.removeprefix(f"{key}."), labels, own, checks))
        title = TITLES.get(key, key.replace("_", " ").capitalize())
        made.append(Area(key, title, rows, _row(title, labels, columns)))
    return made


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> plural(1, "check"), plural(1200, "entry")
        ('1 check', '1,200 entries')
    """
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun}"


def _names(columns: Iterable[Iterable[Outcome]], attribute: str) -> list[str]:
    return list(dict.fromkeys(getattr(o, attribute) for column in columns for o in column))


def _row(
    name: str,
    labels: Sequence[str],
    columns: Sequence[Sequence[Outcome]],
    checks: Sequence[Row] = (),
) -> Row:
    cells = [Cell(text, column) for text, column in zip(labels, columns, strict=True)]
    return Row(name, cells, checks)
