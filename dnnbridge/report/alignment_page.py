"""The page about two trainings that were compared: where they part, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from dnnbridge.doctor.alignment import Alignment
from dnnbridge.doctor.causes import Cause
from dnnbridge.doctor.differences import Difference
from dnnbridge.drawing.heat import SHADES, colours_of_page
from dnnbridge.report.heat_maps import Mark, maps_of, share, ticks_of
from dnnbridge.report.html import fill
from dnnbridge.report.wording import difference

TITLE = "Alignment of two trainings"


class Card(NamedTuple):
    """A difference and its cause, as the page shows them.

    Attributes:
        number: its place by effect, from 1.
        step: where it begins.
        stage: of the step.
        place: where, in words.
        head: why, in a sentence.
        more: the rest of the explanation.
        rule: the known difference of the frameworks that it is, or "".
        error: how large, in words.
        effect: on the loss.
        codes: where each piece of the remedy belongs, and the piece.
    """

    number: int
    step: int
    stage: str
    place: str
    head: str
    more: str
    rule: str
    error: str
    effect: str
    codes: Sequence[tuple[str, str]]


class Moment(NamedTuple):
    """A step of the timeline.

    Attributes:
        step: counted from 1.
        kind: "begins" if differences begin there, "open" if a part was not judged, else "agrees".
        text: what happens, in words.
        card: the number of the first card, or 0.
    """

    step: int
    kind: str
    text: str
    card: int


def render_alignment(found: Alignment, title: str = TITLE) -> str:
    """Return the page.

    Raises:
        PackageNotInstalledError: the packages of the extra `report` are missing.
    """
    cards = [
        _card(number, *pair)
        for number, pair in enumerate(zip(found.differences, found.causes, strict=True), 1)
    ]
    steps = found.errors.steps
    moments = _moments(found, cards)
    head, more = _sentence(found.verdict)
    content = {
        "title": title,
        "version": version("dnnbridge"),
        "found": found,
        "head": head,
        "more": more,
        "cards": cards,
        "moments": moments,
        "told": [moment for moment in moments if moment.kind != "agrees"],
        "ticks": ticks_of(steps),
        "maps": maps_of(found.errors, _marks(found)),
        "shades": [shade.label for shade in SHADES],
        "colours": [colours_of_page(dark) for dark in (False, True)],
    }
    return fill("alignment.html", content)


def _card(number: int, at: Difference, cause: Cause) -> Card:
    head, more = _sentence(cause.explanation)
    return Card(
        number,
        at.step,
        at.stage,
        at.place,
        head,
        more,
        cause.rule or "",
        _size(at),
        "not measured" if math.isnan(cause.effect) else difference(cause.effect),
        cause.codes,
    )


def _sentence(text: str) -> tuple[str, str]:
    """Return the first sentence, and the rest."""
    head, stop, more = text.partition(". ")
    return (f"{head}.", more) if stop else (text, "")


def _size(at: Difference) -> str:
    if not at.allowed:
        return f"{at.error:.1e}, where none is allowed"
    times = _times(at.error / at.allowed)
    return f"{at.error:.1e} where rounding allows {at.allowed:.1e}: {times} as much"


def _times(ratio: float) -> str:
    """Return a factor in words: "3.2 times", "1,200 times"."""
    return f"{share(ratio)} times" if math.isfinite(ratio) else "infinitely"


def _moments(found: Alignment, cards: Sequence[Card]) -> list[Moment]:
    made = []
    for step in range(1, found.errors.steps + 1):
        begun = [card for card in cards if card.step == step]
        if begun:
            text = "; ".join(f"{card.number}: {card.place}" for card in begun)
            made.append(Moment(step, "begins", text, begun[0].number))
        elif step in found.unjudged:
            made.append(Moment(step, "open", "a part was not judged: see the notes", 0))
        else:
            made.append(Moment(step, "agrees", "no further difference", 0))
    return made


def _marks(found: Alignment) -> list[Mark]:
    """Return where each difference was found, with the number of its card."""
    return [
        Mark(at.stage, at.where, at.step, number) for number, at in enumerate(found.differences, 1)
    ]
