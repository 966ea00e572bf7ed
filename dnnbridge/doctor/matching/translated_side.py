"""`TranslatedSide`: a side whose model has another structure, in that of the first side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.matching.layouts import EACH_BIAS, ONE_BIAS, SAME, Layout
from dnnbridge.doctor.sides import AbstractSide, Spot, State
from dnnbridge.experiment import Experiment


class Place(NamedTuple):
    """Where a result or an array of the second model is in the first."""

    name: str
    layout: Layout


class Translation(NamedTuple):
    """The second model in terms of the first.

    Attributes:
        experiment: the second's settings in the structure of the first.
        weights: the place of each array, by its own name.
        results: the place of the result of each layer, by its own path; others have none.
        inputs: the place of each input, by its own name.
        equal: whether one model ends in probabilities and the other in logits.
    """

    experiment: Experiment
    weights: Mapping[str, Place]
    results: Mapping[str, Place]
    inputs: Mapping[str, Place]
    equal: bool = False


class TranslatedSide(AbstractSide):
    """A side with names and layout of the first; its data have their own layout.

    Args:
        inner: the side.
        translation: its names and layouts.
        first: what the first side trains.
    """

    def __init__(self, inner: AbstractSide, translation: Translation, first: Experiment) -> None:
        self.inner, self.translation = inner, translation
        self.first, self.data = first, inner.data
        self.experiment, self.title, self.names = translation.experiment, inner.title, {}
        self.own = {place.name: (n, place.layout) for n, place in translation.weights.items()}

    def state(self) -> State:
        made = {}
        for name, array in self.inner.state().items():
            if (place := self._place(name)) is not None:
                made[place.name] = np.ascontiguousarray(place.layout.here(array))
        return made

    def _place(self, name: str) -> Place | None:
        """Return the place of an array or of what the optimizer keeps of it."""
        weight, colon, slot = name.partition(":")
        place = self.translation.weights.get(weight)
        if place is None:
            return None
        layout = _of_gradients(place.layout) if slot else place.layout
        return Place(place.name + colon + slot, layout)

    def place(self, state: Mapping[str, Array], step: int) -> None:
        made = self.inner.state()
        for name, array in state.items():
            weight, colon, slot = name.partition(":")
            if weight in self.own:
                own, layout = self.own[weight]
                layout = _of_gradients(layout) if slot else layout
                made[own + colon + slot] = np.ascontiguousarray(layout.there(np.asarray(array)))
        self.inner.place(made, step)

    def forward(self, step: int) -> Iterator[tuple[Spot, Array]]:
        places = {
            "input": self.translation.inputs,
            "layer": self.translation.results,
            "gradient": {
                name: place._replace(layout=_of_gradients(place.layout))
                for name, place in self.translation.weights.items()
            },
        }
        for spot, array in self.inner.forward(step):
            place = places[spot.stage].get(spot.where)
            if place is not None:
                yield Spot(spot.stage, place.name), place.layout.here(array)

    def train(self, step: int) -> float:
        return self.inner.train(step)

    def rate(self) -> float | None:
        return self.inner.rate()

    def evaluate(self, x: Any, y: Any, weights: Any = None) -> Mapping[str, float]:
        return self.inner.evaluate(self._own(x), y, weights)

    def _own(self, x: Any) -> Any:
        return moved_inputs(x, [place.layout for place in self.translation.inputs.values()])

    def close(self) -> None:
        self.inner.close()

    def native(self, spot: Spot, error: float) -> str | None:
        weight, colon, slot = spot.where.partition(":")
        own, layout = self.own.get(weight, (weight, SAME))
        if layout is ONE_BIAS and spot.stage in ("update", "weights", "slots"):
            return "lstm-biases"
        if spot.stage == "layer":
            results = self.translation.results.items()
            own = next((name for name, place in results if place.name == weight), weight)
        return self.inner.native(spot._replace(where=own + colon + slot), error)


def _of_gradients(layout: Layout) -> Layout:
    return EACH_BIAS if layout is ONE_BIAS else layout


def moved_inputs(x: Any, layouts: list[Layout]) -> Any:
    """Return inputs in the layout of the second model.

    Args:
        x: an array, a list, or a dictionary in the order of the model.
        layouts: of each input.
    """
    if isinstance(x, Mapping):
        pairs = zip(x.items(), layouts, strict=True)
        return {name: layout.there(np.asarray(array)) for (name, array), layout in pairs}
    if isinstance(x, (list, tuple)) and len(layouts) > 1:
        return [layout.there(np.asarray(each)) for each, layout in zip(x, layouts, strict=True)]
    return layouts[0].there(np.asarray(x))
