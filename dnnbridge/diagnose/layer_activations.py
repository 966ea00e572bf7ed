"""`activations`: what comes out of each layer; dead and saturated units, shrinking signals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, listed, number, share
from dnnbridge.diagnose.ends import activation_of, dead_units, saturated
from dnnbridge.diagnose.subjects import Subject, count_of, run_of
from dnnbridge.graph import Call, Node
from dnnbridge.models.tracing import trace, weights_below
from dnnbridge.program.probes import layer_outputs
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.probing import activations_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 0.5
"""A layer with a larger share of dead units, or of saturated outputs, is named."""

SHRINKS, GROWS = 0.05, 20.0
"""A standard deviation that changes by such a factor from the first hidden layer is named."""

PANELS = 12
"""Most histograms of a picture."""


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """Numbers of the outputs of a layer, over all examples, places and units.

    Attributes:
        name: path of the layer.
        kind: its class.
        activation: class of the activation that makes its output; "" if none does.
        hidden: whether it makes no output of the model.
        parameters: number of its trainable weights.
        mean: mean of the outputs.
        std: standard deviation of the outputs.
        least: smallest output.
        largest: largest output.
        finite: whether all outputs are finite; the other numbers are of those that are.
        dead: share of its units that are dead; None if the activation has no dead side.
        saturated: share of its outputs that are saturated; None if the activation has no two ends.
        counts: numbers of outputs in the bins of a histogram.
        edges: limits of the bins, one more than there are bins.
    """

    name: str
    kind: str
    activation: str
    hidden: bool
    parameters: int
    mean: float
    std: float
    least: float
    largest: float
    finite: bool
    dead: float | None
    saturated: float | None
    counts: Array
    edges: Array


@dataclass(frozen=True, eq=False, repr=False)
class Activations(AbstractDiagnosis):
    """What comes out of the layers of a model.

    Attributes:
        layers: numbers of each layer, in the order of computing.
        examples: how many examples were looked at.
    """

    layers: tuple[LayerActivations, ...]
    examples: int

    title: ClassVar[str] = "activations"

    def __getitem__(self, name: str) -> LayerActivations:
        """Return the numbers of a layer by its path."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def dead(self) -> tuple[str, ...]:
        """Hidden layers of which more than half of the units are dead."""
        return tuple(a.name for a in self.layers if a.hidden and (a.dead or 0.0) > MOST)

    @property
    def saturated(self) -> tuple[str, ...]:
        """Hidden layers of which more than half of the outputs are saturated."""
        return tuple(a.name for a in self.layers if a.hidden and (a.saturated or 0.0) > MOST)

    @property
    def chain(self) -> tuple[LayerActivations, ...]:
        """The hidden layers that end with an activation; if none does, those with weights."""
        hidden = [layer for layer in self.layers if layer.hidden]
        weighted = [layer for layer in hidden if layer.parameters]
        return tuple([layer for layer in hidden if layer.activation] or weighted or hidden)

    @property
    def shrinking(self) -> tuple[str, ...]:
        """Layers of the chain whose standard deviation is below 1/20 of that of the first."""
        return tuple(a.name for a in self.chain if a.std < SHRINKS * self.chain[0].std)

    @property
    def growing(self) -> tuple[str, ...]:
        """Layers of the chain whose standard deviation is above 20 times that of the first."""
        return tuple(a.name for a in self.chain if a.std > GROWS * self.chain[0].std)

    @property
    def ok(self) -> bool:
        finite = all(layer.finite for layer in self.layers)
        return finite and not (self.dead or self.saturated or self.shrinking or self.growing)

    @property
    def verdict(self) -> str:
        infinite = [layer.name for layer in self.layers if not layer.finite]
        if infinite:
            return (
                f"Outputs of {listed(infinite)} are not finite. Look for weights or inputs that "
                "are too large, and for a learning rate that is too high."
            )
        found = [self._dead(), self._saturated(), self._signal()]
        return " ".join(filter(None, found)) or self._healthy()

    def _dead(self) -> str:
        if not self.dead:
            return ""
        shares = [self[name].dead or 0.0 for name in self.dead]
        return (
            f"{share(max(shares))} of the units of {listed(self.dead)} are dead: they give the "
            f"same lowest value for all {self.examples} examples, so no gradient passes. A "
            "negative bias or a too high learning rate does this: start with biases of 0, use a "
            "smaller rate, or LeakyReLU."
        )

    def _saturated(self) -> str:
        if not self.saturated:
            return ""
        shares = [self[name].saturated or 0.0 for name in self.saturated]
        return (
            f"Up to {share(max(shares))} of the outputs of {listed(self.saturated)} are saturated, "
            "where the derivative is almost 0. The weights or the inputs are too large: scale "
            "inputs to a standard deviation of 1 and start with GlorotNormal."
        )

    def _signal(self) -> str:
        changed = self.shrinking or self.growing
        if not changed:
            return ""
        first, last = self.chain[0], self[changed[-1]]
        word, size = ("shrinks", "small") if self.shrinking else ("grows", "large")
        return (
            f"The signal {word} from layer to layer: its standard deviation is {number(first.std)} "
            f"after {first.name} and {number(last.std)} after {last.name}. The weights are too "
            f"{size}: start with HeNormal for ReLU and GlorotNormal for tanh, or add normalisation."
        )

    def _healthy(self) -> str:
        stds = [layer.std for layer in self.chain]
        if not stds:
            return "The model has no hidden layer."
        dead = max((layer.dead or 0.0 for layer in self.layers), default=0.0)
        ends = max((layer.saturated or 0.0 for layer in self.layers if layer.hidden), default=0.0)
        return (
            f"The signal reaches every layer: standard deviations of hidden layers are "
            f"{number(min(stds))} to {number(max(stds))}, at most {share(dead)} of the units of a "
            f"layer are dead and at most {share(ends)} of its outputs saturated."
        )

    def table(self) -> list[Row]:
        return [
            {
                "layer": layer.name,
                "activation": layer.activation,
                "mean": layer.mean,
                "std": layer.std,
                "dead": layer.dead,
                "saturated": layer.saturated,
            }
            for layer in self.layers
        ]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import histograms

        shown = self.chain or self.layers
        picked = np.unique(np.linspace(0, len(shown) - 1, min(PANELS, len(shown))).astype(int))
        return histograms([shown[i] for i in picked])


