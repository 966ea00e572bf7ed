"""Packages that only some of dnnbridge needs: the extras of `pip install`."""

from __future__ import annotations

import importlib

from dnnbridge.errors import PackageNotInstalledError

REPORT = "report", ("jinja2", "matplotlib")
"""What HTML reports and drawings of curves need."""


def require_report(what: str) -> None:
    """Raise unless the packages of the extra `report` are installed.

    Args:
        what: what needs them, as the beginning of a sentence.

    Raises:
        PackageNotInstalledError: the message has the pip command.
    """
    extra, modules = REPORT
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise PackageNotInstalledError(
                f"{what} needs {' and '.join(modules)}",
                got=f"{module} is not installed",
                hint=f"Run: pip install 'dnnbridge[{extra}]'",
            ) from error
