"""`Subject`: a backend on a device, to be compared with the reference."""

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
    """A backend on a device. The backend need not be installed.

    Attributes:
        backend: the backend to test.
        device: name of the device.
        seed: 0 for the numbers of the cases; any other seed gives other numbers.
        held_to: the `reference` of another subject, to share its results; by default this subject
            makes its own.
    """

    backend: Backend
    device: str = "cpu"
    seed: int = 0
    held_to: Subject | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def reference(self) -> Subject:
        """The reference that this subject is compared with."""
        return self.held_to or Subject(load_backend("reference"))

    def once(self, key: Hashable, make: Callable[[Subject], T]) -> T:
        """Return the result of `make(self)`, computed only at the first call with this key."""
        if key not in self._made:
            self._made[key] = make(self)
        made: T = self._made[key]
        return made

    def run(self, experiment: Experiment) -> Run:
        """Compile an experiment."""
        return compile_for(self.backend, experiment, self.device)

    def load(self, path: Path) -> Run:
        """Restore a run from a checkpoint."""
        return restore(path, self.run)
