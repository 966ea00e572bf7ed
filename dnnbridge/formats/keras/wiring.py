"""Call the layers of a Functional model on each other, as its configuration says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dnnbridge.base.messages import shorten
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.call_arguments import (
    FLAGS,
    STATES,
    constants,
    inputs_of,
    is_known_argument,
    takes,
)
from dnnbridge.formats.keras.calls import (
    KerasCall,
    Place,
    calls_of,
    outputs_of,
    places_in,
    with_calls_from_0,
)
from dnnbridge.formats.keras.each_call import divides_at_each_call
from dnnbridge.formats.keras.logic import as_logical
from dnnbridge.formats.keras.masks import (
    ATTENTION_MASK,
    MASKS,
    Masks,
    Source,
    loses_mask,
    masks_of_inputs,
)
from dnnbridge.formats.keras.operations import OPERATIONS
from dnnbridge.formats.keras.run_time_masks import (
    FINDING,
    READING_MASKS,
    RunTimeMasks,
    takes_masks_off,
)
from dnnbridge.formats.keras.settings import serialized
from dnnbridge.formats.keras.stateful import CALLED_TWICE, carries_states
from dnnbridge.formats.keras.whole_numbers import (
    cast_values,
    dtype_of_symbol,
)
from dnnbridge.layers import (
    AbstractLayer,
    Cast,
    PaddingMask,
    ReversibleEmbedding,
    SetMask,
    Unmask,
)
from dnnbridge.layers.base import LayerOutput
from dnnbridge.layers.merging import AbstractMerge
from dnnbridge.layers.states import AbstractStates
from dnnbridge.models import Input, Model

Pending = tuple[Mapping[str, Any], int, KerasCall]
"""A layer, which of its calls, and the call."""


@dataclass
class Wiring:
    """The results of all calls so far.

    Attributes:
        names: the name here of each layer.
        layers: the layer here of each layer.
        path: of the model, for findings.
        findings: receives what cannot be read.
        unread: names of layers that have a finding.
        values: the results of the calls, by place.
        taken: names here of the layers that operations made.
    """

    names: Mapping[str, str]
    layers: dict[str, AbstractLayer]
    path: str
    findings: Findings
    unread: Collection[str] = ()
    values: dict[Place, AbstractSymbol] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    _masks: Masks = field(default_factory=lambda: Masks(()))
    _run_time: RunTimeMasks = field(init=False)
    _entries: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _floats: dict[Place, AbstractSymbol] = field(default_factory=dict)

    def add_input(self, name: str, made: Input) -> None:
        self.values[Place(name)] = made

    def model(
        self, entries: Sequence[Mapping[str, Any]], inputs: Any, outputs: Any
    ) -> Model | None:
        """Make every call, in an order in which its arguments are known, and return the model."""
        entries = with_calls_from_0(entries)
        results = outputs_of(outputs, entries)
        self._masks = Masks(entries)
        self._entries = {str(entry["name"]): entry for entry in entries}
        used = [entry for entry in entries if entry["name"] not in self._masks.operations]
        self._run_time = RunTimeMasks(entries, self.layers, self._masks, results)
        pending = [(e, i, call) for e in used for i, call in enumerate(calls_of(e))]
        for entry in used:
            self._set_flags(entry)
        while pending:
            ready: list[Pending] = []
            waiting: list[Pending] = []
            for item in pending:
                (ready if self._known(item[2]) else waiting).append(item)
            if not ready:
                self.findings.add(self.path, "calls that depend on each other")
                return None
            for entry, number, call in ready:
                self._make(entry, number, call)
            pending = waiting
        if self.findings.found:
            return None
        given: list[Any] = [self.values[place] for place in places_in(inputs)]
        return Model(given, [self._output(place) for place in results])

    def _output(self, place: Place) -> Any:
        """Return an output of the model, with a mask only if Keras has one there."""
        lost = self._masks.found([place]) and not self._run_time.of_output(place)
        return Unmask()(self.values[place]) if lost else self.values[place]

    def _known(self, call: KerasCall) -> bool:
        needed = (root for place in call.places() for root in self._masks.roots(place))
        return all(place in self.values for place in needed)

    def _set_flags(self, entry: Mapping[str, Any]) -> None:
        """Set what Keras gives to calls and a layer here has as a field."""
        layer = self.layers.get(str(entry["name"]))
        for flag, name in FLAGS.items():
            given = {bool(call.kwargs.get(flag)) for call in calls_of(entry)}
            if layer is None or True not in given:
                continue
            if len(given) > 1 or not hasattr(layer, name):
                self._add(entry, f"calls with different {flag}")
            else:
                layer = layer.replace(**{name: True})
                self.layers[entry["name"]] = layer

    def _make(self, entry: Mapping[str, Any], number: int, call: KerasCall) -> None:
        name = str(entry["name"])
        made: Any = Input(())  # stands for a result that has a finding, so that others are found
        try:
            if name in self.layers:
                made = self._call(entry, number, call)
            elif name not in self.unread:
                made = self._operation(entry, call) or made
        except DnnbridgeError as error:
            self._add(entry, str(error))
        results = made if isinstance(made, tuple) else (made,)
        for index, result in enumerate(results):
            self.values[Place(name, number, index)] = result

    def _operation(self, entry: Mapping[str, Any], call: KerasCall) -> Any:
        found = serialized(entry)
        assert found is not None
        make = OPERATIONS.get(found.kind)
        args = [dict(found.config), *(self._value(each) for each in call.args)]
        kwargs = {key: self._value(value) for key, value in call.kwargs.items()}
        made = make(*args, **kwargs) if make and takes(make, args, kwargs) else None
        if made is None:
            arguments = [each for each in call.args if not isinstance(each, Place)]
            self._add(entry, f"the operation keras.ops {found.kind} of {shorten(arguments, 60)}")
        else:
            made = self._without_mask(made)
            self._name(made, self.names[entry["name"]])
        return made

    def _without_mask(self, made: Any) -> Any:
        """Take the mask off the result of an operation, if the source has masks."""
        if not self.findings.masked or not isinstance(made, LayerOutput):
            return made
        if isinstance(made.layer, READING_MASKS):
            return made.layer(*(Unmask()(each) for each in made.sources))
        kept = made.layer.passes_mask or isinstance(made.layer, AbstractMerge)
        return Unmask()(made) if kept else made

    def _name(self, made: AbstractSymbol, name: str) -> None:
        """Name the layers that an operation made: the last one as Keras names the operation."""
        pending = [made]
        while pending:
            output = pending.pop()
            if isinstance(output, LayerOutput) and output.layer.name is None:
                output.layer = output.layer.replace(name=self._free(name))
                pending += output.sources

    def _free(self, wish: str) -> str:
        """Return a name that no other layer has, and take it."""
        name, number = wish, 0
        while name in self.taken or (number and name in self.names.values()):
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name

    def _call(self, entry: Mapping[str, Any], number: int, call: KerasCall) -> Any:
        name = str(entry["name"])
        layer = self.layers[name]
        reverse = isinstance(layer, ReversibleEmbedding) and bool(call.kwargs.get("reverse"))
        places = KerasCall(call.args, inputs_of(call)).places()
        inputs = cast_values(layer, [self.values[place] for place in places], reverse)
        masks = self._set_masks(entry, layer, Place(name, number), call, places, inputs)
        for key, value in call.kwargs.items():
            if key not in MASKS and not is_known_argument(layer, key, value):
                self._add(entry, f"a call with {key}={shorten(value, 60)}")
        if number and divides_at_each_call(layer):
            self._add(entry, "a second call of SpectralNormalization, which divides again in Keras")
        if number and carries_states(layer):
            self._add(entry, CALLED_TWICE)
        if constants(call.args):
            self._add(entry, "a call on numbers")
        if not isinstance(layer, AbstractStates):
            made = layer(*inputs, *masks)
            return Unmask()(made) if loses_mask(call.kwargs) else made
        # Keras 2 lists the states after the sequence; Keras 3 has them as the second argument.
        states = [*places[1:], *KerasCall((), {"": call.kwargs.get(STATES)}).places()]
        given = {STATES: [self.values[place] for place in states]} if states else {}
        return layer(inputs[0], *masks, **given)

    def _set_masks(
        self,
        entry: Mapping[str, Any],
        layer: AbstractLayer,
        result: Place,
        call: KerasCall,
        places: Sequence[Place],
        inputs: list[AbstractSymbol],
    ) -> list[AbstractSymbol]:
        """Give the inputs the masks that the call has for them; return those for all together."""
        explicit: dict[int, frozenset[Source]] = {}
        for position, value in masks_of_inputs(call.kwargs).items():
            found = self._masks.found(places[position : position + 1])
            if value is None:
                explicit[position] = frozenset()
                inputs[position] = Unmask()(inputs[position]) if found else inputs[position]
            elif (sources := self._masks.sources(value)) != found:
                explicit[position] = sources
                inputs[position] = SetMask()(inputs[position], self._mask(value))
        for position, place in enumerate(places if isinstance(layer, FINDING) else ()):
            has = position not in explicit and self._masks.found([place])
            if has and not self._run_time.found(result, position):
                explicit[position] = frozenset()
                inputs[position] = Unmask()(inputs[position])
        if layer.is_model and takes_masks_off(layer) and self._masks.found(places):
            text = "a model with a MultiHeadAttention, called on a value that has a mask"
            self._add(entry, f"{text}: call its layers in the model around it")
        if explicit and layer.is_model:
            self._add(entry, "a call of a model with a mask that its input does not have")
        if loses_mask(call.kwargs) and 0 in explicit:
            del explicit[0]
            if self._masks.found(places):
                self._add(entry, "a call with query_mask= for a query that has another mask")
        self._masks.note(result, layer, places, explicit)
        both = call.kwargs.get(ATTENTION_MASK)
        return [self._mask(both)] if isinstance(both, Place) else []

    def _mask(self, place: Place) -> AbstractSymbol:
        """Return a mask: float32, 1 where a step is real."""
        if place not in self.values:
            words = self._masks.words(place)
            if words is not None and dtype_of_symbol(self.values[words[0]]) == "int32":
                return PaddingMask(words[1])(self.values[words[0]])
            entry = self._entries[place.layer]
            self._make(entry, place.call, calls_of(entry)[place.call])
        return as_logical(self._float(place))

    def _float(self, place: Place) -> AbstractSymbol:
        """Return a result; truths of an input of the model as float32."""
        value = self.values[place]
        if dtype_of_symbol(value) != "bool":
            return value
        return self._floats.setdefault(place, Cast("float32")(value))

    def _value(self, given: Any) -> Any:
        if isinstance(given, Place):
            return self._float(given) if given in self.values else self._mask(given)
        if isinstance(given, list):
            return [self._value(each) for each in given]
        return given

    def _add(self, entry: Mapping[str, Any], what: str) -> None:
        self.findings.add(f"{self.path}/{entry['name']}".lstrip("/"), what)
