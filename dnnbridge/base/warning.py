"""Everything dnnbridge warns of.

DnnbridgeWarning (UserWarning)
├── FormerNameWarning (FutureWarning)   an old name, which the next version removes
├── LogitsWarning                       a loss takes probabilities for logits, or the reverse
├── NativeDifferenceWarning             a spec differs from the native class, see `from_native`
├── UnadaptedWarning                    a layer has not been adapted to data
└── ValidationWarning                   validation data are given and never evaluated
"""

from __future__ import annotations

import inspect
import warnings


class DnnbridgeWarning(UserWarning):
    """Base of all warnings of dnnbridge; the command line prints them without a source line."""


class FormerNameWarning(DnnbridgeWarning, FutureWarning):
    """An old name is used, which the next version removes."""


class LogitsWarning(DnnbridgeWarning):
    """A loss takes probabilities for logits, or logits for probabilities."""


class NativeDifferenceWarning(DnnbridgeWarning):
    """The spec follows the documentation of a native class that does something else."""


class UnadaptedWarning(DnnbridgeWarning):
    """A layer that is to be adapted to data has the numbers with which it does nothing."""


class ValidationWarning(DnnbridgeWarning):
    """Validation data are given, and no epoch of a training evaluates them."""


def warn(message: str, category: type[DnnbridgeWarning]) -> None:
    """Warn at the line that called dnnbridge, however deep inside the warning arises."""
    frame, level = inspect.currentframe(), 1
    package = __name__.partition(".")[0]
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
