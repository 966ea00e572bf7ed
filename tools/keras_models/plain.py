"""What the command writes for MindSpore, in processes without TensorFlow."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from keras_models import folders

SAMPLES = 3
"""Trainings from weights that are one spacing off; the largest change counts."""


class Absent:
    """Finder that lets imports of some packages fail, as if they were not installed."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def without(*names: str) -> None:
    """Let imports of these packages fail from now on."""
    assert not set(names) & sys.modules.keys()
    sys.meta_path.insert(0, Absent(*names))


def command(folder: Path) -> dict[str, Any]:
    """Run `dnnbridge convert model.keras --to mindspore`; return its checks."""
    from click.testing import CliRunner

    from dnnbridge.cli import main

    source, out = folder / "model.keras", folder / "plain"
    options = ["--to", "mindspore", "-o", out, "--backend", "reference"]
    done = CliRunner().invoke(main, ["convert", *map(str, [source, *options])])
    report = out / "report.json"
    if not report.exists():
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return {"refused": done.output.strip()}
    checks = json.loads(report.read_text("utf-8"))["checks"]
    found = {check["what"]: check["difference"] for check in checks}
    whys = [check["why"] for check in checks if check["what"].startswith("losses")]
    losses = next((each for what, each in found.items() if what.startswith("losses")), None)
    moved = None if losses is None else _nudged_losses(source)
    return {
        "status": done.exit_code,
        "losses": losses,
        "why": " ".join(whys),
        "nudged losses": moved,
    }


def _nudged_losses(source: Path) -> float:
    """Return how far the losses of the command move if weights start one spacing off."""
    import dnnbridge as db
    from dnnbridge.cli.conversion_checks import of_losses
    from dnnbridge.cli.conversion_sources import data_of
    from dnnbridge.cli.conversion_training import LOSSES, losses_of, without_dropout

    run = db.from_keras(source).compile("reference")
    data = data_of(run, None)
    quiet = without_dropout(run) if run.experiment.program().randoms else run
    if quiet is None:
        return 0.0
    state, position = quiet.state(), quiet.position
    start = {name: array.astype(np.float32) for name, array in state.items()}
    exact, moved = losses_of(quiet, data), []
    for sample in range(SAMPLES):
        draw = np.random.default_rng(sample)
        quiet.set_state({n: folders.nudged(a, draw) for n, a in start.items()}, position)
        difference = of_losses("", losses_of(quiet, data), exact, LOSSES).difference
        moved.append(difference or 0.0)
    return max(moved)


def predict(folder: Path) -> dict[str, Any]:
    """Predict with the file that was written, with MindSpore and NumPy alone."""
    path = folder / "plain" / "model.py"
    if not path.exists():
        return {"why": "no file was written"}
    name = f"plain_{folder.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # MindSpore finds the classes of a module there
    spec.loader.exec_module(module)
    data = folders.arrays_of(folder / "data.npz")
    net, _ = module.load()
    found = folders.listed(module.predict(net, *data["x"]))
    loaded = sorted({"tensorflow", "keras", "dnnbridge"} & sys.modules.keys())
    return {"to keras": folders.distance(found, data["predicted"]), "loaded": loaded}
