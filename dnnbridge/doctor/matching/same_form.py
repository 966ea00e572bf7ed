"""`in_form`: the settings of one training in the structure of another one's model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dnnbridge.activations import Linear
from dnnbridge.doctor.matching.pairs import Pair
from dnnbridge.errors import DataError
from dnnbridge.experiment import Experiment
from dnnbridge.layers import AbstractLayer
from dnnbridge.specs.patterns import named_by
from dnnbridge.specs.rewriting import rewritten
from dnnbridge.specs.spec import Spec

LAYOUT = ("data_format", "axis", "shared_axes")
"""Fields that say where the channels are."""

OWN = (
    *("name", "activation", "use_recurrent_bias", "return_sequences", "return_state"),
    *LAYOUT,
)
"""Fields that a layer keeps: its activation is a pair of its own, and a later layer may take one
step of a sequence."""

PROBABILITIES = ("Softmax", "Sigmoid")

OFF: Mapping[str, str] = {
    "Dropout": "rate",
    "AlphaDropout": "rate",
    "GaussianDropout": "rate",
    "SpatialDropout1D": "rate",
    "SpatialDropout2D": "rate",
    "SpatialDropout3D": "rate",
    "GaussianNoise": "stddev",
}
"""What is 0 in a layer that does nothing."""


def in_form(
    first: Experiment, other: Experiment, pairs: Sequence[Pair], names: Mapping[str, str]
) -> tuple[Experiment, bool]:
    """Return the second experiment with the model of the first, which has the second's settings.

    Args:
        first: whose structure, names and layout are taken.
        other: whose settings are taken.
        pairs: which layer is which.
        names: the first model's names of weights by those of the second.

    Returns:
        The experiment, and whether one of the models ends in probabilities and the other in
        logits, and the losses take what they get: that is no difference.

    Raises:
        DataError: the second model has an activation or a dropout that has no place in the first.
    """
    pairs, equal = _without_logits(first, other, pairs)
    changes = _changes(pairs)
    own = {id(each.a.layer): each.a.path for each in pairs if each.a is not None}

    def changed(spec: Spec) -> Spec:
        fields = changes.get(own.get(id(spec), ""), {})
        return spec.replace(**fields) if fields else spec

    loss = first.loss if equal else _losses_of(first, other)
    model = rewritten(first.model, changed)
    kept = {f.name: getattr(first, f.name) for f in dataclasses.fields(first)}
    moved = ("optimizer", "gradients", "accumulate", "loss_scale", "frozen", "frozen_statistics")
    rules = {n: _renamed(getattr(other, n), names) for n in (*moved, "constraints", "regularizers")}
    metrics = {n: getattr(other, n) or kept[n] for n in ("metrics", "weighted_metrics")}
    if loss is not first.loss:
        rules["loss"] = loss
    if _same_frozen(first, rules["frozen"]):
        rules["frozen"] = first.frozen
    return first.replace(**{"model": model, **rules, **metrics}), equal


def _same_frozen(first: Experiment, frozen: tuple[str, ...]) -> bool:
    """Whether other patterns name the same weights and statistics of the first model."""
    names = [array.name for array in first.program().layer_arrays]
    return all(named_by(name, first.frozen) == named_by(name, frozen) for name in names)


def _losses_of(first: Experiment, other: Experiment) -> Any:
    """Return the loss of the second; heads are those of the first with the losses of the second."""
    if not isinstance(first.loss, tuple) or not isinstance(other.loss, tuple):
        return other.loss
    pairs = zip(first.loss, other.loss, strict=True)
    return tuple(a.replace(loss=b.loss, weight=b.weight) for a, b in pairs)


def _without_logits(
    first: Experiment, other: Experiment, pairs: Sequence[Pair]
) -> tuple[Sequence[Pair], bool]:
    """Leave out the last activation, if losses of one class take it into account."""
    a, b = first.loss, other.loss
    logits = [getattr(loss, "from_logits", None) for loss in (a, b)]
    if type(a) is not type(b) or None in logits or logits[0] == logits[1]:
        return pairs, False
    for pair in reversed(pairs):
        station, probabilities = (pair.b, pair.a) if logits[0] else (pair.a, pair.b)
        if pair.activation and probabilities is None and station is not None:
            kind = type(station.activation or getattr(station.layer, "activation", None)).__name__
            if kind in PROBABILITIES:
                return [each for each in pairs if each is not pair], True
    return pairs, False


def _changes(pairs: Sequence[Pair]) -> dict[str, dict[str, Any]]:
    """Return the fields that the layers of the first model get, by path."""
    made: dict[str, dict[str, Any]] = {}
    last: str | None = None
    for pair in pairs:
        if pair.a is None:
            assert pair.b is not None
            _add_missing(pair, last, made)
            continue
        fields = made.setdefault(pair.a.path, {})
        if not pair.activation:
            last = pair.a.path
            fields.update(_settings(pair))
        else:
            fields["activation"] = Linear() if pair.b is None else _function(pair.b.layer)
    return made


def _settings(pair: Pair) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a layer that the other one has another value of."""
    assert pair.a is not None
    if pair.b is None:
        off = OFF.get(type(pair.a.layer).__name__)
        if off:
            yield off, 0.0
        return
    if type(pair.a.layer) is not type(pair.b.layer):
        return
    for field in dataclasses.fields(pair.a.layer):
        value = getattr(pair.b.layer, field.name)
        kept = field.name in OWN or field.name.endswith("_initializer")
        if not kept and value != getattr(pair.a.layer, field.name):
            yield field.name, value


def _function(layer: AbstractLayer) -> Any:
    return getattr(layer, "activation", None) or Linear()


def _add_missing(pair: Pair, last: str | None, made: dict[str, dict[str, Any]]) -> None:
    """Give the layer before it an activation that the first model has not."""
    assert pair.b is not None
    if pair.activation and last is not None:
        made.setdefault(last, {})["activation"] = _function(pair.b.layer)
    elif pair.activation or type(pair.b.layer).__name__ in OFF:
        raise DataError(
            "a layer has no counterpart in the first model",
            where=f"b: {pair.b.path}",
            got=type(pair.b.layer).__name__,
            hint="Write it in both, with a rate of 0 where it does nothing.",
        )


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return rules with the names of weights of the first model."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Spec):
        return rewritten(value, lambda spec: _fields_renamed(spec, names))
    if isinstance(value, tuple):
        return tuple(_renamed(each, names) for each in value)
    if isinstance(value, dict):
        return {names.get(key, key): each for key, each in value.items()}
    return value


def _fields_renamed(spec: Spec, names: Mapping[str, str]) -> Spec:
    made = {}
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, field.name)
        texts = isinstance(value, tuple) and value and all(isinstance(x, str) for x in value)
        if texts and any(each in names for each in value):
            made[field.name] = tuple(names.get(each, each) for each in value)
    return spec.replace(**made) if made else spec
