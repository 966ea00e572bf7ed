"""`Subject`: a backend on a device, whose numbers are to be held to the reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dnnbridge.backend import Backend
from dnnbridge.checkpoint import restore
from dnnbridge.experiment import Experiment
from dnnbridge.plugins import load_backend
from dnnbridge.training.compiling import compile_for
from dnnbridge.training.run import Run


@dataclass(frozen=True)
class Subject:
    """A backend, which need not be installed, on a device.

    Attributes:
        backend: which.
        device: which.
        seed: what it is asked with: 0 for the numbers that the cases have, another one for others.
    """

    backend: Backend
    device: str = "cpu"
    seed: int = 0

    @cached_property
    def reference(self) -> Subject:
        """What it is held to."""
        return Subject(load_backend("reference"))

    def run(self, experiment: Experiment) -> Run:
        """Compile an experiment."""
        return compile_for(self.backend, experiment, self.device)

    def load(self, path: Path) -> Run:
        """Make a run of a checkpoint."""
        return restore(path, self.run)
