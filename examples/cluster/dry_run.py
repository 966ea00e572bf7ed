"""Compile one worker of a training on 8 Ascend processors, without them: a dry run of MindSpore.

MS_SIMULATION_LEVEL=1 python examples/cluster/dry_run.py EXPERIMENT [WORKERS]

It needs CANN, but no processor. MindSpore compiles the training step for the device, with the sums
over all workers in it, and finds operations and shapes that it cannot compile. All numbers are 0,
and nothing is trained. EXPERIMENT is a JSON file of Experiment.to_json().
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

BATCH = 32
"""Examples of a worker."""


def main(file: str, workers: str = "8") -> None:
    addresses = ",".join(f"127.0.0.1:{29400 + rank}" for rank in range(int(workers)))
    os.environ |= {"DNNBRIDGE_WORKERS": addresses, "DNNBRIDGE_RANK": "0"}
    os.environ.setdefault("MS_SIMULATION_LEVEL", "1")

    import dnnbridge as db

    experiment = db.Experiment.from_json(Path(file).read_text("utf-8"))
    run = db.compile(experiment, "mindspore", "ascend")
    program = experiment.program()
    rows = BATCH * run.workers

    def zeros(kind):
        dtype = np.float32 if kind.dtype == "float32" else np.int32
        return np.zeros(kind.concrete(rows), dtype)

    x = {name: zeros(kind) for name, kind in experiment.model.input_types.items()}
    feeds = program.functions["train"].feeds
    y = {
        value.name.partition(":")[2]: zeros(value.type)
        for value in feeds
        if value.name.startswith("target:")
    }
    labels = y if len(y) > 1 else next(iter(y.values()))
    run.fit(x, labels, batch_size=rows, verbose=0, on_nonfinite="warn")
    print(f"compiled for worker 0 of {run.workers} on {run.device}, {rows} rows a batch")
    sys.stdout.flush()
    os._exit(0)  # a simulation may crash when it ends


if __name__ == "__main__":
    main(*sys.argv[1:])
