"""Stop, raise or warn when the loss or the weights of a training become non-finite."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from dnnbridge.base.arrays import Array, is_finite
from dnnbridge.base.messages import close_match, name_some
from dnnbridge.errors import DataError, NonFiniteError
from dnnbridge.optimizers.accumulation import TOTAL
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import History

if TYPE_CHECKING:
    from dnnbridge.optimizers.loss_scale import AbstractLossScale
    from dnnbridge.training.run import Run

log = logging.getLogger(__name__)

OnNonFinite = Literal["stop", "raise", "warn"]

CHOICES = ("stop", "raise", "warn")

HINT = "A smaller learning rate, clipped gradients or other data may help."


class NonFiniteGuard(Callback):
    """Checks the loss of every step and, when training ends, the weights.

    Args:
        choice: "stop" ends the training, "raise" raises, "warn" continues.
        history: records the first non-finite step.
    """

    def __init__(self, choice: str, history: History) -> None:
        self.choice, self.history = choice, history

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        self._raise_if_found()
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size and self.history.nonfinite_step is None:
            step = run.position.step - len(losses) + int(bad[0]) + 1
            self._found(run, step, f"the loss of step {step} is not finite", str(losses[bad[0]]))

    def end(self, run: Run) -> None:
        """Check the weights after the last step, which no loss has used yet."""
        self._raise_if_found()
        if self.history.nonfinite_step is None and self.history.step_losses:
            bad, step = not_finite(run.state(), run.experiment.scaling), run.position.step
            if bad:
                what = f"the loss of step {step} is finite, but weights after its update are not"
                self._found(run, step, what, name_some(bad))

    def _raise_if_found(self) -> None:
        """Raise if a `TerminateOnNonFinite`, which hears of the steps first, has found it."""
        what, step = self.history.nonfinite_what, self.history.nonfinite_step
        if what and self.choice == "raise":
            raise NonFiniteError(what, where="fit", hint=HINT, step=step or 0)

    def _found(self, run: Run, step: int, what: str, got: str) -> None:
        self.history.nonfinite_step = step
        if self.choice == "raise":
            raise NonFiniteError(what, where="fit", got=got, hint=HINT, step=step)
        if self.choice == "stop":
            run.stop()
        ends = "training ends here" if self.choice == "stop" else "training goes on"
        log.warning("%s (%s): %s. %s", what, got, ends, HINT)


def checked_choice(value: object) -> str:
    """Return a valid value of `on_nonfinite`, or raise."""
    if value not in CHOICES:
        raise DataError(
            "unknown choice",
            where="on_nonfinite",
            got=repr(value),
            hint=close_match(value, CHOICES),
        )
    return str(value)


def not_finite(
    arrays: Mapping[str, Array], loss_scale: AbstractLossScale | None = None
) -> list[str]:
    """Return the names of the arrays that hold infinity or NaN, and should not.

    Args:
        arrays: arrays by name.
        loss_scale: that of the run. If it skips updates that overflow, the sums of a window's
            gradients may hold an overflow until the window ends; such a sum is not named.

    Example:
        >>> not_finite({"kernel": np.ones(3), "bias": np.array([0.0, np.nan])})
        ['bias']
    """
    skips = loss_scale is not None and loss_scale.skips
    return [
        name
        for name, array in arrays.items()
        if not (skips and name.endswith(TOTAL)) and not is_finite(array)
    ]
