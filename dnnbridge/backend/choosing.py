"""`choose`: time several forms of a kernel on this machine and take the fastest.

A framework's kernel may be fifteen times as slow as a detour on one processor, and twice as fast
on another. So a backend names candidates that compute the same result, and a probe times them once
per machine. The times are kept in the user's cache by framework, kernels and processor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from dnnbridge.backend.kernel_variable import (
    DEFAULT,
    check_candidates,
    given_text,
    named_candidates,
)
from dnnbridge.base.deterministic import is_deterministic
from dnnbridge.base.files import write_atomically
from dnnbridge.base.machine import machine
from dnnbridge.errors import DataError

Prepare = Callable[[], Callable[[], object]]
"""Compiles a candidate and returns a function that runs it once and waits for the result."""

ROUNDS = 5
SECONDS = 0.4
"""Number of rounds of timings, and the time after which no further round begins."""

MARGIN = 0.9
"""The first candidate is taken unless another needs less than this fraction of its time."""

HOPELESS = 3.0
"""A candidate slower than the fastest by more than this factor is not timed again."""


@dataclass(frozen=True)
class Choice:
    """The candidate chosen for a question.

    Attributes:
        question: the kernel, such as "mindspore.conv: 2 axes, up to 4 channels".
        name: the chosen candidate.
        seconds: the time of each candidate; empty if they were not measured.
    """

    question: str
    name: str
    seconds: Mapping[str, float]

    def __str__(self) -> str:
        times = ", ".join(f"{name} {each * 1e3:.2f} ms" for name, each in self.seconds.items())
        return f"{self.question}: {self.name} ({times or 'not measured'})"


LOCK = threading.RLock()
_KNOWN: dict[tuple[str, str], Mapping[str, float]] = {}
_TAKEN: dict[str, Choice] = {}


def choose(question: str, about: str, candidates: Mapping[str, Prepare]) -> str:
    """Return the name of the candidate to use.

    Args:
        question: "group: form". `DNNBRIDGE_KERNELS` names groups, as `BackendInfo.kernels` does.
        about: other facts the times depend on: the version of the framework and its kernels.
        candidates: candidates by name; the first is the default, which is taken without a probe
            where `is_deterministic`.

    Example:
        >>> fast, slow = (lambda: None), (lambda: time.sleep(0.001))
        >>> choose("doctest: sleep", "1", {"slow": lambda: slow, "fast": lambda: fast})
        'fast'
    """
    with LOCK:
        name = _forced(question, candidates)
        seconds = {} if name else _measured(question, about, candidates)
        choice = Choice(question, name or _fastest(seconds, next(iter(candidates))), seconds)
        _TAKEN[question] = choice
    return choice.name


def choices() -> tuple[Choice, ...]:
    """Return the choices of this process, in the order they were made."""
    return tuple(_TAKEN.values())


def forget() -> None:
    """Empty the cache of this process; the files on disk stay."""
    with LOCK:
        _KNOWN.clear()
        _TAKEN.clear()


def asked_for(group: str, known: Collection[str]) -> list[str]:
    """Return the candidates that the environment variable names for a group, in its order.

    The `BackendInfo` of the backend has the group, so that `compile` accepts its name.

    Raises:
        BackendError: the variable does not hold pairs, or there is no such candidate.

    Example:
        >>> import os
        >>> os.environ["DNNBRIDGE_KERNELS"] = "doctest=slow, other=fast"
        >>> asked_for("doctest", ["fast", "slow"])
        ['slow']
        >>> del os.environ["DNNBRIDGE_KERNELS"]
    """
    names = list(named_candidates(given_text()).get(group, ()))
    check_candidates(group, names, known)
    return names


def _forced(question: str, candidates: Mapping[str, Prepare]) -> str | None:
    """Return the candidate that environment variables set for a question, or None."""
    if given_text() == DEFAULT:
        return next(iter(candidates))
    asked = asked_for(question.partition(":")[0], candidates)
    return next(iter([*asked, *candidates]), None) if asked or is_deterministic() else None


def _fastest(seconds: Mapping[str, float], first: str) -> str:
    return min(seconds, key=lambda name: seconds[name] * (MARGIN if name == first else 1.0))


def _measured(question: str, about: str, candidates: Mapping[str, Prepare]) -> Mapping[str, float]:
    """Return the times from this process, from disk, or from a new probe, which is then kept."""
    if (about, question) not in _KNOWN:
        path = _path(about)
        found = _read(path).get(question, {})
        if found.keys() != candidates.keys():
            found = _times(candidates)
            _keep(path, about, question, found)
        _KNOWN[about, question] = found
    return _KNOWN[about, question]


def _times(candidates: Mapping[str, Prepare]) -> dict[str, float]:
    """Time the candidates in turn and return the shortest time of each."""
    works = {name: prepare() for name, prepare in candidates.items()}
    for work in works.values():
        work()
    best = dict.fromkeys(works, math.inf)
    end = time.perf_counter() + SECONDS
    for turn in range(ROUNDS):
        for name, work in works.items():
            if turn and (time.perf_counter() > end or best[name] > HOPELESS * min(best.values())):
                continue
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def _path(about: str) -> Path:
    digest = hashlib.sha256(f"{about} {machine()}".encode()).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("dnnbridge")) / "kernels" / f"{digest}.json"


def _read(path: Path) -> dict[str, dict[str, float]]:
    """Return the times in a file; empty if it is damaged or cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["seconds"]
        return {question: times for question, times in kept.items() if _are_times(times)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _are_times(times: Any) -> bool:
    return isinstance(times, dict) and all(
        isinstance(each, float) and 0.0 < each < math.inf for each in times.values()
    )


def _keep(path: Path, about: str, question: str, found: Mapping[str, float]) -> None:
    """Add times to the file's current content; ignore a file that cannot be written."""
    content = {
        "about": about,
        "machine": str(machine()),
        "seconds": _read(path) | {question: dict(found)},
    }
    with contextlib.suppress(OSError, DataError):
        write_atomically(path, json.dumps(content, indent=1).encode(), make_folders=True)
