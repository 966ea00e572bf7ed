"""Everything dnnbridge warns of.

DnnbridgeWarning (UserWarning)
├── FormerNameWarning (FutureWarning)   a name of an earlier version that goes with the next one
├── LogitsWarning                       probabilities are taken for logits, or logits for them
└── NativeDifferenceWarning             a spec does not do what a native class does
"""

from __future__ import annotations

import inspect
import warnings


class DnnbridgeWarning(UserWarning):
    """Base of all warnings of dnnbridge; its command line prints them without their place."""


class FormerNameWarning(DnnbridgeWarning, FutureWarning):
    """A name of an earlier version is used; the next version does not know it."""


class LogitsWarning(DnnbridgeWarning):
    """A loss takes probabilities for logits, or logits for probabilities."""


class NativeDifferenceWarning(DnnbridgeWarning):
    """The spec does not do what the native class does, where that is not what it documents."""


def warn(message: str, category: type[DnnbridgeWarning]) -> None:
    """Warn of the line that called dnnbridge, however deep in it the warning begins."""
    frame, level = inspect.currentframe(), 1
    package = __name__.partition(".")[0]
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
