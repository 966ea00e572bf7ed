"""Optimizers of Keras that treat repeated rows of an Embedding separately.

Keras passes the gradient of each occurrence of a row. An update that is not linear in the gradient
then differs from the update with their sum. The sum is the derivative of the loss, and we use it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dnnbridge.backend.plugins import load_backend
from dnnbridge.optimizers import from_native
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.harness import trajectory

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "migrating.md"
RNG = np.random.default_rng(0)
START = RNG.normal(size=(5, 3)).astype(np.float32)
READ = 3 * ([0, 0, 2, 3], [1, 1, 1, 0], [4, 2, 2, 2], [0, 3, 3, 1])
OCCURRENCES = RNG.normal(size=(12, 4, 3)).astype(np.float32)

APART = {
    name: (name, {})
    for name in (
        *("Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Lamb", "Ftrl"),
        "Adafactor",
    )
} | {
    "clipvalue": ("SGD", {"clipvalue": 0.5}),
    "clipnorm": ("SGD", {"clipnorm": 0.5}),
    "global_clipnorm": ("SGD", {"global_clipnorm": 0.5}),
}
TOGETHER = {
    "SGD": ("SGD", {"weight_decay": 0.1}),
    "momentum": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "Lion": ("Lion", {}),
}


def weights_of(name, arguments, as_rows):
    """Return the table after twelve batches, with the occurrences or their sum; the optimizer."""
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    table = keras.Variable(START)
    optimizer = getattr(keras.optimizers, name)(0.1, **arguments)
    optimizer.build([table])
    for rows, gradient in zip(READ, OCCURRENCES, strict=True):
        slices = tf.IndexedSlices(
            tf.constant(gradient), tf.constant(rows), tf.constant([5, 3], tf.int64)
        )
        optimizer.apply([slices if as_rows else tf.convert_to_tensor(slices)], [table])
    return np.asarray(table), optimizer


def ours_of(optimizer):
    gradients = np.zeros((12, 5, 3))
    for step, rows in enumerate(READ):
        np.add.at(gradients[step], rows, OCCURRENCES[step])
    spec = from_native(optimizer)
    return trajectory(load_backend("reference"), spec, START, gradients.astype(np.float32))["p"]


@pytest.mark.parametrize("case", APART)
def test_occurrences_count_apart_in_keras(case):
    name, arguments = APART[case]
    apart, _ = weights_of(name, arguments, as_rows=True)
    summed, optimizer = weights_of(name, arguments, as_rows=False)
    moved = np.abs(summed - START).max()
    assert np.abs(apart - summed).max() > 0.03 * moved
    assert_near(summed, ours_of(optimizer), 1e-4, case)
    assert f"`{case}`" in PAGE.read_text(encoding="utf-8").split("a word twice")[1].split("|")[0]


@pytest.mark.parametrize("case", TOGETHER)
def test_occurrences_are_added_first(case):
    name, arguments = TOGETHER[case]
    apart, optimizer = weights_of(name, arguments, as_rows=True)
    assert_near(apart, ours_of(optimizer), 1e-5, case)
