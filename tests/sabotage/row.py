"""What a sabotage is: the float64 reference with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dnnbridge.ops import RULES
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.testing.checks import Check
from dnnbridge.testing.subject import Subject
from dnnbridge.training.run import Run
from sabotage.executables import Wrapped
from sabotage.rewriting import Rewrite, rewritten
from sabotage.twin import Effect, Twin


class ChangesNothingError(Exception):
    """A sabotage that matches nothing."""


class NotCaughtError(Exception):
    """A sabotage that its check does not detect."""


@dataclass(frozen=True, eq=False)
class Sabotage:
    """A backend that is wrong in one way.

    Attributes:
        name: what is wrong.
        caught: the checks that must detect it, each as area/id.
        rules: functions that change the reference's rule of an operation.
        specs: functions that rewrite the calls of a spec.
        wrap: a wrong executable around a compiled program.
        experiment: function that changes the experiment before it is compiled.
        backend: wrong attributes of the backend.
    """

    name: str
    caught: tuple[str, ...]
    rules: Mapping[type, Callable[[Any], Any]] = field(default_factory=dict)
    specs: Mapping[type, Rewrite] = field(default_factory=dict)
    wrap: type[Wrapped] | None = None
    experiment: Callable[[Any], Any] | None = None
    backend: Mapping[str, Any] = field(default_factory=dict)

    @property
    def breaks(self) -> str:
        """The part of the backend that is wrong."""
        kinds = [*self.rules, *self.specs]
        if kinds:
            return ", ".join(f"`{kind.__name__}`" for kind in kinds)
        if self.wrap is not None:
            return "the executable"
        return "the table" if self.backend else "what is compiled"

    @property
    def subject(self) -> SabotagedSubject:
        return SabotagedSubject(SabotagedBackend(self), sabotage=self)

    @property
    def parts(self) -> list[Sabotage]:
        """One sabotage for each thing that is wrong."""
        none: dict[str, Any] = {"rules": {}, "specs": {}, "backend": {}}
        alone = replace(self, **none, wrap=None, experiment=None)
        made = [
            replace(alone, **{name: {key: value}})
            for name in none
            for key, value in getattr(self, name).items()
        ]
        made += [replace(alone, wrap=self.wrap)] if self.wrap else []
        return made + ([replace(alone, experiment=self.experiment)] if self.experiment else [])


HEALTHY = Sabotage("nothing", ())


class SabotagedBackend(ReferenceBackend):
    """The reference with something wrong."""

    def __init__(self, sabotage: Sabotage) -> None:
        self.sabotage, self.effect = sabotage, Effect()
        right = ReferenceBackend()
        self.effect.seen = any(getattr(right, n) != v for n, v in sabotage.backend.items())
        self.__dict__ |= sabotage.backend

    def compile(self, program, device):
        wrong = self.sabotage
        changed = {op: change(RULES[op]) for op, change in wrong.rules.items()}
        executable = ReferenceExecutable(rewritten(program, wrong.specs), rules=RULES | changed)
        if wrong.wrap is not None:
            executable = wrong.wrap(executable, program)
        return Twin(executable, program, ReferenceExecutable(program), self.effect)


@dataclass(frozen=True)
class SabotagedSubject(Subject):
    """Compiles another experiment than the given one, if the sabotage has one."""

    sabotage: Sabotage = HEALTHY

    def run(self, experiment):
        change = self.sabotage.experiment
        if change is None:
            return super().run(experiment)
        changed = change(experiment)
        self.backend.effect.seen |= changed != experiment
        return Run(experiment, changed.program(), self.backend, self.device)


def require_caught(row: Sabotage, check: Check) -> None:
    """Raise unless the check fails and each part of the sabotage changes something in it.

    Raises:
        ChangesNothingError: a part changes nothing, for example because the check does not use
            its operation, spec or feed. So a failure of the check would have another reason.
        NotCaughtError: the check passes.
    """
    for part in row.parts:
        subject = part.subject
        error = _error_of(check, subject)
        if not subject.backend.effect.seen:
            what = f"{row.name}: {part.breaks} changes nothing in {check.id}"
            raise ChangesNothingError(f"{what} ({error})")
    error = _error_of(check, row.subject) if len(row.parts) > 1 else error
    if not str(error).startswith(f"{check.id} "):
        raise NotCaughtError(f"{row.name}: {check.id} does not see it ({error})")


def _error_of(check: Check, subject: Subject) -> AssertionError | None:
    """Return the error of a check, or None if it passes."""
    with np.errstate(all="ignore"):
        try:
            check.require(subject)
        except AssertionError as error:
            return error
    return None
