"""The reference with some of its rules changed."""

from __future__ import annotations

from dnnbridge.ops import RULES
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable


class OtherRules(ReferenceBackend):
    """A backend with the given rules; for all other operations it uses those of the reference."""

    def __init__(self, rules: dict) -> None:
        self.rules = rules

    def compile(self, program, device):
        return ReferenceExecutable(program, rules=RULES | self.rules)
