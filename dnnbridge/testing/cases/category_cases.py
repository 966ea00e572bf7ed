"""Layers that make categories of numbers, and vectors of categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal
from dnnbridge.testing.cases.witnesses_of_categories import hot, place

Vectors = Literal["one_hot", "multi_hot", "count"]
Bins = Literal["int", "one_hot", "multi_hot", "count"]

VECTORS: tuple[Vectors, ...] = ("one_hot", "multi_hot", "count")
BINS: tuple[Bins, ...] = ("int", "one_hot")
PLACES: tuple[Bins, ...] = ("int", "multi_hot")
MASKED: tuple[Bins, ...] = ("int", "count")

KINDS = labels(6, 3, classes=5)
IDS = np.array([[7, 2**31 - 1], [-(2**31), 16_777_217], [16_777_216, 0], [3, 7]])
"""Whole numbers, some of which float32 cannot tell from their neighbours."""

KNOWN = (16_777_217, 2**31 - 1, 7, -(2**31))
EDGES = (-0.7, 0.0, 0.3, 1.1)
ON_EDGES = np.array([[-0.7, 0.0], [0.3, 1.1], [0.29999998, 5.0], [-9.0, 0.30000004]], np.float32)


def _category(mode: Vectors, inputs: Array, name: str = "", count: int = 5) -> EquationCase:
    return EquationCase(
        f"CategoryEncoding-{mode}{name}",
        layers.CategoryEncoding(count, mode),
        (inputs,),
        gradient=False,
        witness=lambda a: hot(a["input_0"], count, mode),
    )


def _bins(mode: Bins) -> EquationCase:
    def witness(arrays: Mapping[str, Array]) -> Array:
        index = np.searchsorted(
            np.array(EDGES, np.float32), arrays["input_0"].astype(np.float32), "right"
        )
        return index if mode == "int" else hot(index, len(EDGES) + 1, mode)

    layer = layers.Discretization(EDGES, output_mode=mode)
    return EquationCase(
        f"Discretization-{mode}", layer, (ON_EDGES,), gradient=False, witness=witness
    )


def _lookup(mode: Bins, inputs: Array = IDS, mask: int | None = None) -> EquationCase:
    depth = len(KNOWN) + 1 + (mask is not None and mode == "int")

    def witness(arrays: Mapping[str, Array]) -> Array:
        found = place(arrays["input_0"], KNOWN, mask, mode)
        return found if mode == "int" else hot(found, depth, mode)

    layer = layers.IntegerLookup(vocabulary=KNOWN, mask_token=mask, output_mode=mode)
    name = f"IntegerLookup-{mode}{'' if mask is None else '-mask'}"
    return EquationCase(name, layer, (inputs,), gradient=False, witness=witness)


def _weighted() -> EquationCase:
    weights = np.array([0.5, 2.0, 1.25, 4.0])

    def witness(arrays: Mapping[str, Array]) -> Array:
        counts = hot(place(arrays["input_0"], KNOWN, None, "count"), 7, "count")
        return np.asarray(counts * np.array([weights.mean(), *weights, 0.0, 0.0]))

    layer = layers.IntegerLookup(
        7, vocabulary=KNOWN, idf_weights=weights, output_mode="tf_idf", pad_to_max_tokens=True
    )
    return EquationCase("IntegerLookup-tf_idf", layer, (IDS,), gradient=False, witness=witness)


CATEGORY_CASES: list[EquationCase] = [
    *(_category(mode, KINDS) for mode in VECTORS),
    _category("one_hot", labels(4, 1, classes=5), "-one"),
    _category("one_hot", labels(2, 3, 4, classes=7) - 1, "-axes"),
    _category("one_hot", normal(4, 3).round() + 2.0, "-floats"),
    _category("count", labels(4, 3, classes=7) - 1, "-unknown"),
    *(_bins(mode) for mode in BINS),
    EquationCase(
        "Discretization-whole", layers.Discretization((2.0, 4.0)), (KINDS,), gradient=False
    ),
    EquationCase("Discretization-one", layers.Discretization(()), (ON_EDGES,), gradient=False),
    *(_lookup(mode) for mode in PLACES),
    *(_lookup(mode, mask=0) for mode in MASKED),
    EquationCase(
        "IntegerLookup-known",
        layers.IntegerLookup(vocabulary=KNOWN, num_oov_indices=0, output_mode="one_hot"),
        (np.array([[7], [5], [-(2**31)]]),),
        gradient=False,
    ),
    _weighted(),
]
