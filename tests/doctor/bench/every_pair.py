"""`PAIRS`: all pairs of the bench."""

from doctor.bench import (
    agreeing,
    agreeing_deep,
    deep_pairs,
    held_out,
    images,
    kernels,
    layers,
    losses,
    mechanics,
    optimizers,
    schedules,
    starts,
)
from doctor.bench.pair import Pair

_MODULES = (
    *(optimizers, schedules, layers, images, losses, starts, kernels, mechanics, deep_pairs),
    *(agreeing, agreeing_deep, held_out),
)

PAIRS: dict[str, Pair] = {pair.name: pair for module in _MODULES for pair in module.PAIRS}
