"""The policies of dtypes of Keras' layers as one precision."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dnnbridge.formats.findings import Findings
from dnnbridge.program.precision import (
    AbstractPrecision,
    Float32,
    MixedBFloat16,
    MixedFloat16,
)

MIXED: Mapping[str, type[MixedFloat16 | MixedBFloat16]] = {
    "mixed_float16": MixedFloat16,
    "mixed_bfloat16": MixedBFloat16,
}


def precision_of(
    findings: Findings, renamed: Mapping[str, str], paths: Collection[str]
) -> AbstractPrecision:
    """Return the precision of a model; two lower types in one model are a finding.

    Args:
        findings: has the policy of each layer.
        renamed: the name here of each layer of Keras.
        paths: the paths of all layers here.
    """
    words = set(findings.policies.values()) & MIXED.keys()
    if not words:
        return Float32()
    if len(words) > 1:
        findings.add("", f"layers with {' and with '.join(sorted(words))}")
    plain = (path for path, word in findings.policies.items() if word == "float32")
    named = ("/".join(renamed.get(part, part) for part in path.split("/")) for path in plain)
    return MIXED[min(words)](tuple(path for path in named if path in paths))
