"""Write generated source to files in the user's cache folder and import them."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import platformdirs

from dnnbridge.backend import write_atomically
from dnnbridge_mindspore.folders import writable

WIDTH = 100
"""Columns of generated source."""


def import_source(label: str, source: str) -> ModuleType:
    """Write source to a file named after its content and import the file as a module.

    MindSpore's compiler reads the text from the file, so the file must exist as long as the module.
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
    """Return the path of a file with the source, written if it does not exist."""
    folder = Path(platformdirs.user_cache_dir("dnnbridge")) / "mindspore"
    try:
        if (folder / name).read_text(encoding="utf-8") == source:
            return folder / name
    except (OSError, UnicodeDecodeError):
        pass
    path = writable(folder, "XDG_CACHE_HOME") / name
    write_atomically(path, source.encode())
    return path


def folded(line: str) -> str:
    """Break a long line inside its brackets; MindSpore reads only a few thousand characters."""
    if len(line) <= WIDTH or line.lstrip().startswith("#"):
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    lines, depth = [""], 0
    for word in line.split():
        if depth and len(indent + lines[-1]) + len(word) > WIDTH:
            lines.append("       ")
        lines[-1] += f" {word}" if lines[-1] else word
        depth += sum(map(word.count, "([{")) - sum(map(word.count, ")]}"))
    return "".join(f"{indent}{part}\n" for part in lines)
