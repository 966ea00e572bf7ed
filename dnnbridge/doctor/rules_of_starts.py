"""Rules about how weights start, where they are drawn anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from dnnbridge import initializers, layers
from dnnbridge.activations import PReLU
from dnnbridge.doctor.native_code import Name, call, channels, lines
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule
from dnnbridge.doctor.rules_of_layers import placed
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.initializers import AbstractInitializer, fans
from dnnbridge.specs.field_types import infos_of

CUT_NORMAL = 0.87962566103423978
"""The standard deviation of a standard normal variable that is cut at -2 and 2."""

NAMES = {
    initializers.GlorotUniform(): ("glorot_uniform", Name("XavierUniform()")),
    initializers.Zeros(): ("zeros", "zeros"),
    initializers.Ones(): ("ones", "ones"),
}
"""The names of initializers in Keras and in MindSpore that draw from the same distribution."""


def _drawn(place: Place, argument: str, weight: str) -> tuple[Any, Any]:
    """Return an initializer in Keras and in MindSpore; an unknown one as values to fill in."""
    spec = getattr(place.spec, argument)
    unknown = Name(f"ms.Tensor(values_of_{weight})")
    return NAMES.get(spec, (Name(f"values_of_{weight}"), unknown))


def _dense(place: Place) -> Remedy:
    layer = place.spec
    sizes = place.weights.get("kernel") or (channels(place.shape), layer.units)
    kernel, bias = _drawn(place, "kernel_initializer", "kernel"), ("zeros", "zeros")
    if layer.use_bias:
        bias = _drawn(place, "bias_initializer", "bias")
    options = {"use_bias": False} if not layer.use_bias else {"bias_initializer": bias[0]}
    other = {"has_bias": False} if not layer.use_bias else {"bias_init": bias[1]}
    return Remedy(
        call("keras.layers.Dense", layer.units, kernel_initializer=kernel[0], **options),
        lines(
            "from mindspore.common.initializer import XavierUniform"
            if "XavierUniform" in repr(kernel[1])
            else "",
            call("nn.Dense", *sizes, weight_init=kernel[1], **other),
        ),
    )


def _other_dense(place: Place, to: Framework) -> bool:
    size = (place.weights.get("kernel") or (1,))[0]
    other = layers.Dense.mindspore(size, place.spec.units)
    own = place.spec
    if own.use_bias and own.bias_initializer != other.bias_initializer:
        return True
    return bool(own.kernel_initializer != other.kernel_initializer)


def _embedding(place: Place) -> Remedy:
    layer = place.spec
    sizes, spec = (layer.input_dim, layer.output_dim), layer.embeddings_initializer
    if isinstance(spec, initializers.RandomUniform) and spec.minval == -spec.maxval:
        keras = call("keras.initializers.RandomUniform", spec.minval, spec.maxval)
        there = call("Uniform", spec.maxval)
    elif isinstance(spec, initializers.RandomNormal):
        keras = call("keras.initializers.RandomNormal", spec.mean, spec.stddev)
        there = call("Normal", spec.stddev, spec.mean)
    else:
        keras, there = "values_of_embeddings", "ms.Tensor(values_of_embeddings)"
    imported = there.partition("(")[0]
    return Remedy(
        call("keras.layers.Embedding", *sizes, embeddings_initializer=Name(keras)),
        lines(
            "" if "." in imported else f"from mindspore.common.initializer import {imported}",
            call("nn.Embedding", *sizes, embedding_table=Name(there)),
        ),
    )


def _other_embedding(place: Place, to: Framework) -> bool:
    own = place.spec
    other = layers.Embedding.mindspore(own.input_dim, own.output_dim)
    return bool(own.embeddings_initializer != other.embeddings_initializer)


def drawing(kind: type[AbstractInitializer], fits: Callable[[Any], bool]) -> Places:
    """Return what finds the initializers of a class in the layers of a model."""

    def places(subject: Subject) -> Iterator[Place]:
        for each in subject.layers:
            for name in infos_of(type(each.layer)):
                found = getattr(each.layer, name)
                if isinstance(found, kind) and fits(found):
                    sizes = each.weights.get(name.removesuffix("_initializer"))
                    path = f"{each.path}.{name}"
                    yield Place(path, found, repr(found), sizes, each.weights)

    return places


def _cut(name: str, sigma: Any, keras: str, mean: float = 0.0) -> Remedy:
    bounds = {"a": mean - 2 * sigma, "b": mean + 2 * sigma} if sigma != 1 else {}
    made = call("TruncatedNormal", sigma, mean, **bounds)
    return Remedy(keras, f"from mindspore.common.initializer import TruncatedNormal\n{made}")


def _scaled(place: Place) -> Remedy:
    """Write a normal distribution that is cut at two standard deviations, with its numbers."""
    spec = place.spec
    scale, mode = (
        (2.0, "fan_in")
        if isinstance(spec, initializers.HeNormal)
        else (
            spec.scale,
            spec.mode,
        )
    )
    fan_in, fan_out = fans(tuple(n or 1 for n in place.shape)) if place.shape else (1, 1)
    fan = {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)
    sigma = math.sqrt(scale / fan) / CUT_NORMAL
    keras = (
        "keras.initializers.HeNormal()"
        if isinstance(spec, initializers.HeNormal)
        else call("keras.initializers.VarianceScaling", scale, mode, "truncated_normal")
    )
    return _cut(type(spec).__name__, sigma, keras)


def _truncated(place: Place) -> Remedy:
    spec = place.spec
    keras = call("keras.initializers.TruncatedNormal", spec.mean, spec.stddev)
    return _cut("TruncatedNormal", spec.stddev, keras, spec.mean)


def _forget(place: Place) -> Remedy:
    units = place.spec.units
    size = place.weights.get("kernel", (channels(place.shape),))[0]
    return Remedy(
        call("keras.layers.LSTM", units, unit_forget_bias=True),
        lines(
            f"lstm = {call('nn.LSTM', size, units, batch_first=True)}",
            "for p in lstm.trainable_params():",
            '    if "bias" in p.name:',
            "        b = np.zeros(p.shape, np.float32)",
            f'        b[{units}:{2 * units}] = 1.0 if "bias_ih" in p.name else 0.0',
            "        p.set_data(ms.Tensor(b))",
        ),
    )


def _slopes(subject: Subject) -> Iterator[Place]:
    for each, slope in subject.activations(PReLU):
        yield Place(each.path, slope, repr(slope), each.shape, each.weights)


def _slope(place: Place) -> Remedy:
    start = place.spec.alpha_initializer
    value = getattr(start, "value", 1.0 if isinstance(start, initializers.Ones) else 0.0)
    size = 1 if place.spec.shared else channels(place.shape)
    axes = (
        {}
        if len(place.shape or (0,)) == 1
        else {"shared_axes": list(range(1, len(place.shape or ())))}
    )
    return Remedy(
        call(
            "keras.layers.PReLU",
            alpha_initializer=Name(call("keras.initializers.Constant", value)),
            **axes,
        ),
        call("nn.PReLU", size, w=value),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="dense-start",
        stage="start",
        keras=("Dense",),
        mindspore=("Dense",),
        places=placed(layers.Dense),
        says="By default Keras draws a kernel uniformly within ±√(6 / (inputs + outputs)) and "
        "starts biases at 0; MindSpore draws both within ±1 / √inputs.",
        remedy=_dense,
        bites=_other_dense,
        needs="start",
    ),
    Rule(
        name="embedding-start",
        stage="start",
        keras=("Embedding",),
        mindspore=("Embedding",),
        places=placed(layers.Embedding),
        says="By default an Embedding starts uniformly within ±0.05 in Keras, and normally "
        "distributed with a standard deviation of 0.01 in MindSpore.",
        remedy=_embedding,
        bites=_other_embedding,
        needs="start",
    ),
    Rule(
        name="lstm-forget",
        stage="start",
        keras=("LSTM",),
        mindspore=("LSTM",),
        places=placed(
            layers.LSTM, where=lambda layer: bool(layer.use_bias and layer.unit_forget_bias)
        ),
        says="Keras starts the bias of the forget gate at 1, so that a new LSTM remembers; "
        "MindSpore starts it at random around 0.",
        remedy=_forget,
        needs="start",
    ),
    Rule(
        name="prelu-start",
        stage="start",
        keras=("PReLU",),
        mindspore=("PReLU",),
        places=_slopes,
        says="A PReLU has one slope that starts at 0.25 in MindSpore, and a slope per feature "
        "that starts at 0 in Keras.",
        remedy=_slope,
        bites=lambda place, to: place.spec != PReLU.mindspore(),
        needs="start",
    ),
    Rule(
        name="variance-scaling",
        stage="start",
        keras=("VarianceScaling",),
        mindspore=("VarianceScaling",),
        places=drawing(
            initializers.VarianceScaling, lambda spec: spec.distribution == "truncated_normal"
        ),
        says="MindSpore's `VarianceScaling(distribution='truncated_normal')` draws a uniform "
        "distribution.",
        remedy=_scaled,
        needs="start",
    ),
    Rule(
        name="truncated-normal",
        stage="start",
        keras=("TruncatedNormal",),
        mindspore=("TruncatedNormal",),
        places=drawing(
            initializers.TruncatedNormal, lambda spec: not spec.absolute and spec.stddev != 1.0
        ),
        says="MindSpore cuts a `TruncatedNormal` at -2 and 2, whatever its standard deviation; "
        "Keras cuts it at two standard deviations.",
        remedy=_truncated,
        needs="start",
    ),
    Rule(
        name="normal-kinds",
        stage="start",
        keras=("HeNormal",),
        mindspore=("HeNormal",),
        places=drawing(initializers.HeNormal, lambda spec: bool(spec.truncated)),
        says="Keras cuts a `HeNormal` at two standard deviations and widens it to keep the "
        "variance; MindSpore does not cut it.",
        remedy=_scaled,
        needs="start",
    ),
)
