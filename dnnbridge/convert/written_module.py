"""Import the Python file that a run is exported as."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from types import ModuleType

from dnnbridge.training.run import Run

_numbers = itertools.count()


def import_written(path: Path) -> ModuleType:
    """Import a file under a name of its own."""
    name = f"dnnbridge_written_{path.stem}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # MindSpore finds the classes of a module there
    spec.loader.exec_module(module)
    return module


def import_exported(run: Run, format: str) -> ModuleType:
    """Export a run as plain source and import it.

    The frameworks read the source again when they compile, so its folder stays with the module.
    """
    folder = Path(tempfile.mkdtemp(prefix="dnnbridge-"))
    module = import_written(run.export(folder / "model.py", format))
    weakref.finalize(module, shutil.rmtree, folder, ignore_errors=True)
    return module
