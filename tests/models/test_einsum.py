"""Equations of `EinsumDense` that are refused, with words that say why."""

from __future__ import annotations

import pytest

import dnnbridge as db
from dnnbridge.errors import ShapeError, SpecError

REFUSED = {
    "spaces": ("abc, cd->abd", 3, None, "without spaces"),
    "twice": ("aab,bc->ac", 3, None, "each once"),
    "three": ("ab,bc,cd->ad", 3, None, "got 'ab,bc,cd->ad'"),
    "new": ("abc,cd->abx", 3, None, "d, x of 'abc,cd->abx'"),
    "bias": ("abc,cd->abd", (None, 3), "c", "bias_axes must be letters of the result"),
    "no_bias": ("abc,cd->abd", (None, 3), "", "Write None"),
    "size": ("abc,cd->abd", (None, 0), None, "positive integer"),
}

MISFITS = {
    "rank": ("ab,bc->ac", 3, "a letter for each axis"),
    "no_batch": ("abc,cd->bad", (None, 3), "none of the kernel"),
    "number": ("abc,cd->abd", 3, "a size for each letter"),
    "sizes": ("abc,cd->abd", (4, 3), "the sizes of the input"),
    "unknown": ("abc,cd->abd", (None, None), "one for each letter of the kernel"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_equation_that_means_nothing_is_refused(name):
    equation, sizes, bias, words = REFUSED[name]
    with pytest.raises(SpecError, match=words):
        db.EinsumDense(equation, sizes, bias_axes=bias)


@pytest.mark.parametrize("name", MISFITS)
def test_an_equation_that_does_not_fit_is_refused(name):
    equation, sizes, words = MISFITS[name]
    layer = db.EinsumDense(equation, sizes)
    with pytest.raises(ShapeError, match=words):
        db.Sequential([db.Input((5, 6)), layer])
