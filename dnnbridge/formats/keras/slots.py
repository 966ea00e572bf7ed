"""The arrays of a Keras optimizer as the slots of the optimizer here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
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
    found: Serialized, given: Sequence[Array], weights: Sequence[str], known: Collection[str]
) -> Slots:
    """Return the slots of an optimizer.

    Args:
        found: the optimizer of Keras.
        given: its arrays, in Keras' order.
        weights: the names of the weights that it trains, in Keras' order.
        known: the names of all slots here.
    """
    if not given:
        return Slots({}, 0)
    constant = not isinstance(found.config.get("learning_rate"), dict)
    batches = int(given[0])
    rest = list(given[2 if constant else 1 :])
    arrays: dict[str, Array] = {}
    for section in (*AROUND, *SECTIONS.get(found.kind, ())):
        names = [f"{weight}:{slot}" for weight in weights for slot in section]
        if not known & set(names):  # type: ignore[operator]
            continue
        if len(rest) < len(names):
            note = "The optimizer's arrays were left out: the file has fewer than it needs."
            return Slots({}, batches, (note,))
        signs = [-1.0 if slot in NEGATED else 1.0 for _ in weights for slot in section]
        arrays |= {
            n: sign * a for n, sign, a in zip(names, signs, rest, strict=False) if n in known
        }
        rest = rest[len(names) :]
    for name in known:
        if name.endswith(":average_started"):
            arrays[name] = np.asarray(batches > 0, np.float32)
    return Slots({name: np.asarray(a, np.float32) for name, a in arrays.items()}, batches)
