"""Check the arguments of `fit`, and work out what they say together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from dnnbridge.errors import DataError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool, check_positive
from dnnbridge.training.feeding.batches import examples_of
from dnnbridge.training.feeding.epochs import Epochs
from dnnbridge.training.fitting import Calls
from dnnbridge.training.validation import Data, Validation

Verbose = bool | Literal["auto", 0, 1, 2]


def epochs_of(data: Data, seed: int, batch_size: Any, shuffle: Any, steps_per_epoch: Any) -> Epochs:
    """Return which examples an epoch has, and in which order."""
    check_bool(shuffle, "shuffle")
    count = examples_of(data)
    size = min(check_positive(batch_size, "batch_size"), count)
    if steps_per_epoch is not None:
        steps_per_epoch = check_positive(steps_per_epoch, "steps_per_epoch", ", or None")
    return Epochs(count, size, seed, bool(shuffle), steps_per_epoch)


def last_epoch(epochs: Any, initial_epoch: Any, done: int) -> int:
    """Return the number of epochs after which `fit` returns, counted over the life of the run.

    Args:
        epochs: of `fit`: how many to train or, with `initial_epoch`, the number of the last one.
        initial_epoch: of `fit`.
        done: the epochs that the run has finished.
    """
    until = check_positive(epochs, "epochs")
    if initial_epoch is None:
        return done + until
    if initial_epoch != done:
        raise DataError(
            f"the run has finished {done} epochs, and knows where it goes on",
            where="initial_epoch",
            got=repr(initial_epoch),
            hint="Leave it out; epochs=… is then how many more to train.",
        )
    return until


def calls_of(
    steps_per_call: Any, callbacks: Sequence[Callback], automatic: Callable[[], int] | None
) -> Calls:
    """Return how many steps a compiled call has, and where callbacks must hear of the training.

    Args:
        steps_per_call: of `fit`.
        callbacks: which hear of it.
        automatic: returns the number where that is left open; None for batches of unknown size.
    """
    if steps_per_call == "auto":
        most = automatic() if automatic else None
    else:
        most = check_positive(steps_per_call, "steps_per_call", ', or "auto"')
    every = 0
    for each in callbacks:
        if each.every_steps is not None:
            where = f"{type(each).__name__}.every_steps"
            every = math.gcd(every, check_positive(each.every_steps, where, ", or None"))
    if not every:
        return Calls(most, None)
    return Calls(None if most is None else min(most, every), every)


def check_monitors(callbacks: Sequence[Callback], validation: Validation | None) -> None:
    """Raise if a callback follows a metric of validation, and nothing is validated."""
    for each in callbacks:
        if validation is None and each.monitor.startswith("val_"):
            raise DataError(
                "needs validation data",
                where=f"{type(each).__name__}.monitor",
                got=repr(each.monitor),
                hint="Give fit validation_data=(x, y) or validation_split=0.1, or write "
                f'monitor="{each.monitor.removeprefix("val_")}".',
            )


def checked_verbose(value: Any) -> Verbose:
    """Return a valid value of `verbose`, or raise."""
    if not isinstance(value, (bool, int, str)) or value not in ("auto", 0, 1, 2):
        raise DataError(
            'must be "auto", 0 (nothing), 1 (a bar) or 2 (a line for each epoch)',
            where="verbose",
            got=repr(value),
        )
    return value  # type: ignore[return-value]
