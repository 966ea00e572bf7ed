"""`rule_of`: which rule of the native differences an argument that differs is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dnnbridge.doctor.arguments import Argument
from dnnbridge.doctor.known_in_context import named_by_context
from dnnbridge.doctor.rule import Place, Remedy, Rule
from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.subject import subject_of
from dnnbridge.experiment import Experiment

Fits = Callable[[Any, Any], bool]
"""Whether two values differ as those of the frameworks do."""


def _pair(*values: float | str) -> Fits:
    """Return what holds for these two values, in either order."""
    return lambda a, b: {a, b} == set(values)


def _complement(a: float, b: float) -> bool:
    """Whether one is the share that is kept, and the other the share that is dropped."""
    return math.isclose(a + b, 1.0)


def _one_apart(a: Any, b: Any) -> bool:
    gaps = np.abs(np.subtract(np.ravel(a), np.ravel(b)))
    return bool(np.all(gaps == 1))


def _other_kind(a: Any, b: Any) -> bool:
    return {type(each).__name__ for each in (a, b)} == {
        "CoupledWeightDecay",
        "DecoupledWeightDecay",
    }


def _other(a: Any, b: Any) -> bool:
    return True


def _pools(a: Any, b: Any) -> bool:
    """Whether one is a window or a step of 1, MindSpore's default."""
    return any(set(np.ravel(each).tolist()) == {1} for each in (a, b) if each is not None)


SIGNATURES: Mapping[tuple[str, str], tuple[str, Fits]] = {
    ("Adam", "epsilon"): ("adam-epsilon", _pair(1e-7, 1e-8)),
    ("Adadelta", "rho"): ("adadelta-defaults", _pair(0.95, 0.9)),
    ("Adadelta", "epsilon"): ("adadelta-defaults", _pair(1e-7, 1e-6)),
    ("Adagrad", "epsilon"): ("adagrad-epsilon", _other),
    ("AdamW", "bias_correction"): ("adam-weight-decay-no-correction", _other),
    ("RMSprop", "initial_mean_square"): ("rmsprop-start", _pair(0.0, 1.0)),
    ("SGD", "rate_in_velocity"): ("momentum-changing-rate", _other),
    ("BatchNormalization", "epsilon"): ("batch-norm-defaults", _pair(1e-3, 1e-5)),
    ("BatchNormalization", "momentum"): ("batch-norm-defaults", _pair(0.99, 0.9)),
    ("BatchNormalization", "unbiased"): ("batch-norm-variance", _other),
    ("LayerNormalization", "epsilon"): ("layer-norm-epsilon", _pair(1e-3, 1e-7)),
    ("Dropout", "rate"): ("dropout-argument", _complement),
    ("SparseCategoricalCrossentropy", "reduction"): ("cross-entropy-shape", _pair("mean", "sum")),
    ("CategoricalCrossentropy", "reduction"): ("cross-entropy-shape", _pair("mean", "sum")),
    ("PiecewiseConstant", "boundaries"): ("piecewise-boundary", _one_apart),
    ("LeakyReLU", "negative_slope"): ("leaky-relu-slope", _pair(0.3, 0.2)),
    ("GELU", "approximate"): ("gelu-approximate", _other),
    **{(f"Conv{n}D", "padding"): ("conv-defaults", _pair("same", "valid")) for n in (1, 2, 3)},
    **{
        (f"MaxPooling{n}D", name): ("max-pool-defaults", _pools)
        for n in (1, 2, 3)
        for name in ("pool_size", "strides")
    },
}
"""The rule of an argument of a class, and which values it is about."""


def rule_of(
    argument: Argument, experiment: Experiment | None = None, where: str = ""
) -> Rule | None:
    """Return the rule that an argument is; None if the two values are those of no rule.

    Args:
        argument: what differs.
        experiment: of the first side.
        where: the weight or layer where it shows first.

    Example:
        >>> import dnnbridge as db
        >>> from dnnbridge.doctor.arguments import arguments_of
        >>> (epsilon,) = arguments_of(db.Adam(), db.Adam(epsilon=1e-8))
        >>> rule_of(epsilon).name
        'adam-epsilon'
    """
    name = named_by_context(argument, experiment, where)
    if name is None and argument.name == "weight_decay":
        name = "weight-decay-coupled" if _other_kind(argument.here, argument.there) else None
    if name is None:
        found, fits = SIGNATURES.get((argument.owner, argument.name), ("", _other))
        name = found if found and fits(argument.here, argument.there) else None
    return RULES[name] if name else None


def remedy_of(rule: Rule, argument: Argument, experiment: Experiment) -> Remedy | None:
    """Return code of both frameworks with the numbers of an experiment; None if it has no place."""
    places = rule.found(subject_of(experiment))
    found = [place for place in places if _holds(place, argument)]
    return rule.remedy(found[0]) if found else None


def said_of(rule: Rule, experiment: Experiment) -> str:
    """Return the explanation of a rule for an experiment."""
    places = rule.found(subject_of(experiment))
    return rule.explanation(places) if places else ""


def _holds(place: Place, argument: Argument) -> bool:
    """Whether the spec of a place has the value of the first side."""
    spec = getattr(place.spec, "layer", place.spec)
    value = getattr(spec, argument.name, None)
    return type(spec).__name__ == argument.owner and repr(value) == repr(argument.here)
