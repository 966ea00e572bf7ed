"""Make the feeds of a step besides examples: host scalars, schedules and random arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import RandomInput
from dnnbridge.errors import DataError
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program.program import Program
from dnnbridge.training.feeding.buffers import Buffers

Key = tuple[str | int, ...]
"""The purpose of a random draw, and the numbers that identify it."""


def scalar_feeds(
    optimizer: AbstractOptimizer, steps: Sequence[int], rows: int | None = None
) -> dict[str, Array]:
    """Return the host scalars of an optimizer for the given steps, stacked, in float64."""
    found = [optimizer.host_scalars(step) for step in steps]
    stacked = {name: np.array([row[name] for row in found], np.float64) for name in found[0]}
    for name, array in stacked.items():
        _check_size(array, name, steps)
    return {f"scalar:{name}": _filled_up(array, rows) for name, array in stacked.items()}


def schedule_feeds(
    program: Program, steps: Sequence[int], rows: int | None = None
) -> dict[str, Array]:
    """Return the values of the layers' schedules for the given steps, stacked."""
    return {
        f"schedule:{name}": _filled_up(np.array([schedule(step) for step in steps]), rows)
        for name, schedule in program.schedules.items()
    }


def random_feeds(
    randoms: Sequence[RandomInput],
    seed: int,
    keys: Sequence[Key],
    batch: int,
    rows: int,
    buffers: Buffers,
) -> dict[str, Array]:
    """Return stacked random arrays, one for each key; the remaining rows are not written."""
    feeds = {}
    for random in randoms:
        shape = random.type.concrete(batch)
        stacked = buffers.array(f"random:{random.name}", (rows, *shape), np.float32)
        for k, (purpose, *numbers) in enumerate(keys):
            rng = randomness.generator(seed, str(purpose), random.name, *numbers)
            stacked[k] = random.distribution.sample(rng, shape)
        feeds[f"random:{random.name}"] = stacked
    return feeds


def random_bytes(program: Program, batch: int) -> int:
    """Return the bytes of the random arrays of one step."""
    return sum(4 * random.type.size(batch) for random in program.randoms)


def _check_size(array: Array, name: str, steps: Sequence[int]) -> None:
    """Raise if a finite number is too large for float32; the step would read infinity."""
    bad = np.flatnonzero(np.isfinite(array) & (np.abs(array) > np.finfo(np.float32).max))
    if bad.size:
        raise DataError(
            "is too large for float32, whose largest number is 3.4e38",
            where=f"{name} at step {steps[bad[0]]}",
            got=f"{array[bad[0]]:g}",
            hint="Use a smaller number.",
        )


def _filled_up(array: Array, rows: int | None) -> Array:
    """Repeat the last entry up to `rows` entries; the added steps do not run."""
    return array if rows is None else np.pad(array, (0, rows - len(array)), mode="edge")
