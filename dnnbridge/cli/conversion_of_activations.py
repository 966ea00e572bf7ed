"""Which differences of MindSpore and Keras concern the activations, and what was done."""

from __future__ import annotations

from typing import Any

from dnnbridge import activations, layers
from dnnbridge.cli.conversion_facts import Concern, Facts, Rule, Rules, listed


def _tanh(facts: Facts) -> Concern | None:
    found = sorted({path for path, _ in facts.activations(activations.Tanh)})
    if not found or not facts.to_mindspore:
        return None
    says = "`ops.tanh` is off by up to 1e-4 on a CPU, and `nn.GRU` and `nn.RNN` use it."
    parts = []
    if "def tanh(" in facts.source:
        parts.append("The function `tanh` of the file is used instead; it is exact to 3e-7.")
    if "nn.LSTM(" in facts.source:
        parts.append("`nn.LSTM` has a kernel of its own, without this error.")
    return Concern(listed(found), says, " ".join(parts) or "It is written with another formula.")


def _softmax(facts: Facts) -> Concern | None:
    kinds = (layers.MultiHeadAttention, layers.Attention, layers.GroupQueryAttention)
    found = {path for path, _ in facts.layers(*kinds)}
    if not found or not facts.to_mindspore:
        return None
    says = "`ops.softmax` on a CPU leaves the rows after a masked one unwritten."
    done = "Another formula is used instead: the function `softmax` of the file."
    return Concern(listed(sorted(found)), says, done)


def _written_out(kind: type[Any], native: str, says: str) -> Rule:
    """Return the rule for an activation whose native function is wrong."""

    def rule(facts: Facts) -> Concern | None:
        found = sorted({path for path, _ in facts.activations(kind)})
        if not found or not facts.to_mindspore:
            return None
        used = f"ops.{native}(" in facts.source
        done = f"The file calls `ops.{native}`." if used else "Its equation is written out instead."
        return Concern(listed(found), says, done)

    return rule


def _gelu(facts: Facts) -> Concern | None:
    found = [
        f"{path} ({'by tanh' if each.approximate else 'exact'})"
        for path, each in facts.activations(activations.GELU)
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "MindSpore's GELU is the approximation by tanh unless told, Keras' the exact one."
    return Concern(listed(found), says, "What is in brackets is written out.")


def _leaky(facts: Facts) -> Concern | None:
    found = [
        f"{path} (slope {each.negative_slope:g})"
        for path, each in facts.activations(activations.LeakyReLU)
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "The slope is 0.2 by default in MindSpore and 0.3 in Keras' layer."
    return Concern(listed(found), says, "The slope in brackets is written.")


def _elu(facts: Facts) -> Concern | None:
    found = [
        f"{path} (alpha {each.alpha:g})"
        for path, each in facts.activations(activations.ELU)
        if each.alpha != 1.0
    ]
    if not found or not facts.to_mindspore:
        return None
    says = "MindSpore's ELU takes no alpha but 1."
    return Concern(listed(found), says, "Its equation is written out instead.")


def _celu(facts: Facts) -> Concern | None:
    found = sorted({path for path, _ in facts.activations(activations.CELU)})
    if not found or not (facts.to_keras and facts.trains):
        return None
    says = "At 0 exactly, the gradient of Keras' CELU is 2 and not 1."
    return Concern(listed(found), says, "Nothing: Keras computes it. An input of 0 is rare.")


RULES: Rules = {
    "tanh": _tanh,
    "softmax-masked-row": _softmax,
    "gelu-approximate": _gelu,
    "leaky-relu-slope": _leaky,
    "elu-alpha": _elu,
    "celu-zero": _celu,
    "selu-gradient": _written_out(
        activations.SELU, "selu", "The gradient of MindSpore's SeLU is wrong for numbers below 0."
    ),
    "mish-overflow": _written_out(
        activations.Mish, "mish", "MindSpore's Mish is NaN for numbers above 44."
    ),
    "log-sigmoid-overflow": _written_out(
        activations.LogSigmoid, "logsigmoid", "MindSpore's LogSigmoid of -100 is -inf, not -100."
    ),
    "softplus-underflow": _written_out(
        activations.Softplus, "softplus", "MindSpore's softplus of -20 is 0, not 2e-9."
    ),
}
"""What tells whether a row of the page concerns a model, by the id of the row."""
