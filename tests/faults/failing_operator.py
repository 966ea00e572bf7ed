"""A step that needs more memory than there is, then right ones: python failing_operator.py BACKEND.

It prints what happened as JSON. The system refuses the memory at once: the process may have 12 GiB,
and the step asks for 30.
"""

from __future__ import annotations

import json
import resource
import sys

import numpy as np

import dnnbridge as db
from dnnbridge.errors import BackendError

LIMIT, ROWS, WIDE = 12 * 2**30, 400_000, 20_000


def experiment(units: int) -> db.Experiment:
    model = db.Sequential([db.Input((8,)), db.Dense(units, "tanh"), db.Dense(1)])
    return db.Experiment(model, "mse", db.SGD(0.01, momentum=0.9))


def same(run: db.Run, expected: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(array, expected[name]) for name, array in run.state().items())


def main(backend: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 8)).astype(np.float32)
    y = x.sum(1, keepdims=True)
    before = db.compile(experiment(4), backend)
    before.fit(x, y, 8, 2, verbose=0)
    expected = before.state()
    wide = db.compile(experiment(WIDE), backend)
    start, position = wide.state(), wide.position
    wide.fit(x, y, 8, 2, verbose=0)
    wanted = wide.state()
    wide.set_state(start, position)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, hard))
    told = []
    for _ in range(2):
        try:
            wide.fit(np.zeros((ROWS, 8), np.float32), np.zeros((ROWS, 1)), ROWS, verbose=0)
        except BackendError as error:
            told.append(str(error))
            cause = type(error.__cause__).__name__
        wide.set_state(start, position)
    wide.fit(x, y, 8, 2, verbose=0)
    new = db.compile(experiment(4), backend)
    new.fit(x, y, 8, 2, verbose=0)
    found = {
        "told": told,
        "cause": cause,
        "the run that failed": same(wide, wanted),
        "an older run": same(before, expected),
        "a new run": same(new, expected),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
