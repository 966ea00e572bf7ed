"""All sabotages."""

from __future__ import annotations

from sabotage.equations import EQUATIONS
from sabotage.operations import OPERATIONS
from sabotage.row import Sabotage
from sabotage.running import RUNNING
from sabotage.updates import UPDATES

SABOTAGES: dict[str, list[Sabotage]] = {
    "Operations": OPERATIONS,
    "Equations of layers, activations and losses": EQUATIONS,
    "Updates and host scalars": UPDATES,
    "State, steps, batches, and what is compiled": RUNNING,
}
"""All sabotages, by subject."""
