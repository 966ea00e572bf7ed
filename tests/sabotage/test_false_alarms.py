"""A correct backend passes with any numbers: NumPy in float32, and the frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.protocol import Backend
from dnnbridge.testing.checks import Check, all_checks, select
from dnnbridge.testing.measurement import same
from dnnbridge.testing.subject import Subject
from sabotage.rounded import RoundedBackend

SEEDS = range(20)
LARGE = ("training", "resuming", "schedule", "precision")
SMALL = [check for check in all_checks() if check.area not in LARGE]
TRAININGS = [check for check in all_checks() if check.area in LARGE[:2]]
SOME = select(
    SMALL, words="Dense,LayerNormalization,LSTM,Conv2D,CrossEntropy,mse,SGD,Adam", quick=True
)


def alarms(checks: list[Check], backend: Backend, seed: int) -> list[str]:
    subject = Subject(backend, seed=seed)
    with np.errstate(all="ignore"):
        made = [(check, each) for check in checks for each in check.measure(subject)]
    return [f"{check.area}/{check.id} {each}" for check, each in made if not each.ok]


def test_float32_passes():
    assert alarms(SMALL, RoundedBackend(), 1) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_float32_passes_with_any_numbers(seed):
    assert alarms(SMALL, RoundedBackend(), seed) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_trainings_in_float32_pass_with_any_numbers(seed):
    assert alarms(TRAININGS, RoundedBackend(), seed) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["tensorflow", "mindspore"])
def test_frameworks_pass_with_any_numbers(name, seed):
    pytest.importorskip(name)
    assert alarms(SOME, load_backend(name), seed) == []


def test_a_seed_draws_other_numbers():
    """The results of two seeds differ, in value and gradient."""
    from dnnbridge.testing.cases.layer_cases import LAYER_CASES
    from dnnbridge.testing.harness import build_case
    from dnnbridge.testing.redrawing import other_inputs

    backend = load_backend("reference")
    made = [build_case(other_inputs(LAYER_CASES[0], s), s).run(backend) for s in (1, 2)]
    for name in ("value", "d/input_0", "d/kernel"):
        assert same(made[0][name], made[1][name], name).error > 0.9 * made[0][name].size
