"""Everything dnnbridge warns of.

DnnbridgeWarning (UserWarning)
├── LogitsWarning             a loss takes probabilities for logits, or logits for probabilities
└── NativeDifferenceWarning   a spec does not do what a native class does, see `from_native`
"""

from __future__ import annotations


class DnnbridgeWarning(UserWarning):
    """Base of all warnings of dnnbridge; its command line prints them without their place."""


class LogitsWarning(DnnbridgeWarning):
    """A loss takes probabilities for logits, or logits for probabilities."""


class NativeDifferenceWarning(DnnbridgeWarning):
    """The spec does not do what the native class does, where that is not what it documents."""
