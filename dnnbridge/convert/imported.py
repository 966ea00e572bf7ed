"""`Imported`: an experiment that was read from a framework, with its weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from dnnbridge.base.arrays import Array
from dnnbridge.convert.report import ImportReport
from dnnbridge.errors import ConversionError
from dnnbridge.experiment import Experiment
from dnnbridge.models import AbstractModel
from dnnbridge.training.compiling import compile_chosen
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run


@dataclass(frozen=True)
class Imported:
    """A model from a framework: made by `from_keras`.

    Attributes:
        model: the model.
        fields: what else the source says of the experiment: loss, optimizer, metrics, frozen.
        weights: weights and buffers, by name.
        slots: what the optimizer has kept, by name.
        step: how many updates it has made.
        report: what was read, and what was left out.
    """

    model: AbstractModel
    fields: Mapping[str, Any]
    weights: Mapping[str, Array]
    slots: Mapping[str, Array]
    step: int
    report: ImportReport

    @property
    def experiment(self) -> Experiment:
        """The experiment.

        Raises:
            ConversionError: the source has no loss or no optimizer; give it with `replace`.
        """
        missing = [name for name in ("loss", "optimizer") if name not in self.fields]
        if missing:
            raise ConversionError(
                f"the source has no {' and no '.join(missing)} that can be read",
                where=self.report.source,
                hint=" ".join(
                    [
                        *self.report.notes,
                        f"Write imported.replace({', '.join(f'{name}=…' for name in missing)}).",
                    ]
                ),
            )
        return Experiment(self.model, **self.fields)

    def replace(self, **fields: Any) -> Self:
        """Return the same with other fields of the experiment: a loss, an optimizer, metrics.

        Another optimizer starts anew: what the old one has kept is left out.
        """
        slots, step = self.slots, self.step
        if "optimizer" in fields:
            slots, step = {}, 0
        return dataclasses.replace(self, fields={**self.fields, **fields}, slots=slots, step=step)

    def compile(self, backend: str | None = None, device: str | None = None) -> Run:
        """Compile the experiment, and set weights, optimizer slots and step.

        Args:
            backend: as in `dnnbridge.compile`.
            device: as in `dnnbridge.compile`.
        """
        run = compile_chosen(self.experiment, backend, device)
        given = {**self.weights, **self.slots}
        names = run.experiment.program().state
        started = {} if names.keys() <= given.keys() else run.state()
        # The epochs are not known: the steps count as one that was left.
        position = Position(self.step, past=((self.step, 0),) if self.step else ())
        run.set_state({n: given[n] if n in given else started[n] for n in names}, position)
        return run
