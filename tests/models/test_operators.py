"""Operators and indices on inputs and outputs of layers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, ShapeError, SpecError

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(6, 5, 4)), RNG.normal(size=(6, 5, 4))

FORMULAS = {
    "sum": lambda x, y: x + y + 1,
    "difference": lambda x, y: 1.5 - (x - y) - 2,
    "product": lambda x, y: 0.5 * x * y * 3,
    "quotient": lambda x, y: 1.0 / (2.0 + y**2) / 3.0 + x / (1.0 + y**2),
    "power": lambda x, y: 2.0**x + abs(y) ** 1.5 + (-x) ** 3,
    "matrices": lambda x, y: x[:, :4] @ y[:, 1:],
    "slices": lambda x, y: x[:, 1:] * y[:, :1] - x[:, ::-1][:, :-1],
    "new_axis": lambda x, y: x[:, :, None, 0] + y[:, :1, None, -1],
    "numpy_number": lambda x, y: np.float32(2.0) * x + y / np.array(4.0) - np.int64(1),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_of_symbols_equals_numpy(name):
    formula = FORMULAS[name]
    x, y = db.Input((5, 4), name="x"), db.Input((5, 4), name="y")
    model = db.Model([x, y], formula(x, y))
    again = db.Model.from_json(model.to_json())
    assert again == model
    run = db.compile(db.Experiment(again, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    a, b = (each.astype(np.float32).astype(float) for each in (A, B))
    np.testing.assert_allclose(run.predict([A, B]), formula(a, b), rtol=1e-12)


def test_squeeze_and_excite():
    x = db.Input((4, 5, 3))
    scale = db.Dense(3, "sigmoid")(db.GlobalAveragePooling2D(keepdims=True)(x))
    for model in (db.Model(x, x * scale), db.Model(x, db.Multiply()(x, scale))):
        assert model.output_shape == (None, 4, 5, 3)


def test_an_input_with_fewer_axes_gets_new_ones_after_the_batch():
    x, y = db.Input((5, 4)), db.Input((4,), name="y")
    assert db.Model([x, y], y - x).output_shape == (None, 5, 4)


def test_a_sum_of_a_list():
    x = db.Input((4,))
    assert db.Model(x, sum([x, x])).output_shape == (None, 4)


WRONG = {
    "array": (lambda x: x * np.ones(4), "An array must be an Input"),
    "array_first": (lambda x: np.ones(4) - x, "An array must be an Input"),
    "text": (lambda x: x + "1", "must be an Input or an output of a layer or a number"),
    "bool": (lambda x: x * True, "or a number"),
    "layer": (lambda x: x + db.Dense(4), "Call that layer on an Input first"),
    "exponent": (lambda x: x**x, r"must be a number.*Write x \*\* 2"),
    "matrix": (lambda x: x @ 2.0, "must be an Input or an output of a layer, got"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_operand_says_what_to_do(name):
    call, message = WRONG[name]
    with pytest.raises(ArgumentError, match=message):
        call(db.Input((4,)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x[0], r"wrong indices, got 0.*the batch, which is kept whole"),
        (lambda x: x[1:], "wrong indices"),
        (lambda x: x[None], "wrong indices"),
        (lambda x: x[..., 0, ...], "wrong indices"),
        (lambda x: x[:, "a"], "not an index of an axis"),
        (lambda x: x[:, 1.0], "not an index of an axis"),
        (lambda x: x[:, ::0], "not an index of an axis"),
        (lambda x: x[:, True], "not an index of an axis"),
        (lambda x: x / 0, "cannot divide by 0"),
        (lambda x: x**0, "with the number 0"),
        (lambda x: (-2.0) ** x, "needs a positive number to raise"),
        (lambda x: x * float("inf"), "Elementwise.number"),
        (lambda x: db.Elementwise("sqrt", 2.0)(x), "takes no number"),
        (lambda x: db.Elementwise("add")(x), "needs a number"),
        (lambda x: db.Reduce("mean", 0)(x), "other than 0, the batch"),
    ],
)
def test_a_wrong_index_or_number_is_refused_at_once(call, message):
    with pytest.raises(SpecError, match=message):
        call(db.Input((4, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x[:, 4], "an index is out of range, got 4 for axis 1"),
        (lambda x: x[:, 2:2], "nothing is left of an axis, got 2:2"),
        (lambda x: x[:, 0, 0, 0], "more indices than axes"),
        (lambda x: x[..., 0, 0, 0], "the batch axis must stay the first"),
        (lambda x: x[..., 0, 0, :], "the batch axis must stay the first"),
        (lambda x: db.Reduce("mean", -3)(x), "the batch axis cannot be reduced"),
        (lambda x: db.Add()(x, x[:, 1:]), "whose sizes are equal, or 1"),
        (lambda x: db.Add()(x), "two or more inputs are needed"),
        (lambda x: x @ x, r"shapes \(batch, ..., m, k\)"),
    ],
)
def test_what_does_not_fit_is_a_shape_error(call, message):
    x = db.Input((4, 3))
    with pytest.raises(ShapeError, match=message):
        _ = db.Model(x, call(x)).output_shape


def test_a_symbol_is_no_sequence():
    x = db.Input((4,))
    for each in (x, x + 1):
        with pytest.raises(TypeError, match="not iterable"):
            iter(each)
        with pytest.raises(TypeError):
            bool(3 in each)
    assert copy.copy(x) == x
    assert db.Model(x, x + 1).output_names == ("elementwise",)
