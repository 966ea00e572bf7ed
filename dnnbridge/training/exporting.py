"""Write a run in the format of another framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import as_path
from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.saved_model import save_saved_model
from dnnbridge.formats.keras.source.file import save_source
from dnnbridge.formats.keras.writing.run import save_keras
from dnnbridge.formats.mindspore.mindir import save_mindir
from dnnbridge.formats.mindspore.writing.run import save_mindspore
from dnnbridge.formats.onnx.writing.run import save_onnx
from dnnbridge.formats.trained import Trained
from dnnbridge.program.precision import Float32
from dnnbridge.training.engine import Engine
from dnnbridge.training.predicting import predict

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

FORMATS: Mapping[str, tuple[str, Callable[[Trained, Path], Path]]] = {
    "keras": (".keras", save_keras),
    "onnx": (".onnx", save_onnx),
    "python-tensorflow": (".py", save_source),
    "python-mindspore": (".py", save_mindspore),
    "saved_model": ("", save_saved_model),
    "mindir": (".mindir", save_mindir),
}
"""The suffix of each format, and what writes it. A folder has no suffix."""


def export(trained: Trained, path: str | Path, format: str | None) -> Path:
    """Write a run: see `Run.export`."""
    target = as_path(path, "export", ConversionError)
    own = (name for name in FORMATS if not name.startswith("python-") and FORMATS[name][0])
    suffixes = {FORMATS[name][0]: name for name in own}
    name = format or suffixes.get(target.suffix, "")
    if name not in FORMATS:
        raise ConversionError(
            "unknown format",
            where="export",
            got=repr(format or target.name),
            hint=f"Give one of the formats {', '.join(FORMATS)}, or a file that ends in "
            f"{', '.join(suffixes)}.",
        )
    suffix, write = FORMATS[name]
    if suffix and target.suffix != suffix:
        raise ConversionError(
            f"a file of the format {name} must end in {suffix}", where="export", got=target.name
        )
    return write(trained, target)


def _check_precision(run: Run) -> None:
    """Raise unless the run computes in float32, as every format is written."""
    precision = run.experiment.precision
    if precision != Float32():
        raise ConversionError(
            "what is written for another framework computes in float32",
            where="precision",
            got=repr(precision),
            hint="Write run.with_experiment(run.experiment.replace(precision='float32')) first; "
            "it keeps all weights.",
        )


def trained(run: Run, engine: Engine) -> Trained:
    """Return what a run has trained, for `export`."""
    _check_precision(run)
    now = run.position
    begun = (now.step, now.epoch, now.batch, now.examples, now.batch_size)

    def predictions(x: Mapping[str, Array]) -> Mapping[str, Array]:
        given = engine.arguments.inputs(x if len(x) > 1 else next(iter(x.values())))
        return predict(engine, given, 256, False, None)

    return Trained(run.experiment, run.optimizer, run.state(), *begun, predictions)
