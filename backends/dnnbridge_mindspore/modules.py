"""Keep generated source as real files in the user's cache folder and import them."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import platformdirs

from dnnbridge.backend import write_atomically
from dnnbridge_mindspore.folders import writable


def import_source(label: str, source: str) -> ModuleType:
    """Write source to a file named after its content, and import that file as a module.

    MindSpore's compiler looks the text up in the file, so it must exist while the module lives.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    name = f"dnnbridge_generated_{label}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = _written(f"{name}.py", source)
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _written(name: str, source: str) -> Path:
    """Return a file that holds the source."""
    folder = Path(platformdirs.user_cache_dir("dnnbridge")) / "mindspore"
    try:
        if (folder / name).read_text(encoding="utf-8") == source:
            return folder / name
    except (OSError, UnicodeDecodeError):
        pass
    path = writable(folder, "XDG_CACHE_HOME") / name
    write_atomically(path, source.encode())
    return path
