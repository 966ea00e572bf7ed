"""Models as graphs of layers, built by calling layers on inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import PlainValidator, model_validator
from pydantic_core import ArgsKwargs

from dnnbridge.base.messages import shorten, snake_case
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers import AbstractLayer
from dnnbridge.layers.base import LayerOutput
from dnnbridge.layers.states import AbstractStates
from dnnbridge.models.base import AbstractModel, Input
from dnnbridge.specs.json_types import listed, of_kind, read_as
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.spec import Spec, spec


@spec
class ModelNode(Spec):
    """One call of a layer in a `Model`

    Args:
        name: unique name in the model.
        layer: the layer that is called.
        inputs: names of the inputs or nodes of the call.
        shares: the earlier node whose layer and weights this call uses.
        initial_state: names of the inputs or outputs that a recurrent layer starts with.
    """

    name: str
    layer: Annotated[AbstractLayer, PlainValidator(instance_of(AbstractLayer))]
    inputs: tuple[str, ...]
    shares: str | None = None
    initial_state: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.initial_state and not isinstance(self.layer, AbstractStates):
            raise SpecError(
                "only recurrent layers and Bidirectional have an initial state",
                where=self.name,
                got=type(self.layer).__name__,
            )


Symbol = LayerOutput | Input | str
"""Accepted forms of an output; a Model keeps the name of the node."""


def _tuple_of(kind: type) -> PlainValidator:
    """Return a validator of a sequence of items of one kind."""

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, kind) for v in value):
            raise SpecError(f"expected a list of {kind.__name__}", got=shorten(value))
        return tuple(value)

    return PlainValidator(check)


@spec
class Model(AbstractModel):
    """A graph of layers, with one or several inputs

    Call layers on inputs and on outputs of other layers. A layer that is called twice shares its
    weights. A model is a layer itself. The calls are stored as `nodes`, also in JSON.

    Args:
        inputs: one or several `Input`s.
        outputs: one or several outputs of layers.

    Example:
        >>> from dnnbridge import Add, Dense
        >>> x = Input((16,))
        >>> h = Dense(8, "relu")(x)
        >>> model = Model(x, Dense(3)(Add()(h, Dense(8)(h))))
        >>> [node.name for node in model.nodes]
        ['dense', 'dense_1', 'add', 'dense_2']
    """

    inputs: Annotated[Input | Sequence[Input], _tuple_of(Input), read_as(listed(of_kind(Input)))]
    outputs: Annotated[
        Symbol | Sequence[Symbol], _tuple_of(str), read_as(listed({"type": "string"}, least=1))
    ]
    nodes: Annotated[
        Sequence[ModelNode], _tuple_of(ModelNode), read_as(listed(of_kind(ModelNode)))
    ] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_calls(cls, given: Any) -> Any:
        arguments = dict(given.kwargs or {}) if isinstance(given, ArgsKwargs) else dict(given)
        if isinstance(given, ArgsKwargs):
            arguments |= dict(zip(("inputs", "outputs", "nodes"), given.args, strict=False))
        if "nodes" in arguments or not {"inputs", "outputs"} <= arguments.keys():
            return given
        inputs, outputs = _listed(arguments["inputs"]), _listed(arguments["outputs"])
        if _gives_inputs(inputs, arguments["outputs"]):
            return given  # the repr of a model without nodes
        traced = _trace(inputs, outputs)
        return ArgsKwargs((), arguments | traced)

    def __post_init__(self) -> None:
        known = [*self.input_types]
        for node in self.nodes:
            unknown = [name for name in _sources(node) if name not in known]
            if unknown or node.name in known:
                raise SpecError(
                    "a node needs a new name and known inputs",
                    where=node.name,
                    got=shorten(unknown),
                )
            known += places_of(node)
        self._check_shares()
        self._check_batch_sizes()
        if not self.outputs or not set(_listed(self.outputs)) <= set(known):
            raise SpecError("outputs must be nodes", got=shorten(self.outputs))
        if len(set(self.output_names)) < len(self.output_names):
            raise SpecError("outputs must differ", where="outputs", got=shorten(self.outputs))

    def _check_shares(self) -> None:
        """Raise unless `shares` of each node is the first call of an equal layer."""
        firsts: dict[str, AbstractLayer] = {}
        for node in self.nodes:
            if node.shares is None:
                firsts[node.name] = node.layer
            elif firsts.get(node.shares) != node.layer:
                raise SpecError(
                    "shares must be the first call of an equal layer",
                    where=node.name,
                    got=repr(node.shares),
                    hint="Give the layer of that node, or leave shares out for separate weights.",
                )

    def _check_batch_sizes(self) -> None:
        sizes = {each.batch_size for each in _listed(self.inputs)} - {None}
        if len(sizes) > 1:
            raise SpecError(
                "the inputs have different batch sizes",
                where="inputs",
                got=" and ".join(map(str, sorted(sizes))),
                hint="Give all inputs the same batch_size, or give it to one of them.",
            )

    @property
    def input_types(self) -> dict[str, TensorType]:
        return {str(each.name): each.type for each in _listed(self.inputs)}

    @property
    def batch_size(self) -> int | None:
        return next((each.batch_size for each in _listed(self.inputs) if each.batch_size), None)

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(map(str, _listed(self.outputs)))

    def emit(self, scope: Scope, *inputs: Value) -> Value | tuple[Value, ...]:
        self.check_inputs(scope, inputs)
        values = dict(zip(self.input_types, inputs, strict=True))
        for node in self.nodes:
            arguments, name = (values[name] for name in node.inputs), node.shares or node.name
            started = {"initial_state": [values[name] for name in node.initial_state]}
            lists = started if node.initial_state else {}
            made = scope.call_all(node.layer, *arguments, name=name, **lists)
            places = places_of(node)
            scope.require(
                len(made) == len(places),
                "the layer returned a wrong number of values",
                got=f"{len(made)}",
            )
            values |= dict(zip(places, made, strict=True))
        outputs = tuple(values[name] for name in _listed(self.outputs))
        self.check_outputs(scope, outputs)
        return outputs[0] if len(outputs) == 1 else outputs


def places_of(node: ModelNode) -> list[str]:
    """Return the names of a node's outputs: its own name, or its name and that of each output."""
    if len(node.layer.output_names) == 1:
        return [node.name]
    return [f"{node.name}_{output}" for output in node.layer.output_names]


