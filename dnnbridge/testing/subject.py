"""`Subject`: a backend on a device, whose numbers are to be held to the reference."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.protocol import Backend
from dnnbridge.experiment import Experiment
from dnnbridge.training.checkpoint import restore
from dnnbridge.training.compiling import compile_for
from dnnbridge.training.run import Run

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Subject:
    """A backend, which need not be installed, on a device.

    Attributes:
        backend: whose numbers they are.
        device: kind.
        seed: what it is asked with: 0 for the numbers that the cases have, another one for others.
        held_to: another subject's `reference`, so that several have one and its results are
            computed once; by default one of its own.
    """

    backend: Backend
    device: str = "cpu"
    seed: int = 0
    held_to: Subject | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def reference(self) -> Subject:
        """What it is held to."""
        return self.held_to or Subject(load_backend("reference"))

    def once(self, key: Hashable, make: Callable[[Subject], T]) -> T:
        """Return what `make` made of this subject when it was first asked for under the key."""
        if key not in self._made:
            self._made[key] = make(self)
        made: T = self._made[key]
        return made

    def run(self, experiment: Experiment) -> Run:
        """Compile an experiment."""
        return compile_for(self.backend, experiment, self.device)

    def load(self, path: Path) -> Run:
        """Make a run of a checkpoint."""
        return restore(path, self.run)
