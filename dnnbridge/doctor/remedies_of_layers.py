"""The code that layers need on both sides to compute the same."""

from __future__ import annotations

from typing import Any

from dnnbridge.doctor.native_code import call, channels, lines
from dnnbridge.doctor.rule import Place, Remedy


def norm_class(place: Place) -> str:
    """Return MindSpore's class of a batch normalisation, by the axes of its input."""
    axes = len(place.shape or (1,))
    return f"nn.BatchNorm{min(max(axes, 2) - 1 if axes > 1 else 1, 3)}d"


def features(place: Place) -> Any:
    """Return how many features a normalisation has, or a name to fill in."""
    sizes = next(iter(place.weights.values()), None)
    return sizes[0] if sizes else channels(place.shape)


def batch_norm(place: Place) -> Remedy:
    """Return a batch normalisation with its numbers."""
    norm = place.spec
    return Remedy(
        call(
            "keras.layers.BatchNormalization",
            **({} if norm.axis == -1 else {"axis": norm.axis}),
            momentum=norm.momentum,
            epsilon=norm.epsilon,
        ),
        call(norm_class(place), features(place), eps=norm.epsilon, momentum=norm.momentum),
    )


def followed_variance(place: Place) -> Remedy:
    """Correct what one side follows by n / (n - 1) after each step."""
    plain, kept = batch_norm(place), place.spec.momentum
    if place.spec.unbiased:
        keras = lines(
            f"norm = {plain.tensorflow}  # made once",
            "old = keras.ops.copy(norm.moving_variance) if norm.built else 1.0",
            "y = norm(x, training=True)",
            f"n = keras.ops.size(x) // keras.ops.shape(x)[{place.spec.axis}]",
            'n = keras.ops.cast(n, "float32")',
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


def dropped(place: Place) -> Remedy:
    """Return a dropout whose argument is the share that is dropped."""
    rate = place.spec.rate
    return Remedy(call("keras.layers.Dropout", rate), call("nn.Dropout", p=rate))


def layer_norm(place: Place) -> Remedy:
    """Return a layer normalisation with its epsilon."""
    epsilon = place.spec.epsilon
    return Remedy(
        call("keras.layers.LayerNormalization", epsilon=epsilon),
        call("nn.LayerNorm", (channels(place.shape),), epsilon=epsilon),
    )


def masked_embedding(place: Place) -> Remedy:
    """Return the rows of an embedding without the gradient of its padding."""
    row = place.spec.padding_idx
    return Remedy(
        f"h = embedding(ids) * keras.ops.cast(ids != {row}, 'float32')[..., None]",
        f"h = embedding(ids) * (ids != {row}).astype(ms.float32).expand_dims(-1)",
    )


def one_bias(place: Place) -> Remedy:
    """Return an LSTM with the biases of the model."""
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


def ordered_gates(place: Place) -> Remedy:
    """Put the blocks of a GRU's weights in the order of each side."""
    return Remedy(
        "r, z, h = np.split(weight_ih.asnumpy().T, 3, axis=1)\n"
        "kernel.assign(np.concatenate([z, r, h], axis=1))",
        "z, r, h = np.split(kernel.numpy(), 3, axis=1)\n"
        "weight_ih.set_data(ms.Tensor(np.concatenate([r, z, h], axis=1).T))",
    )


def transposed(place: Place) -> Remedy:
    """Turn a kernel as each side keeps it."""
    return Remedy(
        "layer.kernel.assign(cell.weight.asnumpy().T)",
        "cell.weight.set_data(ms.Tensor(layer.kernel.numpy().T))",
    )


def flat(place: Place) -> Remedy:
    """Flatten with the channels last on both sides."""
    axes = range(len(place.shape or (0, 0, 0)) + 1)
    order = (0, *axes[2:], 1)
    return Remedy("keras.layers.Flatten()(x)", f"nn.Flatten()(ops.transpose(x, {order}))")
