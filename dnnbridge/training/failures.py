"""`Reporting`: an executable whose errors say which backend failed, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dnnbridge.backend.protocol import BackendInfo, Executable, Rows
from dnnbridge.base.arrays import Array
from dnnbridge.errors import BackendError, DnnbridgeError

LONGEST = 300
"""Characters of a framework's message that are shown."""

MEMORY = re.compile(r"memory|\bOOM\b|allocat", re.IGNORECASE)
RULE = re.compile(r"[-=*\s]*")
"""Matches lines that only separate others."""


class Reporting:
    """Raises errors of a framework as a `BackendError` in one line; the error is its cause.

    Args:
        inner: the executable that may fail.
        info: the description of its backend.

    Attributes:
        failed: whether a call has failed; then no other run uses this executable.
    """

    def __init__(self, inner: Executable, info: BackendInfo) -> None:
        self._inner, self._info = inner, info
        self.failed = False

    @property
    def compilations(self) -> int:
        return self._inner.compilations

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        with self._told(f"the function {function!r}"):
            return self._inner.run(function, feeds, steps)

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        with self._told("copying the examples to the device"):
            return self._inner.keep(arrays)

    def read(self) -> dict[str, Array]:
        with self._told("reading the arrays"):
            return self._inner.read()

    def write(self, values: Mapping[str, Array]) -> None:
        with self._told("writing the arrays"):
            self._inner.write(values)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (DnnbridgeError, MemoryError):
            self.failed = True
            raise
        except Exception as error:
            self.failed = True
            raise failure(what, error, self._info) from error


def failure(what: str, error: Exception, info: BackendInfo) -> BackendError:
    """Return the error of dnnbridge for one of a framework.

    Args:
        what: what failed.
        error: that of the framework.
        info: the description of the backend.

    Example:
        >>> info = BackendInfo("mine", noise=("Graph execution error",))
        >>> error = RuntimeError("Graph execution error:\\n------\\nno kernel for Foo\\n  line 7")
        >>> print(failure("the function 'train'", error, info))
        mine: the function 'train' failed, got RuntimeError: no kernel for Foo. The whole message \
is that of the cause (__cause__).
    """
    text = str(error)
    hint = "The whole message is that of the cause (__cause__)."
    if MEMORY.search(text):
        hint = "The memory is too small: use a smaller batch_size or model."
    said = first_words(text, info.noise)
    said = said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
    got = f"{type(error).__name__}: {said}".rstrip(":. ")
    return BackendError(f"{what} failed", where=info.name, got=got, hint=hint)


def first_words(text: str, noise: tuple[str, ...]) -> str:
    """Return the first line of a framework's message that says what went wrong.

    Indented lines are places in source files, and rules of dashes only separate others.

    Args:
        text: the message.
        noise: what lines begin with that say nothing.
    """
    found = [line for line in text.splitlines() if not RULE.fullmatch(line)]
    lines = [line.strip(" -") for line in found if not line[0].isspace()]
    return next((line for line in lines if not line.startswith(noise)), "")