def _sources(node: ModelNode) -> tuple[str, ...]:
    return (*node.inputs, *node.initial_state)


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, Iterable) else [given]


def _gives_inputs(inputs: list[Any], outputs: Any) -> bool:
    """Return whether the outputs are names of inputs."""
    names = {each.name for each in inputs if isinstance(each, Input)}
    return isinstance(outputs, (tuple, list)) and all(each in names for each in outputs)


def _trace(inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    """Convert symbolic calls to fields of a Model."""
    for given, kind in ((inputs, Input), (outputs, (LayerOutput, Input))):
        for item in given:
            if not isinstance(item, kind):
                raise SpecError(
                    "a Model needs Inputs as inputs, and Inputs or outputs of layers as outputs",
                    got=shorten(item),
                    hint="Write x = Input((4,)); Model(x, Dense(3)(x)).",
                )
    trace = _Trace(given=_given_names(outputs))
    named = [trace.add_input(item) for item in inputs]
    names = [trace.visit(output) for output in outputs]
    return {"inputs": tuple(named), "outputs": tuple(names), "nodes": tuple(trace.nodes)}


def _given_names(outputs: list[Any]) -> set[str]:
    """Return the names that layers were given, which calls without a name must leave to them."""
    seen: set[int] = set()
    names: set[str] = set()
    pending = list(outputs)
    while pending:
        current = pending.pop()
        if isinstance(current, LayerOutput) and id(current) not in seen:
            seen.add(id(current))
            names |= {current.layer.name} if current.layer.name else set()
            pending += current.sources
    return names


@dataclass
class _Trace:
    """Nodes and names of a Model; two equal inputs or layers stay two."""

    given: set[str]
    nodes: list[ModelNode] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    first_call: dict[int, str] = field(default_factory=dict)

    def add_input(self, given: Input) -> Input:
        name = self._free(given.name or "input", exactly=given.name is not None)
        self.names[id(given)] = name
        return given.replace(name=name)

    def visit(self, output: AbstractSymbol) -> str:
        """Add the nodes that an output needs, in topological order, and return its name."""
        pending = [output]
        while pending:
            current = pending[-1]
            if id(current) in self.names:
                pending.pop()
                continue
            if isinstance(current, Input):
                raise SpecError(
                    "a layer was called on an Input that the model does not list",
                    got=shorten(current),
                    hint="List every Input in Model([…], …).",
                )
            assert isinstance(current, LayerOutput)
            missing = [each for each in current.sources if id(each) not in self.names]
            if missing:
                pending.extend(reversed(missing))
            else:
                self._add(current)
                pending.pop()
        return self.names[id(output)]

    def _add(self, output: LayerOutput) -> None:
        layer = output.layer
        if output.output is not None:
            name = f"{self.names[id(output.inputs[0])]}_{output.output}"
            self.names[id(output)] = self._free(name, exactly=True)
            return
        shared = self.first_call.get(id(layer))
        kind = snake_case(type(layer).__name__)
        name = self._free(
            kind if shared or not layer.name else layer.name, bool(layer.name and not shared)
        )
        self.first_call.setdefault(id(layer), name)
        self.names[id(output)] = name
        inputs = tuple(self.names[id(each)] for each in output.inputs)
        states = tuple(self.names[id(each)] for each in output.initial_state)
        self.nodes.append(ModelNode(name, layer, inputs, shared, states))

    def _free(self, wish: str, exactly: bool) -> str:
        name, number = wish, 0
        while not exactly and (name in self.taken or name in self.given):
            number += 1
            name = f"{wish}_{number}"
        if name in self.taken or not name.replace("_", "").isalnum():
            raise SpecError(
                "names must be unique, of letters, digits and underscores",
                got=repr(name),
                hint="Rename it.",
            )
        self.taken.add(name)
        return name
