"""Keep the graphs that MindSpore compiles in a folder for later processes.

MindSpore checks the running script and its imports, so there must be a script. It checks neither
the shapes of the inputs nor the constants of a graph, and it numbers the graphs of a process. So
every program has its own folder, named after everything it depends on. The same programs in
another order are compiled and kept again.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import mindspore as ms

from dnnbridge.backend import Array
from dnnbridge_mindspore.folders import writable

VARIABLE = "DNNBRIDGE_MINDSPORE_CACHE"
"""Environment variable: the folder. If it is not set, nothing is kept."""


def kept(source: str, constants: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> Any:
    """Return a context for compiling a program for inputs of these shapes."""
    folder = os.environ.get(VARIABLE)
    if not folder or not os.path.isfile(sys.argv[0]):
        return nullcontext()
    target = ms.get_context("device_target")
    digest = hashlib.sha256(f"{ms.__version__} {target} {shapes} {source}".encode())
    digest.update(_kernels())
    for array in constants:
        digest.update(array.tobytes())
    return _cached(writable(Path(folder).absolute(), VARIABLE) / digest.hexdigest()[:32])


@cache
def _kernels() -> bytes:
    """Return a digest of the modules that generated source uses."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


@contextmanager
def _cached(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    ms.set_context(enable_compile_cache=True, compile_cache_path=str(folder))
    try:
        yield
    finally:
        ms.set_context(enable_compile_cache=False)
