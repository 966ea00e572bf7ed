"""What a sabotage is: the float64 reference with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dnnbridge.ops import RULES
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.testing.subject import Subject
from dnnbridge.training.run import Run
from sabotage.executables import WithRules, Wrapped
from sabotage.rewriting import Rewrite, rewritten


@dataclass(frozen=True, eq=False)
class Sabotage:
    """A backend that is wrong in one way.

    Attributes:
        name: what is wrong.
        caught: the checks that must see it, each as area/id.
        rules: what becomes of the reference's rule of an operation.
        specs: what becomes of the calls of a spec.
        wrap: what is wrong around a compiled program.
        experiment: what is compiled in place of an experiment.
        backend: attributes of the backend that are others.
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
        """What part of a backend it is in."""
        kinds = [*self.rules, *self.specs]
        if kinds:
            return ", ".join(f"`{kind.__name__}`" for kind in kinds)
        if self.wrap is not None:
            return "the executable"
        return "the table" if self.backend else "what is compiled"

    @property
    def subject(self) -> Subject:
        return SabotagedSubject(SabotagedBackend(self), sabotage=self)


HEALTHY = Sabotage("nothing", ())


class SabotagedBackend(ReferenceBackend):
    """The reference with something wrong."""

    def __init__(self, sabotage: Sabotage) -> None:
        self.sabotage = sabotage
        self.__dict__ |= sabotage.backend

    def compile(self, program, device):
        wrong = self.sabotage
        executable = ReferenceExecutable(rewritten(program, wrong.specs))
        if wrong.rules:
            changed = {op: change(RULES[op]) for op, change in wrong.rules.items()}
            executable = WithRules(executable, program, changed)
        return executable if wrong.wrap is None else wrong.wrap(executable, program)


@dataclass(frozen=True)
class SabotagedSubject(Subject):
    """Compiles another experiment than the one it is given, where the sabotage says so."""

    sabotage: Sabotage = HEALTHY

    def run(self, experiment):
        change = self.sabotage.experiment
        if change is None:
            return super().run(experiment)
        return Run(experiment, change(experiment).program(), self.backend, self.device)
