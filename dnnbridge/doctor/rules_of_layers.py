"""Rules about layers: arguments, defaults, and what their classes do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dnnbridge import layers
from dnnbridge.doctor.native_code import call, channels, lines
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule, never
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


def _norm(place: Place) -> str:
    axes = len(place.shape or (1,))
    return f"nn.BatchNorm{min(max(axes, 2) - 1 if axes > 1 else 1, 3)}d"


def _features(place: Place) -> Any:
    sizes = next(iter(place.weights.values()), None)
    return sizes[0] if sizes else channels(place.shape)


def _batch_norm(place: Place) -> Remedy:
    norm = place.spec
    return Remedy(
        call(
            "keras.layers.BatchNormalization",
            **({} if norm.axis == -1 else {"axis": norm.axis}),
            momentum=norm.momentum,
            epsilon=norm.epsilon,
        ),
        call(_norm(place), _features(place), eps=norm.epsilon, momentum=norm.momentum),
    )


def _other_batch_norm(place: Place, to: Framework) -> bool:
    there = layers.BatchNormalization
    default = there.mindspore() if to == "mindspore" else there()
    norm = place.spec
    return bool((norm.epsilon, norm.momentum) != (default.epsilon, default.momentum))


def _variance(place: Place) -> Remedy:
    """Correct what one side follows by n / (n - 1) after each step."""
    plain, kept = _batch_norm(place), place.spec.momentum
    if place.spec.unbiased:
        keras = lines(
            f"norm = {plain.tensorflow}  # made once",
            "old = keras.ops.copy(norm.moving_variance) if norm.built else 1.0",
            "y = norm(x, training=True)",
            "n = keras.ops.size(x) / keras.ops.shape(x)[-1]",
            f"new = {kept} * old + (norm.moving_variance - {kept} * old) * n / (n - 1)",
            "norm.moving_variance.assign(new)",
        )
        return Remedy(keras, plain.mindspore)
    mindspore = lines(
        f"norm = {plain.mindspore}.set_train()  # made once",
        "old = norm.moving_variance.value().copy()",
        "y = norm(x)",
        "n = x.size / x.shape[1]",
        f"new = {kept} * old + (norm.moving_variance - {kept} * old) * (n - 1) / n",
        "ops.assign(norm.moving_variance, new)",
    )
    return Remedy(plain.tensorflow, mindspore)


def _other_variance(place: Place, to: Framework) -> bool:
    return bool(place.spec.unbiased != (to == "mindspore"))


def _dropout(place: Place) -> Remedy:
    rate = place.spec.rate
    return Remedy(call("keras.layers.Dropout", rate), call("nn.Dropout", p=rate))


def _layer_norm(place: Place) -> Remedy:
    epsilon = place.spec.epsilon
    return Remedy(
        call("keras.layers.LayerNormalization", epsilon=epsilon),
        call("nn.LayerNorm", (channels(place.shape),), epsilon=epsilon),
    )


def _other_layer_norm(place: Place, to: Framework) -> bool:
    there = layers.LayerNormalization
    default = there.mindspore() if to == "mindspore" else there()
    return bool(place.spec.epsilon != default.epsilon)


def _embedding_mask(place: Place) -> Remedy:
    row = place.spec.padding_idx
    return Remedy(
        f"h = embedding(ids) * keras.ops.cast(ids != {row}, 'float32')[..., None]",
        f"h = embedding(ids) * (ids != {row}).astype(ms.float32).expand_dims(-1)",
    )


def _one_bias(place: Place) -> Remedy:
    units = place.spec.units
    size = place.weights.get("kernel", ())
    given = size[0] if size else channels(place.shape)
    keras = call("keras.layers.LSTM", units, return_sequences=True)
    mindspore = call("nn.LSTM", given, units, batch_first=True)
    if place.spec.use_recurrent_bias:  # the gradient of the one bias of Keras counts twice
        return Remedy(f"{keras}  # b = b_ih + b_hh, and twice its gradient", mindspore)
    frozen = lines(
        f"lstm = {mindspore}",
        "for p in lstm.trainable_params():",
        '    if "bias_hh" in p.name:',
        "        p.set_data(ops.zeros_like(p))",
        "        p.requires_grad = False",
    )
    return Remedy(keras, frozen)


def _other_biases(place: Place, to: Framework) -> bool:
    return bool(place.spec.use_recurrent_bias != (to == "mindspore"))


def _gates(place: Place) -> Remedy:
    return Remedy(
        "r, z, h = np.split(weight_ih.asnumpy().T, 3, axis=1)\n"
        "kernel.assign(np.concatenate([z, r, h], axis=1))",
        "z, r, h = np.split(kernel.numpy(), 3, axis=1)\n"
        "weight_ih.set_data(ms.Tensor(np.concatenate([r, z, h], axis=1).T))",
    )


def _transposed(place: Place) -> Remedy:
    return Remedy(
        "layer.kernel.assign(cell.weight.asnumpy().T)",
        "cell.weight.set_data(ms.Tensor(layer.kernel.numpy().T))",
    )


def _flat(place: Place) -> Remedy:
    axes = range(len(place.shape or (0, 0, 0)) + 1)
    order = (0, *axes[2:], 1)
    return Remedy("keras.layers.Flatten()(x)", f"nn.Flatten()(ops.transpose(x, {order}))")


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
        remedy=_transposed,
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
        remedy=_flat,
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
        remedy=_batch_norm,
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
        remedy=_variance,
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
        remedy=_dropout,
        bites=lambda place, to: place.spec.rate not in (0.0, 0.5),
    ),
    Rule(
        name="layer-norm-epsilon",
        stage="layer",
        keras=("LayerNormalization",),
        mindspore=("LayerNorm",),
        places=placed(layers.LayerNormalization, note=lambda e: f"epsilon {_of(e).epsilon:g}"),
        says="The default epsilon is 1e-3 in Keras and 1e-7 in MindSpore.",
        remedy=_layer_norm,
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
        remedy=_embedding_mask,
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
        remedy=_one_bias,
        bites=_other_biases,
    ),
    Rule(
        name="gru-order",
        stage="layer",
        keras=("GRU",),
        mindspore=("GRU",),
        places=placed(layers.GRU),
        says="The blocks of a GRU's weights are r, z, n in MindSpore and z, r, h in Keras.",
        remedy=_gates,
        needs="weights",
    ),
)


def _of(each: PlacedLayer) -> Any:
    return each.layer
