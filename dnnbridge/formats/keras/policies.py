"""The policies of dtypes of Keras' layers as one precision."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dnnbridge.formats.findings import Findings
from dnnbridge.program.precision import (
    AbstractPrecision,
    Float32,
    Float64,
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
    """Return the precision of a model; two types but float32 in one model are a finding.

    float64 stands for a whole model: float32 beside it is a finding too.

    Args:
        findings: has the policy of each layer.
        renamed: the name here of each layer of Keras.
        paths: the paths of all layers here.
    """
    found = set(findings.policies.values())
    words = found if "float64" in found else found & MIXED.keys()
    if len(words) > 1:
        findings.add("", f"layers with {' and with '.join(sorted(words))}")
    if len(words) != 1:
        return Float32()
    (word,) = words
    if word == "float64":
        return Float64()
    plain = (path for path, each in findings.policies.items() if each == "float32")
    named = ("/".join(renamed.get(part, part) for part in path.split("/")) for path in plain)
    return MIXED[word](tuple(path for path in named if path in paths))
