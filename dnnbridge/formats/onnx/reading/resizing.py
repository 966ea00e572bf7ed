"""Resize, and operators that exchange channels for pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.along_axis import times_matrix
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.movement import in_shape
from dnnbridge.formats.onnx.reading.values import MARKERS, CannotReadError, Tensor

REPEATING = {1: layers.UpSampling1D, 2: layers.UpSampling2D, 3: layers.UpSampling3D}

PLACES: Mapping[str, Callable[[Array, float, int, int], Array]] = {
    "align_corners": lambda i, s, n, m: i * (n - 1) / max(m - 1, 1),
    "asymmetric": lambda i, s, n, m: i / s,
    "half_pixel": lambda i, s, n, m: (i + 0.5) / s - 0.5,
    "pytorch_half_pixel": lambda i, s, n, m: (i + 0.5) / s - 0.5 if m > 1 else 0.0 * i,
}
"""Where element i of m lies among n elements, with a scale s."""

NEAREST: Mapping[str, Callable[[Array], Array]] = {
    "ceil": np.ceil,
    "floor": np.floor,
    "round_prefer_ceil": lambda p: np.floor(p + 0.5),
    "round_prefer_floor": lambda p: np.ceil(p - 0.5),
}


def resize(call: Call) -> Tensor:
    """Read a resize as a layer of Keras, or as one matrix per axis where Keras has none."""
    x = call.tensor()
    mode, places = call.get("mode", "nearest"), _places(call)
    sizes, scales = _sizes(call, x)
    changed = [
        axis for axis in range(1, x.rank) if scales[axis] != 1 or sizes[axis] != x.shape[axis - 1]
    ]
    matrices = {
        axis: _matrix(call, mode, places, x.shape[axis - 1], sizes[axis], scales[axis])
        for axis in changed
    }
    spatial = x.rank - 2
    times = [int(scales[axis]) for axis in range(2, x.rank)]
    repeated = {
        axis: np.repeat(np.eye(x.shape[axis - 1]), max(int(scales[axis]), 1), 1) for axis in changed
    }
    same = all(np.array_equal(matrices[axis], repeated[axis]) for axis in changed)
    if same and spatial in REPEATING and 1 not in changed:
        return call.layer(REPEATING[spatial](tuple(times), "channels_first"), x)
    if (mode, spatial) == ("linear", 2) and 1 not in changed and places.endswith("half_pixel"):
        exact = all(math.isclose(sizes[a], scales[a] * x.shape[a - 1]) for a in changed)
        if exact and min(sizes[2:]) > 1:
            made = layers.Resizing(sizes[2], sizes[3], data_format="channels_first")
            return call.layer(made, x)
    for axis in changed:
        x = times_matrix(call, x, axis, matrices[axis])
    return x


def _places(call: Call) -> str:
    """Return the name of the rule for positions, or raise for what has no counterpart."""
    places = str(call.get("coordinate_transformation_mode", "half_pixel"))
    call.require(places in PLACES, f"coordinate_transformation_mode={places}")
    call.require(not call.get("antialias", 0), "antialias=1")
    call.require(not call.get("exclude_outside", 0), "exclude_outside=1")
    policy = call.get("keep_aspect_ratio_policy", "stretch")
    call.require(policy == "stretch", f"keep_aspect_ratio_policy={policy}")
    return places


def _sizes(call: Call, x: Tensor) -> tuple[list[int], list[float]]:
    """Return the size and the scale of each axis; those of the batch say nothing."""
    named = call.get("axes", tuple(range(x.rank)))
    axes = [int(axis) % x.rank for axis in named]
    old = [1, *x.shape]
    sizes, scales = list(old), [1.0] * x.rank
    given = call.input(3)
    if given is not None:
        numbers: list[float] = list(call.weight(3).sizes())
        call.require(len(numbers) == len(axes), f"sizes={numbers}")
        for axis, n in zip(axes, numbers, strict=True):
            same = axis > 0 or n in (MARKERS[0], call.reader.batch)
            call.require(same, f"sizes={numbers}: {n} for the batch")
            sizes[axis], scales[axis] = int(n), n / old[axis]
        return sizes, scales
    found = call.constant(2)
    if found is None or found.size != len(axes):
        raise CannotReadError("neither sizes nor scales that are constants")
    for axis, scale in zip(axes, found.ravel().tolist(), strict=True):
        call.require(axis > 0 or scale == 1, "a scale of the batch")
        sizes[axis], scales[axis] = math.floor(old[axis] * scale), scale
    return sizes, scales


def _matrix(call: Call, mode: str, rule: str, n: int, m: int, scale: float) -> Array:
    """Return the matrix that makes m numbers of n numbers, as in x @ matrix."""
    call.require(m > 0, f"a size of {m}")
    places = PLACES[rule](np.arange(m, dtype=np.float64), scale, n, m)
    if mode == "nearest":
        rounding = call.get("nearest_mode", "round_prefer_floor")
        call.require(rounding in NEAREST, f"nearest_mode={rounding}")
        taps = [(NEAREST[rounding](places), np.ones(m))]
    elif mode == "linear":
        left = np.floor(places)
        taps = [(left, 1.0 - (places - left)), (left + 1, places - left)]
    else:
        call.require(mode == "cubic", f"mode={mode}")
        a, left = float(np.float32(call.get("cubic_coeff_a", -0.75))), np.floor(places)
        taps = [(left + k, _cubic(np.abs(places - left - k), a)) for k in (-1, 0, 1, 2)]
    made = np.zeros((n, m))
    for place, weight in taps:
        rows = np.clip(place, 0, n - 1).astype(int)
        np.add.at(made, (rows, np.arange(m)), weight)
    return made


def _cubic(t: Array, a: float) -> Array:
    """Return the cubic kernel of Keys (1981)."""
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.asarray(np.where(t <= 1, near, np.where(t < 2, far, 0.0)))


def depth_to_space(call: Call) -> Tensor:
    x, k = call.tensor(), int(call.get("blocksize", 1))
    mode = call.get("mode", "DCR")
    call.require(x.rank == 4 and mode in ("DCR", "CRD"), f"mode={mode} and rank {x.rank}")
    channels, height, width = x.shape
    call.require(channels % (k * k) == 0, f"blocksize={k} of {channels} channels")
    less = channels // (k * k)
    if mode == "CRD":
        parts, order = (less, k, k, height, width), (1, 4, 2, 5, 3)
    else:
        parts, order = (k, k, less, height, width), (3, 4, 1, 5, 2)
    x = call.layer(layers.Permute(order), in_shape(call, x, parts))
    return in_shape(call, x, (less, height * k, width * k))


def space_to_depth(call: Call) -> Tensor:
    x, k = call.tensor(), int(call.get("blocksize", 1))
    call.require(x.rank == 4, f"an input of rank {x.rank}")
    channels, height, width = x.shape
    call.require(height % k == width % k == 0, f"blocksize={k} of {height} x {width}")
    x = in_shape(call, x, (channels, height // k, k, width // k, k))
    x = call.layer(layers.Permute((3, 5, 1, 2, 4)), x)
    return in_shape(call, x, (channels * k * k, height // k, width // k))
