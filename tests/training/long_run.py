"""Many steps or compilations in a process of its own: python long_run.py WHAT BACKEND.

WHAT is "train", "leak", a training that keeps 4 KB for each step and a file for each epoch,
"equal" or "different", 200 compilations. Two lists of samples are written as JSON: the first of a
short run before, to warm up.
"""

from __future__ import annotations

import json
import sys
from dataclasses import astuple

from endurance import training
from endurance.compiling import compile_many

import dnnbridge as db


class Leak(db.Callback):
    def __init__(self):
        self.kept = []

    def on_steps_end(self, run, losses):
        self.kept += [bytearray(b"1" * 4096) for _ in losses]

    def on_epoch_end(self, run, epoch, logs):
        self.kept.append(open(__file__))  # noqa: SIM115


def measured(what, backend):
    if what in ("equal", "different"):
        return [], compile_many(backend, 200, different=what == "different", every=10)
    if what == "leak":
        leak, usual = Leak(), training.callbacks
        training.callbacks = lambda folder: [*usual(folder), leak]
    return training.train(backend, "dense", 200, 100), training.train(backend, "dense", 2500, 100)


if __name__ == "__main__":
    print(json.dumps([[astuple(each) for each in made] for made in measured(*sys.argv[1:])]))
