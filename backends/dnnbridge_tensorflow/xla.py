"""Which functions XLA compiles.

Measured on two cores of a CPU, in one run (benchmarks/speed): steps of dense, recurrent and
attention layers take 0.4 to 0.9 of the time with XLA; those with convolutions up to eight times
as long, as XLA has slow kernels for them. Compiling takes longer, by half a second for a small net
and three for a Transformer, so that nets below `LEAST` weights go without. A table of which only
rows are read does not count; XLA copies it once a call. Evaluation and prediction, which come in
many sizes of batches, go without too.
"""

from __future__ import annotations

import os

from dnnbridge.backend import BackendError, Function, Op, Program, flatten, inline, ops
from dnnbridge_tensorflow.claims import CLAIMS

VARIABLE = "DNNBRIDGE_TENSORFLOW_XLA"
"""Environment variable: 0 for no function, 1 for all that train, "all" for every one."""

LEAST = 10_000
"""Weights from which on compiling pays."""

SLOW: frozenset[type[Op]] = frozenset({ops.AvgPool, ops.Conv, ops.ConvTranspose, ops.MaxPool})
"""Operations that are slower with XLA."""


def is_worthwhile(function: Function, program: Program) -> bool:
    """Say whether XLA compiles a function; it depends on the experiment alone."""
    choice = os.environ.get(VARIABLE, "")
    if choice not in ("", "0", "1", "all"):
        raise BackendError('is 0, 1 or "all"', where=VARIABLE, got=repr(choice))
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
