"""One difference: code for each framework, the right result, and our code with the same numbers."""

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
    """A difference and the code that shows it. A piece of code returns its last expression.

    Attributes:
        id: name of the row, and anchor of its section.
        title: text in the list of contents.
        kind: kind of the difference, see `KINDS`.
        says: what is documented or expected, and what happens.
        mindspore: code for MindSpore.
        keras: code for Keras and TensorFlow.
        expected: code for the right result, in float64.
        like_mindspore: our code that gives MindSpore's numbers, on every backend.
        like_keras: our code that gives Keras' numbers.
        here: remark about dnnbridge if there is no code to show.
        tolerance: relative error up to which two results count as equal.
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
        """Return the pieces of code to run in the process of one framework."""
        ours = ("expected", "like_mindspore", "like_keras")
        names = ours if side == "reference" else (side,)
        return {name: getattr(self, name) for name in names if getattr(self, name)}
