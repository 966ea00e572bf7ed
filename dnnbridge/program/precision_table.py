"""The table of mixed precision: which operation of a layer computes in which type."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.graph import Op

LOWERED: frozenset[type[Op]] = frozenset(
    {ops.BatchMatMul, ops.Conv, ops.ConvTranspose, ops.MatMul},
)
"""Products: their factors are rounded to the lower type, and so is their result."""

FOLLOWING: frozenset[type[Op]] = frozenset(
    {
        *(ops.Abs, ops.Add, ops.AvgPool, ops.BroadcastTo, ops.Clip, ops.Concat, ops.Equal),
        *(ops.Erfc, ops.Greater, ops.MaxPool, ops.Maximum, ops.Minimum, ops.Mul, ops.Neg, ops.Pad),
        *(ops.Relu, ops.Reshape, ops.Reverse, ops.Select, ops.Sigmoid, ops.Sign, ops.Slice),
        *(ops.Softplus, ops.Sub, ops.Take, ops.Tanh, ops.Transpose),
    }
)
"""What is element-wise, moves numbers or pools: in the lower type if an operand is, and if every
other operand is of that type too, or is a weight, a constant or a random array, which is rounded.
With any other float32 operand, or a constant beyond the normal numbers of the type, it computes in
float32."""

KEPT: frozenset[type[Op]] = frozenset(ops.PRIMITIVES) - LOWERED - FOLLOWING - {ops.Cast}
"""Everything else stays float32: exp, log, roots, squares and quotients, which leave the range of
float16 soon; sums, means, softmax and log_softmax, which lose digits; and what has no real
operands."""
