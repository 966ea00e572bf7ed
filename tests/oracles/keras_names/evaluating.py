"""Evaluate a layer, loss or activation of ours and of Keras with the same weights and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge.backend.plugins import load_backend
from dnnbridge.base.texts import digests
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.harness import Equation, equation

Arrays = tuple[np.ndarray, ...]


SYNONYMS = {"alpha": "slope"}
"""Our names of weights of Keras that differ."""


def built_of(
    spec: Any,
    inputs: Arrays,
    training: bool = True,
    gradient: bool = True,
    batched: bool = True,
) -> Equation:
    """Return the equation of a spec called on inputs. Their first axis is the batch."""
    fed = [digests(a, "x") if a.dtype.kind == "U" else a for a in inputs]
    arrays = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in fed]
    types = [
        TensorType(
            (BATCH if batched else len(a), *a.shape[1:]),
            "int32" if a.dtype.kind == "i" else "float32",
            text=given.dtype.kind == "U",
        )
        for a, given in zip(arrays, inputs, strict=True)
    ]
    return equation(
        lambda scope, *v: scope.call(spec, *v, name="it"),
        types,
        arrays,
        training=training,
        gradient=gradient,
    )


def ours_of(spec: Any, inputs: Arrays, **how: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the feeds, and the results of the float64 reference."""
    built = built_of(spec, inputs, **how)
    return dict(built.feeds), dict(built.run(load_backend("reference")))


def both_of_layer(spec: Any, native: Any, inputs: Arrays, training: bool) -> dict[str, Any]:
    """Return value, gradients and updates of both, with the same weights."""
    import tensorflow as tf

    feeds, found = ours_of(spec, inputs, training=training)
    given = [tf.constant(a, tf.int32 if a.dtype.kind == "i" else tf.float32) for a in inputs]
    kind = type(native).__name__
    floats = [x for x in given if x.dtype == tf.float32]
    apart = kind in {"MultiHeadAttention", "GroupedQueryAttention"}  # inputs, not a list of them
    arguments = given if apart or len(given) == 1 else [given]
    how = {"reverse": True} if kind == "ReversibleEmbedding" and floats else {}
    native(*arguments, **how)  # builds the layer
    names = assign(native.weights, {n[3:]: a for n, a in feeds.items() if n.startswith("it/")})
    watched = [v.value for v in native.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(floats)
        y = called(native, arguments, training, **how)
        total = tf.reduce_sum(y * feeds["weights"]) + sum(native.losses)
    pairs = {"value": (y, found["value"])}
    gradients = tape.gradient(total, [*floats, *watched])
    keys = [f"input_{i}" for i, x in enumerate(given) if x.dtype == tf.float32]
    keys += [f"it/{names[v.path]}" for v in native.trainable_weights]
    for key, gradient in zip(keys, gradients, strict=True):
        wanted = found[f"d/{key}"]
        made = np.zeros(wanted.shape) if gradient is None else tf.convert_to_tensor(gradient)
        pairs[f"d/{key}"] = (np.reshape(made, wanted.shape), wanted)
    for v in native.non_trainable_weights:
        if training and v.path in names:
            pairs[f"update/{names[v.path]}"] = (v.numpy(), found[f"update/it/{names[v.path]}"])
    return pairs


def called(native: Any, arguments: Any, training: bool, **how: Any) -> Any:
    """Call a layer of Keras, with `training` if it takes that argument."""
    try:
        return native(*arguments, training=training, **how)
    except TypeError:
        return native(*arguments, **how)


def assign(weights: Any, ours: dict[str, Any]) -> dict[str, str]:
    """Assign our weights to those of Keras by name; return our names by the paths of Keras."""
    left, names = dict(ours), {}
    for weight in weights:
        if "seed_generator" in weight.path:
            continue
        parts = weight.path.replace("attention_output", "output").split("/")
        wishes = {parts[-1], "_".join(parts[-2:]), SYNONYMS.get(parts[-1], "")}
        name = next(
            n
            for n, a in left.items()
            if (n.rpartition("/")[2] in wishes or n.replace("/", "_") in wishes)
            and a.size == np.prod(weight.shape)
        )
        weight.assign(left.pop(name).reshape(weight.shape))
        names[weight.path] = name
    assert not left, f"Keras has no {sorted(left)}"
    return names
