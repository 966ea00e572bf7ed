"""The arrays of a Keras optimizer as the slots of the optimizer here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.keras.arrays import real
from dnnbridge.formats.keras.settings import Serialized

SECTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Adadelta": (("s", "u"),),
    "Adafactor": (("r", "c", "v"),),
    "Adagrad": (("s",),),
    "Adam": (("m", "v"), ("largest",)),
    "AdamW": (("m", "v"), ("largest",)),
    "Adamax": (("m", "u"),),
    "Ftrl": (("n", "z"),),
    "Lamb": (("m", "v"),),
    "Lion": (("m",),),
    "Nadam": (("m", "v"),),
    "RMSprop": (("s",), ("m",), ("mean",)),
    "SGD": (("velocity",),),
}
"""The slots of each optimizer, in Keras' order. A section has its slots for each weight in turn,
and is there if any weight has a slot of it."""

NEGATED = {"velocity"}
"""Slots that have the other sign in Keras: SGD subtracts its velocity here and adds it there."""

AROUND = (("average",), ("accumulated",))
"""Sections of what Keras keeps for all optimizers: moving averages, then sums of gradients."""


EXTRA = {"Nadam": 1}
"""How many arrays of an optimizer have no counterpart here: they are computed from the step."""

OTHER_WEIGHTS = (
    "The optimizer's arrays were left out: they are not those of the weights that are trained. "
    "Layers were frozen after the last compile."
)


class Slots(NamedTuple):
    """What an optimizer has kept.

    Attributes:
        arrays: by the names of the slots here.
        step: the number of updates.
        notes: what was left out, a sentence each.
    """

    arrays: dict[str, Array]
    step: int
    notes: tuple[str, ...] = ()


def read_slots(
    found: Serialized,
    given: Sequence[Array],
    weights: Sequence[str],
    known: Mapping[str, tuple[int, ...]],
) -> Slots:
    """Return the slots of an optimizer.

    Args:
        found: the optimizer of Keras.
        given: its arrays, in Keras' order.
        weights: the names of the weights that it trains, in Keras' order.
        known: the shapes of all slots here, by name.
    """
    if not given:
        return Slots({}, 0)
    constant = not isinstance(found.config.get("learning_rate"), dict)
    batches = int(given[0])
    rest = list(given[2 if constant else 1 :])
    if not rest and not batches:  # Keras makes the arrays when it begins to train
        return Slots({}, 0)
    arrays: dict[str, Array] = {}
    for names in _sections(found, weights, known):
        if len(rest) < len(names):
            return Slots({}, batches, (OTHER_WEIGHTS,))
        pairs = zip(names, rest, strict=False)
        arrays |= {name: _turned(name, array) for name, array in pairs if name in known}
        rest = rest[len(names) :]
    fits = all(arrays[name].shape == known[name] for name in arrays)
    if not fits or len(rest) > EXTRA.get(found.kind, 0):
        return Slots({}, batches, (OTHER_WEIGHTS,))
    for name in known:
        if name.endswith(":accumulated_divisor"):
            steps = found.config.get("gradient_accumulation_steps") or 1
            arrays[name] = np.asarray(batches % steps, np.float32)
        if name.endswith(":average_started"):
            arrays[name] = np.asarray(batches > 0, np.float32)
    return Slots({name: real(array) for name, array in arrays.items()}, batches)


def written_slots(
    found: Serialized, weights: Sequence[str], state: Mapping[str, Array], step: int
) -> list[Array]:
    """Return the arrays of a Keras optimizer: the inverse of `read_slots`.

    Args:
        found: the optimizer of Keras.
        weights: the names of the weights that it trains, in Keras' order.
        state: all arrays, by the names here.
        step: the number of updates.
    """
    rate = found.config.get("learning_rate")
    constant = not isinstance(rate, dict)
    arrays: list[Array] = [np.asarray(step, np.int64)]
    arrays += [np.asarray(rate, np.float32)] if constant else []
    for names in _sections(found, weights, state):
        arrays += [_turned(name, _kept(name, state)) for name in names]
    if found.kind == "Nadam":
        arrays.append(np.asarray(_nadam_product(found, step), np.float32))
    return arrays


def _sections(
    found: Serialized, weights: Sequence[str], known: Mapping[str, Any]
) -> Iterator[list[str]]:
    """Yield the names of the slots of each section that is there, in Keras' order."""
    for section in (*AROUND, *SECTIONS.get(found.kind, ())):
        names = [f"{weight}:{slot}" for weight in weights for slot in section]
        if known.keys() & set(names):
            yield names


def _turned(name: str, array: Array) -> Array:
    """Return a slot with the sign that it has on the other side."""
    return -array if name.rpartition(":")[2] in NEGATED else array


def _kept(name: str, state: Mapping[str, Array]) -> Array:
    """Return a slot; Adafactor has zeros for one that a weight lacks."""
    weight, _, slot = name.rpartition(":")
    return state.get(name, np.zeros(state[weight].shape if slot == "v" else (), np.float32))


def _nadam_product(found: Serialized, step: int) -> float:
    """Return the product of Nadam's momenta so far, which is computed from the step here."""
    product = 1.0
    for t in range(1, step + 1):
        product *= found.config["beta_1"] * (1.0 - 0.5 * 0.96**t)
    return product
