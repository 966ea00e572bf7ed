"""The source of a part of a step whose values the backward pass computes again.

`Cell.recompute` marks a Cell of its own. MindSpore's compiler then copies what the Cell computes
into the backward pass, where it waits for the gradient that comes in.
"""

from __future__ import annotations

from dnnbridge.backend import Graph, Scan


def can_recompute(body: Graph) -> bool:
    """Return whether MindSpore compiles a body to recompute; with a loop, 2.10 crashes."""
    return not any(isinstance(node.op, Scan) for node in body.walk())


def write_part(name: str, setup: list[str], method: list[str]) -> str:
    """Return the source of a class, given its setup lines and its method `construct`."""
    header = [f"class {name}(nn.Cell):", "    def __init__(self, constants):"]
    header += ["        super().__init__()", *setup, "        self.recompute()"]
    return "\n".join([*header, "", *method]) + "\n"
