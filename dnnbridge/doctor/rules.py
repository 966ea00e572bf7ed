"""All rules by name, in the order of the measured table, and the rows that are none."""

from __future__ import annotations

from collections.abc import Mapping

from dnnbridge.doctor import (
    rules_of_activations,
    rules_of_layers,
    rules_of_losses,
    rules_of_optimizers,
    rules_of_schedules,
    rules_of_starts,
    rules_of_updates,
)
from dnnbridge.doctor.rule import Rule
from dnnbridge.doctor.table import rows

_MADE = {
    rule.name: rule
    for module in (
        rules_of_layers,
        rules_of_starts,
        rules_of_activations,
        rules_of_losses,
        rules_of_optimizers,
        rules_of_updates,
        rules_of_schedules,
    )
    for rule in module.RULES
}

RULES: Mapping[str, Rule] = {name: _MADE[name] for name in rows() if name in _MADE}
"""The rules by name. Each is a row of docs/measurements/native-differences.md."""

_CALL = "it is a call while a program runs, which no model says"
_CODE = "it is a matter of the code around a model"
_DATA = "it depends on the data"
_OPERATION = "it is an operation that no layer is named after"
_OTHER = "it is another class than the one of the same name"
_POINT = "it shows at a single number, or where a training has already failed"

UNTOLD: Mapping[str, str] = {
    "dampening-without-momentum": "a spec with dampening and no momentum is refused",
    "adamw-default-decay": "the decay of a model is always stated; its default is not used",
    "adamw-experimental-epsilon": _OTHER,
    "rmsprop-experimental-epsilon": _OTHER,
    "adagrad-experimental-epsilon": _OTHER,
    "mint-optim": _OTHER,
    "rates-run-out": "it depends on how long a training is",
    "rate-set-data": _CALL,
    "callable-rate": "a function as a rate is no part of a spec or of a file",
    "exclude-after-build": _CALL,
    "natural-exponential": "Keras has no such schedule",
    "embedding-clamped": _DATA,
    "seeds-of-numpy": _CALL,
    "initializer-repeats": "an initializer here has no seed, and a file of Keras has drawn weights",
    "bad-label-xla": _DATA,
    "bce-gradient": "bce-clipping says it: both are the same answer",
    "cross-entropy-huge": "it shows for logits of 1e38",
    "cross-entropy-float64": "models are in float32",
    "hinge-labels": _DATA,
    "relu-nan": _POINT,
    "leaky-relu-zero": _POINT,
    "relu6-corner": _POINT,
    "exp-error": _OPERATION,
    "log1p-small": _OPERATION,
    "log-softmax-float64": "models are in float32",
    "float64-times-float": "models are in float32",
    "cast-float64": "models are in float32",
    "denormals": _POINT,
    "set-data-detaches": _CALL,
    "set-data-shape": _CALL,
    "live-view": _CALL,
    "in-place": _CALL,
    "float32-folding": _CODE,
    "set-train-ignored": _CALL,
    "trainable-ignored": _CALL,
    "numpy-equal": _CODE,
    "full-integers": _CODE,
    "mint-kernels": _OTHER,
    "attribute-frozen": _CODE,
    "duplicate-names": _CODE,
    "numpy-scalar-rate": "it fails at once on both sides",
}
"""The rows of the table that are no rules, and why a model does not tell them."""
