"""A training gives the same numbers on machines that differ in anything but the processor.

One process for each backend has one core, one thread, another language, another time zone, a home
that cannot be written and Python's hashes by chance; with `-m slow` each of these alone.
"""

from __future__ import annotations

import importlib.util
import json
import locale
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from dnnbridge.testing.tolerances import TRAJECTORY

TRAINING = """
import json, locale, os, sys
backend, cores = sys.argv[1], int(sys.argv[2])
if cores and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
locale.setlocale(locale.LC_ALL, "")
import numpy as np
import dnnbridge as db

rng = np.random.default_rng(0)
x = rng.normal(size=(36, 6, 6, 2)).astype(np.float32)
x[::3] *= 1e-20  # what it and a gradient make together is denormal
y = rng.integers(0, 3, 36)
model = db.Sequential([
    db.Input((6, 6, 2)), db.Conv2D(4, 3, padding="same", activation="tanh"),
    db.AveragePooling2D(2), db.LayerNormalization(), db.Flatten(), db.Dense(3),
])
loss = db.SparseCategoricalCrossentropy(from_logits=True)
run = db.compile(db.Experiment(model, loss, db.Adam(1e-2)), backend=backend, device="cpu")
run.fit(x, y, epochs=3, batch_size=12)
print("NUMBERS" + json.dumps({name: a.ravel().tolist() for name, a in run.parameters().items()}))
"""

NOWHERE = "/proc/nowhere"
"""A folder that cannot be made."""


def language() -> str:
    """Return one that writes commas in numbers, where the system has it."""
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "pt_BR.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_ALL, before)
        return name
    return "C"


PROPERTIES = {
    "one core": {"CORES": "1"},
    "one thread": {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "three threads": {"TF_NUM_INTRAOP_THREADS": "3", "OMP_NUM_THREADS": "3"},
    "language": {"LC_ALL": language()},
    "time zone": {"TZ": "Asia/Kathmandu"},
    "home": {"HOME": NOWHERE, "XDG_CACHE_HOME": f"{NOWHERE}/cache"},
    "hashes": {"PYTHONHASHSEED": "1"},
}
TOGETHER = {
    name: value
    for each in ("one core", "one thread", "language", "time zone", "hashes")
    for name, value in PROPERTIES[each].items()
}

BACKENDS = ("tensorflow", "mindspore")


@cache
def trained(backend: str, settings: tuple[tuple[str, str], ...] = ()) -> dict[str, np.ndarray]:
    """Return the weights after a training in a process of its own."""
    environment = os.environ | dict(settings)
    command = [sys.executable, "-c", TRAINING, backend, environment.pop("CORES", "0")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]
    text = done.stdout.partition("NUMBERS")[2]
    return {name: np.array(numbers) for name, numbers in json.loads(text).items()}


def compare(backend: str, settings: dict[str, str]) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected = trained("reference")
    found = trained(backend, tuple(settings.items()))
    assert found.keys() == expected.keys()
    for name, weights in expected.items():
        off = np.linalg.norm(found[name] - weights) / np.linalg.norm(weights)
        assert off <= TRAJECTORY, f"{name}: {off:.2g}"


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_does_not_depend_on_the_machine(backend: str) -> None:
    compare(backend, TOGETHER)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_does_not_depend_on_one_property(backend: str, name: str) -> None:
    compare(backend, PROPERTIES[name])
