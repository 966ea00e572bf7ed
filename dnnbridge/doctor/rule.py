"""`Rule`: a row of the native differences that can be told from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dnnbridge.doctor.subject import NO_WEIGHTS, Framework, Sizes, Subject
from dnnbridge.doctor.table import Effect, Row, rows

Stage = Literal["input", "layer", "loss", "gradient", "update", "start", "rate", "metric"]


class Remedy(NamedTuple):
    """Code that computes the same numbers on both sides: those of the model.

    Attributes:
        tensorflow: what to write with Keras.
        mindspore: what to write with MindSpore.
    """

    tensorflow: str
    mindspore: str


class Place(NamedTuple):
    """A part of a model that a rule concerns.

    Attributes:
        where: the path of the layer, "loss", "optimizer", or the schedule.
        spec: the layer, activation, loss, optimizer or schedule.
        note: its numbers, in brackets after `where`.
        shape: of an example of the input of a layer, or of the output of a loss.
        weights: the shapes of the weights of a layer, by name.
        subject: the whole.
    """

    where: str
    spec: Any
    note: str = ""
    shape: Sizes | None = None
    weights: Mapping[str, tuple[int, ...]] = NO_WEIGHTS
    subject: Subject = Subject()

    def __str__(self) -> str:
        return f"{self.where} ({self.note})" if self.note else self.where


Places = Callable[[Subject], Iterable[Place]]
Bites = Callable[[Place, Framework], bool]


def always(place: Place, to: Framework) -> bool:
    """The frameworks differ, whatever the arguments."""
    return True


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A known difference of MindSpore and Keras, and how to tell that a model has it.

    Attributes:
        name: the id of its row in the measured table.
        stage: where a training first shows it.
        keras: the classes of Keras that it is about.
        mindspore: the classes of MindSpore that it is about.
        places: what in a model it concerns.
        says: the explanation; may name numbers of the places.
        remedy: code for both sides, with the numbers of the place.
        bites: whether the same class with the same arguments, or with its defaults, computes
            something else in the framework that is given.
        only: for which inputs alone it shows; "" if a usual training shows it.
        targets: in which framework a spec of this library meets it. What comes from a framework
            meets it on the way to the other one.
        needs: "weights" if it shows where weights are copied, "start" where they are drawn anew.
        unseen: why `lint` never reports it, for a rule that only a conversion uses.
    """

    name: str
    stage: Stage
    keras: tuple[str, ...] = ()
    mindspore: tuple[str, ...] = ()
    places: Places
    says: str | Callable[[Sequence[Place]], str]
    remedy: Callable[[Place], Remedy]
    bites: Bites = always
    only: str = ""
    targets: tuple[Framework, ...] = ("mindspore",)
    needs: Literal["", "weights", "start"] = ""
    unseen: str = ""

    @property
    def row(self) -> Row:
        """The row of the measured table."""
        return rows()[self.name]

    @property
    def effect(self) -> Effect:
        """The size of the difference, as measured."""
        return self.row.effect

    def found(self, subject: Subject) -> list[Place]:
        """Return what in a model the rule concerns, whatever the target."""
        return [place._replace(subject=subject) for place in self.places(subject)]

    def biting(self, subject: Subject, to: Framework) -> list[Place]:
        """Return the parts of a model that compute something else in a framework."""
        if self.unseen or (subject.origin == "here" and to not in self.targets):
            return []
        if self.needs and not {"weights": subject.weights, "start": subject.starts}[self.needs]:
            return []
        return [place for place in self.found(subject) if self.bites(place, to)]

    def explanation(self, places: Sequence[Place]) -> str:
        """Return what differs, with the numbers of the places."""
        return self.says if isinstance(self.says, str) else self.says(places)


def never(place: Place) -> Remedy:
    """A rule that `lint` never reports needs no remedy."""
    return Remedy("", "")
