"""Independent witnesses: convolutions, pools and similar layers of both frameworks, same weights.

All backends share our one equation, so a mistake in it needs an independent implementation.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import named, witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
LINE, PLANE, SPACE = (RNG.normal(size=s) for s in ((2, 9, 4), (2, 8, 7, 4), (2, 5, 4, 6, 3)))
TOLERANCE = 4e-6


def value_of(layer, x):
    """Return the results of a layer on the reference, and its weights in order."""
    x = x.astype(np.float32)
    built = equation(
        lambda scope, v: scope.call(layer, v, name="it"), [TensorType((BATCH, *x.shape[1:]))], [x]
    )
    weights = [array for name, array in built.feeds.items() if name.startswith("it/")]
    return built.run(load_backend("reference"))["value"], weights


CONVOLUTIONS = {
    "Conv1D": (LINE, {"filters": 3, "kernel_size": 3, "strides": 2}),
    "Conv1D-causal": (LINE, {"filters": 3, "kernel_size": 3, "padding": "causal"}),
    "Conv1D-dilation": (LINE, {"filters": 3, "kernel_size": 2, "dilation_rate": 3}),
    "Conv2D": (PLANE, {"filters": 3, "kernel_size": (3, 2), "activation": "tanh"}),
    "Conv2D-same": (PLANE, {"filters": 3, "kernel_size": 4, "strides": 3, "padding": "same"}),
    "Conv2D-groups": (PLANE, {"filters": 6, "kernel_size": 3, "groups": 2, "padding": "same"}),
    "Conv2D-dilation": (PLANE, {"filters": 3, "kernel_size": 3, "dilation_rate": (1, 2)}),
    "Conv3D": (SPACE, {"filters": 3, "kernel_size": 2, "strides": (1, 2, 3), "padding": "same"}),
    "DepthwiseConv1D": (LINE, {"kernel_size": 3, "depth_multiplier": 2}),
    "DepthwiseConv2D": (PLANE, {"kernel_size": 3, "strides": 2, "padding": "same"}),
    "DepthwiseConv2D-multiplier": (PLANE, {"kernel_size": 2, "depth_multiplier": 3}),
    "SeparableConv1D": (LINE, {"filters": 3, "kernel_size": 3, "padding": "same"}),
    "SeparableConv2D": (PLANE, {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}),
    "Conv1DTranspose": (LINE, {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "Conv2DTranspose": (PLANE, {"filters": 3, "kernel_size": (3, 2), "strides": (2, 3)}),
    "Conv2DTranspose-same": (
        PLANE,
        {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same"},
    ),
    "Conv2DTranspose-output_padding": (
        PLANE,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
    ),
    "Conv2DTranspose-dilation": (PLANE, {"filters": 3, "kernel_size": 3, "dilation_rate": 2}),
    "Conv3DTranspose": (SPACE, {"filters": 3, "kernel_size": 3, "strides": 2}),
}


@witness("Keras", *named(CONVOLUTIONS))
@pytest.mark.parametrize(("id", "case"), CONVOLUTIONS.items(), ids=CONVOLUTIONS)
def test_convolutions_equal_keras(id, case):
    keras = pytest.importorskip("keras")
    (x, arguments), name = case, id.partition("-")[0]
    expected, weights = value_of(getattr(db, name)(**arguments), x)
    theirs = getattr(keras.layers, name)(**arguments)
    theirs.build(x.shape)
    assert [w.shape for w in theirs.weights] == [w.shape for w in weights]
    theirs.set_weights(weights)
    if "dilation" in id:  # without oneDNN, a CPU has such kernels only in XLA
        tf = pytest.importorskip("tensorflow")
        theirs = tf.function(theirs, jit_compile=True)
    assert_close(np.asarray(theirs(x.astype(np.float32))), expected, TOLERANCE, id)


OTHERS = {
    "MaxPooling1D": (LINE, {"pool_size": 3, "strides": 2, "padding": "same"}),
    "MaxPooling2D": (PLANE, {}),
    "MaxPooling2D-same": (-np.abs(PLANE), {"pool_size": (3, 2), "strides": 2, "padding": "same"}),
    "MaxPooling3D": (SPACE, {"pool_size": 2, "padding": "same"}),
    "AveragePooling1D": (LINE, {"pool_size": 2}),
    "AveragePooling2D": (PLANE, {"pool_size": 3, "strides": 2, "padding": "same"}),
    "AveragePooling3D": (SPACE, {"pool_size": 3, "strides": 1, "padding": "same"}),
    "GlobalAveragePooling1D": (LINE, {}),
    "GlobalAveragePooling2D": (PLANE, {"keepdims": True}),
    "GlobalAveragePooling3D": (SPACE, {}),
    "GlobalMaxPooling1D": (LINE, {"keepdims": True}),
    "GlobalMaxPooling2D": (PLANE, {}),
    "GlobalMaxPooling3D": (SPACE, {}),
    "ZeroPadding1D": (LINE, {"padding": (2, 1)}),
    "ZeroPadding2D": (PLANE, {"padding": (1, 2)}),
    "ZeroPadding2D-default": (PLANE, {}),
    "ZeroPadding3D": (SPACE, {"padding": ((0, 1), (2, 0), (1, 1))}),
    "Cropping1D": (LINE, {"cropping": (2, 1)}),
    "Cropping1D-default": (LINE, {}),
    "Cropping2D": (PLANE, {"cropping": ((1, 2), (0, 3))}),
    "Cropping2D-default": (PLANE, {}),
    "Cropping3D": (SPACE, {"cropping": 1}),
    "Cropping3D-default": (SPACE, {}),
    "UpSampling1D": (LINE, {"size": 3}),
    "UpSampling2D": (PLANE, {"size": (2, 3)}),
    "UpSampling2D-bilinear": (PLANE, {"size": (3, 2), "interpolation": "bilinear"}),
    "UpSampling3D": (SPACE, {"size": (1, 2, 3)}),
}


@witness("Keras", *named(OTHERS))
@pytest.mark.parametrize(("id", "case"), OTHERS.items(), ids=OTHERS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_layers_without_weights_equal_keras(id, case, data_format):
    keras = pytest.importorskip("keras")
    (x, arguments), name = case, id.partition("-")[0]
    expected, _ = value_of(getattr(db, name)(**arguments, data_format=data_format), x)
    if name in ("Cropping1D", "UpSampling1D"):  # Keras has them channels last only
        x = x if data_format == "channels_last" else x.swapaxes(1, 2)
        found = np.asarray(getattr(keras.layers, name)(**arguments)(x.astype(np.float32)))
        found = found if data_format == "channels_last" else found.swapaxes(1, 2)
    else:
        theirs = getattr(keras.layers, name)(**arguments, data_format=data_format)
        found = np.asarray(theirs(x.astype(np.float32)))
    assert_close(found, expected, TOLERANCE, id)


def test_masked_mean_equals_keras():
    keras = pytest.importorskip("keras")
    mask = np.array([[1.0] * 9, [1, 1, 0, 1, 0, 0, 0, 0, 0]], np.float32)
    x = LINE.astype(np.float32)
    found = equation(
        lambda scope, *vs: scope.call(db.GlobalAveragePooling1D(), *vs),
        [TensorType((BATCH, *a.shape[1:])) for a in (x, mask)],
        [x, mask],
    ).run(load_backend("reference"))["value"]
    theirs = keras.layers.GlobalAveragePooling1D()(x, mask=mask.astype(bool))
    assert_close(np.asarray(theirs), found, TOLERANCE, "mean")


@witness("MindSpore")
@pytest.mark.parametrize(
    ("name", "ours", "arguments"),
    [
        ("Conv2d", db.Conv2D.mindspore(4, 6, 3), (4, 6, 3)),
        (
            "Conv2d",
            db.Conv2D.mindspore(4, 6, (3, 2), (2, 3), "pad", (1, 0, 2, 1), 1, 2, True),
            (4, 6, (3, 2), (2, 3), "pad", (1, 0, 2, 1), 1, 2, True),
        ),
        ("Conv2d", db.Conv2D.mindspore(4, 3, 2, 1, "valid", 0, 2), (4, 3, 2, 1, "valid", 0, 2)),
        ("Conv2dTranspose", db.Conv2DTranspose.mindspore(4, 3, 3, 2), (4, 3, 3, 2)),
        (
            "Conv2dTranspose",
            db.Conv2DTranspose.mindspore(4, 3, 3, 2, "pad", (1, 0, 2, 1)),
            (4, 3, 3, 2, "pad", (1, 0, 2, 1)),
        ),
        (
            "Conv2dTranspose",
            db.Conv2DTranspose.mindspore(4, 3, 2, 3, "valid"),
            (4, 3, 2, 3, "valid"),
        ),
        ("MaxPool2d", db.MaxPooling2D.mindspore(), ()),
        ("MaxPool2d", db.MaxPooling2D.mindspore(3, 2, "same"), (3, 2, "same")),
        ("AvgPool2d", db.AveragePooling2D.mindspore(), ()),
        ("AvgPool2d", db.AveragePooling2D.mindspore(3, 2, "same"), (3, 2, "same")),
        ("AvgPool2d", db.AveragePooling2D.mindspore(3, 2, "pad", 1), (3, 2, "pad", 1)),
        (
            "AvgPool2d",
            db.AveragePooling2D.mindspore(3, 2, "pad", 1, False, False),
            (3, 2, "pad", 1, False, False),
        ),
        *(
            ("MaxPool2d", db.MaxPooling2D.mindspore(*own, ceil), (*own, False, ceil))
            for own in (
                *((3, 2, "pad", 1, 1), (3, 2, "pad", 0, 1), (2, 3, "pad", 1, 1)),
                *((2, 1, "pad", 1, 2), (2, 2, "pad", 0, (3, 2)), (3, (2, 1), "pad", 1, 2)),
            )
            for ceil in (False, True)
        ),
        *(
            ("AvgPool2d", db.AveragePooling2D.mindspore(*own, counted), (*own, counted))
            for own in (
                *((3, 2, "pad", 1, True), (3, 2, "pad", 0, True), (2, 3, "pad", 1, True)),
                (3, 2, "valid", 0, True),
            )
            for counted in (False, True)
        ),
    ],
    ids=str,
)
def test_layers_equal_mindspore(name, ours, arguments):
    ms = pytest.importorskip("mindspore")
    x = np.ascontiguousarray(PLANE.transpose(0, 3, 1, 2), np.float32)
    expected, weights = value_of(ours, x)
    theirs = getattr(ms.nn, name)(*arguments)
    native = {p.name: p for p in theirs.get_parameters()}
    assert len(native) == len(weights)
    if weights:
        native["weight"].set_data(ms.Tensor(weights[0].transpose(3, 2, 0, 1).copy()))
    if len(weights) > 1:
        native["bias"].set_data(ms.Tensor(weights[1]))
    assert_close(theirs(ms.Tensor(x)).asnumpy(), expected, TOLERANCE, name)


@pytest.mark.parametrize(
    ("ours", "native", "arguments"),
    [
        (db.Conv2D.mindspore, "Conv2d", (16, 8, 3, 1, "same", 0, 1, 4, True)),
        (db.Conv2DTranspose.mindspore, "Conv2dTranspose", (16, 8, 3)),
    ],
)
def test_mindspore_starts_within_the_same_bounds(ours, native, arguments):
    """The largest of many draws from a uniform distribution is close to its bound."""
    ms = pytest.importorskip("mindspore")
    theirs = getattr(ms.nn, native)(*arguments).weight.asnumpy()
    shape = theirs.transpose(2, 3, 1, 0).shape
    drawn = ours(*arguments).kernel_initializer.sample(RNG, shape)
    assert_close(np.abs(drawn).max(), np.abs(theirs).max(), 0.01, native)
