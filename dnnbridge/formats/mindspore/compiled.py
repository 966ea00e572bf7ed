"""MindSpore's losses, and what its optimizers have kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import losses
from dnnbridge.base.arrays import Array
from dnnbridge.losses import AbstractLoss


class NoCounterpartError(Exception):
    """A loss has an argument without a counterpart; the text says which."""


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise NoCounterpartError(what)


def reduction_of(loss: Any) -> str:
    """Return how a loss makes a number of its elements: "mean", "sum" or "none"."""
    given = ("mean" if loss.average else "sum") if loss.reduce else "none"
    said = getattr(loss, "reduction", None)  # BCEWithLogitsLoss has the others at their defaults
    return said if said in ("mean", "sum", "none") else given


def _mean(loss: Any) -> None:
    reduction = reduction_of(loss)
    _need(reduction == "mean", f"reduction={reduction!r}")


def _without_weights(loss: Any) -> None:
    _mean(loss)
    for name in ("weight", "pos_weight"):
        _need(getattr(loss, name, None) is None, name)


def _plain(cls: type[AbstractLoss], **fields: Any) -> Callable[[Any], AbstractLoss]:
    def read(loss: Any) -> AbstractLoss:
        _without_weights(loss)
        return cls(**fields)

    return read


def _cross_entropy(loss: Any) -> AbstractLoss:
    _mean(loss)
    weight = None if loss.weight is None else tuple(map(float, loss.weight.asnumpy()))
    return losses.SparseCategoricalCrossentropy.mindspore(
        weight, int(loss.ignore_index), float(loss.label_smoothing)
    )


def _softmax_cross_entropy(loss: Any) -> AbstractLoss:
    _mean(loss)
    cls = losses.SparseCategoricalCrossentropy if loss.sparse else losses.CategoricalCrossentropy
    return cls(from_logits=True)


def _huber(loss: Any) -> AbstractLoss:
    _mean(loss)
    return losses.Huber(float(loss.delta))


def _absolute(loss: Any) -> AbstractLoss:
    _need(getattr(loss, "reduction", "mean") == "mean", "another reduction than 'mean'")
    _mean(loss)
    return losses.MeanAbsoluteError()


def _smooth(loss: Any) -> AbstractLoss:
    _need(loss.reduction == "mean", f"reduction={loss.reduction!r}")
    _need(float(loss.beta) == 1.0, f"beta={loss.beta}")
    return losses.Huber(1.0)


LOSSES: Mapping[str, Callable[[Any], AbstractLoss]] = {
    "MSELoss": _plain(losses.MeanSquaredError),
    "L1Loss": _plain(losses.MeanAbsoluteError),
    "CrossEntropyLoss": _cross_entropy,
    "SoftmaxCrossEntropyWithLogits": _softmax_cross_entropy,
    "BCELoss": _plain(losses.BinaryCrossentropy),
    "BCEWithLogitsLoss": _plain(losses.BinaryCrossentropy, from_logits=True),
    "HuberLoss": _huber,
    "SmoothL1Loss": _smooth,
    "MAELoss": _absolute,
    "L1LossExt": _absolute,
}
"""The loss of each class of `mindspore.nn`."""


def summed(loss: Any) -> AbstractLoss | None:
    """Return a loss that is not a mean, as a training computes it; None if it is a mean.

    A training of a loss without reduction moves by the gradient of its sum. A sum here is that of
    examples, of which each has the mean of its elements, as in Keras.
    """
    kind = type(loss).__name__
    if kind not in LOSSES or not hasattr(loss, "reduce") or reduction_of(loss) == "mean":
        return None
    return LOSSES[kind](_Mean(loss)).replace(reduction="sum")


class _Mean:
    """A loss with a mean as its reduction."""

    reduce, average, reduction = True, True, "mean"

    def __init__(self, loss: Any) -> None:
        self.loss = loss

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loss, name)


def read_loss(loss: Any) -> AbstractLoss:
    """Return the loss here.

    Raises:
        NoCounterpartError: there is none.
    """
    if isinstance(loss, AbstractLoss):
        return loss
    kind = type(loss).__name__
    _need(kind in LOSSES, f"the loss {kind} has no counterpart here")
    try:
        return LOSSES[kind](loss)
    except NoCounterpartError as error:
        raise NoCounterpartError(f"the loss nn.{kind} with {error}") from None


SLOTS: Mapping[str, Mapping[str, str]] = {
    "SGD": {"velocity": "accum"},
    "Momentum": {"velocity": "moments"},
    "Adam": {"m": "moment1", "v": "moment2", "largest": "vhat"},
    "AdamWeightDecay": {"m": "moments1", "v": "moments2"},
    "AdaMax": {"m": "moment1", "u": "moment2"},
    "LazyAdam": {"m": "moment1", "v": "moment2"},
    "AdamOffload": {"m": "moment1", "v": "moment2"},
    "RMSProp": {"s": "ms", "mean": "mg", "m": "moment"},
    "FTRL": {"n": "moments", "z": "linear"},
    "ProximalAdagrad": {"s": "accum"},
    "Adagrad": {"s": "accum"},
    "Adadelta": {"s": "accum", "u": "accum_update"},
}
"""The attribute that holds the arrays of each slot here."""


def read_slots(optimizer: Any) -> tuple[dict[str, dict[str, Array]], int]:
    """Return what an optimizer has kept, by slot here and name of the parameter, and its step."""
    step = int(optimizer.global_step.asnumpy().reshape(-1)[0])
    found: dict[str, dict[str, Array]] = {}
    names = [parameter.name for parameter in optimizer.parameters]
    for slot, attribute in SLOTS.get(type(optimizer).__name__, {}).items():
        arrays = getattr(optimizer, attribute, None)
        if arrays:
            copies = [array.asnumpy().copy() for array in arrays]
            found[slot] = dict(zip(names, copies, strict=True))
    return found, step
