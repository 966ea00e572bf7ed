"""The reference with some of its rules changed."""

from __future__ import annotations

from dnnbridge.reference.backend import ReferenceBackend
from sabotage.executables import WithRules


class OtherRules(ReferenceBackend):
    """A backend that runs under the rules it is given, and the reference's for all other kinds."""

    def __init__(self, rules: dict) -> None:
        self.rules = rules

    def compile(self, program, device):
        return WithRules(super().compile(program, device), program, self.rules)
