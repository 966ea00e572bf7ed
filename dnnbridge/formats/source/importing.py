"""Import a Python file that was written here."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

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
