"""`Cause`: why two trainings differ at a place, found by mending one argument at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from dnnbridge.doctor.arguments import Argument, arguments_of, mended, shown
from dnnbridge.doctor.differences import Compared
from dnnbridge.doctor.known import remedy_of, rule_of, said_of
from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.sides import AbstractSide, Spot, Stage
from dnnbridge.doctor.subject import subject_of
from dnnbridge.errors import DnnbridgeError
from dnnbridge.experiment import Experiment

UPDATES = (
    *("optimizer", "gradients", "constraints", "accumulate", "loss_scale", "frozen"),
    *("frozen_statistics", "model"),
)

FIELDS: Mapping[Stage, tuple[str, ...]] = {
    "start": ("optimizer",),
    "input": ("model",),
    "layer": ("model", "frozen", "frozen_statistics"),
    "loss": ("loss", "regularizers", "model"),
    "gradient": ("loss", "regularizers", "frozen", "loss_scale", "model"),
    "update": UPDATES,
    "weights": UPDATES,
    "statistics": ("model", "frozen", "frozen_statistics"),
    "slots": UPDATES,
    "rate": ("optimizer",),
    "metrics": ("metrics", "weighted_metrics", "loss", "regularizers", "model"),
    "validation": ("metrics", "weighted_metrics", "loss", "regularizers", "model"),
}
"""The fields of an experiment that can make a difference at a stage."""

FRAMEWORKS = ("Keras", "MindSpore")
"""The frameworks that a remedy may have code for."""

IN_SECOND, IN_FIRST = "in the second, as in the first", "or in the first"
"""Where a line of a remedy may be written."""

WHOLE = 10_000
"""Characters of a value in code, which must be whole."""

CHANGED = 1e-2
"""Part of an error by which an argument must change it to be its cause."""


@dataclass(frozen=True)
class Cause:
    """Why two trainings differ at a place.

    Attributes:
        rule: the name of a known difference of the frameworks; None if it is none of them.
        explanation: what differs, with both values.
        remedy: code that makes them agree.
        effect: the change of the loss of all examples after the last step when this difference is
            mended: the earlier ones are mended already, the later ones are still there.
        argument: the argument that differs, if one does.
    """

    rule: str | None
    explanation: str
    remedy: str
    effect: float = 0.0
    argument: Argument | None = None

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """The remedy in pieces: where each is to be written, and the code."""
        found: list[tuple[str, list[str]]] = []
        for line in self.remedy.splitlines():
            code, _, where = line.rpartition("  # ")
            if line in (f"# {name}" for name in FRAMEWORKS):
                found.append((f"with {line[2:]}", []))
            elif where in (IN_SECOND, IN_FIRST):
                found.append((where, [code]))
            elif found:
                found[-1][1].append(line)
            else:
                found.append(("", [line]))
        return tuple((where, "\n".join(lines)) for where, lines in found)

    def __str__(self) -> str:
        return self.explanation


class Mended(NamedTuple):
    """The second side with one argument of the first."""

    argument: Argument
    side: AbstractSide
    error: float
    agrees: bool


Measure = Callable[[AbstractSide], Compared | None]
"""Compares a side with the first one at a place; None if the place is not there."""


def explained(a: AbstractSide, b: RunSide, found: Compared, measure: Measure) -> Mended | None:
    """Return the second side with the argument mended that makes a difference; None if none does.

    Each argument that could make it is mended alone, and the step is computed again. If none makes
    it, two of one class are mended together, such as the window and the step of a pool; the first
    of them is returned, as the second is found next.
    """
    tried = list(_tried(a, b, found, measure))
    for each in tried:
        if each.agrees:
            chosen = each
            break
    else:
        moved = [t for t in tried if abs(t.error - found.error) > CHANGED * found.error]
        first = None if moved else _first_of_two(a, b, found, measure, tried)
        if not moved and first is None:
            return None
        chosen = first or min(moved, key=lambda each: each.error)
    for each in tried:
        if each is not chosen:
            each.side.close()
    return chosen


def _first_of_two(
    a: AbstractSide, b: RunSide, found: Compared, measure: Measure, tried: Sequence[Mended]
) -> Mended | None:
    """Return the second side with the first of two arguments mended that explain it together."""
    for first, second in combinations(tried, 2):
        if first.argument.owner == second.argument.owner != "":
            with_first = first.side.experiment
            both = b.sibling(mended(a.experiment, with_first, second.argument))
            made = measure(both)
            both.close()
            if made is not None and made.agrees:
                return first
    return None


def _tried(a: AbstractSide, b: RunSide, found: Compared, measure: Measure) -> Iterator[Mended]:
    """Yield the second side with each argument mended, until one makes the place agree."""
    for argument in candidates(a, b, found.spot.stage):
        try:
            side = b.sibling(mended(a.experiment, b.experiment, argument))
        except DnnbridgeError:  # the values do not fit the rest
            continue
        made = measure(side)
        if made is None:
            side.close()
            continue
        yield Mended(argument, side, made.error, made.agrees)
        if made.agrees:
            return


def candidates(a: AbstractSide, b: AbstractSide, stage: Stage) -> Sequence[Argument]:
    """Return the arguments that can make a difference at a stage, the likeliest first."""
    fields = FIELDS[stage]
    found = [each for each in arguments_of(a.experiment, b.experiment) if each.field in fields]
    return sorted(found, key=lambda each: fields.index(each.field))


def of_argument(argument: Argument, experiment: Experiment, where: str = "") -> Cause:
    """Return the cause that an argument is.

    Args:
        argument: what differs.
        experiment: of the first side, whose numbers the code of a rule has.
        where: the weight or layer where it shows first.
    """
    places = len(argument.addresses)
    several = f" (at {places} places)" if places > 1 else ""
    explanation, code = f"{argument}{several}.", _code(argument)
    rule = rule_of(argument, experiment, where)
    if rule is None:
        return Cause(None, explanation, code, argument=argument)
    explanation = f"{explanation} {said_of(rule, experiment)}".strip()
    remedy = remedy_of(rule, argument, experiment)
    if remedy is not None:
        for name, text in zip(FRAMEWORKS, (remedy.tensorflow, remedy.mindspore), strict=True):
            code += f"\n# {name}\n{text}"
    return Cause(rule.name, explanation, code, argument=argument)


def _code(argument: Argument) -> str:
    """Return the argument as code, for either side."""
    before, after = (f"{argument.owner}(", ")") if argument.owner else ("", "")
    here, there = (
        f"{before}{argument.name}={shown(value, WHOLE) if value != () else '()'}{after}"
        for value in (argument.here, argument.there)
    )
    return f"{here}  # {IN_SECOND}\n{there}  # {IN_FIRST}"


def unexplained(a: AbstractSide, b: AbstractSide, spot: Spot, off: tuple[float, float]) -> Cause:
    """Return the cause of a difference that no argument explains.

    Args:
        a: the first side.
        b: the second side.
        spot: the place.
        off: how far each is from the reference.
    """
    errors = zip((a, b), off, strict=True)
    names = [name for side, error in errors if (name := side.native(spot, error))]
    if len(names) == 1:  # one side alone does it
        rule = RULES[names[0]]
        places = rule.found(subject_of(a.experiment))
        code = rule.remedy(places[0]) if places else None
        said = f"# Keras\n{code.tensorflow}\n# MindSpore\n{code.mindspore}" if code else ""
        return Cause(rule.name, rule.explanation(places), said)
    said = f"No argument differs that explains it. Against the float64 reference, {a.title} is "
    said += f"{off[0]:.1e} off here and {b.title} is {off[1]:.1e} off."
    blamed = b if off[1] >= off[0] else a
    said += f" So it is {blamed.title} that computes something else."
    return Cause(None, said, "alignment.reproduce(folder)  # inputs and a script of this place")
