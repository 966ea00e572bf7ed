"""The onnx package, imported only where a file is read or written."""

from __future__ import annotations

from typing import Any

from dnnbridge.base.packages import load, require


def onnx_package(what: str) -> Any:
    """Return the module `onnx`.

    Args:
        what: what needs it, as the beginning of a sentence.

    Raises:
        PackageNotInstalledError: the message has the pip command.
    """
    require("onnx", what)
    return load("onnx")


def dtype_name(number: int) -> str:
    """Return ONNX's name of a dtype; "UNDEFINED" for a number that no dtype has."""
    kinds = onnx_package("reading an ONNX file").TensorProto.DataType
    return str(kinds.Name(number)) if number in kinds.values() else "UNDEFINED"


def runtime() -> Any:
    """Return the module `onnxruntime`, or None where it is not installed."""
    try:
        return load("onnxruntime")
    except ImportError:
        return None
