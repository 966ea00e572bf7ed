"""Every layer, called twice by a model: one set of weights, whose gradient is that of both calls.

The suite compares every backend with the reference. Here the reference is compared with two
separate calls.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.models import Model
from dnnbridge.specs.spec import kinds
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.harness import build_case

TWICE = {case.id: case for case in EQUATION_CASES if case.id.endswith("-twice")}
ONCE_A_STEP = {"SpectralNormalization-twice"}
"""Layers whose weights and buffers change before the first call of a step only."""

REFERENCE = load_backend("reference")


def half(case, second):
    """Return a case of a model that has only one of the two calls."""
    model, count = case.spec, len(case.inputs) // 2
    part = slice(count, None) if second else slice(count)
    places = [*model.inputs][part]
    layer = model.nodes[0].layer
    return replace(case, spec=Model(places, layer(*places)), inputs=case.inputs[part])


def results(built, feeds):
    """Return the results of the first of the two runs that the harness makes."""
    made = replace(built, feeds=feeds).run(REFERENCE)
    return {name: array for name, array in made.items() if not name.startswith("again/")}


def columns(array, second):
    """Return the columns of an array that belong to one of the two calls."""
    size = array.shape[1] // 2
    return array[:, size:] if second else array[:, :size]


def by_hand(case, both):
    """Run the two calls one after the other, with the weights, buffers and draws of both."""
    made, feeds = [], dict(both.feeds)
    for second in (False, True):
        built = build_case(half(case, second))
        given = {name: feeds[name] for name in built.feeds if name in feeds}
        drawn = [name for name in built.feeds if name.startswith("random:")]
        given |= {n: feeds[f"{n}_1"] for n in drawn if second}
        count = len(case.inputs) // 2
        given |= {f"input_{i}": feeds[f"input_{i + second * count}"] for i in range(count)}
        if "weights" in feeds:
            shape = built.feeds["weights"].shape
            given["weights"] = columns(feeds["weights"], second).reshape(shape)
        made.append(results(built, given))
        if case.id in ONCE_A_STEP:
            continue
        feeds |= {n.removeprefix("update/"): a for n, a in made[-1].items() if "update/" in n}
    return made


def test_every_layer_of_core_is_called_twice():
    ours = [cls for cls in kinds(db.AbstractLayer) if cls.__module__.startswith("dnnbridge.")]
    ours = {cls.__name__ for cls in ours if not cls.__module__.startswith("dnnbridge.testing")}
    ours -= {"SetMask"}  # it gives a mask to another layer, so its cases are models
    assert {f"{name}-twice" for name in ours} <= TWICE.keys()


@pytest.mark.parametrize("case", TWICE.values(), ids=TWICE)
def test_two_calls_are_the_calls_one_after_the_other(case):
    both = build_case(case)
    found = results(both, both.feeds)
    first, second = by_hand(case, both)
    arrays = {n for n in both.feeds if not n.startswith(("input_", "random:"))}
    assert arrays == {n for n in build_case(half(case, False)).feeds if n in arrays}
    count = len(case.inputs) // 2
    near = {"rtol": 1e-9, "atol": 1e-9}
    for name, array in found.items():
        if name == "value":
            for k, each in enumerate((first, second)):
                expected = each["value"].reshape(len(array), -1)
                np.testing.assert_allclose(columns(array, k), expected, **near)
        elif name.startswith("update/"):
            np.testing.assert_allclose(array, second[name], **near)
        elif name.startswith("loss/"):
            expected = (first, second)[int(name[5:])]["loss/0"]
            np.testing.assert_allclose(array, expected, **near)
        elif name.startswith("d/input_"):
            call, place = divmod(int(name[8:]), count)
            np.testing.assert_allclose(array, (first, second)[call][f"d/input_{place}"], **near)
        else:
            np.testing.assert_allclose(array, first[name] + second[name], **near)


def test_running_statistics_move_at_each_call():
    case = TWICE["BatchNormalization-twice"]
    both = build_case(case)
    found, (first, second) = results(both, both.feeds), by_hand(case, both)
    name = "update/batch_normalization/moving_mean"
    assert np.all(found[name] != first[name])
    np.testing.assert_array_equal(found[name], second[name])
