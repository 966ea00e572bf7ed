"""`read_source`: the configuration and the arrays of a model that Keras wrote."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnnbridge.base.files import check_is_file
from dnnbridge.base.messages import what
from dnnbridge.base.packages import require
from dnnbridge.errors import ConversionError
from dnnbridge.formats.archives import opened_member, read_member
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.hdf5 import opened_hdf5
from dnnbridge.formats.keras.arrays import AbstractArrays, opened
from dnnbridge.formats.keras.layers import MODELS
from dnnbridge.formats.keras.live import check_layers, with_live_settings
from dnnbridge.formats.keras.settings import Serialized, serialized
from dnnbridge.formats.keras.vocabularies import with_vocabularies


@dataclass(frozen=True)
class KerasSource:
    """What a source says.

    Attributes:
        where: the file, or the class of a live model.
        model: the class and the configuration of the model.
        compiled: the arguments of `model.compile`; None if it was not compiled.
        arrays: its arrays; None if there are none.
    """

    where: str
    model: Serialized
    compiled: Mapping[str, Any] | None
    arrays: AbstractArrays | None


@contextmanager
def read_source(source: Any, weights: str | Path | None = None) -> Iterator[KerasSource]:
    """Open a source; its arrays are read while it is open.

    Args:
        source: a `.keras` file, a legacy `.h5` file, a JSON file of `model.to_json()`, or a live
            `keras.Model`.
        weights: a `.weights.h5` file whose arrays take the place of those of the source.

    Raises:
        ConversionError: it is none of these, or is damaged.
    """
    require("convert", "reading Keras files")
    import h5py

    if not isinstance(source, (str, Path)):
        with _live(source) as path, read_source(path, weights) as found:
            name = f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
            findings = Findings()
            check_layers(source, findings)
            findings.check(name)
            compiled = with_live_settings(found.compiled, source)
            yield KerasSource(name, found.model, compiled, found.arrays)
        return
    path = Path(source)
    check_is_file(path, ConversionError)
    if weights is not None:
        check_is_file(Path(weights), ConversionError)
        with opened_hdf5(Path(weights), str(weights)) as file, read_source(path) as found:
            arrays = opened(file, str(weights))
            yield KerasSource(found.where, found.model, found.compiled, arrays)
    elif path.suffix == ".json":
        yield _configured(str(path), _parsed(path.read_text("utf-8"), path), None, None)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_archive(archive, path)
            config = _parsed(read_member(archive, "config.json").decode(), path)
            config = with_vocabularies(archive, config)
        with (
            opened_member(path, "model.weights.h5") as stream,
            opened_hdf5(stream, str(path)) as file,
        ):
            compiled = config.get("compile_config")
            yield _configured(str(path), config, compiled, opened(file, str(path)))
    elif h5py.is_hdf5(path):
        with opened_hdf5(path, str(path)) as file:
            text, compiled = (file.attrs.get(k) for k in ("model_config", "training_config"))
            if text is None:
                raise ConversionError(
                    "holds weights without the configuration of a model",
                    where=str(path),
                    hint="Give the configuration too: from_keras('config.json', weights=…).",
                )
            training = None if compiled is None else _legacy_training(_parsed(compiled, path))
            yield _configured(str(path), _parsed(text, path), training, opened(file, str(path)))
    elif path.read_bytes()[:2] == b"PK":
        raise ConversionError(
            "the archive is damaged: its end is missing",
            where=str(path),
            got=f"{path.stat().st_size:,} bytes",
            hint="Copy the file again, or write it again with model.save('model.keras').",
        )
    else:
        raise ConversionError(
            "is neither a .keras file, nor HDF5, nor JSON",
            where=str(path),
            hint="Write it with model.save('model.keras').",
        )


@contextmanager
def _live(model: Any) -> Iterator[Path]:
    """Save a live model to a temporary file, which is then read like any other."""
    if not (hasattr(model, "save") and hasattr(model, "get_config") and hasattr(model, "layers")):
        raise ConversionError(
            "takes a file or a live keras.Model",
            where="from_keras",
            got=what(model),
            hint="Give the path of a .keras file.",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        yield path


def _check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    missing = {"config.json", "model.weights.h5"} - set(archive.namelist())
    if missing:
        raise ConversionError(
            f"this is no .keras file: it lacks {' and '.join(sorted(missing))}",
            where=str(path),
            hint="Write it with model.save('model.keras').",
        )


def _parsed(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConversionError(
            "the configuration is not JSON", where=str(path), got=str(error)
        ) from None
    if not isinstance(found, dict):
        raise ConversionError(
            "the configuration is not an object", where=str(path), got=type(found).__name__
        )
    return found


def _configured(
    where: str,
    config: Mapping[str, Any],
    compiled: Mapping[str, Any] | None,
    arrays: AbstractArrays | None,
) -> KerasSource:
    model = serialized(config)
    if model is None or model.kind not in MODELS or "layers" not in model.config:
        raise ConversionError(
            "is not a Sequential or Functional model",
            where=where,
            got=model.kind if model else "no class",
            hint="A model that is a class of its own holds Python code, which a file does not "
            "have. Rebuild it with keras.Model(inputs, outputs).",
        )
    return KerasSource(where, model, compiled, arrays)


def _legacy_training(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the compile settings of a legacy file in the form of a .keras file."""
    return {**config, "optimizer": config.get("optimizer_config")}
