"""Check a backend with many random experiments; a failure is shrunk, saved and reported."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from dnnbridge.experiment import Experiment
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.random_programs.experiments import experiments
from dnnbridge.testing.subject import Subject

EXAMPLES = 15
"""Default number of experiments. The tests always draw the same ones."""


def check_random_programs(
    subject: Subject, examples: int | None = None, *, few: int = EXAMPLES
) -> None:
    """Raise AssertionError with the smallest experiment that fails, and how to run it again.

    Args:
        subject: the backend.
        examples: number of new experiments to draw; None to draw the same `few` every time.
        few: number of experiments if `examples` is None.
    """

    @settings(
        max_examples=examples or few,
        derandomize=examples is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(experiments())
    def check(experiment: Experiment) -> None:
        require_program(experiment, subject)

    check()


def require_program(experiment: Experiment, subject: Subject) -> None:
    """Raise AssertionError, with the command to run it again, unless the backend is right."""
    try:
        wrong = [made for made in measure_program(experiment, subject) if not made.ok]
        found = "\n".join(map(str, wrong[:5]))
        if not wrong:
            return
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    raise AssertionError(f"{found}\n{_kept(experiment, subject.backend.info.name)}")


def _kept(experiment: Experiment, backend: str) -> str:
    """Write an experiment to a new file; return its JSON and the command to run it."""
    text = experiment.to_json()
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"dnnbridge-{name}.json"
    path.write_text(text)
    command = f"python -m dnnbridge.testing.random_programs {path} {backend}"
    return f"{text}\nRun it again: {command}\nKeep it: cp {path} tests/regressions/"
