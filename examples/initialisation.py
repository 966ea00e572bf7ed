"""What ten layers make of their weights at the start: tiny, large, Xavier (Glorot) and He.

python examples/initialisation.py [FOLDER FOR THE PICTURES]

Tiny weights let the signal vanish, large ones saturate tanh and let ReLU explode; Xavier's keep it
for tanh, He's for ReLU. (Glorot & Bengio, 2010; He et al., 2015)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import dnnbridge as db

STARTS: dict[str, db.AbstractInitializer] = {
    "tiny": db.RandomNormal(stddev=0.01),
    "large": db.RandomNormal(stddev=1.0),
    "Xavier": db.GlorotNormal(),
    "He": db.HeNormal(),
}
ACTIVATIONS = ("tanh", "relu")


def experiment(activation: str, start: str, depth: int = 10, units: int = 100) -> db.Experiment:
    """Return ten equal layers and a softmax over ten classes."""
    layers = [db.Dense(units, activation, kernel_initializer=STARTS[start]) for _ in range(depth)]
    model = db.Sequential([db.Input((units,)), *layers, db.Dense(10, "softmax", name="classes")])
    return db.Experiment(model, "sparse_categorical_crossentropy", db.SGD(0.1))


def look(examples: int = 500, units: int = 100) -> dict[str, db.diagnose.Activations]:
    """Return what comes out of the layers for random inputs, by activation and start."""
    x = np.random.default_rng(0).normal(size=(examples, units)).astype(np.float32)
    return {
        f"{activation}, {start}": db.diagnose.activations(
            experiment(activation, start, units=units), x
        )
        for activation in ACTIVATIONS
        for start in STARTS
    }


def table(found: dict[str, db.diagnose.Activations]) -> Table:
    """Return a row for each start: first and last standard deviation, and the verdict."""
    made = Table("weights", "std of layer 1", "of layer 10", "saturated", "dead", "verdict")
    for name, activations in found.items():
        first, last = activations.chain[0], activations.chain[-1]
        shares = (
            f"{share:.0%}" if share is not None else "" for share in (last.saturated, last.dead)
        )
        fault = activations.verdict.split(":")[0] if not activations.ok else "healthy"
        made.add_row(name, f"{first.std:.2g}", f"{last.std:.2g}", *shares, fault)
    return made


def write(found: dict[str, db.diagnose.Activations], folder: Path) -> None:
    """Write a picture of histograms for each start."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, activations in found.items():
        activations.plot(folder / f"{name.replace(', ', '-').lower()}.svg")


if __name__ == "__main__":
    made = look()
    Console().print(table(made))
    write(made, Path(sys.argv[1] if len(sys.argv) > 1 else "out/initialisation"))
