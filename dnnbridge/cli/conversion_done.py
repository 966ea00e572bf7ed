"""`Done`: what a conversion did about a native difference, and whether it met it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dnnbridge.cli.conversion_facts import Facts
from dnnbridge.doctor.rule import Place

Met = Callable[[Facts], bool]
Words = Callable[[Facts, Sequence[Place]], str]


class Done(NamedTuple):
    """What the report says of a rule of the doctor.

    Attributes:
        met: whether the conversion meets the difference at all.
        words: what was done, given the places that the rule found.
        fits: which of the places count.
        shown: how many places are listed.
    """

    met: Met
    words: Words
    fits: Callable[[Place], bool] = lambda place: True
    shown: int = 4


def to_mindspore(facts: Facts) -> bool:
    return facts.to_mindspore


def trains_in_mindspore(facts: Facts) -> bool:
    return facts.to_mindspore and facts.trains


def crosses(facts: Facts) -> bool:
    return facts.crosses


def said(words: str) -> Words:
    """Return the same words for every conversion."""
    return lambda facts, places: words


def with_line(words: str, code: str) -> Words:
    """Return words, and the first line of the file that has some code."""

    def say(facts: Facts, places: Sequence[Place]) -> str:
        line = facts.line(code)
        return f"{words}{': ' + line if line else ''}."

    return say
