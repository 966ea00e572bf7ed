"""`Facts`: what the report of a conversion may ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dnnbridge.doctor.subject import Subject, subject_of
from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import AbstractOptimizer

MINDSPORE = ("python-mindspore", "mindir")
KERAS = ("keras", "python-tensorflow", "saved_model")


@dataclass(frozen=True)
class Facts:
    """A conversion.

    Attributes:
        experiment: the model and its training.
        optimizer: the present optimizer.
        format: what was written.
        trains: whether the file trains too.
        source: the text of the file, if it is a Python file.
        from_mindspore: whether the weights came from a checkpoint of MindSpore.
        from_keras: whether the source is a model of Keras.
    """

    experiment: Experiment
    optimizer: AbstractOptimizer
    format: str
    trains: bool
    source: str = ""
    from_mindspore: bool = False
    from_keras: bool = False

    @property
    def to_mindspore(self) -> bool:
        return self.format in MINDSPORE

    @property
    def to_keras(self) -> bool:
        return self.format in KERAS

    @property
    def crosses(self) -> bool:
        """Whether weights go from one of the two frameworks to the other."""
        return self.to_mindspore or (self.to_keras and self.from_mindspore)

    @cached_property
    def subject(self) -> Subject:
        """What the rules look at."""
        return subject_of(self.experiment, self.optimizer)

    def line(self, words: str) -> str:
        """Return the line of the Python file that has some words, as code; else nothing."""
        lines = (line.strip() for line in self.source.splitlines())
        return next((f"`{line}`" for line in lines if words in line), "")


def listed(found: list[str], shown: int = 4) -> str:
    """Return names with commas, the first few of many.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    rest = len(found) - shown
    return f"{', '.join(found[:shown])} and {rest} more" if rest > 0 else ", ".join(found)
