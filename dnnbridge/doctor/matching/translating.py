"""`translation_of`: one model in terms of another one of the same network, checked by numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.matching.layouts import ONE_BIAS, SAME, Layout, layouts_of, moved
from dnnbridge.doctor.matching.pairs import Pair, other_weights, pairs_of
from dnnbridge.doctor.matching.same_form import in_form
from dnnbridge.doctor.matching.stations import Station, stations_of
from dnnbridge.doctor.matching.translated_side import Place, Translation, moved_inputs
from dnnbridge.errors import DataError
from dnnbridge.experiment import Experiment
from dnnbridge.training.compiling import compile_chosen
from dnnbridge.training.run import Run

ROUNDED = 1e-6
"""Largest relative difference of the two forms in float64; the probabilities in a loss of Keras are
kept 1e-7 away from 0."""


def translation_of(first: Experiment, other: Experiment, x: Any, y: Any) -> Translation:
    """Return what the second model is in the structure, names and layout of the first.

    Both forms of the second are computed in float64, with the same weights and examples.

    Args:
        first: what the first side trains.
        other: what the second trains.
        x: a few inputs, in the layout of the first.
        y: their labels.

    Raises:
        DataError: the models are not of one network, or the forms differ.
    """
    pairs = pairs_of(stations_of(first), stations_of(other))
    inputs = _inputs(first, other)
    results, weights = layouts_of(pairs, dict(inputs.values()))
    places = _weights(pairs, weights, first, other)
    names = {own: place.name for own, place in places.items()}
    experiment, equal = in_form(first, other, pairs, names)
    inner = {own: Place(name, layout) for own, (name, layout) in inputs.items()}
    made = Translation(experiment, places, _results(pairs, results, equal), inner, equal)
    _check(made, other, x, y, equal)
    return made


def _inputs(first: Experiment, other: Experiment) -> dict[str, tuple[str, Layout]]:
    """Return the name and layout of each input, by the name in the second model."""
    here, there = first.model.input_types, other.model.input_types
    if len(here) != len(there):
        raise DataError(
            "the models must take the same inputs",
            where="b",
            got=f"{len(here)} and {len(there)}",
            hint="Give two trainings of one model.",
        )
    made = {}
    for (name, mine), (own, theirs) in zip(here.items(), there.items(), strict=True):
        shapes = (None, *mine.shape[1:]), (None, *theirs.shape[1:])
        turned = moved(*shapes) if shapes[0] != shapes[1] or _ambiguous(first, other) else None
        made[own] = (name, turned or SAME)
    return made


def _ambiguous(first: Experiment, other: Experiment) -> bool:
    """Whether one model has its channels first and the other last, which equal sizes hide."""
    formats = [
        {getattr(each.layer, "data_format", None) for each in stations_of(given)} - {None}
        for given in (first, other)
    ]
    return all(formats) and formats[0].isdisjoint(formats[1])


def _weights(
    pairs: Sequence[Pair], layouts: Mapping[str, Layout], first: Experiment, other: Experiment
) -> dict[str, Place]:
    """Return the place of each array of the second model."""
    shapes = [
        {array.name: tuple(array.shape) for array in each.program().layer_arrays}
        for each in (first, other)
    ]
    made: dict[str, Place] = {}
    for pair in pairs:
        if pair.a is None or pair.b is None or not pair.a.weights:
            continue
        for own in pair.b.weights:
            name = pair.a.path + own.removeprefix(pair.b.path)
            if name in shapes[0]:
                made[own] = Place(name, _layout(name, own, shapes, layouts))
    left = sorted({*shapes[1]} - {*made}) + sorted(
        {*shapes[0]} - {place.name for place in made.values()}
    )
    if left:
        raise other_weights(", ".join(left[:4]) + " on one side only")
    return made


def _layout(
    name: str, own: str, shapes: Sequence[Mapping[str, Any]], layouts: Mapping[str, Layout]
) -> Layout:
    here, there = shapes[0][name], shapes[1][own]
    if here == there:
        return layouts.get(name, SAME)
    if there == (2, *here):
        return ONE_BIAS
    raise other_weights(f"{name} {here} here and {own} {there} there")


def _results(pairs: Sequence[Pair], layouts: Mapping[str, Layout], equal: bool) -> dict[str, Place]:
    """Return the place of the result of each layer of the second model that the first has too."""
    made: dict[str, Place] = {}
    inside = {each.a.path for each in pairs if each.a and each.activation and each.a.activation}
    last = ""
    for pair in pairs:
        if pair.a is None and pair.b is not None and pair.activation and last:
            made = {name: place for name, place in made.items() if place.name != last}
            made[pair.b.path] = Place(last, layouts.get(last, SAME))  # the form has it within
        if pair.a is not None and not pair.activation:
            last = pair.a.path
        if pair.a is None or pair.b is None or pair.a.shape is None or pair.b.shape is None:
            continue
        if not pair.activation and pair.a.path in inside and not pair.b.activation:
            continue  # the activation is a layer of its own there
        if not pair.activation and pair.b.activation and pair.a.path not in inside:
            continue
        own = _taken_from(pair, pairs)
        made[own.path] = Place(pair.a.path, layouts.get(pair.a.path, SAME))
    kept = {name: place for name, place in made.items() if not (equal and _is_last(name, pairs))}
    return {name: place for name, place in kept.items() if _fits(name, place, pairs)}


def _taken_from(pair: Pair, pairs: Sequence[Pair]) -> Station:
    """Return the layer of the second model with the result: one may take a step of a sequence."""
    a, b = pair.a, pair.b
    assert a is not None
    assert b is not None
    if b.shape is not None and a.shape is not None and len(b.shape) > len(a.shape):
        for each in pairs:
            if each.a is None and each.b is not None and each.b.inputs == (b.path,):
                return each.b if each.b.shape == a.shape else b
    return b


def _is_last(name: str, pairs: Sequence[Pair]) -> bool:
    """Whether a layer makes the probabilities or logits of a model."""
    weighted = [each for each in pairs if each.a and each.b and each.a.weights]
    after = pairs.index(weighted[-1]) if weighted else len(pairs)
    return any(each.b is not None and each.b.path == name for each in pairs[after:])


def _fits(name: str, place: Place, pairs: Sequence[Pair]) -> bool:
    found = {each.b.path: each.b for each in pairs if each.b is not None}[name]
    first = {each.a.path: each.a for each in pairs if each.a is not None}[place.name]
    return bool(_moved_shape(found, place.layout) == first.shape)


def _moved_shape(station: Station, layout: Layout) -> Any:
    assert station.shape is not None
    made = layout.here(np.empty([1 if n is None else n for n in station.shape], np.bool_))
    return (None, *made.shape[1:])


def _check(made: Translation, other: Experiment, x: Any, y: Any, equal: bool) -> None:
    """Raise unless both forms of the second model compute the same."""
    given = moved_inputs(x, [place.layout for place in made.inputs.values()])
    here, there = (
        compile_chosen(each.replace(metrics=(), weighted_metrics=()), "reference", "cpu")
        for each in (made.experiment, other)
    )
    state, own = here.state(), there.state()
    weights = {name: place.layout.there(state[place.name]) for name, place in made.weights.items()}
    there.set_state(
        {**own, **{n: a.reshape(own[n].shape) for n, a in weights.items()}}, there.position
    )
    pairs = [(_loss(here, x, y), _loss(there, given, y))]
    if not equal:
        pairs += list(zip(_predicted(here, x), _predicted(there, given), strict=True))
    for a, b in pairs:
        gap = np.abs(np.ravel(a) - np.ravel(b)).max() / (np.abs(a).max() + 1e-30)
        if not gap <= ROUNDED:
            raise DataError(
                "the layers of the second model could not be matched with those of the first",
                where="b",
                got=f"a difference of {gap:.1e} with the same weights and settings",
                hint="Write both models with the same layers in the same order.",
            )


def _loss(run: Run, x: Any, y: Any) -> Array:
    return np.asarray(run.evaluate(x, y)["loss"])


def _predicted(run: Run, x: Any) -> list[Array]:
    made = run.predict(x)
    return list(made.values()) if isinstance(made, dict) else [made]
