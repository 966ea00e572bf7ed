"""Random convolutions and pools: any strides, dilation, groups, sizes and padding."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.backend.plugins import load_backend
from dnnbridge.errors import ShapeError
from dnnbridge.ops.windows import pad_pairs, places
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.harness import build_case
from dnnbridge.testing.tolerances import elementwise

SIZES = {1: 13, 2: 9, 3: 6}
"""Largest size of an axis, by the number of axes."""


def numbers(rng, *shape):
    made = rng.normal(size=shape)
    return np.round(made) if rng.integers(2) else made  # half of them with many ties


def draw(rng, kind: str) -> OpCase:
    """Draw a case; raises ShapeError if its sizes do not fit together."""
    axes = rng.choice((1, 2, 2, 2, 3))
    sizes = rng.integers(1, SIZES[axes] + 1, axes).tolist()
    window = rng.integers(1, 4, axes).tolist() if rng.integers(5) else [1] * axes
    strides = rng.choice((1, 1, 2, 3), axes).tolist()
    dilation = rng.choice((1, 1, 2, 3), axes).tolist() if rng.integers(2) else [1] * axes
    if "Pool" in kind:
        dilation = [1] * axes
    some = tuple(map(tuple, rng.integers(0, 3, (axes, 2)).tolist()))
    padding = ("valid", "same", some)[rng.integers(3)]
    pairs = pad_pairs(padding, sizes, window, strides, dilation)
    batch, groups, each, out = rng.integers(1, 4, 4).tolist()
    if kind == "Depthwise":
        groups, each = groups + 1, 1
    elif rng.integers(2):
        groups = 1
    x, attributes = (batch, *sizes, groups * each), (tuple(strides), pairs)
    if "Pool" in kind:
        op = getattr(ops, kind)(tuple(window), *attributes)
        inputs = [numbers(rng, *x)]
    elif kind == "ConvTranspose":
        made = places("", sizes, window, strides, pairs, dilation)
        op = ops.ConvTranspose(*attributes, tuple(dilation), tuple(sizes))
        inputs = [numbers(rng, batch, *made, out), numbers(rng, *window, each, out)]
    else:
        op = ops.Conv(*attributes, tuple(dilation), groups)
        inputs = [numbers(rng, *x), numbers(rng, *window, each, groups * out)]
    case = OpCase(f"{op} {[i.shape for i in inputs]}", op, tuple(inputs), reduced=math.prod(x))
    op.infer(*case.types)
    return case


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["AvgPool", "Conv", "ConvTranspose", "Depthwise", "MaxPool"])
@pytest.mark.parametrize("name", ["tensorflow", "mindspore"])
def test_random_windows(name: str, kind: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    backend, reference = load_backend(name), load_backend("reference")
    rng, left = np.random.default_rng(5), 40
    while left:
        try:
            case = draw(rng, kind)
        except ShapeError:
            continue
        left -= 1
        built = build_case(case)
        actual, expected = built.run(backend), built.run(reference)
        for what, value in expected.items():
            assert_close(actual[what], value, elementwise(case.reduced), f"{case.id} {what}")
