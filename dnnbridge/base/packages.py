"""Packages that only some of dnnbridge needs: the extras of `pip install`."""

from __future__ import annotations

import importlib
from types import ModuleType

from dnnbridge.base.interrupts import Waiting
from dnnbridge.errors import PackageNotInstalledError

EXTRAS = {
    "report": ("jinja2", "matplotlib"),  # HTML reports and drawings of curves
    "convert": ("h5py",),  # files of other frameworks
    "tensorboard": ("tensorboardX",),  # event files
    "onnx": ("onnx",),  # ONNX files; onnxruntime checks them where it is installed
}
"""The packages that an extra installs, by the name of their module."""

FRAMEWORKS = {
    "keras": ("Keras", "tensorflow"),
    "mindspore": ("MindSpore", "mindspore"),
    "tensorflow": ("TensorFlow", "tensorflow"),
}
"""The name of each framework and the extra that installs it, by the name of its module."""


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
            load(module)
        except ImportError as error:
            raise PackageNotInstalledError(
                f"{what} needs {' and '.join(modules)}",
                got=f"{module} is not installed",
                hint=f"Run: pip install 'dnnbridge[{extra}]'",
            ) from error


def framework(module: str, what: str, instead: str = "") -> ModuleType:
    """Return the module of a framework, which is imported here and not before.

    Args:
        module: one of `FRAMEWORKS`.
        what: what needs it, as the beginning of a sentence.
        instead: what else can be done, after "or".

    Raises:
        PackageNotInstalledError: the message has the pip command.
    """
    name, extra = FRAMEWORKS[module]
    try:
        return load(module)
    except ImportError as error:
        otherwise = f", or {instead}" if instead else ""
        raise PackageNotInstalledError(
            f"{what} needs {name}",
            got=str(error),
            hint=f"Run: pip install 'dnnbridge[{extra}]'{otherwise}",
        ) from error


def imported(module: str, what: str) -> ModuleType:
    """Return the module of a package that only one method needs.

    Args:
        module: its name, which is also what pip installs.
        what: what needs it, as the beginning of a sentence.

    Raises:
        PackageNotInstalledError: the message has the pip command.
    """
    try:
        return load(module)
    except ImportError as error:
        raise PackageNotInstalledError(
            f"{what} needs {module}", got=str(error), hint=f"Run: pip install {module}"
        ) from error


def load(module: str) -> ModuleType:
    """Import a module and return it; signals wait, as compiled code may not stand an exception.

    Raises:
        ImportError: as `import` does.

    Example:
        >>> load("math").gcd(12, 18)
        6
    """
    with Waiting(waits=True):
        return importlib.import_module(module)
