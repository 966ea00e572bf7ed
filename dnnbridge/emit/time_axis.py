"""The time axis of sequences (batch, time, …), which a loop needs first."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.graph import Value


def swapped(x: Value) -> Value:
    """Swap the batch and time axes."""
    return ops.transpose(x, (1, 0, *range(2, x.rank)))
