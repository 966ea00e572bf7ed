"""`Forward`: the part of a step that training, evaluation and prediction share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dnnbridge.emit.declarations import MASK, NORMALIZER, BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DnnbridgeError
from dnnbridge.graph import BATCH, Builder, TensorType, Value
from dnnbridge.models import AbstractModel
from dnnbridge.program.heads import Head
from dnnbridge.program.objectives import Objective, emit_objectives, objectives
from dnnbridge.program.program import Function
from dnnbridge.specs.rewriting import apart
from dnnbridge.weights.regularizers import AbstractRegularizer
from dnnbridge.weights.rules import WeightRules


@dataclass(frozen=True)
class Forward:
    """A model with its losses and metrics, emitted once for each function of a program."""

    model: AbstractModel
    heads: tuple[Head, ...]
    rules: WeightRules

    @cached_property
    def predict(self) -> Function:
        """The prediction; its results are the outputs of the model."""
        return self._predict("predict")

    @cached_property
    def outputs(self) -> dict[str, TensorType]:
        """Types of the predictions by name of the output."""
        made = self.predict
        types = [value.type for value in made.graph.outputs]
        return dict(zip(made.results, types, strict=False))  # carried states follow

    @cached_property
    def objectives(self) -> dict[str, Objective]:
        return objectives(self.heads, self.outputs)

    @cached_property
    def inputs(self) -> dict[str, TensorType]:
        """Types of the model's inputs by the names of their feeds."""
        return {f"input:{name}": type for name, type in self.model.input_types.items()}

    def moves(self, declared: Declarations) -> Callable[[Value], bool]:
        """Return whether the optimizer moves what a value reads, for `value_and_grad`."""

        def moves(value: Value) -> bool:
            name = declared.name_of(value)
            return name is not None and self.rules.moves(declared.arrays[name])

        return moves

    def begin(self, name: str) -> tuple[Builder, Declarations, dict[str, Value]]:
        """Return a builder, its declarations, and its inputs, labels and sample weights by feed."""
        builder = Builder(name)
        types = dict(self.inputs)
        for objective in self.objectives.values():
            types |= objective.feeds
        given = {key: builder.input(key, type) for key, type in types.items()}
        mask = builder.input(MASK, TensorType((BATCH,)))
        normalizer = builder.input(NORMALIZER, TensorType(()))
        declared = Declarations(
            builder,
            BatchMask(mask, normalizer),
            frozen=self.rules.statistics_frozen,
            moves=self.rules.moves,
        )
        return builder, declared, given

    def emit(self, scope: Scope, given: Mapping[str, Value]) -> dict[str, Value]:
        """Write the model, the loss of the batch and the sum of every metric."""
        predictions = self.predictions(scope, given)
        if scope.losses:
            scope.terms.add("examples")
        for array, value in scope.declared_weights():
            regularizer = self.rules.regularizer_of(array)
            if regularizer is not None:
                scope.terms.add("weights")
                scope.add_loss(_penalty(scope, regularizer, array.name, value))
        return emit_objectives(scope, self.objectives, predictions, given)

    def evaluate(self) -> Function:
        builder, declared, given = self.begin("evaluate")
        scope = Scope(builder, declared, training=False)
        results = self.emit(scope, given)
        return _function(builder, declared, scope, results)

    def sample(self) -> Function:
        """Return a prediction with noise and dropout."""
        return self._predict("sample", sampling=True)

    def _predict(self, name: str, sampling: bool = False) -> Function:
        builder = Builder(name)
        given = {name: builder.input(name, type) for name, type in self.inputs.items()}
        declared = Declarations(builder)
        scope = Scope(builder, declared, training=False, sampling=sampling)
        return _function(builder, declared, scope, self.predictions(scope, given))

    def predictions(self, scope: Scope, given: Mapping[str, Value]) -> dict[str, Value]:
        """Write the model and return its outputs by name."""
        made = apart(self.model).emit(scope, *(given[feed] for feed in self.inputs))
        outputs = (made,) if isinstance(made, Value) else made
        return dict(zip(self.model.output_names, outputs, strict=True))


def _function(
    builder: Builder, declared: Declarations, scope: Scope, results: Mapping[str, Value]
) -> Function:
    """Return an evaluation or prediction; it writes carried states only."""
    graph = builder.graph([*results.values(), *scope.updates.values()])
    return Function(graph, declared.reads, tuple(results), tuple(scope.updates))


def _penalty(scope: Scope, regularizer: AbstractRegularizer, name: str, value: Value) -> Value:
    try:
        return scope.call(regularizer, value)
    except DnnbridgeError as error:
        raise error.at(name) from None
