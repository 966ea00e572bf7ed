"""One demonstration: code of each side, what is right, and what is the same here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["wrong", "ignored", "fails", "differs"]

KINDS: dict[Kind, str] = {
    "wrong": "numbers that are not those of the documented equation, and no error",
    "ignored": "an argument or a call without effect, and no error",
    "fails": "an error where the document promises a result, or no error where there must be one",
    "differs": "two conventions or defaults under one name; neither is wrong",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A difference, as code that shows it. The value of a piece of code is its last expression.

    Attributes:
        id: its name, the anchor of its section.
        title: what the list of contents says.
        kind: how bad it is, see `KINDS`.
        says: what is documented or expected, and what happens.
        mindspore: code for MindSpore.
        keras: code for Keras and TensorFlow.
        expected: code for what is right, in float64.
        like_mindspore: what gives MindSpore's numbers here, on every backend.
        like_keras: what gives those of Keras.
        here: what to know about it here, where there is no code to show.
        tolerance: relative; two sides that are closer are the same.
    """

    id: str
    title: str
    kind: Kind
    says: str
    mindspore: str = ""
    keras: str = ""
    expected: str = ""
    like_mindspore: str = ""
    like_keras: str = ""
    here: str = ""
    tolerance: float = 1e-4

    def code(self, side: str) -> dict[str, str]:
        """Return the pieces of code that a process with one framework runs."""
        ours = ("expected", "like_mindspore", "like_keras")
        names = ours if side == "reference" else (side,)
        return {name: getattr(self, name) for name in names if getattr(self, name)}
