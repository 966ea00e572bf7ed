"""Measurements in processes of their own, whose results stay as JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Work = tuple[str, list[object]]
"""The name of a function and its arguments."""


def measured(package: str, work: Work, path: Path) -> Any:
    """Return what a function of a package returns in a process of its own.

    Args:
        package: a package whose `__main__` calls `parsed`.
        work: what it does.
        path: JSON of the result. If it is there, nothing is measured.
    """
    if not path.exists():
        print(path.stem, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", package, "--child", json.dumps(work), "--to", str(path)]
        subprocess.run(command, check=True)
    return json.loads(path.read_text("utf-8"))


def parsed(
    parser: argparse.ArgumentParser, functions: Mapping[str, Callable[..., Any]]
) -> argparse.Namespace:
    """Return the options of the command; in a child of `measured`, do its work and end.

    Args:
        parser: has the package's own options.
        functions: by name. They return what JSON can hold.
    """
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, arguments = json.loads(options.child)
        options.to.write_text(json.dumps(functions[name](*arguments)), "utf-8")
        sys.exit()
    return options
