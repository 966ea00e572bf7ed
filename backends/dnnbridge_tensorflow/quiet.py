"""Hide the messages that TensorFlow's C++ code writes to stderr, unless the user wants them.

TF_CPP_MIN_LOG_LEVEL silences the log, but not the messages during import, before the log is set up:
that oneDNN is on, that there are no CUDA drivers, and that all this goes to stderr.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""Environment variable of TensorFlow with its log level; if the user sets it, nothing is hidden."""

OURS = "3"
"""Default value of that variable: only errors that end the process."""

BANNER = re.compile(rb"[IW]\d{4} [\d:.]+ .*|WARNING: All log messages before absl::InitializeLog.*")
"""Matches lines below the level of errors."""


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the framework's lines on stderr; write all other lines after the block.

    File descriptor 2 belongs to the whole process, so lines of other threads are delayed too.
    """
    if os.environ.get(LEVEL) != OURS:
        yield
        return
    with tempfile.TemporaryFile() as held:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (AttributeError, OSError, ValueError):  # no stderr at all
            yield
            return
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            rest = [line for line in held if not BANNER.match(line)]
            if rest:
                os.write(2, b"".join(rest))
