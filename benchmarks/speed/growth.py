"""Measure how the time of a step grows with width, depth, batch size and number of weight arrays.

    python benchmarks/speed/growth.py tensorflow

The nets are multilayer perceptrons with tanh and SGD with momentum. dnnbridge and a manual loop
take turns.
"""

from __future__ import annotations

import importlib
import statistics
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speed.contest import OURS, take_turns
from speed.workloads import WORKLOADS, Workload, mlp

BY_HAND = {"tensorflow": "tf.function loop, XLA", "mindspore": "GRAPH_MODE loop"}
STEPS, ROUNDS = 64, 3

GROWN = {
    "width": [((width, width), 64) for width in (64, 128, 256, 512, 1024)],
    "depth": [((128,) * depth, 64) for depth in (1, 2, 4, 8, 16)],
    "batch": [((256, 256), batch) for batch in (8, 32, 128, 512)],
}
"""Units and batch sizes for each dimension that grows; a layer has two weight arrays."""


def workload(framework: str, units: tuple[int, ...], batch: int) -> Workload:
    """Return a workload and register its rival under the same name."""
    name = f"{'-'.join(map(str, units))} batch {batch}"
    rival = importlib.import_module(f"speed.with_{framework}")
    if framework == "tensorflow":
        rival.MODELS[name] = partial(rival.mlp, 784, units, "tanh")
    else:
        rival.NETS[name] = partial(rival.mlp, 784, units, rival.nn.Tanh)
    model = partial(mlp, 784, units, "tanh")
    made = Workload(name, name, model, "sgd", (784,), batch, {framework: STEPS})
    return WORKLOADS.setdefault(name, made)


def main(framework: str) -> None:
    """Print a Markdown table."""
    print(f"| {framework} | weights | arrays | dnnbridge, ms | by hand, ms | theirs / ours |")
    print("|---|---|---|---|---|---|")
    for what, sizes in GROWN.items():
        for units, batch in sizes:
            work = workload(framework, units, batch)
            times = take_turns(framework, work, [OURS, BY_HAND[framework]], ROUNDS)
            ours, theirs = (statistics.median(each) for each in times.values())
            count = work.model().summary().parameters
            label = f"{what}: {len(units)} of {units[0]}, batch {batch}"
            numbers = f"{count:,} | {2 * len(units) + 2} | {ours:.3g} | {theirs:.3g}"
            print(f"| {label} | {numbers} | {theirs / ours:.2f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
