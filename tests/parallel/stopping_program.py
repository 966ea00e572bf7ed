"""A training whose second worker alone is stopped: python stopping_program.py BACKEND FOLDER HOW.

HOW is "stop", where a callback of worker 1 stops it, or the name of a signal that only worker 1
gets. Each worker writes `FOLDER/N.json`: how it ended, after which step, with which weights.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

import dnnbridge as db

RANK = int(os.environ.get("DNNBRIDGE_RANK", "0"))
AT = 14
"""The step after which worker 1 is stopped; calls end at 3, 6, 8, 11 and 14."""


class Stop(db.Callback):
    def __init__(self, how):
        self.how = how

    def on_steps_end(self, run, losses):
        if run.position.step == AT and self.how == "stop":
            run.stop()
        elif run.position.step == AT:
            os.kill(os.getpid(), getattr(signal, self.how))


def raises(number, frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main(backend, folder, how):
    signal.signal(signal.SIGTERM, raises)
    signal.signal(signal.SIGINT, raises)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 4)).astype(np.float32), rng.normal(size=(64, 1)).astype(np.float32)
    model = db.Sequential([db.Input((4,)), db.Dense(8, "tanh"), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", db.Adam(0.01)), backend)
    callbacks, ended = [Stop(how)] if RANK == 1 else [], "returned"
    try:
        run.fit(x, y, 8, 20, callbacks=callbacks, verbose=0, steps_per_call=3)
    except KeyboardInterrupt as error:
        ended = str(error)
    made = hashlib.sha256(b"".join(array.tobytes() for array in run.weights().values()))
    found = {"ended": ended, "step": run.position.step, "weights": made.hexdigest()}
    (Path(folder) / f"{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
