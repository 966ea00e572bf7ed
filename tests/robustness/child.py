"""Read files in a process of its own, with a limit of memory: a crash ends this process alone.

It reads the name of a parser and a path from each line of the standard input, and answers with a
line of JSON: the class of the error, its text, whether it is an error of dnnbridge, and how many
bytes of memory the process has needed more than before.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path

MEMORY = 1 << 30
"""Bytes that a process may ask for after its start."""

LOADED = ("h5py", "onnx", "onnx.reference", "onnxruntime", "safetensors.numpy", "pickle")
"""Packages that readers import, so that they do not count for the first file."""


def _limit() -> None:
    """Limit the address space, so that a huge array is a MemoryError and no full machine."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if _has_proc() else 1 << 20
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _has_proc() -> bool:
    return Path("/proc/self/statm").exists()


def _peak() -> int:
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _refuse_code(event: str, args: tuple[object, ...]) -> None:
    """End with a status that says so if a file makes Python unpickle, or start a program."""
    if event in ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec"):
        raise SystemExit(f"{event} {args}")


def _answer(parse: object, path: Path) -> dict[str, object]:
    from dnnbridge.errors import DnnbridgeError

    before, error = _peak(), None
    try:
        parse(path)  # type: ignore[operator]
    except Exception as raised:
        error = raised
    text, chain = "", error
    while chain is not None:
        text += f"{type(chain).__name__}: {chain}\n"
        chain = chain.__cause__ or chain.__context__
    return {
        "error": type(error).__name__ if error else "",
        "text": text,
        "ours": isinstance(error, DnnbridgeError),
        "memory": _peak() - before,
    }


def main() -> None:
    from robustness.parsers import PARSERS, SABOTAGE

    readers = PARSERS | SABOTAGE
    warnings.simplefilter("ignore")
    for name in LOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    _limit()
    sys.addaudithook(_refuse_code)
    answers, sys.stdout = sys.stdout, sys.stderr
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        parser, path = json.loads(line)
        print(json.dumps(_answer(readers[parser], Path(path))), file=answers, flush=True)


if __name__ == "__main__":
    main()
