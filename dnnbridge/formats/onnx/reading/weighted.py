"""Products with matrices of weights, normalisations and tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, Tensor


def gemm(call: Call) -> Tensor:
    x, weight = call.tensor(), call.weight(1)
    call.require(not call.get("transA", 0), "transA=1")
    kernel = weight.fixed.T if call.get("transB", 0) else weight.fixed
    weights, sources = {"kernel": kernel * float(call.get("alpha", 1.0))}, [weight]
    if call.input(2) is not None:
        bias, units = call.weight(2), kernel.shape[1]
        row = np.broadcast_to(bias.fixed, (1, units))[0]
        weights["bias"] = row * float(call.get("beta", 1.0))
        sources.append(bias)
    made = layers.Dense(kernel.shape[1], use_bias="bias" in weights)
    return call.layer(made, x, weights=weights, sources=tuple(sources))


def matmul(call: Call) -> Tensor:
    if isinstance(call.input(1), Tensor) and isinstance(call.input(0), Tensor):
        a, b = call.tensor(0), call.tensor(1)
        call.require(a.rank == b.rank >= 3, f"tensors of rank {a.rank} and {b.rank}")
        return call.layer(layers.MatMul(), a, b)
    x, weight = call.tensor(), call.weight(1)
    kernel = weight.fixed
    call.require(kernel.ndim == 2, f"a constant of shape {kernel.shape}")
    weights, sources = {"kernel": kernel}, [weight]
    if (bias := _following_bias(call, kernel.shape[1])) is not None:
        weights["bias"] = bias.fixed
        sources.append(bias)
    made = layers.Dense(kernel.shape[1], use_bias="bias" in weights)
    return call.layer(made, x, weights=weights, sources=tuple(sources))


def _following_bias(call: Call, units: int) -> Known | None:
    """Return the bias that the only node after this one adds, which becomes part of the layer."""
    name = call.node.output[0]
    users = call.reader.users[name]
    if len(users) != 1 or users[0] is None or users[0].op_type != "Add":
        return None
    (other,) = [each for each in users[0].input if each != name] or [""]
    value = call.reader.values.get(other)
    if not isinstance(value, Known) or value.fixed.shape != (units,):
        return None
    call.reader.absorbed[users[0].output[0]] = name
    return value


def batch_normalization(call: Call) -> Tensor:
    x = call.tensor()
    call.require(not call.get("training_mode", 0), "training_mode=1")
    call.require(call.get("spatial", 1) == 1, "spatial=0")
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    sources = tuple(call.weight(index) for index in range(1, 5))
    made = layers.BatchNormalization(1, round(float(call.get("momentum", 0.9)), 7), _epsilon(call))
    weights = {name: each.fixed for name, each in zip(names, sources, strict=True)}
    return call.layer(made, x, weights=weights, sources=sources)


def _epsilon(call: Call) -> float:
    """Return epsilon with the digits of a float32."""
    return float(str(np.float32(call.get("epsilon", 1e-5))))


def layer_normalization(call: Call) -> Tensor:
    x = call.tensor()
    first = call.axis(-1, x.rank)
    call.require(first > 0, "axis=0")
    call.require(len(list(filter(None, call.node.output))) == 1, "a second result")
    axes, shape = tuple(range(first, x.rank)), x.shape[first - 1 :]
    sources = [call.weight(1)]
    weights = {"gamma": np.broadcast_to(call.weight(1).fixed, shape)}
    if call.input(2) is not None:
        sources.append(call.weight(2))
        weights["beta"] = np.broadcast_to(call.weight(2).fixed, shape)
    made = layers.LayerNormalization(
        axes if len(axes) > 1 else -1, _epsilon(call), center="beta" in weights
    )
    return call.layer(made, x, weights=weights, sources=tuple(sources))


def instance_normalization(call: Call) -> Tensor:
    sources = (call.weight(1), call.weight(2))
    weights = {"gamma": sources[0].fixed, "beta": sources[1].fixed}
    made = layers.InstanceNorm(1, _epsilon(call))
    return call.layer(made, call.tensor(), weights=weights, sources=sources)


def group_normalization(call: Call) -> Tensor:
    x, groups = call.tensor(), int(call.get("num_groups", 1))
    sources = (call.weight(1), call.weight(2))

    def per_channel(array: Array) -> Array:  # opset 18 has one number per group
        return array if array.size == x.shape[0] else np.repeat(array, x.shape[0] // groups)

    weights = {"gamma": per_channel(sources[0].fixed), "beta": per_channel(sources[1].fixed)}
    made = layers.GroupNormalization(groups, 1, _epsilon(call))
    return call.layer(made, x, weights=weights, sources=sources)


def gather(call: Call) -> Tensor:
    if isinstance(call.input(0), Known):
        return _embedding(call)
    x, indices = call.tensor(), call.weight(1).fixed
    axis = call.axis(0, x.rank)
    call.require(axis != x.batch, f"axis={axis}, the batch")
    call.require(indices.ndim <= 1 and indices.size > 0, f"indices of shape {indices.shape}")
    place = x.place(axis)
    size = x.shape[place - 1]
    call.require(bool(np.all((indices >= -size) & (indices < size))), "an index out of range")
    before = (slice(None),) * place
    if indices.ndim == 0:
        made = call.layer(layers.Slice((*before, int(indices))), x)
        return replace(made, batch=x.batch - (axis < x.batch))
    places = [int(n) % size for n in indices]
    if places == list(range(places[0], places[0] + len(places))):
        made = call.layer(layers.Slice((*before, slice(places[0], places[-1] + 1))), x)
        return replace(made, batch=x.batch)
    call.require(len(places) <= 64, f"{len(places)} indices that do not follow one another")
    parts = [call.layer(layers.Slice((*before, slice(n, n + 1))), x) for n in places]
    return replace(call.layer(layers.Concatenate(place), *parts), batch=x.batch)


def _embedding(call: Call) -> Tensor:
    table, x = call.weight(0), call.tensor(1)
    array = table.fixed
    call.require(call.get("axis", 0) == 0, f"axis={call.get('axis', 0)} of a constant")
    call.require(array.ndim == 2, f"a table of shape {array.shape}")
    if x.dtype != "int32":
        raise CannotReadError(f"indices of dtype {x.dtype}")
    name = getattr(x.symbol, "name", None)
    if name in call.reader.limits:
        call.reader.limits[name] = min(call.reader.limits[name], array.shape[0])
    made = layers.Embedding(array.shape[0], array.shape[1])
    return call.layer(made, x, weights={"embeddings": array}, sources=(table,))
