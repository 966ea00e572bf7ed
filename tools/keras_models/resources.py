"""Time and memory of converting ResNet-50, in a process of its own for each measurement."""

from __future__ import annotations

import gc
import sys
import time
import warnings
from pathlib import Path
from typing import Any

REPEATS = 3

KINDS = {
    "read": "`from_keras`",
    "tensorflow": "`from_keras`, `compile` for TensorFlow, `export` to plain MindSpore",
    "mindspore": "`from_keras`, `compile` for MindSpore, `export` to plain MindSpore",
}


def write(folder: Path) -> dict[str, Any]:
    """Let Keras write ResNet-50 for images of ImageNet."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.applications.ResNet50(weights=None, classifier_activation=None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    model.save(folder / "model.keras")
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    small.compile("sgd", "mse")
    small.save(folder / "small.keras")
    return {"weights": model.count_params()}


def measure(folder: Path, kind: str) -> dict[str, float]:
    """Return seconds, seconds of the processor, and growth of the memory in bytes."""
    warnings.simplefilter("ignore")
    if kind != "tensorflow":
        sys.modules.update(dict.fromkeys(("tensorflow", "keras")))  # cannot be imported
    _convert(folder / "small.keras", kind)  # what is imported or begun once does not count
    gc.collect()
    before, start = _memory_now(), (time.perf_counter(), time.process_time())
    _convert(folder / "model.keras", kind)
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    return {"wall": wall, "cpu": cpu, "bytes": _memory_peak() - before}


def _convert(path: Path, kind: str) -> None:
    import dnnbridge as db

    if kind == "read":
        db.from_keras(path)
    else:
        run = db.from_keras(path).compile(kind)
        run.export(path.with_name(f"{kind}.py"), "python-mindspore")


def _memory_now() -> int:
    """Forget the peak so far, and return the memory of this process in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _memory_peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key)).split()[1])
