"""`to_keras`: hand a run to Keras, with weights, optimizer slots and step."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.packages import framework
from dnnbridge.convert.run_argument import check_run
from dnnbridge.training.run import Run


@explained()
def to_keras(run: Run) -> Any:
    """Return a run as a compiled `keras.Model`, with weights, optimizer slots and step.

    It saves as `.keras`, and trains on along the same trajectory. Keras must be installed;
    `run.export("model.keras")` writes the file without it.

    Raises:
        ConversionError: Keras lacks a layer, a loss, a metric or the optimizer. The message names
            all of them.
        PackageNotInstalledError: Keras is missing.
    """
    check_run(run, "to_keras")
    keras = framework("keras", "to_keras", "write run.export('model.keras').")
    with tempfile.TemporaryDirectory() as folder:
        return keras.saving.load_model(run.export(Path(folder) / "model.keras"))
