"""`Attributes`: what the Cell of a generated class holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnnbridge.backend import Constant, ConstantArray
from dnnbridge_mindspore.lowerings import Kernel, Source
from dnnbridge_mindspore.names import literal


@dataclass
class Module:
    """Loops and parts to recompute, in order of use, and constants that all classes share."""

    loops: list[str] = field(default_factory=list)
    constants: dict[ConstantArray, int] = field(default_factory=dict)


class Attributes:
    """The attributes of a class: Cells, constants and numbers, each held once.

    Args:
        module: what all classes share.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.setup: list[str] = []  # the lines of __init__
        self._kernels: dict[str, str] = {}
        self._constants: dict[ConstantArray, str] = {}

    def source(self, source: Source) -> str:
        """Return an expression, for a kernel the call of its Cell."""
        return self.kernel(source) if isinstance(source, Kernel) else source

    def kernel(self, kernel: Kernel) -> str:
        """Return a call of a Cell that the class holds; equal Cells are made once."""
        if kernel.source not in self._kernels:
            name = f"kernel_{len(self._kernels)}"
            self._kernels[kernel.source] = name
            self.setup.append(f"        self.{name} = {kernel.source}")
        return f"self.{self._kernels[kernel.source]}({', '.join(kernel.arguments)})"

    def constant(self, op: ConstantArray) -> str:
        """Return the attribute that holds a constant; equal constants are kept once."""
        if op not in self._constants:
            number = self.module.constants.setdefault(op, len(self.module.constants))
            self._constants[op] = f"self.constant_{number}"
            self.setup.append(f"        {self._constants[op]} = constants[{number}]")
        return self._constants[op]

    def number(self, op: Constant) -> str:
        """Return the attribute that holds a number; MindSpore reads one in source as float32."""
        name = f"self.number_{len(self.setup)}"
        self.setup.append(f"        {name} = ms.Tensor({literal(op.value)}, ms.float64)")
        return name
