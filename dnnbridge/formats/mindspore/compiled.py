"""MindSpore's losses and optimizers, with what the optimizers have kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import losses, optimizers
from dnnbridge.base.arrays import Array
from dnnbridge.losses import AbstractLoss
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.schedules import TableSchedule


class NoCounterpartError(Exception):
    """A loss or an optimizer has an argument without a counterpart; the text says which."""


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise NoCounterpartError(what)


def _mean(loss: Any) -> None:
    reduction = ("mean" if loss.average else "sum") if loss.reduce else "none"
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


LOSSES: Mapping[str, Callable[[Any], AbstractLoss]] = {
    "MSELoss": _plain(losses.MeanSquaredError),
    "L1Loss": _plain(losses.MeanAbsoluteError),
    "CrossEntropyLoss": _cross_entropy,
    "SoftmaxCrossEntropyWithLogits": _softmax_cross_entropy,
    "BCELoss": _plain(losses.BinaryCrossentropy),
    "BCEWithLogitsLoss": _plain(losses.BinaryCrossentropy, from_logits=True),
    "HuberLoss": _huber,
}
"""The loss of each class of `mindspore.nn`."""


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


def _number(value: Any) -> float:
    """Return a hyper-parameter: a number, or a tensor that holds the nearest float32."""
    found = value.asnumpy().reshape(-1)[0] if hasattr(value, "asnumpy") else value
    return float(f"{float(found):.8g}")


def _rate(optimizer: Any) -> Any:
    _need(not optimizer.is_group, "groups of parameters")
    given = getattr(optimizer, "init_learning_rate", None)
    if not optimizer.dynamic_lr:
        return _number(optimizer.learning_rate)
    _need(isinstance(given, (list, tuple)), "a schedule as its learning rate")
    assert given is not None
    return TableSchedule(tuple(map(float, given)))


def _common(optimizer: Any) -> dict[str, Any]:
    _need(not optimizer.dynamic_weight_decay, "a schedule as its weight decay")
    _need(optimizer.loss_scale == 1.0, f"loss_scale={optimizer.loss_scale}")
    decay = _number(optimizer.weight_decay)
    return {"learning_rate": _rate(optimizer), "weight_decay": decay}


def _sgd(optimizer: Any) -> AbstractOptimizer:
    return optimizers.SGD.mindspore(
        **_common(optimizer),
        momentum=_number(optimizer.momentum),
        dampening=float(getattr(optimizer, "dampening", 0.0)),
        nesterov=bool(getattr(optimizer, "nesterov", False)),
    )


def _momentum(optimizer: Any) -> AbstractOptimizer:
    _need(not optimizer.use_nesterov, "use_nesterov=True: MindSpore ignores it on a CPU")
    return optimizers.SGD.mindspore(**_common(optimizer), momentum=_number(optimizer.momentum))


def _betas(optimizer: Any) -> dict[str, float]:
    return {name: _number(getattr(optimizer, name)) for name in ("beta1", "beta2", "eps")}


def _adam(optimizer: Any) -> AbstractOptimizer:
    _need(not getattr(optimizer, "use_lazy", False), "use_lazy=True")
    return optimizers.Adam.mindspore(
        **_common(optimizer),
        **_betas(optimizer),
        use_nesterov=bool(optimizer.use_nesterov),
        use_amsgrad=bool(optimizer.use_amsgrad),
    )


def _adam_weight_decay(optimizer: Any) -> AbstractOptimizer:
    return optimizers.AdamW.mindspore(**_common(optimizer), **_betas(optimizer))


def _adamax(optimizer: Any) -> AbstractOptimizer:
    return optimizers.Adamax.mindspore(**_common(optimizer), **_betas(optimizer))


def _adagrad(optimizer: Any) -> AbstractOptimizer:
    accum = float(optimizer.init_args["accum"])
    return optimizers.Adagrad.mindspore(**_common(optimizer), accum=accum)


def _adadelta(optimizer: Any) -> AbstractOptimizer:
    given = {"rho": _number(optimizer.rho), "epsilon": _number(optimizer.epsilon)}
    return optimizers.Adadelta.mindspore(**_common(optimizer), **given)


OPTIMIZERS: Mapping[str, Callable[[Any], AbstractOptimizer]] = {
    "SGD": _sgd,
    "Momentum": _momentum,
    "Adam": _adam,
    "AdamWeightDecay": _adam_weight_decay,
    "AdaMax": _adamax,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
}
"""The optimizer of each class of `mindspore.nn`."""

SLOTS: Mapping[str, Mapping[str, str]] = {
    "SGD": {"velocity": "accum"},
    "Momentum": {"velocity": "moments"},
    "Adam": {"m": "moment1", "v": "moment2", "largest": "vhat"},
    "AdamWeightDecay": {"m": "moments1", "v": "moments2"},
    "AdaMax": {"m": "moment1", "u": "moment2"},
    "Adagrad": {"s": "accum"},
    "Adadelta": {"s": "accum", "u": "accum_update"},
}
"""The attribute that holds the arrays of each slot here."""


def read_optimizer(optimizer: Any) -> AbstractOptimizer:
    """Return the optimizer here.

    Raises:
        NoCounterpartError: there is none.
    """
    if isinstance(optimizer, AbstractOptimizer):
        return optimizer
    kind = type(optimizer).__name__
    _need(kind in OPTIMIZERS, f"the optimizer {kind} has no counterpart here")
    try:
        return OPTIMIZERS[kind](optimizer)
    except NoCounterpartError as error:
        raise NoCounterpartError(f"the optimizer nn.{kind} with {error}") from None


def read_slots(optimizer: Any) -> tuple[dict[str, dict[str, Array]], int]:
    """Return what an optimizer has kept, by slot here and name of the parameter, and its step."""
    step = int(optimizer.global_step.asnumpy().reshape(-1)[0])
    found: dict[str, dict[str, Array]] = {}
    names = [parameter.name for parameter in optimizer.parameters]
    for slot, attribute in SLOTS[type(optimizer).__name__].items():
        arrays = getattr(optimizer, attribute, None)
        if arrays:
            copies = [array.asnumpy().copy() for array in arrays]
            found[slot] = dict(zip(names, copies, strict=True))
    return found, step
