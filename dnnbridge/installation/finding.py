"""`Finding`: one sentence about an installation, and the command that fixes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["problem", "warning", "note", "good"]

LEVELS: tuple[Level, ...] = ("problem", "warning", "note", "good")
"""The levels, the worst first. Only a problem must be fixed."""


@dataclass(frozen=True)
class Finding:
    """One sentence about an installation.

    Attributes:
        level: "problem" must be fixed, "warning" may give other numbers or lose something, "note"
            is good to know, "good" works.
        about: a package, a backend, a variable or a part of the machine.
        what: the sentence, without a full stop.
        fix: one command to paste; empty if there is nothing to do.
    """

    level: Level
    about: str
    what: str
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)
