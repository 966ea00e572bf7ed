"""Every class of `mindspore.nn` is read, or its refusal has a reason."""

from __future__ import annotations

import inspect

import pytest

ms = pytest.importorskip("mindspore")

from mindspore import nn  # noqa: E402

from dnnbridge.formats.mindspore.cells import RULES  # noqa: E402
from dnnbridge.formats.mindspore.compiled import LOSSES  # noqa: E402
from dnnbridge.formats.mindspore.refused import FOLLOWED, REFUSED  # noqa: E402


def cells():
    found = {n: getattr(nn, n) for n in dir(nn) if inspect.isclass(getattr(nn, n))}
    return {n for n, each in found.items() if issubclass(each, nn.Cell)}


def kinds():
    """Return the layers, the losses and the rest, which train or schedule."""
    losses = {n for n in cells() if issubclass(getattr(nn, n), nn.LossBase)}
    others = (nn.Optimizer, nn.learning_rate_schedule.LearningRateSchedule)
    rest = {n for n in cells() if issubclass(getattr(nn, n), others)}
    return cells() - losses - rest, losses


def test_every_layer_is_read_or_refused():
    layers, losses = kinds()
    listed = {n for n in RULES if not n.startswith("mint.")} | set(FOLLOWED) | set(REFUSED)
    assert layers | losses <= listed | set(LOSSES), sorted((layers | losses) - listed - set(LOSSES))


def test_no_class_is_listed_twice():
    assert not set(REFUSED) & (set(RULES) | set(FOLLOWED) | set(LOSSES))
    assert not set(FOLLOWED) & set(RULES)


def test_only_classes_that_exist_are_listed():
    assert set(REFUSED) | set(FOLLOWED) | set(LOSSES) <= cells()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_every_refusal_has_a_reason(name):
    assert len(REFUSED[name]) > 8
