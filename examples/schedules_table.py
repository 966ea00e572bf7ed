"""A table of learning rates per step from MindSpore's seven list functions, no MindSpore needed.

python examples/schedules_table.py
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

import dnnbridge as db

TOTAL, PER_EPOCH, DECAY = 12, 2, 2

COLUMNS: dict[str, list[float]] = {
    "exponential": db.exponential_decay_lr(0.1, 0.9, TOTAL, PER_EPOCH, DECAY),
    "exponential, stairs": db.exponential_decay_lr(0.1, 0.9, TOTAL, PER_EPOCH, DECAY, True),
    "natural exp": db.natural_exp_decay_lr(0.1, 0.9, TOTAL, PER_EPOCH, DECAY),
    "inverse": db.inverse_decay_lr(0.1, 0.9, TOTAL, PER_EPOCH, DECAY),
    "cosine": db.cosine_decay_lr(0.01, 0.1, TOTAL, PER_EPOCH, DECAY),
    "polynomial": db.polynomial_decay_lr(0.1, 0.01, TOTAL, PER_EPOCH, DECAY, 0.5),
    "warm-up": db.warmup_lr(0.1, TOTAL, PER_EPOCH, DECAY),
    "piecewise": db.piecewise_constant_lr([2, 5, 12], [0.1, 0.05, 0.01]),
}


def table() -> Table:
    """Return the rates, one row per step."""
    made = Table("step", *COLUMNS, title="Learning rate per step")
    for step, rates in enumerate(zip(*COLUMNS.values(), strict=True)):
        made.add_row(str(step), *(f"{rate:.6f}" for rate in rates))
    return made


if __name__ == "__main__":
    Console().print(table())
