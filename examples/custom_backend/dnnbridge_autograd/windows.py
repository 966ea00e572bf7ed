"""Convolutions and pools: one slice of the padded input per element of the window."""

from __future__ import annotations

import autograd.numpy as np
from autograd import make_vjp


def _slices(x, window, op, dilation):
    """Yield each offset in the window and the slice of the padded input at that offset."""
    sizes = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], window, op.strides, dilation, strict=True)
    ]
    for offset in np.ndindex(*window):
        axes = zip(offset, sizes, op.strides, dilation, strict=True)
        spatial = [slice(k * d, k * d + (n - 1) * s + 1, s) for k, n, s, d in axes]
        yield offset, x[(slice(None), *spatial)]


def _pad(x, op, value=0.0):
    return np.pad(x, ((0, 0), *op.padding, (0, 0)), "constant", constant_values=value)


def _conv(op, x, kernel, groups):
    channels, filters = kernel.shape[-2], kernel.shape[-1] // groups
    made = []
    for g in range(groups):
        part = _pad(x[..., g * channels : (g + 1) * channels], op)
        own = kernel[..., g * filters : (g + 1) * filters]
        slices = _slices(part, kernel.shape[:-2], op, op.dilation)
        made.append(sum(np.matmul(each, own[offset]) for offset, each in slices))
    return np.concatenate(made, -1)


def conv(op, x, kernel):
    return _conv(op, x, kernel, op.groups)


def conv_transpose(op, x, kernel):
    zeros = np.zeros((x.shape[0], *op.sizes, kernel.shape[-2]))
    return make_vjp(lambda y: _conv(op, y, kernel, 1))(zeros)[0](x)


def max_pool(op, x):
    best = None
    for _, each in _slices(_pad(x, op, -np.inf), op.window, op, (1,) * len(op.window)):
        best = each if best is None else np.where((each > best) | (each != each), each, best)
    return best


def avg_pool(op, x):
    slices = _slices(_pad(x, op), op.window, op, (1,) * len(op.window))
    return sum(each for _, each in slices) / op.divisors(x.shape[1:-1])
