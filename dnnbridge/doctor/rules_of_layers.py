"""Rules about layers: arguments, defaults, and what their classes do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dnnbridge import layers
from dnnbridge.doctor.remedies_of_layers import (
    batch_norm,
    dropped,
    flat,
    followed_variance,
    layer_norm,
    masked_embedding,
    one_bias,
    ordered_gates,
    transposed,
)
from dnnbridge.doctor.rule import Place, Places, Rule, never
from dnnbridge.doctor.rules_of_convolutions import CONVOLUTIONS, RULES_OF_CONVOLUTIONS
from dnnbridge.doctor.subject import Framework, PlacedLayer, Subject
from dnnbridge.layers import AbstractLayer

Noted = Callable[[PlacedLayer], str]


def placed(
    *kinds: type[AbstractLayer], note: Noted = lambda _: "", where: Callable[[Any], bool] = bool
) -> Places:
    """Return what finds the layers of some classes; `where` is asked of the layer."""

    def places(subject: Subject) -> Iterator[Place]:
        for each in subject.of(*kinds):
            if where(each.layer):
                yield Place(each.path, each.layer, note(each), each.shape, each.weights)

    return places


def _sizes(weight: str) -> Noted:
    return lambda each: ", ".join(map(str, each.weights.get(weight, ())))


def _matrices(subject: Subject) -> Iterator[Place]:
    found = placed(layers.Dense, note=_sizes("kernel"))(subject)
    return (place for place in found if len(place.weights.get("kernel", ())) == 2)


def _flattens(subject: Subject) -> Iterator[Place]:
    if any(subject.of(*CONVOLUTIONS)):
        yield from placed(layers.Flatten)(subject)


def _mixes(place: Place, to: Framework) -> bool:
    """Whether the rows of the next kernel have another order: several pixels and channels."""
    shape = place.shape
    if shape is None or len(shape) < 2 or place.subject.origin == "mindspore":
        return False
    pixels = [size for size in shape[:-1] if size != 1]
    return bool(pixels) and shape[-1] != 1


def _other_batch_norm(place: Place, to: Framework) -> bool:
    there = layers.BatchNormalization
    default = there.mindspore() if to == "mindspore" else there()
    norm = place.spec
    return bool((norm.epsilon, norm.momentum) != (default.epsilon, default.momentum))


def _other_variance(place: Place, to: Framework) -> bool:
    return bool(place.spec.unbiased != (to == "mindspore"))


def _other_layer_norm(place: Place, to: Framework) -> bool:
    there = layers.LayerNormalization
    default = there.mindspore() if to == "mindspore" else there()
    return bool(place.spec.epsilon != default.epsilon)


def _other_biases(place: Place, to: Framework) -> bool:
    return bool(place.spec.use_recurrent_bias != (to == "mindspore"))


def _both_norms(places: Sequence[Place]) -> str:
    keras, mindspore = layers.BatchNormalization(), layers.BatchNormalization.mindspore()
    return (
        f"Keras' defaults are epsilon {keras.epsilon:g} and momentum {keras.momentum:g}, those of "
        f"`nn.BatchNorm2d` {mindspore.epsilon:g} and {mindspore.momentum:g}. In both, momentum is "
        "the share of the running statistics that is kept."
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="dense-layout",
        stage="layer",
        keras=("Dense",),
        mindspore=("Dense",),
        places=_matrices,
        says="Keras keeps a kernel as (inputs, outputs), MindSpore as (outputs, inputs).",
        remedy=transposed,
        needs="weights",
    ),
    *RULES_OF_CONVOLUTIONS,
    Rule(
        name="flatten-order",
        stage="layer",
        keras=("Flatten",),
        mindspore=("Flatten",),
        places=_flattens,
        says="After convolutions a Flatten of MindSpore runs over channels first, Keras' over "
        "channels last, so the rows of the next kernel have another order.",
        remedy=flat,
        bites=_mixes,
        needs="weights",
    ),
    Rule(
        name="batch-norm-defaults",
        stage="layer",
        keras=("BatchNormalization",),
        mindspore=("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
        places=placed(
            layers.BatchNormalization,
            note=lambda e: f"epsilon {_of(e).epsilon:g}, momentum {_of(e).momentum:g}",
        ),
        says=_both_norms,
        remedy=batch_norm,
        bites=_other_batch_norm,
    ),
    Rule(
        name="batch-norm-variance",
        stage="layer",
        keras=("BatchNormalization",),
        mindspore=("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
        places=placed(
            layers.BatchNormalization, note=lambda e: "unbiased" if _of(e).unbiased else "biased"
        ),
        says="In training MindSpore's running variance follows n / (n - 1) times the variance of "
        "the batch (unbiased), Keras' the variance itself (biased).",
        remedy=followed_variance,
        bites=_other_variance,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="batch-norm-one",
        stage="layer",
        mindspore=("BatchNorm1d",),
        places=placed(layers.BatchNormalization),
        says="After a training step on one example `nn.BatchNorm1d` has a running variance of NaN.",
        remedy=never,
        unseen="It depends on the size of a batch.",
    ),
    Rule(
        name="dropout-argument",
        stage="layer",
        keras=("Dropout",),
        mindspore=("Dropout",),
        places=placed(layers.Dropout, note=lambda e: f"rate {_of(e).rate}"),
        says="The first argument of `nn.Dropout` is the share that is kept; the rate of Keras is "
        "the share that is dropped.",
        remedy=dropped,
        bites=lambda place, to: place.spec.rate not in (0.0, 0.5),
    ),
    Rule(
        name="layer-norm-epsilon",
        stage="layer",
        keras=("LayerNormalization",),
        mindspore=("LayerNorm",),
        places=placed(layers.LayerNormalization, note=lambda e: f"epsilon {_of(e).epsilon:g}"),
        says="The default epsilon is 1e-3 in Keras and 1e-7 in MindSpore.",
        remedy=layer_norm,
        bites=_other_layer_norm,
    ),
    Rule(
        name="embedding-padding",
        stage="gradient",
        keras=("Embedding",),
        mindspore=("Embedding",),
        places=placed(
            layers.Embedding,
            note=lambda e: f"padding_idx {_of(e).padding_idx}",
            where=lambda layer: layer.padding_idx is not None,
        ),
        says="MindSpore trains the row of `padding_idx` like any other.",
        remedy=masked_embedding,
    ),
    Rule(
        name="lstm-biases",
        stage="update",
        keras=("LSTM",),
        mindspore=("LSTM",),
        places=placed(
            layers.LSTM,
            note=lambda e: f"{4 * _of(e).units} numbers",
            where=lambda layer: bool(layer.use_bias),
        ),
        says="`nn.LSTM` has two biases, of the input and of the state; Keras has one.",
        remedy=one_bias,
        bites=_other_biases,
    ),
    Rule(
        name="gru-order",
        stage="layer",
        keras=("GRU",),
        mindspore=("GRU",),
        places=placed(layers.GRU),
        says="The blocks of a GRU's weights are r, z, n in MindSpore and z, r, h in Keras.",
        remedy=ordered_gates,
        needs="weights",
    ),
)


def _of(each: PlacedLayer) -> Any:
    return each.layer
