"""The parts of a measurement, each run in a process of its own for many models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from keras_models import folders, here, in_keras, plain, resources

RESNET = "ResNet50-whole"
"""Folder of the model that time and memory are measured with."""

Part = Callable[[str, Path], dict[str, Any]]


def _trained(backend: str) -> Part:
    def part(name: str, folder: Path) -> dict[str, Any]:
        facts = folders.read_json(folder / "fit.json")
        if "epochs" not in facts:
            return facts or {"why": "Keras has not trained it"}
        return here.train(folder, backend, facts["batch size"], facts["epochs"])

    return part


PARTS: dict[str, Part] = {
    "keras": in_keras.write,
    "reference": lambda name, folder: here.measure(folder, "reference"),
    "tensorflow": lambda name, folder: here.measure(folder, "tensorflow"),
    "mindspore": lambda name, folder: here.measure(folder, "mindspore"),
    "command": lambda name, folder: plain.command(folder),
    "plain": lambda name, folder: plain.predict(folder),
    "fit": in_keras.fit,
    "train-tensorflow": _trained("tensorflow"),
    "train-mindspore": _trained("mindspore"),
}
"""What is measured; a part needs those before it."""

OF_SMALL_MODELS = {"command", "plain"}
"""Parts that the models of `keras.applications` have no columns for."""

WITHOUT = {
    "reference": ("tensorflow", "keras"),
    "mindspore": ("tensorflow", "keras"),
    "train-mindspore": ("tensorflow", "keras"),
    "command": ("tensorflow", "keras"),
    "plain": ("tensorflow", "keras", "dnnbridge"),
}
"""Packages that cannot be imported in the process of a part."""


def work(part: str, names: Sequence[str], out: Path) -> None:
    """Measure a part of models in this process; errors become results too."""
    for name in names:
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            found = PARTS[part](name, folder)
        except Exception as error:
            traceback.print_exc()
            found = {"error": f"{type(error).__name__}: {error}"}
        finish(folder / f"{part}.json", found)
        print(part, name, found, flush=True)


def finish(path: Path, found: dict[str, Any]) -> None:
    """Write a result whole: an interrupt leaves no half of it."""
    path.with_suffix(".part").write_text(json.dumps(found, indent=1), encoding="utf-8")
    os.replace(path.with_suffix(".part"), path)


def run(part: str, names: Sequence[str], out: Path) -> None:
    """Measure a part of the models that have no result yet, in new processes."""
    left = [name for name in names if not (out / name / f"{part}.json").exists()]
    while left:
        done = elsewhere(["--work", part, "--out", str(out), *left])
        still = [name for name in left if not (out / name / f"{part}.json").exists()]
        if still and done:  # the process died in the first that is left
            finish(out / still[0] / f"{part}.json", {"error": f"the process ended with {done}"})
            still = still[1:]
        left = still


def run_resources(folder: Path) -> None:
    """Measure the conversion of ResNet-50, unless there is a result."""
    if not (folder / "keras.json").exists():
        elsewhere(["--work", "write-resnet", "--out", str(folder)])
    if (folder / "resources.json").exists():
        return
    runs: dict[str, list[Any]] = {kind: [] for kind in resources.KINDS}
    for kind in [*resources.KINDS] * resources.REPEATS:
        elsewhere(["--work", "resources", "--out", str(folder), kind])
        runs[kind].append(folders.read_json(folder / f"{kind}.json"))
    weights = folders.read_json(folder / "keras.json")["weights"]
    finish(folder / "resources.json", {"weights": weights, "runs": runs})


def elsewhere(arguments: Sequence[str]) -> int:
    """Run this program in a new process; return its exit status."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_v": "3", **os.environ}
    command = [sys.executable, "-m", "keras_models", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode
