"""Compile many experiments in one process, and use each run."""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing import get_context

import numpy as np

import dnnbridge as db
from endurance.sampling import Sample, Sampler, resident

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 8)).astype(np.float32), RNG.integers(0, 3, 64)


def use(backend: str, units: int) -> None:
    """Compile a net, and train, evaluate and predict with it."""
    layers = [db.Input((8,)), db.Dense(units, "relu"), db.Dense(3)]
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(db.Sequential(layers), loss, db.SGD(0.1)), backend)
    run.fit(X, Y, 16, verbose=0)
    run.evaluate(X, Y)
    run.predict(X)


def compile_many(backend: str, times: int, different: bool, every: int) -> list[Sample]:
    """Compile so many times and return a sample for each `every` of them.

    Args:
        backend: its name.
        times: how often.
        different: whether each net has another size; else all are equal.
        every: compilations between samples. `clear_session` is called before each sample.
    """
    sampler = Sampler()
    for number in range(1, times + 1):
        use(backend, 16 + number if different else 16)
        if number % every == 0:
            db.clear_session()
            sampler.take(number)
    return sampler.samples


def compile_apart(backend: str, times: int, every: int) -> list[Sample]:
    """Do the same with different sizes, in processes that each end after `every` compilations.

    A sample is that of a process before it ends. Its memory is that of both processes, and its
    time includes the start.
    """
    samples = []
    with get_context("spawn").Pool(1, maxtasksperchild=every) as pool:
        sizes = [(backend, 16 + number) for number in range(1, times + 1)]
        for number, sample in enumerate(pool.imap(_used, sizes), 1):
            if number % every == 0:
                memory, seconds = sample.memory + resident(), sample.seconds / every
                samples.append(replace(sample, count=number, memory=memory, seconds=seconds))
    return samples


def _used(given: tuple[str, int]) -> Sample:
    use(*given)
    sampler = Sampler()
    sampler.take(1)
    return replace(sampler.samples[0], seconds=time.process_time())
