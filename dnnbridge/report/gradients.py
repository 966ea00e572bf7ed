"""The norm of each weight's gradient, for a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.report.wording import number
from dnnbridge.training.checking.arguments import Arguments
from dnnbridge.training.checking.stored import rows_of
from dnnbridge.training.probing import gradients_of
from dnnbridge.training.run import Run

MOST = 256
"""Examples of the batch whose gradient is shown, the first ones."""


@dataclass(frozen=True)
class Bar:
    """The gradient of a weight.

    Attributes:
        name: of the weight.
        norm: of the gradient, as text.
        ratio: of this norm and that of the weight, as text.
        width: of the bar in percent: the logarithm of the norm, from the least to the largest.
    """

    name: str
    norm: str
    ratio: str
    width: float


@dataclass(frozen=True)
class GradientFlow:
    """The gradients of all weights, in the order of layers.

    Attributes:
        bars: one for each weight.
        text: the least and the largest norm, in words.
        examples: how many there are in the batch.
    """

    bars: tuple[Bar, ...]
    text: str
    examples: int


def gradient_flow(run: Run, x: Any, y: Any) -> GradientFlow | None:
    """Return the gradients of the loss of some examples; None if no weight is trained."""
    program = run.experiment.program()
    fed = Arguments(run.experiment.model.input_types, program).data(x, y)
    most = program.batch_size or MOST
    inputs = {
        name: rows_of(fed[f"input:{name}"], 0, most) for name in run.experiment.model.input_types
    }
    labels = {key: rows_of(fed[o.labels_feed], 0, most) for key, o in program.objectives.items()}
    some_x = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    some_y = labels if len(labels) > 1 else next(iter(labels.values()))
    gradients = gradients_of(run, some_x, some_y)
    if not gradients:
        return None
    return flow_of(gradients, run.parameters(), len(next(iter(inputs.values()))))


def flow_of(
    gradients: Mapping[str, Array], weights: Mapping[str, Array], examples: int
) -> GradientFlow:
    """Return the bars of some gradients.

    Example:
        >>> flow = flow_of({"a": np.array([3.0, 4.0]), "b": np.array([0.05])},
        ...                {"a": np.array([0.0, 10.0]), "b": np.array([0.0])}, 8)
        >>> [(bar.name, bar.norm, bar.ratio, round(bar.width)) for bar in flow.bars]
        [('a', '5', '0.5', 100), ('b', '0.05', '', 6)]
        >>> flow.text
        'The largest norm is 5 (a), the least 0.05 (b): a factor of 100.'
    """
    norms = {
        name: float(np.linalg.norm(each.astype(np.float64))) for name, each in gradients.items()
    }
    sizes = {name: float(np.linalg.norm(weights[name].astype(np.float64))) for name in norms}
    usable = {name: norm for name, norm in norms.items() if norm > 0 and math.isfinite(norm)}
    bars = tuple(
        Bar(
            name,
            number(norm),
            number(norm / sizes[name]) if sizes[name] else "",
            _width(norm, list(usable.values())),
        )
        for name, norm in norms.items()
    )
    return GradientFlow(bars, _text(norms, usable), examples)


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))


def _width(norm: float, usable: list[float]) -> float:
    """Return the width of a bar in percent; the least has 6, so that it is seen."""
    if not (norm > 0 and math.isfinite(norm)):
        return 0.0
    low, high = math.log(min(usable)), math.log(max(usable))
    return 100.0 if high == low else 6 + 94 * (math.log(norm) - low) / (high - low)


def _text(norms: Mapping[str, float], usable: Mapping[str, float]) -> str:
    wrong = [name for name in norms if name not in usable]
    said = []
    if usable:
        most, least = max(usable, key=lambda n: usable[n]), min(usable, key=lambda n: usable[n])
        factor = usable[most] / usable[least]
        said.append(
            f"The largest norm is {number(usable[most])} ({most}), the least "
            f"{number(usable[least])} ({least}): a factor of {factor:.3g}."
        )
    if wrong:
        said.append(f"Zero or not finite: {', '.join(wrong)}.")
    return " ".join(said)
