"""`quiet`: an experiment without what keeps a model from fitting its examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, get_args

from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    GaussianSampling,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from dnnbridge.specs.rewriting import rewritten
from dnnbridge.specs.spec import Spec

Kind = Literal["dropout", "penalties", "weight decay", "constraints", "label smoothing"]
"""What can be turned off; dropout stands for all noise."""

KINDS: tuple[Kind, ...] = get_args(Kind)

DROPOUTS = (
    *(Dropout, AlphaDropout, GaussianDropout),
    *(SpatialDropout1D, SpatialDropout2D, SpatialDropout3D),
)

FIELDS: dict[str, tuple[Kind, Any]] = {
    "dropout": ("dropout", 0.0),
    "recurrent_dropout": ("dropout", 0.0),
    "label_smoothing": ("label smoothing", 0.0),
    "weight_decay": ("weight decay", None),
}
"""Fields of any spec, with what they are set to."""

OF_CLASS: tuple[tuple[tuple[type[Spec], ...], str, Kind], ...] = (
    (DROPOUTS, "rate", "dropout"),
    ((GaussianNoise,), "stddev", "dropout"),
    ((ActivityRegularization,), "l1", "penalties"),
    ((ActivityRegularization,), "l2", "penalties"),
    ((GaussianSampling,), "kl_weight", "penalties"),
)
"""Fields of some classes, which are set to 0."""

ENDINGS: dict[str, Kind] = {"_regularizer": "penalties", "_constraint": "constraints"}
"""Endings of fields, which are set to None."""


def quiet(
    experiment: Experiment, kinds: tuple[Kind, ...] = KINDS
) -> tuple[Experiment, tuple[str, ...]]:
    """Turn off dropout and noise, penalties, weight decay, constraints and label smoothing.

    Args:
        experiment: the spec.
        kinds: what to turn off.

    Returns:
        The changed spec, and what was changed, in words.

    Example:
        >>> import dnnbridge as db
        >>> layers = [db.Dropout(0.5, name="drop"), db.Dense(3, kernel_regularizer="l2")]
        >>> model = db.Sequential([db.Input((2,)), *layers])
        >>> experiment = db.Experiment(model, "mse", db.SGD(0.1, weight_decay=0.01))
        >>> for line in quiet(experiment)[1]:
        ...     print(line)
        drop: rate 0.5
        Dense: kernel_regularizer L2()
        SGD: weight_decay DecoupledWeightDecay(rate=0.01)
    """
    changed: list[str] = []

    def off(spec: Spec) -> Spec:
        if isinstance(spec, Experiment):
            return _off(spec, _of_experiment(spec), kinds, changed)
        return _off(spec, _of(spec), kinds, changed)

    made = rewritten(experiment, off)
    assert isinstance(made, Experiment)
    return made, tuple(changed)


Change = tuple[str, Kind, Any]
"""A field, what it is, and what turns it off."""


def _of(spec: Spec) -> Iterator[Change]:
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        name = field.name
        if name in FIELDS:
            yield name, *FIELDS[name]
        for ending, kind in ENDINGS.items():
            if name.endswith(ending):
                yield name, kind, None
    for classes, name, kind in OF_CLASS:
        if isinstance(spec, classes):
            yield name, kind, 0.0


def _of_experiment(experiment: Experiment) -> Iterator[Change]:
    yield "regularizers", "penalties", ()
    yield "constraints", "constraints", ()


def _off(
    spec: Spec, changes: Iterator[Change], kinds: tuple[Kind, ...], changed: list[str]
) -> Spec:
    given = {name: (getattr(spec, name), value) for name, kind, value in changes if kind in kinds}
    found = {name: pair for name, pair in given.items() if pair[0] and pair[0] != pair[1]}
    who = getattr(spec, "name", None) or type(spec).__name__
    changed += [f"{who}: {name} {before}" for name, (before, _) in found.items()]
    made: Spec = spec.replace(**{name: value for name, (_, value) in found.items()})
    return made if found else spec
