"""Read an experiment from a Python or JSON file."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from dnnbridge.base.messages import shorten
from dnnbridge.cli.failing import located
from dnnbridge.cli.importing import AfterImports
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.experiment import Experiment

NAME = "experiment"


def read_experiment(path: Path) -> Experiment:
    """Return the `experiment` of a FILE.py, or the one in a FILE.json.

    A Python file is run with its folder on `sys.path`; its `__name__` is not "__main__".

    Raises:
        DnnbridgeError: the file is wrong; the message has the file and the line.
    """
    if path.suffix == ".py":
        return _from_module(path, _run(path))
    if path.suffix != ".json":
        raise SpecError(
            "not a Python or JSON file",
            where=str(path),
            got=f"suffix {path.suffix!r}",
            hint=f"Define an `{NAME}` in a .py file, or write a .json with Experiment.to_json().",
        )
    try:
        return Experiment.from_json(path.read_text("utf-8"))
    except DnnbridgeError as error:
        raise located(error, str(path)) from None
    except UnicodeDecodeError as error:
        raise SpecError(
            "not UTF-8 text",
            where=str(path),
            got=str(error),
            hint="Write the file with Experiment.to_json().",
        ) from None


def _from_module(path: Path, module: ModuleType) -> Experiment:
    value = getattr(module, NAME, None)
    if isinstance(value, Experiment):
        return value
    others = [name for name, item in vars(module).items() if isinstance(item, Experiment)]
    raise SpecError(
        f"must define `{NAME}`, a dnnbridge.Experiment, at module level",
        where=str(path),
        got=shorten(value) if hasattr(module, NAME) else f"no `{NAME}`",
        hint=f"Rename {' or '.join(others)}." if others else f"Write {NAME} = db.Experiment(…).",
    )


def _run(path: Path) -> ModuleType:
    """Execute a file as a module in `sys.modules`, which classes defined in it need."""
    module = ModuleType(f"dnnbridge_file_{path.stem}")
    module.__file__ = str(path)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[module.__name__] = module
    try:
        with AfterImports():
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except DnnbridgeError as error:
        raise located(error, _place(path, error)) from error
    except (Exception, SystemExit) as error:
        raise SpecError(
            "the file raises an error",
            where=_place(path, error),
            got=_last_line(error),
            hint=f"`python {path}` shows the whole traceback.",
        ) from error
    return module


def _place(path: Path, error: BaseException) -> str:
    """Return file:line of the innermost call in the file."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _last_line(error: BaseException) -> str:
    message: Any = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {message}".rstrip(": ").splitlines()[0]
