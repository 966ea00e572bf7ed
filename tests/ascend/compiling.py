"""Compile programs for a simulated Ascend processor: a child of `simulation.py`.

python compiling.py NAMES FOLDER

NAMES is a JSON file with names of subjects. A line of JSON is printed for each. FOLDER is where
MindSpore saves its graphs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from ascend import ir
from ascend.planted import compile_planted
from ascend.subjects import PRECISION, Subject, precisions, subjects

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.protocol import Backend, check_supported
from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.program.program import Function

PLANTED = "planted"
"""The area of the programs that break a rule."""


def main(names: Path, folder: Path) -> None:
    every = {subject.name: subject for subject in (*subjects(), *precisions())}
    backend = load_backend("mindspore")
    for name in json.loads(names.read_text("utf-8")):
        print(json.dumps({"name": name}), flush=True)
        area, _, rest = name.partition("/")
        work = partial(compile_planted, rest)
        if area != PLANTED:
            work = partial(compile_subject, backend, every[name])
        print(json.dumps(compiled(name, work, folder)), flush=True)


def compiled(name: str, work: Callable[[], None], folder: Path) -> dict[str, object]:
    """Compile a subject; return what became of it, its operations and what is wrong."""
    ir.clear(folder)
    made: dict[str, object] = {"name": name, "status": "compiled", "faults": []}
    begin = time.perf_counter()
    try:
        work()
        made["faults"] = ir.faults(folder, lower=name.startswith(f"{PRECISION}/"))
    except DeclaredLimitationError as error:
        return made | {"status": "limited", "reason": str(error)}
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip(" -\t")]
        made["faults"] = [f"{type(error).__name__}: {' '.join(lines[:3])[:400]}"]
    made["float16"] = ir.in_float16(folder)
    made["primitives"] = dict(sorted(ir.primitives(folder).items()))
    if made["faults"]:
        made["status"] = "failed"
    return made | {"seconds": round(time.perf_counter() - begin, 2)}


def compile_subject(backend: Backend, subject: Subject) -> None:
    """Compile every function of a program; the simulation gives zeros for its results."""
    program = subject.program()
    check_supported(backend, program, "ascend")
    executable = backend.compile(program, "ascend")
    for name, function in program.functions.items():
        executable.run(name, _zeros(function, subject.rows), 1)


def _zeros(function: Function, rows: int) -> dict[str, np.ndarray]:
    return {v.name: np.zeros((1, *v.type.concrete(rows)), v.dtype) for v in function.feeds}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # a simulation may crash when it ends
