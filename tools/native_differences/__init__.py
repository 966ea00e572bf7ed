"""Measure where MindSpore and Keras differ from each other or from their documentation.

PYTHONPATH=tools python -m native_differences
"""

from __future__ import annotations

from native_differences.initializers import INITIALIZERS
from native_differences.kernels import KERNELS
from native_differences.layers import LAYERS
from native_differences.losses import LOSSES
from native_differences.mechanics import MECHANICS
from native_differences.optimizers import OPTIMIZERS
from native_differences.row import Row
from native_differences.schedules import SCHEDULES
from native_differences.weight_decay import WEIGHT_DECAY

AREAS: dict[str, tuple[Row, ...]] = {
    "Optimizers": OPTIMIZERS,
    "Weight decay, clipping, rates": WEIGHT_DECAY,
    "Schedules": SCHEDULES,
    "Layers": LAYERS,
    "Initializers": INITIALIZERS,
    "Losses": LOSSES,
    "Activations and operations": KERNELS,
    "Mechanics": MECHANICS,
}

ROWS: dict[str, Row] = {row.id: row for rows in AREAS.values() for row in rows}
