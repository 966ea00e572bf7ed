"""States carried from batch to batch, which some formats have no place for."""

from __future__ import annotations

from dnnbridge.formats.findings import Findings
from dnnbridge.program.program import Program


def find_states(program: Program, findings: Findings) -> None:
    """Add a finding for each layer that carries states."""
    for layer in dict.fromkeys(name.rpartition("/")[0] for name in program.carried):
        findings.add(layer, "stateful=True: the format carries no states from batch to batch")
