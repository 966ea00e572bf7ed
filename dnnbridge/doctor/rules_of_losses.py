"""Rules about losses: what they divide by, what they take, and what they do at the edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dnnbridge import losses
from dnnbridge.doctor.native_code import call
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule, never
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.losses import AbstractLoss

Fits = Callable[[Any], bool]

ELEMENTWISE = {
    losses.MeanSquaredError: "MSELoss",
    losses.MeanAbsoluteError: "L1Loss",
}
"""Losses that have a number per element, and their classes in MindSpore."""

CROSS_ENTROPIES = (losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy)


def given(*kinds: type[AbstractLoss], fits: Fits = lambda loss: True) -> Places:
    """Return what finds the losses of some classes."""

    def places(subject: Subject) -> Iterator[Place]:
        for kind in kinds:
            for each in subject.losses:
                if isinstance(each.loss, kind) and fits(each.loss):
                    yield Place(each.path, each.loss, "", each.shape)

    return places


def _summed(place: Place, to: Framework) -> bool:
    return type(place.spec) in ELEMENTWISE and (place.shape is None or place.shape[-1:] != (1,))


def _sum(place: Place) -> Remedy:
    name = type(place.spec).__name__
    mindspore = ELEMENTWISE.get(type(place.spec), "MSELoss")
    return Remedy(
        f"{call(f'keras.losses.{name}', reduction='sum')}(y, p)",
        f"{call(f'nn.{mindspore}', reduction='sum')}(p, y) / p.shape[-1]",
    )


def _reshaped(place: Place) -> Remedy:
    return Remedy("keras.losses.MeanSquaredError()(y, p)", "nn.MSELoss()(p, y.reshape(p.shape))")


def _column(place: Place, to: Framework) -> bool:
    return to == "mindspore" and place.shape is not None and place.shape[-1:] == (1,)


def _cross_entropy(place: Place) -> Remedy:
    sparse = isinstance(place.spec, losses.SparseCategoricalCrossentropy)
    name = f"keras.losses.{type(place.spec).__name__}"
    there = call("nn.SoftmaxCrossEntropyWithLogits", sparse=sparse, reduction="none")
    return Remedy(f"{call(name, from_logits=True)}(y, logits)", f"{there}(logits, y).mean()")


def _clipped(place: Place) -> Remedy:
    epsilon = place.spec.epsilon
    return Remedy(
        "keras.losses.BinaryCrossentropy()(y, p)",
        f"nn.BCELoss(reduction='mean')(ops.clamp(p, {epsilon!r}, {1 - epsilon!r}), y)",
    )


def _one_answer(place: Place) -> Remedy:
    return Remedy(
        "keras.losses.BinaryCrossentropy()(y, p)",
        "-(y * ops.log(p) + (1 - y) * ops.log(1 - p)).mean()",
    )


def _divergence(place: Place) -> Remedy:
    return Remedy(
        "keras.losses.KLDivergence()(y, p)",
        "nn.KLDivLoss(reduction='batchmean')(ops.log(p), y)",
    )


def _cosine(place: Place) -> Remedy:
    return Remedy(
        "keras.losses.CosineSimilarity()(y, p)",
        "nn.CosineEmbeddingLoss()(p, y, ops.ones(len(p), ms.int32)) - 1",
    )


def _weighted(place: Place) -> Remedy:
    weights = list(place.spec.class_weights)
    keras = "keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)"
    there = f"ms.Tensor({weights}, ms.float32)"
    mean = place.spec.reduction == "mean"
    divisor = "len(y)" if mean else "keras.ops.sum(w)"
    return Remedy(
        f"w = keras.ops.take({weights}, y)\n"
        f"loss = keras.ops.sum({keras}(y, logits) * w) / {divisor}",
        f"loss = nn.CrossEntropyLoss({there}, reduction='none')(logits, y).mean()"
        if mean
        else f"loss = nn.CrossEntropyLoss({there})(logits, y)",
    )


def _other_divisor(place: Place, to: Framework) -> bool:
    weights = place.spec.class_weights
    uneven = weights is not None and any(each != 1.0 for each in weights)
    return uneven and place.spec.reduction == ("mean" if to == "mindspore" else "weighted_mean")


def _ignoring(place: Place) -> Remedy:
    number = place.spec.ignore_class
    keras = call(
        "keras.losses.SparseCategoricalCrossentropy", from_logits=True, ignore_class=number
    )
    there = call("nn.CrossEntropyLoss", ignore_index=number)
    return Remedy(
        f"{keras}(y, logits)",
        f"{there}(logits, y) if (y != {number}).any() else (logits * 0).sum()",
    )


PROBABILITIES: Fits = lambda loss: not loss.from_logits  # noqa: E731

RULES: tuple[Rule, ...] = (
    Rule(
        name="reduction-sum",
        stage="loss",
        keras=("MeanSquaredError", "MeanAbsoluteError"),
        mindspore=("MSELoss", "L1Loss"),
        places=given(AbstractLoss, fits=lambda loss: loss.reduction == "sum"),
        says="reduction='sum' adds up all elements in MindSpore, the means of the examples in "
        "Keras.",
        remedy=_sum,
        bites=_summed,
    ),
    Rule(
        name="mse-broadcast",
        stage="loss",
        keras=("MeanSquaredError",),
        mindspore=("MSELoss",),
        places=given(losses.MeanSquaredError),
        says="`nn.MSELoss` broadcasts labels (n,) against predictions (n, 1) to (n, n), without an "
        "error.",
        remedy=_reshaped,
        bites=_column,
        only="labels of shape (n,)",
    ),
    Rule(
        name="sparse-mean-infinite",
        stage="loss",
        keras=("SparseCategoricalCrossentropy",),
        mindspore=("SoftmaxCrossEntropyWithLogits",),
        places=given(losses.SparseCategoricalCrossentropy),
        says="`nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')` is infinite once a "
        "probability underflows, and 'none' is its default, not the mean.",
        remedy=_cross_entropy,
        only="logits that differ by more than 100",
    ),
    Rule(
        name="cross-entropy-shape",
        stage="loss",
        keras=("SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
        mindspore=("SoftmaxCrossEntropyWithLogits",),
        places=given(*CROSS_ENTROPIES, fits=lambda loss: bool(loss.reduction == "mean")),
        says="The reduction of `nn.SoftmaxCrossEntropyWithLogits` is 'none' by default: a loss "
        "per example. MindSpore then takes the gradient of their sum, so each step is as many "
        "times larger as a batch has examples. Keras' losses are means.",
        remedy=_cross_entropy,
        bites=lambda place, to: to == "mindspore",
    ),
    Rule(
        name="bad-label-zero",
        stage="loss",
        mindspore=("SoftmaxCrossEntropyWithLogits",),
        places=given(losses.SparseCategoricalCrossentropy),
        says="MindSpore's loss of a label that is no class is 0, and nothing is said.",
        remedy=never,
        unseen="It depends on the labels, and they are wrong.",
    ),
    Rule(
        name="bce-clipping",
        stage="loss",
        keras=("BinaryCrossentropy",),
        mindspore=("BCELoss",),
        places=given(losses.BinaryCrossentropy, fits=PROBABILITIES),
        says="For a sure wrong answer `nn.BCELoss` adds 1e-12 to the probability (loss 27.6, "
        "gradient -1e12); Keras clips it at 1e-7 (loss 16.1, gradient 0).",
        remedy=_clipped,
        only="answers that are sure and wrong",
    ),
    Rule(
        name="bce-one",
        stage="loss",
        keras=("BinaryCrossentropy",),
        mindspore=("BCELoss",),
        places=given(losses.BinaryCrossentropy),
        says="The mean and the gradient of `nn.BCELoss` of a single element are twice too large.",
        remedy=_one_answer,
        bites=lambda place, to: not place.spec.from_logits,
        only="a batch of one number",
    ),
    Rule(
        name="probabilities-clip-order",
        stage="loss",
        keras=("SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
        places=given(*CROSS_ENTROPIES, fits=PROBABILITIES),
        says="Keras divides predictions by their sum and clips them to [1e-7, 1 - 1e-7]; "
        "MindSpore's losses take logits.",
        remedy=never,
        unseen="It depends on whether the predictions sum up to 1.",
    ),
    Rule(
        name="kl-mean",
        stage="loss",
        keras=("KLDivergence",),
        mindspore=("KLDivLoss",),
        places=given(losses.KLDivergence),
        says="`nn.KLDivLoss` divides by all elements, Keras by the examples.",
        remedy=_divergence,
    ),
    Rule(
        name="cosine-offset",
        stage="loss",
        keras=("CosineSimilarity",),
        mindspore=("CosineEmbeddingLoss",),
        places=given(losses.CosineSimilarity),
        says="`nn.CosineEmbeddingLoss` is 1 - cos, Keras' CosineSimilarity is -cos.",
        remedy=_cosine,
    ),
    Rule(
        name="class-weights",
        stage="loss",
        keras=("SparseCategoricalCrossentropy",),
        mindspore=("CrossEntropyLoss",),
        places=given(*CROSS_ENTROPIES, fits=lambda loss: loss.class_weights is not None),
        says="MindSpore divides weighted losses by the sum of the weights, Keras by the number of "
        "examples.",
        remedy=_weighted,
        bites=_other_divisor,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="all-ignored",
        stage="loss",
        keras=("SparseCategoricalCrossentropy",),
        mindspore=("CrossEntropyLoss",),
        places=given(
            losses.SparseCategoricalCrossentropy, fits=lambda loss: loss.ignore_class is not None
        ),
        says="Where all labels of a batch are ignored, MindSpore divides 0 by 0 and the loss is "
        "NaN; Keras' is 0.",
        remedy=_ignoring,
        only="batches whose labels are all ignored",
    ),
)
