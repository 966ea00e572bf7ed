"""Strategies of models: chains, branches that merge, shared layers, models in models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from dnnbridge import layers
from dnnbridge.models import AbstractModel, Input, Model, Sequential
from dnnbridge.testing.random_programs.layers import dense, flattening, keeping, of

Draw = Callable[[st.SearchStrategy[Any]], Any]

LARGEST = 150
"""No further layer is added if an example has more numbers than this."""

_SHAPES = st.one_of(
    st.tuples(st.sampled_from([3, 1, 7])),
    st.tuples(st.sampled_from([3, 5, 2]), st.sampled_from([2, 1, 3])),
    st.tuples(st.sampled_from([3, 5, 4]), st.sampled_from([3, 4]), st.sampled_from([1, 2, 3])),
)

_MERGES = st.sampled_from(
    [
        *(layers.Add(), layers.Multiply(), layers.Average(), layers.Subtract()),
        *(layers.Concatenate(), layers.Maximum()),
    ]
)


@st.composite
def models(draw: Draw, outputs: tuple[int, ...]) -> AbstractModel:
    """Draw a model with one output per given size; an output is a row of that many numbers."""
    if draw(st.integers(0, 4)) == 4:
        first, x, shape = _words(draw)
    else:
        shape = draw(_SHAPES)
        first = x = Input(shape)
    inputs, chain = [first], draw(st.booleans()) and x is first
    made: list[layers.AbstractLayer] = []
    for _ in range(draw(st.integers(0, 3))):
        if _size(shape) > LARGEST:
            break
        if chain:
            made.append(draw(of(shape)))
            x, shape = made[-1](x), _after(made[-1], shape)
        else:
            x, shape = _block(draw, x, shape)
    if len(shape) > 1:
        made.append(draw(flattening(shape)))
        x, shape = made[-1](x), _after(made[-1], shape)
    last = [layers.Dense(n) for n in outputs]
    if chain and len(last) == 1:
        return Sequential([first, *made, *last])
    if draw(st.integers(0, 4)) == 4:
        inputs.append(Input((2,)))
        x = layers.Concatenate()(x, inputs[-1])
    names = ["a", "b"] if len(last) > 1 else [None]
    made_outputs = [d.replace(name=n)(x) for d, n in zip(last, names, strict=True)]
    return Model(inputs, made_outputs if len(last) > 1 else made_outputs[0])


def _words(draw: Draw) -> tuple[Input, Any, tuple[int, ...]]:
    """Draw the embedding of an integer sequence."""
    first, size = Input((draw(st.integers(1, 4)),), "int32"), draw(st.integers(1, 4))
    rows = layers.Embedding(4, size, padding_idx=draw(st.sampled_from([None, 0])))
    return first, rows(first), (first.shape[0], size)


def _block(draw: Draw, x: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """Draw a layer, branches, two calls that share weights, a nested model, or an attention."""
    kind = draw(st.sampled_from(["layer", "branches", "shared", "model", "attention"]))
    if kind == "branches":
        layer, merge = draw(keeping(shape)), draw(_MERGES)
        end = (2 * shape[-1],) if isinstance(merge, layers.Concatenate) else shape[-1:]
        return merge(layer(x), x), (*shape[:-1], *end)
    if kind == "shared":
        layer = draw(dense(st.just(shape[-1])))
        return layer(layer(x)), shape
    if kind == "model":
        inner = draw(st.lists(keeping(shape), min_size=1, max_size=2))
        return Sequential([Input(shape), *inner])(x), shape
    if kind == "attention" and len(shape) == 2:
        return draw(_attentions())(x, x), shape
    layer = draw(of(shape))
    return layer(x), _after(layer, shape)


def _attentions() -> st.SearchStrategy[layers.AbstractLayer]:
    given = {"causal": st.booleans(), "dropout": st.sampled_from([0.0, 0.2])}
    sizes = st.integers(1, 3)
    heads = st.builds(layers.MultiHeadAttention, sizes, sizes, use_bias=st.booleans(), **given)
    return st.one_of(heads, st.builds(layers.Attention, use_scale=st.booleans(), **given))


def _after(layer: layers.AbstractLayer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the output shape of a layer for an input shape, as inferred by the layer."""
    made = Sequential([Input(shape), layer]).output_shape[1:]
    return tuple(size for size in made if size is not None)


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
