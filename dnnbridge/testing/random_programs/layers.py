"""Strategies of layers that take one input, by its rank.

The simplest layer comes first, because failures shrink towards it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from dnnbridge import layers
from dnnbridge.activations import CELU, ELU, GELU
from dnnbridge.layers import AbstractLayer
from dnnbridge.weights import regularizers
from dnnbridge.weights.constraints import MaxNorm, UnitNorm

Layers = st.SearchStrategy[AbstractLayer]

UNITS = st.integers(1, 5)

_NAMES = ["linear", "tanh", "sigmoid", "softplus", "silu", "mish", "softsign", "selu", "softmax"]

ACTIVATIONS: st.SearchStrategy[Any] = st.sampled_from(
    [*_NAMES, "log_sigmoid", GELU(), GELU(approximate=True), ELU(0.7), CELU(1.5)]
)
"""Smooth activations only: near a kink, rounding decides between two gradients."""

_RATES = st.sampled_from([0.1, 0.3, 0.5])

_WEIGHTS: dict[str, Any] = {
    "kernel_regularizer": st.sampled_from([None, regularizers.L2(0.01), regularizers.L1(0.01)]),
    "kernel_constraint": st.sampled_from([None, MaxNorm(0.7), UnitNorm()]),
    "kernel_initializer": st.sampled_from(["glorot_uniform", "he_normal", "orthogonal"]),
}


def dense(units: st.SearchStrategy[int] = UNITS) -> Layers:
    given = {"activation": ACTIVATIONS, "use_bias": st.booleans()}
    return st.builds(layers.Dense, units, **given, **_WEIGHTS)


def _norms(shape: tuple[int, ...]) -> list[Layers]:
    groups = [g for g in (1, 2, 3) if shape[-1] % g == 0]
    made: list[Layers] = [
        st.builds(layers.LayerNormalization, epsilon=st.sampled_from([1e-3, 1e-5])),
        st.builds(
            layers.BatchNormalization, momentum=st.sampled_from([0.9, 0.5]), unbiased=st.booleans()
        ),
        st.builds(layers.RMSNormalization),
    ]
    if len(shape) > 1:
        made.append(st.builds(layers.GroupNormalization, st.sampled_from(groups)))
        made.append(st.builds(layers.InstanceNorm))
    return made


def _noises() -> list[Layers]:
    kinds = [layers.Dropout, layers.GaussianDropout, layers.AlphaDropout, layers.GaussianNoise]
    return [st.builds(kind, _RATES) for kind in kinds]


def keeping(shape: tuple[int, ...]) -> Layers:
    """Layers that keep the shape of their input."""
    made = [dense(st.just(shape[-1])), st.builds(layers.Activation, ACTIVATIONS)]
    return st.one_of(*made, *_norms(shape), *_noises())


def _convolution(shape: tuple[int, ...], kinds: tuple[Callable[..., Any], ...]) -> Layers:
    """Convolutions of all kinds. Strides and dilation are never combined."""
    conv, transposed, depthwise, separable = kinds
    plain: dict[str, Any] = {
        "kernel_size": st.integers(1, min(3, *shape[:-1])),
        "padding": st.sampled_from(["same", "valid"]),
        "activation": ACTIVATIONS,
        "use_bias": st.booleans(),
    }
    strides, dilation = {"strides": st.integers(1, 2)}, {"dilation_rate": st.integers(1, 2)}
    groups = st.sampled_from([g for g in (1, 2, 3) if shape[-1] % g == 0])
    filters = groups.flatmap(
        lambda g: st.tuples(st.just(g), st.integers(1, 2).map(lambda n: n * g))
    )
    same = plain | {"padding": st.just("same")}
    multiplier = {"depth_multiplier": st.integers(1, 2)}
    return st.one_of(
        st.builds(lambda g, **k: conv(g[1], groups=g[0], **k), filters, **plain, **strides),
        st.builds(conv, UNITS, **same, **dilation),
        st.builds(transposed, UNITS, **plain, **strides),
        st.builds(depthwise, **plain, **strides, **multiplier),
        st.builds(separable, UNITS, **plain, **strides, **multiplier),
    )


def _pools(shape: tuple[int, ...], kinds: tuple[Callable[..., Any], ...]) -> Layers:
    given: dict[str, Any] = {
        "pool_size": st.integers(1, min(3, *shape[:-1])),
        "strides": st.integers(1, 2),
        "padding": st.sampled_from(["valid", "same"]),
    }
    average, largest = kinds
    counted = {"count_include_pad": st.booleans()}
    return st.one_of(st.builds(average, **given, **counted), st.builds(largest, **given))


def recurrent(sequences: bool) -> Layers:
    given = {"return_sequences": st.just(sequences), "use_bias": st.booleans()}
    given |= {"go_backwards": st.booleans(), "recurrent_dropout": st.sampled_from([0.0, 0.3])}
    units = st.integers(1, 4)
    cells = st.one_of(
        st.builds(layers.SimpleRNN, units, **given),
        st.builds(layers.GRU, units, reset_after=st.booleans(), **given),
        st.builds(layers.LSTM, units, **given),
    )
    merges = st.sampled_from(["concat", "sum", "mul", "ave"])
    both = {"return_sequences": st.just(sequences)}
    inner = st.one_of(st.builds(layers.GRU, units, **both), st.builds(layers.LSTM, units, **both))
    return st.one_of(cells, st.builds(layers.Bidirectional, inner, merges))


def _of_sequences(shape: tuple[int, ...]) -> Layers:
    kinds = (layers.Conv1D, layers.Conv1DTranspose, layers.DepthwiseConv1D, layers.SeparableConv1D)
    causal = {"padding": st.just("causal"), "dilation_rate": st.integers(1, 2)}
    return st.one_of(
        keeping(shape),
        dense(),
        recurrent(True),
        _convolution(shape, kinds),
        st.builds(layers.Conv1D, UNITS, st.integers(1, 3), **causal),
        _pools(shape, (layers.AveragePooling1D, layers.MaxPooling1D)),
        st.builds(layers.TimeDistributed, dense()),
        st.builds(layers.PositionEmbedding, st.just(shape[0])),
        st.builds(layers.SinusoidalPositions),
        st.builds(layers.SpatialDropout1D, _RATES),
        st.builds(layers.ZeroPadding1D, st.integers(0, 2)),
        st.just(layers.Permute((2, 1))),
    )


def _of_images(shape: tuple[int, ...]) -> Layers:
    kinds = (layers.Conv2D, layers.Conv2DTranspose, layers.DepthwiseConv2D, layers.SeparableConv2D)
    return st.one_of(
        keeping(shape),
        dense(),
        _convolution(shape, kinds),
        _pools(shape, (layers.AveragePooling2D, layers.MaxPooling2D)),
        st.builds(layers.SpatialDropout2D, _RATES),
        st.builds(layers.ZeroPadding2D, st.integers(0, 2)),
        st.sampled_from(
            [layers.Permute((2, 1, 3)), layers.Reshape((shape[0] * shape[1], shape[2]))]
        ),
        st.builds(layers.UpSampling2D, st.just(2)),
    )


def of(shape: tuple[int, ...]) -> Layers:
    """Layers that take inputs of the given shape."""
    if len(shape) == 2:
        return _of_sequences(shape)
    if len(shape) == 3:
        return _of_images(shape)
    return st.one_of(dense(), keeping(shape))


def flattening(shape: tuple[int, ...]) -> Layers:
    """Layers whose output has one axis besides the batch."""
    if len(shape) == 2:
        pools = [layers.GlobalAveragePooling1D(), layers.GlobalMaxPooling1D()]
        return st.one_of(st.just(layers.Flatten()), st.sampled_from(pools), recurrent(False))
    pools2 = [layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D()]
    return st.one_of(st.just(layers.Flatten()), st.sampled_from(pools2))
