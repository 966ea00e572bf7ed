"""Load checkpoints in another process: `python new_process.py folder backend`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def predictions_elsewhere(folder: Path, backend: str):
    """Return what a new process predicts with each `name.safetensors`, given `name.npz`.

    Args:
        folder: where both are, and where it writes.
        backend: that it loads them with.

    Returns:
        By name: arrays, or the error as text.
    """
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, places)])
    }
    command = [sys.executable, __file__, str(folder), backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stderr
    made = {}
    for path in folder.glob("*.predicted.npz"):
        with np.load(path) as arrays:
            name = path.name.removesuffix(".predicted.npz")
            made[name] = {key: arrays[key] for key in arrays.files}
    return made


def main(folder: Path, backend: str) -> None:
    """Predict with every file, each as if it were the first; keep an error as its text."""
    import own_layers as own_layers  # layers are known once they are imported

    from dnnbridge.backend.plugins import load_backend
    from dnnbridge.errors import DnnbridgeError
    from dnnbridge.program.build import forget
    from dnnbridge.testing.cases import hostile_cases as hostile_cases
    from dnnbridge.testing.cases import twice_cases as twice_cases
    from dnnbridge.testing.subject import Subject

    subject = Subject(load_backend(backend))
    for path in sorted(folder.glob("*.safetensors")):
        with np.load(path.with_suffix(".npz")) as given:
            x = {name: given[name] for name in given.files}
        forget()
        try:
            made = subject.load(path).predict(x)
            arrays = made if isinstance(made, dict) else {"prediction": made}
        except DnnbridgeError as error:
            arrays = {"error": np.array(str(error))}
        np.savez(path.with_suffix(".predicted.npz"), **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
