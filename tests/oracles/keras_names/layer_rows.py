"""Layers: outputs, gradients and running statistics in training and inference, same weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.category_rows import CATEGORY_ROWS
from oracles.keras_names.evaluating import both_of_layer, ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db

RNG = np.random.default_rng(0)
FLAT, LINE, PLANE, SPACE = (
    RNG.normal(size=s) for s in ((4, 6), (2, 9, 4), (2, 8, 7, 4), (2, 5, 4, 6, 3))
)
WORDS = RNG.integers(0, 5, (3, 4))
PADDED = LINE * np.array([1.0, 0.0])[:, None, None]
BROADCAST = {
    "sizes of 1": (PLANE[:, :1, :1], PLANE, PLANE[:, :, :1, :1]),
    "other ranks": (PLANE, PLANE[:, 0, 0], PLANE[:, 1, :, :1]),
}
"""Inputs whose sizes along an axis differ, or that have fewer axes."""
BY_AXES = {1: LINE, 2: PLANE, 3: SPACE}


def _measure(name: str, inputs: tuple[Any, ...], arguments: Any, mine: Any, keras: Any) -> Pairs:
    given = {k: v(db) if callable(v) else v for k, v in arguments.items()}
    theirs = {k: v(keras.layers) if callable(v) else v for k, v in arguments.items()}
    pairs: dict[str, Any] = {}
    for training in (True, False):
        native = getattr(keras.layers, name)(**theirs)
        spec = getattr(db, name)(**given | mine)
        made = both_of_layer(spec, native, inputs, training)
        pairs |= {f"{what}, training {training}": pair for what, pair in made.items()}
    return pairs


def row(
    name: str,
    *inputs: Any,
    mine: Any = None,
    because: str = "",
    says: str = "",
    **arguments: Any,
) -> Row:
    """Compare a layer with the same arguments; `mine` has more arguments, of ours only."""
    return Row(
        family="layer",
        name=name,
        keras=f"layers.{name}",
        says=says or text_of({k: v for k, v in arguments.items() if not callable(v)}),
        measure=partial(_measure, name, inputs, arguments, mine or {}),
        because=because,
        tolerance=1e-5,
    )


def _noise(name: str, x: Any, arguments: Any, keras: Any) -> Pairs:
    import tensorflow as tf

    _, found = ours_of(getattr(db, name)(**arguments), (x,), training=True, gradient=False)
    native = getattr(keras.layers, name)(**arguments, seed=1)
    theirs = np.asarray(native(tf.constant(x, tf.float32), training=True))
    return {
        what: (of(theirs), of(found["value"]))
        for what, of in {
            "mean": np.mean,
            "deviation": np.std,
            "unchanged or zero": lambda y: np.mean((y == 0) | (y == x)),
            "quantiles": lambda y: np.quantile(y, (0.05, 0.5, 0.95)),
            "along the second axis": lambda y: np.mean(np.ptp(y, 1) == 0),
        }.items()
    }


def noise(name: str, *sizes: int, **arguments: Any) -> Row:
    """Compare the statistics of a layer that draws random numbers."""
    return Row(
        family="layer",
        name=name,
        keras=f"layers.{name}",
        says=text_of(arguments),
        measure=partial(_noise, name, np.ones(sizes), arguments),
        tolerance=0.02,
    )


def _adaptive(name: str, x: Any, says: str = "") -> list[Row]:
    """Compare sizes that divide those of the input, sizes that do not, and larger ones."""
    sizes = {"divided": 2 if x.shape[1] % 2 == 0 else 3, "even": 4, "odd": 3, "large": 10}
    return [
        row(name, x, output_size=size, says=f"{says} {word}".strip())
        for word, size in sizes.items()
    ]


def _images() -> list[Row]:
    rows = []
    for axes, x in BY_AXES.items():
        small = {"filters": 3, "kernel_size": 2}
        rows += [
            row(f"Conv{axes}D", x, **small),
            row(f"Conv{axes}D", x, **small, strides=2, padding="same", activation="tanh"),
            row(f"Conv{axes}DTranspose", x, **small),
            row(f"Conv{axes}DTranspose", x, **small, strides=2, padding="same"),
            row(f"MaxPooling{axes}D", x),
            row(f"MaxPooling{axes}D", x, pool_size=3, strides=1, padding="same"),
            row(f"AveragePooling{axes}D", x, pool_size=2),
            row(f"AveragePooling{axes}D", x, pool_size=3, strides=2, padding="same"),
            row(f"GlobalAveragePooling{axes}D", x),
            *_adaptive(f"AdaptiveAveragePooling{axes}D", x),
            *_adaptive(f"AdaptiveMaxPooling{axes}D", x),
            *(_adaptive(f"AdaptiveMaxPooling{axes}D", np.round(x), "ties") if axes < 3 else []),
            row(f"GlobalMaxPooling{axes}D", x, keepdims=True),
            row(f"ZeroPadding{axes}D", x),
            row(f"Cropping{axes}D", x),
            row(f"UpSampling{axes}D", x),
            noise(f"SpatialDropout{axes}D", 300, *(3,) * axes, 40, rate=0.3),
        ]
    for axes in (1, 2):
        rows += [
            row(f"DepthwiseConv{axes}D", BY_AXES[axes], kernel_size=2, depth_multiplier=2),
            row(f"SeparableConv{axes}D", BY_AXES[axes], filters=3, kernel_size=2, padding="same"),
        ]
    return [
        *rows,
        row("Conv1D", LINE, filters=3, kernel_size=2, padding="causal", dilation_rate=2),
        row("Conv2D", PLANE, filters=4, kernel_size=3, groups=2, use_bias=False),
        row(
            *("AdaptiveMaxPooling3D", np.round(SPACE)),
            output_size=3,
            says="ties",
            because="the first maximum of a tie gets the gradient, as in 1D and 2D; in the 3D "
            "pools of Keras on a CPU each of them gets all of it",
        ),
        row("UpSampling2D", PLANE, size=(3, 2), interpolation="bilinear"),
        row("UpSampling2D", PLANE, size=(2, 4), interpolation="bicubic"),
        row("UpSampling2D", PLANE, size=(3, 2), interpolation="lanczos3"),
        row("UpSampling2D", PLANE, interpolation="lanczos5"),
        *_sizes(),
    ]


def _sizes() -> list[Row]:
    names = ("bilinear", "nearest", "lanczos3", "lanczos5")
    small, large = {"height": 5, "width": 4}, {"height": 13, "width": 9}
    return [
        *(row("Resizing", PLANE, **small, interpolation=name) for name in names),
        *(row("Resizing", PLANE, **large, interpolation=name) for name in names),
        *(row("Resizing", PLANE, **small, interpolation=n, antialias=True) for n in names),
        row("Resizing", PLANE, **small, interpolation="bicubic", antialias=True),
        row("Resizing", PLANE, height=16, width=28, interpolation="bicubic"),
        row("Resizing", PLANE, height=4, width=9, crop_to_aspect_ratio=True),
        row("Resizing", PLANE, height=9, width=4, crop_to_aspect_ratio=True),
        row("Resizing", PLANE, height=4, width=9, pad_to_aspect_ratio=True, fill_value=0.5),
        row("Resizing", PLANE, height=9, width=4, pad_to_aspect_ratio=True),
        row("CenterCrop", PLANE, height=5, width=4),
        row("CenterCrop", PLANE, height=9, width=5),
        row("CenterCrop", PLANE, height=5, width=11),
    ]


def _equations() -> list[Row]:
    return [
        row("EinsumDense", x, equation=equation, output_shape=sizes, bias_axes=bias, **more)
        for equation, sizes, bias, x, more in (
            ("abc,cd->abd", (None, 3), "d", LINE, {"activation": "tanh"}),
            ("abc,cde->abde", (9, 2, 3), "de", LINE, {}),
            ("abcd,cde->abe", (8, 3), "be", PLANE, {}),
            ("abc,bcd->abd", (9, 3), None, LINE, {}),
            ("abcd,cde->aecb", (3, 7, 8), "e", PLANE, {}),
            ("...x,xy->...y", 3, "y", PLANE, {}),
            ("ab...,bc->ac...", (3,), "c", PLANE, {}),
        )
    ]


def _grouped() -> list[Row]:
    heads = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    return [
        row("GroupQueryAttention", LINE, LINE[:, :5], **heads),
        row("GroupQueryAttention", LINE, LINE[:, :5], **heads, use_gate=True, use_bias=False),
        row("GroupQueryAttention", LINE, LINE, **heads, sliding_window=2),
        row(
            *("GroupQueryAttention", LINE, LINE[:, :5]),
            **{"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 1},
        ),
    ]


def _convolutional() -> list[Row]:
    rows = []
    for axes, x in BY_AXES.items():
        steps = RNG.normal(size=(x.shape[0], 3, *x.shape[1:]))
        small = {"filters": 2, "kernel_size": 2}
        name = f"ConvLSTM{axes}D"
        rows += [
            row(name, steps, **small),
            row(name, steps, **small, padding="same", strides=2, return_sequences=True),
            row(name, steps, **small, go_backwards=True, activation="elu"),
        ]
    lines = RNG.normal(size=(2, 4, 9, 3))
    return [
        *rows,
        row("ConvLSTM1D", lines, filters=2, kernel_size=3, dilation_rate=2, use_bias=False),
        row(
            *("Bidirectional", lines),
            says="of a ConvLSTM1D",
            layer=lambda space: space.ConvLSTM1D(2, 3, return_sequences=True),
        ),
        row(
            *("ConvLSTM1D", lines),
            **{"filters": 2, "kernel_size": 3, "activation": "relu"},
            **{"recurrent_activation": "hard_sigmoid", "unit_forget_bias": False},
        ),
    ]


def _sequences() -> list[Row]:
    rows = []
    for name in ("SimpleRNN", "LSTM", "GRU"):
        rows += [
            row(name, LINE, units=3),
            row(name, LINE, units=3, return_sequences=True, go_backwards=True, use_bias=False),
        ]
    return [
        *rows,
        row("GRU", LINE, units=3, reset_after=False),
        row("Bidirectional", LINE, layer=lambda space: space.LSTM(3, return_sequences=True)),
        row("SpectralNormalization", LINE, layer=lambda space: space.Dense(3, "tanh")),
        row(
            *("SpectralNormalization", PLANE),
            layer=lambda space: space.Conv2D(3, 2),
            power_iterations=3,
        ),
        row("TimeDistributed", LINE, layer=lambda space: space.Dense(3, activation="tanh")),
        row("Embedding", WORDS, input_dim=5, output_dim=3),
        row("Embedding", WORDS, input_dim=5, output_dim=3, mask_zero=True),
        row("Masking", PADDED),
        row("Masking", PADDED + 0.5, mask_value=0.5),
        row("Attention", LINE, LINE[:, :5] + 1.0),
        row("Attention", LINE, LINE[:, :5] + 1.0, LINE[:, 2:7], use_scale=True),
        row("Attention", LINE, LINE[:, :5] + 1.0, score_mode="concat"),
        row("Attention", LINE, LINE[:, 2:7], score_mode="concat", use_scale=True),
        row("AdditiveAttention", LINE, LINE[:, :5] + 1.0),
        row("AdditiveAttention", LINE, LINE[:, :5] + 1.0, LINE[:, 2:7], use_scale=False),
        row("MultiHeadAttention", LINE, LINE[:, :5], num_heads=2, key_dim=3),
        *_grouped(),
        *_convolutional(),
        row("ReversibleEmbedding", WORDS, input_dim=5, output_dim=3),
        row("ReversibleEmbedding", LINE, input_dim=5, output_dim=4, logit_soft_cap=2.0),
        row("ReversibleEmbedding", LINE, input_dim=5, output_dim=4, tie_weights=False),
        row("Dot", LINE, LINE[:, :5], axes=2, normalize=True),
        *_equations(),
    ]


def _adapted(x: Any, axis: Any, invert: bool, keras: Any) -> Pairs:
    native = keras.layers.Normalization(axis=axis, invert=invert)
    native.adapt(x.astype("float32"))
    _, found = ours_of(db.Normalization.of(x, axis, invert), (x,), gradient=False)
    return {"value": (native(x.astype("float32")), found["value"])}


def adapted(x: Any, axis: Any, invert: bool = False) -> Row:
    """Compare layers that have computed mean and variance from data."""
    return Row(
        family="layer",
        name="Normalization",
        keras="layers.Normalization",
        says=f"adapted, axis={axis}, invert={invert}",
        measure=partial(_adapted, x, axis, invert),
        tolerance=1e-5,
    )


def _scaling() -> list[Row]:
    four, rows = (1.0, 2.0, -1.0, 0.5), ((1.0, 2.0, 3.0, 4.0),) * 8
    return [
        row("Rescaling", PLANE, scale=1 / 255),
        row("Rescaling", PLANE, scale=four, offset=(0.5, -1.0, 2.0, 0.0)),
        row("Normalization", PLANE, mean=0.5, variance=4.0),
        row("Normalization", PLANE, mean=four, variance=(1.0, 0.25, 4.0, 0.0), invert=True),
        row("Normalization", PLANE, axis=(1, 3), mean=rows, variance=rows),
        row("Normalization", PLANE, axis=None, mean=0.5, variance=4.0),
        adapted(PLANE, -1),
        adapted(PLANE, (1, 2), invert=True),
        adapted(FLAT, None),
        row("UnitNormalization", LINE),
        row("UnitNormalization", np.zeros((2, 3)), axis=(1,)),
        row("UnitNormalization", PLANE, axis=(1, 3)),
        row("RepeatVector", FLAT, n=3),
        row("Reshape", PLANE, target_shape=(8, -1, 2)),
        noise("Dropout", 300, 5, 40, rate=0.3, noise_shape=(None, 1, None)),
        noise("AlphaDropout", 300, 5, 40, rate=0.3, noise_shape=(None, 1, 40)),
    ]


def _plain() -> list[Row]:
    merged = ("Add", "Average", "Maximum", "Minimum", "Multiply")
    return [
        row("Dense", FLAT, units=3),
        row("Dense", LINE, units=3, activation="sigmoid", use_bias=False),
        row("Activation", FLAT, activation="tanh"),
        row("ActivityRegularization", FLAT, l1=0.1, l2=0.2),
        row("Flatten", PLANE),
        row("Permute", PLANE, dims=(3, 1, 2)),
        row("Reshape", PLANE, target_shape=(8, 28)),
        *(row(name, FLAT, FLAT[::-1].copy()) for name in (*merged, "Concatenate", "Subtract")),
        *(row(name, *each, says=says) for name in merged for says, each in BROADCAST.items()),
        row("Subtract", PLANE, PLANE[:, :1, :1], says="sizes of 1"),
        row("Subtract", PLANE[:, 0, 0], PLANE, says="other ranks"),
        row("BatchNormalization", PLANE),
        row("BatchNormalization", FLAT, momentum=0.8, epsilon=1e-2, scale=False),
        row("LayerNormalization", LINE),
        row("LayerNormalization", PLANE, axis=(1, 3), epsilon=1e-2, center=False),
        row("GroupNormalization", PLANE, groups=2),
        row("RMSNormalization", LINE),
        *(noise(name, 300, 300, rate=0.3) for name in ("Dropout", "AlphaDropout")),
        noise("GaussianDropout", 300, 300, rate=0.3),
        noise("GaussianNoise", 300, 300, stddev=0.3),
    ]


LAYER_ROWS = [*_plain(), *_scaling(), *_images(), *_sequences(), *CATEGORY_ROWS]
