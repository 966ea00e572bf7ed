"""A training with names and shapes that a backend could handle wrongly."""

from __future__ import annotations

import numpy as np

from dnnbridge import ops
from dnnbridge.base import randomness
from dnnbridge.emit.scope import Scope
from dnnbridge.experiment import Experiment
from dnnbridge.graph import Value
from dnnbridge.initializers import Constant, GlorotUniform, Zeros
from dnnbridge.layers import AbstractLayer, Dense
from dnnbridge.losses import MeanSquaredError
from dnnbridge.metrics import AbstractMetric
from dnnbridge.models import Input, Sequential
from dnnbridge.optimizers import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.specs.spec import spec
from dnnbridge.testing.cases.training_case import TrainingCase


@spec
class RunningCentre(AbstractLayer):
    """Subtracts the mean of the batch in training, and a running mean (a buffer) otherwise."""

    def emit(self, scope: Scope, x: Value) -> Value:
        mean = scope.buffer("mean", x.shape[1:], Zeros())
        if not scope.training:
            return x - mean
        batch = scope.batch_mean(x)
        scope.update("mean", 0.9 * mean + 0.1 * batch)
        return x - batch


@spec
class ConstantArrays(AbstractLayer):
    """Uses constants of each dtype: adds a reordered `shift` where `chosen`, else scales x."""

    scale: float = 1.0

    def emit(self, scope: Scope, x: Value) -> Value:
        size = scope.known(x.shape[-1], "the shift")
        shift = scope.constant(self.scale * np.linspace(-1.0, 1.0, size) / 3.0)
        order = scope.constant(np.arange(size)[::-1])
        chosen = scope.constant(np.arange(size) % 2 == 0)
        return ops.where(chosen, x + ops.take(shift, order), x * scope.constant(np.array(0.1)))


@spec
class Colliding(AbstractLayer):
    """Arrays with keywords as names, and names that collide if "/" is written as "_"."""

    words: tuple[str, ...] = ("lambda", "self", "k", "steps", "position", "b_k")

    def emit(self, scope: Scope, x: Value) -> Value:
        for word in self.words:
            x = x + scope.parameter(word, x.shape[1:], Constant(0.1))
        return x


@spec
class NamedScalars(AbstractOptimizer):
    """Gradient descent with host scalars named like feeds and loop variables."""

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"k": Slot(shape, Constant(0.5)), "stack_0": Slot((), Zeros())}

    def scalars(self, step: int) -> dict[str, float]:
        return dict.fromkeys(("lambda", "mask", "position", "x", "ops"), 0.02 / (1 + step))

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        k = 0.5 * slots["k"] + 0.5 * g
        rate = sum(scalars.values(), 0.0 * slots["stack_0"])
        return p - rate * k, {"k": k, "stack_0": slots["stack_0"] + 1.0}


@spec
class MeanPerOutput(AbstractMetric):
    """The largest of the outputs' mean absolute errors. Its statistic has a shape."""

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return ops.abs(prediction - target)

    def result(self, total: object, count: float) -> float:
        return float(np.max(np.asarray(total))) / count


def _case() -> TrainingCase:
    x = randomness.generator(0, "hostile x").normal(size=(17, 4))
    model = Sequential(
        [
            Input((4,)),
            RunningCentre(),
            Dense(5, "tanh", kernel_initializer=GlorotUniform(), name="a"),
            ConstantArrays(),
            ConstantArrays(2.0),
            Colliding(name="a_b"),
            Colliding(words=("k",), name="a_b_b"),
            Dense(2, name="1a"),
            Dense(2, name="loss"),
        ]
    )
    metrics = [MeanPerOutput(), MeanPerOutput(name="again")]
    experiment = Experiment(model, MeanSquaredError(), NamedScalars(), metrics, seed=1)
    return TrainingCase(
        "hostile", experiment, x, x[:, :2] ** 2, batch_size=7, epochs=4, steps_per_call="auto"
    )


HOSTILE_CASE = _case()
