"""`missing`: the parts of an error that its message lacks."""

from __future__ import annotations

import re

from dnnbridge.errors import DnnbridgeError

RULE = re.compile(
    r"\b(must|needs?|takes?|expected|at most|at least|one of|instead|unknown|has no|is missing|"
    r"missing|does not exist|already|twice|give|write|use)\b",
    re.IGNORECASE,
)
"""Words of a rule: a message that states what is right says what to do."""


def missing(error: DnnbridgeError) -> list[str]:
    """Return which of what, where, got and what to do the message of an error lacks.

    What was got may be missing only where nothing was given. What to do is a sentence of its own,
    or the rule says it: "must be above 0".
    """
    found = []
    if not error.what.strip():
        found.append("what")
    if not error.where.strip():
        found.append("where")
    if not error.got.strip() and not error.hint.strip():
        found.append("got")
    if not error.hint.strip() and not RULE.search(error.what):
        found.append("what to do")
    if error.hint and not re.search(r"[.:!?…)\w`]$", error.hint.strip()):
        found.append("a full sentence")
    return found
