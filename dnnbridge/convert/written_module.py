"""Import the Python file that a run is exported as."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from types import ModuleType

from dnnbridge.formats.source.importing import import_written
from dnnbridge.training.run import Run


def import_exported(run: Run, format: str) -> ModuleType:
    """Export a run as plain source and import it.

    The frameworks read the source again when they compile, so its folder stays with the module.
    """
    folder = Path(tempfile.mkdtemp(prefix="dnnbridge-"))
    module = import_written(run.export(folder / "model.py", format))
    weakref.finalize(module, shutil.rmtree, folder, ignore_errors=True)
    return module
