"""`to_keras`: hand a run to Keras, with weights, optimizer slots and step."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.errors import DTypeError, PackageNotInstalledError
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
    if not isinstance(run, Run):
        raise DTypeError(
            "takes a run", where="to_keras", got=what(run), hint="Write db.compile(experiment)."
        )
    try:
        import keras
    except ImportError as error:
        raise PackageNotInstalledError(
            "to_keras needs Keras",
            got=str(error),
            hint="Run: pip install 'dnnbridge[tensorflow]', or write run.export('model.keras').",
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        return keras.saving.load_model(run.export(Path(folder) / "model.keras"))
