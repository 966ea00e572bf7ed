"""Layers that merge masked values: predictions and a training step of Keras."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
layers = keras.layers

KINDS = ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")

MASKED = {"all": (1, 1, 1), "first": (1, 0, 0), "second": (0, 1, 0), "two": (1, 1, 0)}

CASES = [(kind, name, 2) for kind in KINDS for name in ("all", "first", "second")]
CASES += [(kind, name, 3) for kind in ("Maximum", "Multiply") for name in ("all", "two")]


def rows(count):
    """Return inputs with steps of zeros, which are padding."""
    rng = np.random.default_rng(0)
    made = [rng.normal(size=(5, 6, 3)).astype("float32") for _ in range(count)]
    for each in made:
        each[rng.random((5, 6)) < 0.4] = 0.0
    return made


def merged(kind, name, count, operator=None):
    inputs = [keras.Input((6, 3)) for _ in range(count)]
    masked = zip(inputs, MASKED[name], strict=False)
    values = [layers.Masking()(x) if mask else x for x, mask in masked]
    values = [layers.Dense(3)(value) for value in values]
    h = operator(*values) if operator else getattr(layers, kind)()(values)
    model = keras.Model(inputs, [h, layers.GlobalAveragePooling1D()(h)])
    model.compile(keras.optimizers.SGD(0.5), ["mse", "mse"])
    return model


def check(model, count):
    x = rows(count)
    y = [np.ones((5, 6, 3), "float32"), np.ones((5, 3), "float32")]
    run = db.from_keras(model).compile("reference")
    for _ in range(2):
        found, wanted = run.predict(x), model.predict(x, verbose=0)
        for mine, theirs in zip(found.values(), wanted, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-6)
        model.train_on_batch(x, y)
        run.fit(x, y, 5)


@pytest.mark.parametrize(("kind", "name", "count"), CASES)
def test_a_layer_that_merges_masked_values_is_that_of_keras(kind, name, count):
    keras.utils.set_random_seed(1)
    check(merged(kind, name, count), count)


OPERATORS = {"product": lambda x, y: x * y, "maximum": keras.ops.maximum}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operation_on_masked_values_knows_no_masks(name):
    keras.utils.set_random_seed(1)
    check(merged("", "all", 2, OPERATORS[name]), 2)
