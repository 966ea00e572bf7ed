"""Run the code of one side, row after row, in a separate process: python -m … SIDE ID …"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Result = dict[str, Any]
"""Either "value" with a list of numbers or a word, or "error" with the error of the code."""

TIME_LIMIT = 600.0


def measured(side: str, ids: Sequence[str]) -> dict[str, dict[str, Result]]:
    """Return the result of each row's code, by row and name.

    If a row's code kills its process, the result is an error that says so.
    """
    found: dict[str, dict[str, Result]] = {}
    left = list(ids)
    while left:
        command = [sys.executable, "-m", "native_differences.measure", side, *left]
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=folder,
                env=_environment(),
                timeout=TIME_LIMIT,
            )
        for line in made.stdout.splitlines():
            if line.startswith('{"row": '):
                read = json.loads(line)
                found[read["row"]] = read["results"]
        left = [id for id in left if id not in found]
        if left:
            found[left[0]] = {side: {"error": f"the process ended: {made.stderr[-200:].strip()}"}}
            left = left[1:]
    return found


def _environment() -> dict[str, str]:
    folder = str(Path(__file__).parents[1])
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_v": "3", "CUDA_VISIBLE_DEVICES": ""}
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
    return os.environ | quiet | {"PYTHONPATH": path}


def run_all(side: str, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Result]]]:
    """Yield each row with the results of its code on one side."""
    from native_differences import ROWS

    for id in ids:
        pieces = ROWS[id].code(side)
        yield id, {name: run(side, f"{id}-{name}", text) for name, text in pieces.items()}


def run(side: str, name: str, text: str) -> Result:
    """Return the value of the last expression of a piece of code, or its error.

    The code is imported from a file, because MindSpore's compiler reads the source that it compiles.
    """
    from native_differences.prelude import PRELUDES

    file = Path.cwd() / f"{name.replace('-', '_')}.py"
    file.write_text(PRELUDES[side] + "\n" + with_result(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
        return {"value": plain(module.result)}
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip(" -\n")), "")
        return {"error": f"{type(error).__name__}: {first[:90]}".strip(": ")}


def with_result(text: str) -> str:
    """Return the code with its last expression assigned to `result`."""
    text = text.strip("\n")
    last = ast.parse(text).body[-1]
    assert isinstance(last, ast.Expr), text
    lines = text.splitlines()
    kept = "\n".join(lines[last.lineno - 1 :])
    return "\n".join([*lines[: last.lineno - 1], f"result = (\n{kept}\n)\n"])


def plain(value: Any) -> list[float] | str:
    """Return a result as a flat list of numbers, or as a word."""
    if isinstance(value, (str, bool)):
        return str(value)
    if hasattr(value, "asnumpy"):
        value = value.asnumpy()
    return [float(x) for x in np.ravel(np.asarray(value, np.float64))]


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    for row, results in run_all(sys.argv[1], sys.argv[2:]):
        print(json.dumps({"row": row, "results": results}), flush=True)
