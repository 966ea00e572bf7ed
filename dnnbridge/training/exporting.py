"""Write a run in the format of another framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.writing.run import Trained, save_keras
from dnnbridge.formats.onnx.writing.run import save_onnx

FORMATS: Mapping[str, tuple[str, Callable[[Trained, Path], Path]]] = {
    "keras": (".keras", save_keras),
    "onnx": (".onnx", save_onnx),
}
"""The suffix of each format, and what writes it."""


def export(trained: Trained, path: str | Path, format: str | None) -> Path:
    """Write a run: see `Run.export`."""
    target = Path(path)
    suffixes = {suffix: name for name, (suffix, _) in FORMATS.items()}
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
    if target.suffix != suffix:
        raise ConversionError(
            f"a file of the format {name} must end in {suffix}", where="export", got=target.name
        )
    return write(trained, target)