@explained()
def activations(
    subject: Subject,
    x: Any,
    *,
    training: bool = True,
    bins: int = 50,
    batch_size: int | None = None,
    backend: str | None = None,
) -> Activations:
    """Look at the outputs of all layers for some examples.

    A unit is dead if its ReLU gives 0 for every example, or a smooth activation its limit on the
    left within 0.001 (-1 for ELU). An output is saturated if |tanh| > 0.97, or a sigmoid is below
    0.02 or above 0.98. A signal shrinks or grows if the standard deviation of a hidden layer is
    below 1/20 or above 20 times that of the first one. (Glorot & Bengio, 2010; He et al., 2015)

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs; a few hundred rows are enough.
        training: compute as in a training step: dropout draws, and normalisation uses the
            statistics of the batch. False computes as `Run.predict` does.
        bins: bins of a histogram.
        batch_size: examples per step; by default 256.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the inputs do not fit the model, or another argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> layers = [db.Dense(16, "relu", bias_initializer=db.Constant(-100.0)), db.Dense(1)]
        >>> experiment = db.Experiment(db.Sequential([db.Input((4,)), *layers]), "mse", "sgd")
        >>> x = np.random.default_rng(0).normal(size=(200, 4))
        >>> found = db.diagnose.activations(experiment, x, backend="reference")
        >>> found.ok, found.dead, found["dense"].dead
        (False, ('dense',), 1.0)
    """
    check_positive(bins, "bins")
    run = run_of(subject, backend)
    outputs = activations_of(run, x, batch_size, training)
    graph, declared = trace(run.experiment.model)
    known, last = layer_outputs(graph.nodes)[1], set(graph.outputs)
    layers = []
    for name, y in outputs.items():
        layer = known.get(name)
        if layer is None or _is_model(layer.node):
            continue
        weights = sum(weights_below(layer.node.path, declared).values())
        array = np.asarray(y, np.float64)
        layers.append(_numbers(name, array, layer.node, layer.value not in last, weights, bins))
    return Activations(tuple(layers), count_of(x))


def _is_model(node: Node) -> bool:
    return isinstance(node.op, Call) and bool(getattr(node.op.spec, "is_model", False))


def _numbers(
    name: str, y: Array, node: Node, hidden: bool, weights: int, bins: int
) -> LayerActivations:
    spec = node.op.spec if isinstance(node.op, Call) else None
    activation = activation_of(node)
    finite = np.isfinite(y)
    good = y if finite.all() else y[finite]
    channels_first = getattr(spec, "data_format", "") == "channels_first"
    dead = dead_units(y, activation, axis=1 if channels_first else -1)
    ends = saturated(good, activation)
    spread = (good.min(), good.max()) if good.size else (0.0, 0.0)
    counts, edges = np.histogram(good, bins, spread if np.ptp(spread) else None)
    return LayerActivations(
        name,
        type(spec).__name__,
        type(activation).__name__ if activation else "",
        hidden,
        weights,
        float(good.mean()) if good.size else math.nan,
        float(good.std()) if good.size else math.nan,
        float(spread[0]),
        float(spread[1]),
        bool(finite.all()),
        None if dead is None else float(dead.mean()),
        None if ends is None else float(ends.mean()) if ends.size else 0.0,
        counts,
        edges,
    )
