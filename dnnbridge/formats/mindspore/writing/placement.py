"""Where a weight is in MindSpore: its name there, and how its axes lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.mindspore.writing.text import Text, called

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """How the axes of a weight lie in MindSpore.

    Attributes:
        axes: its axes here, in MindSpore's order; None if the order is the same.
        shape: the shape there, if axes are split or joined as well.
    """

    axes: Sizes | None = None
    shape: Sizes | None = None

    @property
    def is_same(self) -> bool:
        return self.axes is None and self.shape is None

    def there(self, array: Array) -> Array:
        """Return an array of this layer as MindSpore holds it; a view where it can be one."""
        made = array if self.axes is None else array.transpose(self.axes)
        return made if self.shape is None else made.reshape(self.shape)

    def here_source(self, text: str, shape: Sizes) -> Text:
        """Return the source of a weight there in the layout here, in which it has this shape."""
        if self.shape is not None:
            sizes = shape if self.axes is None else tuple(shape[i] for i in self.axes)
            text = called("ops.reshape", text, sizes)
        if self.axes is not None:
            text = called("ops.transpose", text, tuple(np.argsort(self.axes).tolist()))
        return Text(text)

    def there_source(self, text: str) -> Text:
        """Return the source of an array here as MindSpore holds it."""
        if self.axes is not None:
            text = called("ops.transpose", text, self.axes)
        if self.shape is not None:
            text = called("ops.reshape", text, self.shape)
        return Text(text)


SAME = Layout()


@dataclass(frozen=True)
class Placement:
    """Where a weight is in the written network.

    Attributes:
        name: "layer.weight": its attribute below the network, and its name in a checkpoint.
        layout: how its axes lie.
    """

    name: str
    layout: Layout = SAME
