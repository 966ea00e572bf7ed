"""A training with callbacks, checkpoints and validation holds no more after many steps.

`make long-run` measures 40 times as many steps; docs/measurements/long-run.md has its numbers.
"""

from __future__ import annotations

import pytest
from endurance import training
from endurance.compiling import compile_many
from endurance.sampling import Sample, growth, settled, slowing

import dnnbridge as db

MOST = 1000
"""Bytes that a step may leave behind: 32 for its loss, and what noise makes of 2,000 steps."""

BACKENDS = ["reference", "tensorflow", "mindspore"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param != "reference":
        pytest.importorskip(request.param)
    return request.param


def test_memory_files_and_threads_stay(backend):
    *_, warm = training.train(backend, "dense", 200, 100)
    *during, after = training.train(backend, "dense", 2500, 100)
    assert growth(during) < MOST
    assert after.handles <= warm.handles
    assert (after.threads, after.python_threads) <= (warm.threads, warm.python_threads)


class Leak(db.Callback):
    """Keeps 4 KB for each step, and a file for each epoch."""

    def __init__(self):
        self.kept = []

    def on_steps_end(self, run, losses):
        self.kept += [bytearray(b"1" * 4096) for _ in losses]

    def on_epoch_end(self, run, epoch, logs):
        self.kept.append(open(__file__))  # noqa: SIM115


def test_a_leak_is_noticed(monkeypatch):
    leak, usual = Leak(), training.callbacks
    monkeypatch.setattr(training, "callbacks", lambda folder: [*usual(folder), leak])
    *_, warm = training.train("reference", "dense", 200, 100)
    *during, after = training.train("reference", "dense", 2500, 100)
    assert growth(during) > MOST
    assert after.handles > warm.handles
    for each in leak.kept:
        if not isinstance(each, bytearray):
            each.close()


def test_the_sums_of_samples():
    samples = [Sample(n, 1.0 if n < 60 else 3.0, 7 * n, 5, 2, 1) for n in range(100)]
    assert [each.count for each in settled(samples)] == list(range(20, 100))
    assert growth(samples) == pytest.approx(7)
    assert slowing(samples) == 3.0


LIMITS = {"reference": 100_000, "tensorflow": 1_000_000, "mindspore": 3_000_000}
"""Bytes that a compilation may leave behind; long-run.md has what was measured."""


@pytest.mark.slow
def test_two_hundred_compilations(backend):
    equal = compile_many(backend, 200, different=False, every=10)
    assert growth(equal) < LIMITS[backend] / 5  # one of ten is compiled anew
    different = compile_many(backend, 200, different=True, every=10)
    assert growth(different) < LIMITS[backend]
