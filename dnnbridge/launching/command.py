"""`command_of`: what each worker runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from dnnbridge.errors import ArgumentError


def command_of(words: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the command of the words after `--`.

    Args:
        words: a command of dnnbridge, such as `train`; a Python file; or any program. `python` is
            the Python that runs this.
        own: the names of the commands of dnnbridge.

    Raises:
        ArgumentError: no words, or no such program.

    Example:
        >>> command_of(["train", "spec.py"], ["train"])[1:]
        ['-P', '-m', 'dnnbridge', 'train', 'spec.py']
    """
    if not words:
        raise ArgumentError(
            "say what each worker runs",
            where="launch",
            hint="Write dnnbridge launch -n 2 -- train FILE, or -- python program.py.",
        )
    first, *rest = words
    if first in own:
        return [sys.executable, "-P", "-m", "dnnbridge", *words]
    if first in ("python", "python3"):
        return [sys.executable, *rest]
    if first.endswith(".py") and os.path.isfile(first):
        return [sys.executable, *words]
    if shutil.which(first) is None:
        raise ArgumentError(
            "there is no such program or command",
            where="launch",
            got=repr(first),
            hint=f"Commands of dnnbridge: {', '.join(sorted(own))}.",
        )
    return list(words)
