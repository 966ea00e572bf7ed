"""Run a part of the tests with old and new frameworks, each pair in an environment of its own.

    python tools/test_matrix.py [--columns oldest,newest] [--folder out/matrix] [--keep]

A column pins TensorFlow and MindSpore. The packages that they need are free, as they are for a user
who installs these versions today; all other packages have the versions of `constraints.txt`. An
environment is deleted once its tests have run. The results are lines of Markdown for
docs/measurements/versions.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

COLUMNS = {
    "oldest": ("tensorflow==2.18.0", "mindspore==2.7.0"),
    "newest": ("tensorflow==2.21.0", "mindspore==2.10.0"),
}
"""The frameworks of each column: the lower bounds of pyproject.toml, and the pinned versions."""

FREE = {
    *("absl-py", "asttokens", "astunparse", "dill", "flatbuffers", "gast"),
    *("google-pasta", "grpcio", "h5py", "keras", "libclang", "mindspore"),
    *("ml-dtypes", "namex", "numpy", "onnx", "onnxruntime", "opt-einsum"),
    *("optree", "pandas", "pillow", "protobuf", "psutil", "scipy"),
    *("setuptools", "tensorflow", "typing-extensions", "wrapt"),
}
"""Packages that the frameworks need, or that must fit them."""

TESTS = (
    "tests/conformance/test_tensorflow.py",
    "tests/conformance/test_mindspore.py",
    "tests/backends",
    "tests/training/test_run.py",
    "tests/training/test_reuse.py",
    "tests/training/test_clear_session.py",
    "tests/formats",
    "tests/convert/test_from_keras.py",
    "tests/convert/test_from_mindspore.py",
)

SECONDS = 3 * 3600
"""Longest time of a step of a column."""

VERSIONS = """
from importlib.metadata import version
print(", ".join(f"{n} {version(n)}" for n in ("tensorflow", "keras", "mindspore", "numpy")))
"""


def constraints() -> str:
    """Return the pinned versions of the packages that are not free."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.partition("==")[0] not in FREE) + "\n"


def environment(folder: Path, pins: tuple[str, ...]) -> Path:
    """Make an environment with these frameworks and return its Python."""
    python = folder / "bin" / "python"
    run([sys.executable, "-m", "venv", str(folder)])
    limits = folder / "constraints.txt"
    limits.write_text(constraints(), "utf-8")
    run([str(python), "-m", "pip", "install", "--quiet", "-c", str(limits), "uv"])
    install = ["pip", "install", "--quiet", "--python", str(python), "-c", str(limits)]
    run([str(folder / "bin" / "uv"), *install, "-e", ".[test]", *pins])
    return python


def run(command: list[str]) -> str:
    """Run a command in the root and return what it wrote."""
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=SECONDS
    )
    return done.stdout.strip()


def tested(python: Path, report: Path) -> str:
    """Run the tests, leave what pytest says in a file, and return its counts."""
    command = [str(python), "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-rf", *TESTS]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(["tools", "tests"])}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=paths, timeout=SECONDS
    )
    report.write_text(done.stdout + done.stderr, "utf-8")
    found = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", done.stdout[-2000:])
    return ", ".join(found) or f"pytest ended with {done.returncode}"


def main() -> None:
    """Test the columns one after another, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", default=",".join(COLUMNS))
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "matrix")
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.columns.split(","):
        folder = options.folder.resolve() / name
        try:
            python = environment(folder, COLUMNS[name])
            versions = run([str(python), "-c", VERSIONS])
            print(f"| {name} | {versions} | {tested(python, folder.with_suffix('.txt'))} |")
        finally:
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
