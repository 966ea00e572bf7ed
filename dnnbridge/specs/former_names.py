"""Names that specs, their arguments and their weights had in version 0.1.

Files with these names still load. In Python they work for one more version, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from dnnbridge.base.warning import FormerNameWarning, warn

P = ParamSpec("P")
R = TypeVar("R")

CLASSES = {
    "BatchNorm": "BatchNormalization",
    "BinaryCrossEntropy": "BinaryCrossentropy",
    "BinaryFocalCrossEntropy": "BinaryFocalCrossentropy",
    "CategoricalCrossEntropy": "CategoricalCrossentropy",
    "CategoricalFocalCrossEntropy": "CategoricalFocalCrossentropy",
    "GroupNorm": "GroupNormalization",
    "LAMB": "Lamb",
    "LayerNorm": "LayerNormalization",
    "NonNegative": "NonNeg",
    "RMSNorm": "RMSNormalization",
    "RMSProp": "RMSprop",
    "RSquared": "R2Score",
    "SparseCategoricalCrossEntropy": "SparseCategoricalCrossentropy",
    "TopKAccuracy": "TopKCategoricalAccuracy",
}

IGNORED = {"ignore_index": "ignore_class"}
START = {"initial_accumulator": "initial_accumulator_value"}
COUNTED = {"count_padding": "count_include_pad"}
PADDING = {"padding_index": "padding_idx"}

FIELDS: dict[str, Mapping[str, str]] = {
    "Accuracy": IGNORED,
    "Adagrad": START,
    "AveragePooling1D": COUNTED,
    "AveragePooling2D": COUNTED,
    "AveragePooling3D": COUNTED,
    "Embedding": PADDING,
    "F1Score": IGNORED,
    "MaxNorm": {"limit": "max_value"},
    "MinMaxNorm": {"minimum": "min_value", "maximum": "max_value"},
    "PReLU": {"initializer": "alpha_initializer"},
    "PaddingMask": PADDING,
    "Perplexity": IGNORED,
    "Plateau": {"minimum": "min_lr"},
    "Precision": IGNORED,
    "ProximalAdagrad": START,
    "Recall": IGNORED,
    "SparseCategoricalCrossentropy": IGNORED,
    "TopKCategoricalAccuracy": IGNORED,
}
"""Renamed fields, by the present name of the class."""

_WEIGHTS = re.compile(r"\b(batch|layer|group|rms)_norm(?![a-z])")
"""Former default names of these layers, and so of their weights."""


LABELS = {
    "cross_entropy": "crossentropy",
    "r_squared": "r2_score",
    "top_k_accuracy": "top_k_categorical_accuracy",
}
"""Endings of the former names of metrics in a history."""


def present_label(label: str) -> str:
    """Return the present name of a metric in a history: "val_r2_score" for "val_r_squared"."""
    for former, now in LABELS.items():
        if label == former or label.endswith(f"_{former}"):
            return label.removesuffix(former) + now
    return label


def present_kind(kind: str) -> str:
    """Return the present name of a class in JSON: "layer.BatchNormalization" for an old name."""
    family, dot, name = kind.rpartition(".")
    return family + dot + CLASSES[name] if name in CLASSES else kind


def present_fields(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of a class under their present names."""
    renamed = {k: now for k, now in FIELDS.get(name, {}).items() if now not in given}
    return {renamed.get(field, field): value for field, value in given.items()}


def present_weight(path: str) -> str:
    """Return the present name of a weight or of a pattern of weights."""
    return _WEIGHTS.sub(r"\1_normalization", path)


def warn_of(former: str, now: str) -> None:
    """Warn of a name that the next version removes."""
    warn(f"{former} is called {now} now; the next version knows only {now}", FormerNameWarning)


def former_arguments(**renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that arguments are known by their former names too, with a warning.

    Args:
        renamed: the present name of each.

    Example:
        >>> @former_arguments(size="count")
        ... def repeat(word, count=1):
        ...     return word * count
        >>> repeat("a", count=2)
        'aa'
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given: dict[str, Any] = dict(kwargs)
            for former, now in renamed.items():
                if former in given and now not in given:
                    warn_of(f"{function.__name__}'s {former}", now)
                    given[now] = given.pop(former)
            return function(*args, **given)

        return call

    return decorate


def forwarding(module: str, find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a module's `__getattr__`: it finds former names, and explains unknown ones.

    Args:
        module: its name.
        find: returns what the module has under a present name, or None.
    """

    def get(name: str) -> Any:
        now = CLASSES.get(name)
        found = None if now is None else find(now)
        if now is not None and found is not None:
            warn_of(name, now)
            return found
        if name.startswith("_"):  # protocols ask for these, such as copy and doctest
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        from dnnbridge.specs.foreign_names import missing

        raise missing(module, name)

    return get
