"""A run as a TensorFlow SavedModel, made from the Keras model by TensorFlow."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dnnbridge.base.packages import framework
from dnnbridge.errors import ConversionError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.writing.archive import write_archive
from dnnbridge.formats.keras.writing.run import keras_form
from dnnbridge.formats.states import find_states
from dnnbridge.formats.trained import Trained


def save_saved_model(run: Trained, path: Path) -> Path:
    """Write a folder that TensorFlow Serving loads, for any number of examples.

    The signature "serving_default" has the inputs and the outputs of the model by name.

    Raises:
        ConversionError: Keras lacks a layer, or the folder exists.
        PackageNotInstalledError: TensorFlow is missing.
    """
    if path.exists():
        raise ConversionError(
            "exists already", where=str(path), hint="Give the name of a new folder."
        )
    if not path.parent.is_dir():
        raise ConversionError(
            "the folder does not exist", where=str(path), got=str(path.parent), hint="Create it."
        )
    findings = Findings()
    find_states(run.experiment.program(), findings)
    findings.check(f"{type(run.experiment.model).__name__} to a SavedModel", "written")
    form = keras_form(run, trains=False)
    keras, tf = (framework(name, "a SavedModel") for name in ("keras", "tensorflow"))
    with tempfile.TemporaryDirectory() as folder:
        file = write_archive(Path(folder) / "model.keras", *form)
        model = keras.saving.load_model(file, compile=False)
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serving_default", *_served(run, model, tf))
        archive.write_out(f"{folder}/saved", verbose=False)
        shutil.move(f"{folder}/saved", path)
    return path


def _served(run: Trained, model: Any, tf: Any) -> tuple[Any, list[Any]]:
    """Return the function that is served, and its signature: dictionaries by name."""
    described = run.experiment.model

    def serve(inputs: Mapping[str, Any]) -> dict[str, Any]:
        given = [inputs[name] for name in described.input_types]
        found = model(given if len(given) > 1 else given[0], training=False)
        outputs = found if isinstance(found, (list, tuple)) else [found]
        return dict(zip(described.output_names, outputs, strict=True))

    types = described.input_types.items()
    signature = {n: tf.TensorSpec((None, *t.data_shape[1:]), t.kind, name=n) for n, t in types}
    return serve, [signature]
