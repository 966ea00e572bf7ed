"""`Experiment`: all that decides the numbers of a training, apart from the data."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import PlainValidator

from dnnbridge.drawing import notebook
from dnnbridge.errors import SpecError
from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics import MetricsField
from dnnbridge.models import AbstractModel
from dnnbridge.optimizers import (
    AbstractOptimizer,
    AccumulationField,
)
from dnnbridge.optimizers.assembly import updater
from dnnbridge.optimizers.field import OptimizerField
from dnnbridge.optimizers.gradient_rules import RulesField
from dnnbridge.optimizers.loss_scale import AbstractLossScale, DynamicLossScale, LossScaleField
from dnnbridge.program.build import build_program
from dnnbridge.program.heads import Head, LossField
from dnnbridge.program.precision import Float32, PrecisionField
from dnnbridge.program.program import Program
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.schedules.plotting import overview
from dnnbridge.specs.fields import NonNegativeInt, default
from dnnbridge.specs.json_schema import json_schema
from dnnbridge.specs.patterns import by_pattern
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.showing import differing
from dnnbridge.specs.spec import Spec, spec
from dnnbridge.weights.constraints import as_constraint
from dnnbridge.weights.regularizers import as_regularizer
from dnnbridge.weights.rules import Constraints, FrozenStatistics, Regularizers, WeightRules

FORMAT = 1
"""Version of the JSON form."""


@spec
class Experiment(Spec):
    """Model, loss, optimizer, metrics and seed: compiled by any backend, the same numbers on each

    Shapes are checked when it is made: a loss that does not fit the model is an error here.

    Args:
        model: what predicts.
        loss: what is minimised, the mean over each batch; for a model with several outputs a
            list of a `Head` for each that is trained.
        optimizer: how parameters move; its learning rate may be a schedule. A name is that of
            Keras, with its defaults: "adam", "rmsprop".
        metrics: names or specs; the loss is always reported. Heads have their own. They ignore
            sample weights and class weights.
        seed: of initial weights, shuffles and dropout masks.
        gradients: rules for the gradients of all weights, in order, before the optimizer sees
            them, such as `ClipByGlobalNorm(1.0)`.
        accumulate: steps that make one update together, as one large batch does, before those
            rules; an `Accumulation` says more, `GradientAccumulation` how.
        loss_scale: a `FixedLossScale`, or a number for one, or a `DynamicLossScale`. With
            `precision="mixed_float16"` None stands for `DynamicLossScale()`.
        frozen: patterns of weights that do not move, such as "dense/kernel" or "encoder/*"; "!…"
            takes back what one before it named: ("*", "!head/*") trains the head.
        frozen_statistics: what becomes of running statistics that such a pattern names, those of
            "encoder/bn/moving_mean", say. "keep": they are frozen too, and BatchNormalization
            normalises with them, as a layer of Keras does with `trainable=False`. "update": it
            goes on with those of the batch, as in MindSpore and PyTorch: they freeze weights alone.
        regularizers: a regularizer per pattern of names, such as {"*/kernel": L2(1e-4)}; it takes
            the place of the layer's own. The first pattern that fits counts; None is none.
        constraints: a constraint per pattern, in the same way.
        weighted_metrics: metrics in which an example, or a step, counts as often as its sample
            weight times the weight of its class. Heads have their own. A metric that stands in
            `metrics` too is called "weighted_…" in the history.
        precision: the types of numbers: "float32", "mixed_float16", "mixed_bfloat16" or "float64",
            as policies are called in Keras; or a spec, such as `MixedFloat16(float32_layers=…)`.
        remat: patterns of paths of layers, such as "block_*" or "encoder/attention", whose values
            are not kept for the backward pass but computed again there, from what the layer was
            given. A step takes less memory and more time; its numbers are the same. A layer that
            holds others is computed again as a whole. "!…" takes back what one before it named.
            As `keras.remat`, and `Cell.recompute()` of MindSpore. A prediction is not affected.

    Example:
        >>> import dnnbridge as db
        >>> experiment = db.Experiment(
        ...     model=db.Sequential([db.Input((64,)), db.Dense(10)]),
        ...     loss=db.SparseCategoricalCrossentropy(from_logits=True),
        ...     optimizer=db.SGD(0.1, momentum=0.9),
        ...     metrics=["accuracy"],
        ... )
        >>> db.Experiment.from_json(experiment.to_json()) == experiment
        True
    """

    written_if_given = ("weighted_metrics", "precision", "remat")

    model: Annotated[AbstractModel, PlainValidator(instance_of(AbstractModel))]
    loss: LossField
    optimizer: OptimizerField
    metrics: MetricsField = default(())
    seed: NonNegativeInt = 0
    frozen: tuple[str, ...] = ()
    gradients: RulesField = default(())
    accumulate: AccumulationField = default(1)
    loss_scale: LossScaleField = default(None)
    frozen_statistics: FrozenStatistics = "keep"
    regularizers: Regularizers = ()
    constraints: Constraints = ()
    weighted_metrics: MetricsField = default(())
    precision: PrecisionField = default(Float32())
    remat: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.program()

    def program(self) -> Program:
        """Return the graphs of training, evaluation and prediction."""
        parts = self.model, self.heads, self.updater(), self.rules, self.scaling
        return build_program(*parts, self.precision, self.remat)

    @property
    def scaling(self) -> AbstractLossScale | None:
        """The loss scale, or that of the precision where none is given."""
        if self.loss_scale is None and self.precision.scaled:
            return DynamicLossScale()
        return self.loss_scale

    @property
    def rules(self) -> WeightRules:
        """What is frozen, and regularizers and constraints by pattern."""
        return WeightRules(
            self.frozen,
            self.frozen_statistics,
            by_pattern(self.regularizers, as_regularizer),
            by_pattern(self.constraints, as_constraint),
        )

    def updater(self, optimizer: AbstractOptimizer | None = None) -> AbstractOptimizer:
        """Return the optimizer with all that is around it; see `dnnbridge.optimizers.assembly`.

        Args:
            optimizer: one to take the place of the experiment's.
        """
        rules, scale = self.gradients, self.scaling
        return updater(optimizer or self.optimizer, rules, scale, self.accumulate)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Loss and metrics of each output; one without name where there is one loss."""
        plain, weighted = self.metrics, self.weighted_metrics
        if isinstance(self.loss, AbstractLoss):
            return (Head("", self.loss, metrics=plain, weighted_metrics=weighted),)
        for name, metrics in (("metrics", plain), ("weighted_metrics", weighted)):
            if metrics:
                raise SpecError(
                    "each Head has its own metrics", where=name, got=f"{len(metrics)} of them"
                )
        return tuple(self.loss)

    def _repr_html_(self) -> str:
        rates = rates_of(self.optimizer)
        names = [name for name in differing(self) if name not in ("model", "seed")]
        facts = {name: repr(getattr(self, name)) for name in names}
        return notebook.block(
            "Experiment",
            self.model.summary()._repr_html_(),
            notebook.facts(facts | {"seed": str(self.seed)}),
            notebook.chart(lambda: overview(rates, "learning rate")),
        )

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT} | super().to_dict()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of what `to_json` writes and `from_json` reads.

        It includes short forms that `from_json` reads: names, numbers, omitted fields. It does not
        include former names, other spellings, or checks that involve several fields. It defines
        every kind whose module is imported.

        Example:
            >>> Experiment.json_schema()["$ref"]
            '#/$defs/Experiment'
        """
        made = json_schema(cls)
        record = made["$defs"][cls.__name__]
        record["properties"] = {"format": {"const": FORMAT}} | record["properties"]
        record["required"] = ["format", *record["required"]]
        return made

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        if not isinstance(data, dict) or data.get("kind") != cls.__name__ or "format" not in data:
            raise SpecError(
                "not an experiment",
                where=cls.__name__,
                got=shorten_keys(data),
                hint="Write the file with Experiment.to_json().",
            )
        if data["format"] != FORMAT:
            raise SpecError(
                f"this version reads format {FORMAT}",
                where="format",
                got=repr(data["format"]),
                hint="Use the version of dnnbridge that wrote the file.",
            )
        return super().from_dict({key: value for key, value in data.items() if key != "format"})


def rates_of(optimizer: AbstractOptimizer) -> dict[str, AbstractSchedule]:
    """Return the learning rates of an optimizer: one, or those of all its groups by their repr."""
    found: list[AbstractSchedule] = []

    def note(schedule: AbstractSchedule) -> AbstractSchedule:
        found.append(schedule)
        return schedule

    optimizer.with_rate(note)
    return {repr(schedule): schedule for schedule in found}


def shorten_keys(data: Any) -> str:
    """Name the keys of a dictionary, or the type of anything else."""
    if not isinstance(data, dict):
        return type(data).__name__
    return "keys " + json.dumps(sorted(map(str, data))[:8])
