"""The process that imports one framework, lists its devices and trains one step on one of them.

python -m dnnbridge.installation.probe BACKEND [DEVICE]

Each thing that it has done is a line of JSON behind `MARK` on stdout, so that the parent process
knows how far it came if it crashes.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dnnbridge.backend.protocol import Backend
    from dnnbridge.experiment import Experiment

MARK = "\x1e"
"""First character of a line of JSON (RFC 7464); other lines belong to the framework."""


def main(name: str, device: str | None) -> None:
    from dnnbridge.backend.device import device_kind
    from dnnbridge.backend.plugin_loading import missing
    from dnnbridge.backend.plugins import backend_facts, load_backend

    tell(stage="import")
    backend = load_backend(name)
    tell(stage="devices")
    seen = backend.devices()
    kinds = set(map(device_kind, seen))
    absent = {kind: missing(name, kind) for kind in backend.info.devices if kind not in kinds}
    tell(seen=seen, missing=absent, facts=dict(backend_facts(name)))
    chosen = device or seen[0]
    tell(stage=f"a training step on {chosen}")
    tell(device=chosen, distance=distance(backend, chosen))


def tell(**event: Any) -> None:
    print(f"{MARK}{json.dumps(event)}", flush=True)


def experiment() -> Experiment:
    """Return a small net with the operations that nearly every training uses."""
    import dnnbridge as db

    layers = [db.Conv2D(4, 3, padding="same", activation="tanh"), db.Flatten(), db.Dense(3)]
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    model = db.Sequential([db.Input((6, 6, 2)), *layers])
    return db.Experiment(model, loss, db.SGD(0.1, momentum=0.9), seed=0)


def distance(backend: Backend, device: str) -> float:
    """Return how far the weights are from the reference after one step: a relative L2 distance."""
    from dnnbridge.backend.plugins import load_backend

    actual, expected = trained(backend, device), trained(load_backend("reference"), "cpu")
    off = max(
        float(np.linalg.norm(actual[name] - weights) / np.linalg.norm(weights))
        for name, weights in expected.items()
    )
    return off if np.isfinite(off) else float("inf")


def trained(backend: Backend, device: str) -> dict[str, Any]:
    """Return the weights after one step."""
    from dnnbridge.training.compiling import compile_for

    drawn = np.random.default_rng(0)
    x, y = drawn.normal(size=(8, 6, 6, 2)).astype(np.float32), drawn.integers(0, 3, 8)
    run = compile_for(backend, experiment(), device)
    run.fit(x, y, batch_size=8, epochs=1, verbose=0)
    return dict(run.parameters())


def failing() -> None:
    """Run `main` with the arguments of the command line, and tell of an exception."""
    try:
        main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    except Exception as error:
        tell(failed=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    failing()
