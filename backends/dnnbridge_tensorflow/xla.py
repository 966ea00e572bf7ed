"""The choice of functions that XLA compiles.

Measured on two CPU cores, in one run (benchmarks/speed): with XLA, steps of dense, recurrent and
attention layers take 0.4 to 0.9 of the time. Steps with convolutions take up to eight times as
long, as XLA's convolution kernels are slow. Compilation takes half a second longer for a small net
and three seconds for a Transformer, so nets below `LEAST` weights do not use XLA. Tables that are
read only by rows do not count; XLA copies them once per call. Evaluation and prediction do not use
XLA, as their batch sizes vary.
"""

from __future__ import annotations

import os

from dnnbridge.backend import BackendError, Function, Op, Program, flatten, inline, ops
from dnnbridge_tensorflow.claims import CLAIMS

VARIABLE = "DNNBRIDGE_TENSORFLOW_XLA"
"""Environment variable: 0 for no function, 1 for all that train, "all" for all functions."""

LEAST = 10_000
"""Smallest number of weights for which XLA saves time."""

SLOW: frozenset[type[Op]] = frozenset({ops.AvgPool, ops.Conv, ops.ConvTranspose, ops.MaxPool})
"""Operations that are slower with XLA."""


def is_worthwhile(function: Function, program: Program) -> bool:
    """Return whether XLA compiles a function; without the variable, the experiment decides."""
    choice = os.environ.get(VARIABLE, "")
    if choice not in ("", "0", "1", "all"):
        raise BackendError('must be 0, 1 or "all"', where=VARIABLE, got=repr(choice))
    if choice == "all" or not function.writes:
        return choice == "all"
    if choice:
        return choice == "1"
    tables = flatten(function, CLAIMS, rows=True).tables.values()
    counted = set(program.parameters).difference(tables)
    weights = sum(program.state[name].type.size() for name in counted)
    return weights >= LEAST and not any(
        type(node.op) in SLOW for node in inline(function.graph).walk()
    )
