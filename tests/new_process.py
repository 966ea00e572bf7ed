"""Load checkpoints in another process: `python new_process.py folder backend [module]`."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def predictions_elsewhere(folder: Path, backend: str, module: str = "own_layers"):
    """Return what a new process predicts with each `name.safetensors`, given `name.npz`.

    Args:
        folder: where both are, and where it writes.
        backend: that it loads them with.
        module: that it imports, as it has layers that only the tests know.

    Returns:
        By name: arrays, or the error as text.
    """
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, places)])
    }
    command = [sys.executable, __file__, str(folder), backend, module]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stderr
    made = {}
    for path in folder.glob("*.predicted.npz"):
        with np.load(path) as arrays:
            name = path.name.removesuffix(".predicted.npz")
            made[name] = {key: arrays[key] for key in arrays.files}
    return made


def main(folder: Path, backend: str) -> None:
    """Predict with every file; an error is kept as what it says."""
    import dnnbridge as db

    for path in sorted(folder.glob("*.safetensors")):
        with np.load(path.with_suffix(".npz")) as given:
            x = {name: given[name] for name in given.files}
        try:
            made = db.load(path, backend=backend).predict(x)
            arrays = made if isinstance(made, dict) else {"prediction": made}
        except db.DnnbridgeError as error:
            arrays = {"error": np.array(str(error))}
        np.savez(path.with_suffix(".predicted.npz"), **arrays)


if __name__ == "__main__":
    importlib.import_module(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2])
