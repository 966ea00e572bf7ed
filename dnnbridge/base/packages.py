"""Packages that only some of dnnbridge needs: the extras of `pip install`."""

from __future__ import annotations

import importlib

from dnnbridge.errors import PackageNotInstalledError

EXTRAS = {
    "report": ("jinja2", "matplotlib"),  # HTML reports and drawings of curves
    "convert": ("h5py",),  # files of other frameworks
    "tensorboard": ("tensorboardX",),  # event files
    "onnx": ("onnx",),  # ONNX files; onnxruntime checks them where it is installed
}
"""The packages that an extra installs, by the name of their module."""


def require_report(what: str) -> None:
    """Raise unless the packages of the extra `report` are installed."""
    require("report", what)


def require(extra: str, what: str) -> None:
    """Raise unless the packages of an extra are installed.

    Args:
        extra: its name.
        what: what needs them, as the beginning of a sentence.

    Raises:
        PackageNotInstalledError: the message has the pip command.
    """
    modules = EXTRAS[extra]
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise PackageNotInstalledError(
                f"{what} needs {' and '.join(modules)}",
                got=f"{module} is not installed",
                hint=f"Run: pip install 'dnnbridge[{extra}]'",
            ) from error
