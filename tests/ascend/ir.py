"""Read the graphs that MindSpore saves after it has chosen a kernel for every operation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

PASSES = {"MS_DEV_SAVE_GRAPHS": "1", "MS_DEV_DUMP_IR_PASSES": "graph_build"}
"""Variables with which MindSpore saves only these graphs, in `MS_DEV_SAVE_GRAPHS_PATH`."""

NODE = re.compile(r"^  %\d+\([^)]*\) = (?:PrimFunc_)?(\w+)\(", re.MULTILINE)

BOOKKEEPING = frozenset({"Depend", "Load", "MakeTuple", "TupleGetItem", "UpdateState", "Return"})
"""Nodes that compute nothing."""

IN_FLOAT16 = "it is computed in float16"

RULES = {
    r"kernel_backoff_with_failure_info: \"([^.\"#]*)": "Ascend has no kernel, the CPU computes it",
    r"primitive_target: \"CPU\"": "the CPU computes it",
    r"Tensor\[Float64\]": "Ascend has no float64",
    r"Tensor\[Float16\]": IN_FLOAT16,
    r"format: \"NHWC\"": "Ascend's kernels need channels first (NCHW)",
}
"""What must not stand in a node, and what it means."""


def primitives(folder: Path) -> Counter[str]:
    """Return how often each operation stands in the saved graphs."""
    found = Counter(name for text in _texts(folder) for name in NODE.findall(text))
    return Counter({name: n for name, n in found.items() if name not in BOOKKEEPING})


def in_float16(folder: Path) -> list[str]:
    """Return the operations that take or give float16 in the saved graphs."""
    found = {name for name, node in _nodes(folder) if "Tensor[Float16]" in node}
    return sorted(found - BOOKKEEPING)


def faults(folder: Path, lower: bool = False) -> list[str]:
    """Return what breaks a rule of Ascend in the saved graphs: "Fmax: the CPU computes it".

    Args:
        folder: where the graphs are.
        lower: whether float16 is what was asked for.
    """
    made = {}
    for name, node in _nodes(folder):
        for rule, meaning in RULES.items():
            if not (lower and meaning == IN_FLOAT16) and re.search(rule, node):
                made[f"{name}: {meaning}"] = None
                break
    return list(made)


def _nodes(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the operation and the text of each node of the saved graphs."""
    for text in _texts(folder):
        starts = [match.start() for match in NODE.finditer(text)]
        for begin, end in pairwise([*starts, len(text)]):
            node = text[begin:end]
            yield NODE.findall(node)[0], node


def clear(folder: Path) -> None:
    """Remove the saved graphs, so that the next ones are of the next program."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def _texts(folder: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in sorted(folder.rglob("*.ir"))]
