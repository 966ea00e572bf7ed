"""The reference with some of its rules changed."""

from __future__ import annotations

from dnnbridge.ops import RULES
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable


class OtherRules(ReferenceBackend):
    """A backend that runs under the rules it is given, and the reference's for all other kinds."""

    def __init__(self, rules: dict) -> None:
        self.rules = rules

    def compile(self, program, device):
        return ReferenceExecutable(program, rules=RULES | self.rules)
