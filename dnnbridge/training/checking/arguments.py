"""Check the data of `fit`, `evaluate` and `predict` before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dnnbridge.errors import DataError
from dnnbridge.graph import TensorType
from dnnbridge.program.program import Program
from dnnbridge.training.batch_sizes import check_rows
from dnnbridge.training.checking.data import check_inputs, check_pair
from dnnbridge.training.checking.labels import check_labels, check_weights
from dnnbridge.training.checking.stored import Column


@dataclass(frozen=True)
class Arguments:
    """Checks arrays against a program and names them after their feeds.

    Attributes:
        types: types of the model's inputs, by name.
        program: the program of the experiment.
    """

    types: Mapping[str, TensorType]
    program: Program

    def inputs(self, x: Any, where: str = "x") -> dict[str, Column]:
        """Return the checked inputs by feed name."""
        made = check_inputs(x, self.types, where, self.program.rows)
        check_rows(len(next(iter(made.values()))), self.program.batch_size, where)
        return made

    def data(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Any = None,
        where: tuple[str, str] = ("x", "y"),
    ) -> dict[str, Column]:
        """Return the checked inputs, labels and weights by feed name."""
        objectives = self.program.objectives
        inputs = self.inputs(x, where[0])
        labels = check_labels(self._of_the_output(y), objectives, where[1])
        for array in labels.values():
            check_pair(next(iter(inputs.values())), array, where)
        return inputs | labels | check_weights(sample_weight, class_weight, labels, objectives)

    def _of_the_output(self, y: Any) -> Any:
        """Return the labels of the one output, if they are given by its name, as in Keras."""
        if isinstance(y, Mapping) and list(y) == list(self.program.outputs):
            return y[next(iter(y))] if self.program.objectives.keys() == {"y"} else y
        return y

    def validation(self, given: Any) -> dict[str, Column]:
        """Return the checked arrays of `validation_data` by feed name."""
        if not isinstance(given, Sequence) or len(given) not in (2, 3):
            raise DataError(
                "must be (inputs, labels) or (inputs, labels, weights)",
                where="validation_data",
                got=type(given).__name__,
                hint="Write validation_data=(x, y), or give a source of such batches.",
            )
        places = "validation_data[0]", "validation_data[1]"
        return self.data(given[0], given[1], given[2] if len(given) > 2 else None, None, places)
