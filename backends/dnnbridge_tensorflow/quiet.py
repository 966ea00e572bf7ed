"""Keep what TensorFlow's C++ writes to stderr from a terminal, unless the user asks for it.

TF_CPP_MIN_LOG_LEVEL silences its log, but not what is logged before the log is set up, while it is
imported: that oneDNN is on, that there are no CUDA drivers, and that all this goes to stderr.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""Environment variable of TensorFlow: from which level on it logs; whoever sets it sees all."""

OURS = "3"
"""What it is set to where the user has not: errors that end the process only."""

BANNER = re.compile(rb"[IW]\d{4} [\d:.]+ .*|WARNING: All log messages before absl::InitializeLog.*")
"""Lines below the level of errors."""


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the lines of the framework; all others come when the block has ended.

    The descriptor is the whole process's, so lines of other threads come later too.
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
