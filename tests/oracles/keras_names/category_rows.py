"""Layers of categories: values, and what they find when they adapt to data."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db

DRAW = np.random.default_rng(0)
KINDS = DRAW.integers(0, 5, (6, 3))
IDS = DRAW.integers(-3, 9, (8, 4))
SKEWED = np.float32(DRAW.exponential(size=(700, 2)))
LETTERS = ["a", "b", "ü", "Ω", "", "a b"]
TEXTS = DRAW.choice(LETTERS, (8, 4))
EVERY = list(range(-3, 9))
EDGES = [-1.0, 0.25, 0.5, 2.0]
ON_EDGES = np.float32([[0.25, 0.5], [2.0, -1.0], [0.1, 7.0]])


def _row(name: str, says: str, measure: Any, because: str = "") -> Row:
    return Row(
        family="layer",
        name=name,
        keras=f"layers.{name}",
        says=says,
        measure=measure,
        because=because,
        tolerance=1e-5,  # Keras finds boundaries in float32, and rounds after each batch
    )


def _value(layer: Any, x: Any) -> Any:
    return ours_of(layer, (x,), gradient=False)[1]["value"]


def _measure(name: str, x: Any, arguments: Any, keras: Any) -> Pairs:
    native = getattr(keras.layers, name)(**arguments)
    return {"value": (native(x), _value(getattr(db, name)(**arguments), x))}


def row(name: str, x: Any, said: str = "", **arguments: Any) -> Row:
    """Compare the values of a layer with the same arguments."""
    says = ", ".join(filter(None, [text_of(arguments), said]))
    return _row(name, says, partial(_measure, name, x, arguments))


def _adapt(name: str, parts: int, x: Any, arguments: Any, keras: Any) -> Pairs:
    native = getattr(keras.layers, name)(**arguments)
    batches = np.array_split(x, parts)
    native.adapt(x if parts == 1 else iter(batches))
    ours = getattr(db, name)(**arguments).adapt(x if parts == 1 else iter(batches))
    pairs = {"value": (native(x), _value(ours, x))}
    if name == "IntegerLookup":
        pairs["vocabulary"] = native.get_vocabulary()[1:], ours.get_vocabulary()[1:]
    if name == "StringLookup":
        theirs = native.get_vocabulary()
        places = [theirs.index(text) for text in ours.get_vocabulary()]
        pairs["vocabulary"] = range(len(theirs)), places
    if name == "Discretization":
        pairs["boundaries"] = native.bin_boundaries, ours.bin_boundaries
    return pairs


def adapted(name: str, x: Any, parts: int = 1, **arguments: Any) -> Row:
    """Compare layers that have adapted to data, whole or in batches."""
    says = ", ".join(filter(None, [f"adapted to {parts} batches", text_of(arguments)]))
    return _row(name, says, partial(_adapt, name, parts, x, arguments))


VECTORS = ("one_hot", "multi_hot", "count")

CATEGORY_ROWS = [
    *(row("CategoryEncoding", KINDS, num_tokens=5, output_mode=mode) for mode in VECTORS),
    row("CategoryEncoding", KINDS, num_tokens=5),
    row("CategoryEncoding", KINDS[:, :1], "one column", num_tokens=5, output_mode="one_hot"),
    row("CategoryEncoding", KINDS + 3, "out of range", num_tokens=5, output_mode="one_hot"),
    row("Discretization", ON_EDGES, bin_boundaries=EDGES),
    *(row("Discretization", ON_EDGES, bin_boundaries=EDGES, output_mode=m) for m in VECTORS),
    *(adapted("Discretization", SKEWED, parts, num_bins=7) for parts in (1, 5)),
    adapted("Discretization", SKEWED, 5, num_bins=7, epsilon=0.004),
    adapted("Discretization", SKEWED[:20], num_bins=3, output_mode="one_hot"),
    adapted("Discretization", SKEWED[:2], num_bins=9),
    adapted("Normalization", SKEWED, 5),
    row("IntegerLookup", IDS, vocabulary=[5, 3, 8]),
    row("IntegerLookup", IDS, vocabulary=[5, 3, 8], mask_token=0),
    row("IntegerLookup", IDS, vocabulary=[0, -1, 5, 3, 8], mask_token=0),
    *(row("IntegerLookup", IDS, vocabulary=[5, 3, 8], output_mode=mode) for mode in VECTORS),
    row("IntegerLookup", IDS, vocabulary=[5, 3, 8], output_mode="count", mask_token=2),
    row(
        *("IntegerLookup", IDS),
        max_tokens=6,
        vocabulary=[5, 3, 8],
        idf_weights=[0.5, 1.0, 3.0],
        output_mode="tf_idf",
        pad_to_max_tokens=True,
    ),
    row(
        "IntegerLookup", IDS, vocabulary=list(range(-3, 9)), num_oov_indices=0, output_mode="count"
    ),
    *(adapted("IntegerLookup", IDS, parts) for parts in (1, 3)),
    adapted("IntegerLookup", IDS, max_tokens=5, mask_token=2),
    *(adapted("IntegerLookup", IDS, parts, output_mode="tf_idf") for parts in (1, 3)),
    row("StringLookup", TEXTS, vocabulary=["b", "a", "ü"]),
    row("StringLookup", TEXTS, vocabulary=["b", "a"], mask_token=""),
    row("StringLookup", TEXTS, vocabulary=["", "[UNK]", "b", "a"], mask_token=""),
    *(row("StringLookup", TEXTS, vocabulary=["b", "ü"], output_mode=mode) for mode in VECTORS),
    row("StringLookup", TEXTS, vocabulary=["b", "a"], output_mode="count", mask_token="ü"),
    row(
        *("StringLookup", TEXTS),
        max_tokens=6,
        vocabulary=["b", "a", "ü"],
        idf_weights=[0.5, 1.0, 3.0],
        output_mode="tf_idf",
        pad_to_max_tokens=True,
    ),
    row("StringLookup", TEXTS, vocabulary=LETTERS, num_oov_indices=0, output_mode="count"),
    *(adapted("StringLookup", TEXTS, parts) for parts in (1, 3)),
    adapted("StringLookup", TEXTS, max_tokens=4, mask_token="b"),
    *(adapted("StringLookup", TEXTS, parts, output_mode="tf_idf") for parts in (1, 3)),
]
