"""Inputs of texts, which some formats have no place for."""

from __future__ import annotations

from dnnbridge.formats.findings import Findings
from dnnbridge.program.program import Program


def find_texts(program: Program, findings: Findings) -> None:
    """Add a finding for each input of texts."""
    for value in program.functions["predict"].graph.inputs:
        if value.type.text:
            findings.add(
                value.name.partition(":")[2],
                "an input of texts, which the format cannot look up: give the model an int32 input "
                "in its place, and feed it lookup(texts), where lookup is the StringLookup",
            )
