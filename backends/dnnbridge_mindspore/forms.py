"""Choose the form of a convolution that a probe found fastest on this machine.

MindSpore's native convolution takes half as long as a product of slices on one processor, and
fifteen times as long on another. Convolutions are grouped into a few kinds, as compiling a probe
takes longer than running it. One example of each kind is timed with its derivatives.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from dnnbridge.backend import TensorType, choose, set_aside, uncollected
from dnnbridge.backend import ops as core
from dnnbridge_mindspore.products import ConvSlices, GroupedSlices
from dnnbridge_mindspore.windows import Conv

Tensor = Any

MOST_PLACES = 49
"""Largest number of window elements of a convolution as a product of slices."""

FEW, SOME, MANY = 4, 16, 64
"""Channels per group in the timed kinds of convolutions."""

SPACE = {1: (512,), 2: (32, 32), 3: (8, 8, 8)}
"""Spatial sizes of the timed examples, by the number of axes."""


@dataclass(frozen=True)
class Kind:
    """Convolutions for which one form is chosen.

    Attributes:
        axes: number of spatial axes.
        share: channels per group of the timed example.
        groups: groups of the timed example.
    """

    axes: int
    share: int
    groups: int

    def __str__(self) -> str:
        axes = f"{self.axes} {'axis' if self.axes == 1 else 'axes'}"
        if self.share == 1:
            return f"{axes}, depthwise"
        size = "over 32" if self.share == MANY else f"up to {4 if self.share == FEW else 32}"
        return f"{axes}, {size} channels" + (" a group" if self.groups > 1 else "")


def kind_of_conv(op: core.Conv, kernel: TensorType) -> Kind | None:
    """Return the kind, or None if there is only one form."""
    *window, share, _ = (int(size or 1) for size in kernel.shape)
    if math.prod(window) > MOST_PLACES:
        return None
    if op.groups > 1:
        return Kind(len(window), 1, 32) if share == 1 else Kind(len(window), SOME, 4)
    return Kind(len(window), FEW if share <= FEW else SOME if share <= 32 else MANY, 1)


def form_of_conv(op: core.Conv, kernel: TensorType) -> str:
    """Return "native" or "slices"."""
    kind = kind_of_conv(op, kernel)
    if kind is None:
        return "native"
    candidates = {name: partial(_prepare, kind, make) for name, make in CANDIDATES.items()}
    return choose(f"mindspore.conv: {kind}", _about(), candidates)


class Training(nn.Cell):
    """The value and both derivatives of a convolution, as training computes them"""

    def __init__(self, conv: nn.Cell) -> None:
        super().__init__()
        self.conv, self.vjp = conv, ops.GradOperation(get_all=True, sens_param=True)(conv)

    def construct(self, x: Tensor, kernel: Tensor, dout: Tensor) -> tuple[Tensor, ...]:
        dx, dkernel = self.vjp(x, kernel, dout)
        return self.conv(x, kernel), dx, dkernel


def _native(kind: Kind, shape: tuple[int, ...]) -> nn.Cell:
    ones = (1,) * kind.axes
    return Conv(shape, ones, ((1, 1),) * kind.axes, ones, kind.groups)


def _slices(kind: Kind, shape: tuple[int, ...]) -> nn.Cell:
    ones = (1,) * kind.axes
    given = ones, ((1, 1),) * kind.axes, ones
    return GroupedSlices(*given, kind.groups) if kind.groups > 1 else ConvSlices(*given)


CANDIDATES: dict[str, Callable[[Kind, tuple[int, ...]], nn.Cell]] = {
    "native": _native,
    "slices": _slices,
}
"""Forms by name; the native form comes first, as it compiles faster and needs less memory."""


def _prepare(kind: Kind, make: Callable[[Kind, tuple[int, ...]], nn.Cell]) -> Callable[[], object]:
    """Compile the timed example: a window of 3 along each axis, "same" padding.

    The native form gets channels-first arrays, as `layouts.py` keeps them between neighbours.
    """
    channels = kind.share * kind.groups
    filters = max(channels, SOME)
    shape = (*(3,) * kind.axes, kind.share, filters)
    conv, batch, space = make(kind, shape), 4 if channels > SOME else 16, SPACE[kind.axes]

    def drawn(count: int) -> Tensor:
        sizes = (batch, count, *space) if isinstance(conv, Conv) else (batch, *space, count)
        return ms.Tensor(rng.random(sizes, dtype=np.float32))

    rng = np.random.default_rng(0)
    given = drawn(channels), ms.Tensor(rng.random(shape, dtype=np.float32)), drawn(filters)
    cell = Training(conv)

    def work() -> object:
        return [made.asnumpy() for made in cell(*given)]

    with uncollected(), set_aside():  # MindSpore collects garbage before it compiles
        work()
    return work


@cache
def _about() -> str:
    """Return the facts that the times depend on, besides the machine."""
    digest = hashlib.sha256()
    for name in ("forms", "padding", "products", "slices", "windows"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return f"mindspore {ms.__version__} {digest.hexdigest()[:16]}"
