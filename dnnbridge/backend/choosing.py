"""`choose`: which of several forms of a kernel is the fastest on this machine, found by a probe.

A framework's kernel may be fifteen times as slow as a detour on one processor, and twice as fast
on another. So a backend names candidates, all of which compute the same, and a probe times them on
the machine, once: what it finds is kept in the user's cache by framework, kernels and processor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from dnnbridge.base.files import write_atomically
from dnnbridge.base.machine import machine
from dnnbridge.errors import BackendError, DataError

VARIABLE = "DNNBRIDGE_KERNELS"
"""Environment variable: "default" for the first candidate everywhere, without a probe; or pairs
such as "mindspore.conv=native,tensorflow.conv=slices", which decide for what they name."""

DEFAULT = "default"

Prepare = Callable[[], Callable[[], object]]
"""Compiles a candidate and returns what runs it once, to the end."""

ROUNDS = 5
SECONDS = 0.4
"""Turns of the candidates, and the time after which no other turn begins."""

MARGIN = 0.9
"""The first candidate is taken unless another needs at most this part of its time."""

HOPELESS = 3.0
"""A candidate that takes so many times as long as the fastest has no further turn."""


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        question: what was to be chosen, such as "mindspore.conv: 2 axes, up to 4 channels".
        name: the candidate that was taken.
        seconds: the time of each candidate; empty where it was not measured.
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
    """Return the name of the candidate to take.

    Args:
        question: "group: form". `DNNBRIDGE_KERNELS` names groups.
        about: whatever else the times depend on: the version of the framework, its kernels.
        candidates: by name; the first is the default.

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
    """Return what this process has chosen, in the order in which it was asked for."""
    return tuple(_TAKEN.values())


def forget() -> None:
    """Forget what this process knows; what is on disk stays."""
    with LOCK:
        _KNOWN.clear()
        _TAKEN.clear()


def asked_for(group: str, known: Collection[str]) -> list[str]:
    """Return the candidates that the environment names for a group, in its order.

    Raises:
        BackendError: what the environment has is no pairs, or there is no such candidate.

    Example:
        >>> os.environ[VARIABLE] = "doctest=slow, other=fast"
        >>> asked_for("doctest", ["fast", "slow"])
        ['slow']
        >>> del os.environ[VARIABLE]
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given == DEFAULT:
        return []
    pairs = [pair.partition("=") for pair in given.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise BackendError(
            "is pairs of a group and a candidate",
            where=VARIABLE,
            got=repr(given),
            hint=f'Write "{DEFAULT}", or pairs such as "mindspore.conv=native".',
        )
    names = [name.strip() for each, _, name in pairs if each.strip() == group]
    for name in names:
        if name not in known:
            raise BackendError(
                f"{group} has no candidate of this name",
                where=VARIABLE,
                got=repr(name),
                hint=f"It has {', '.join(known)}.",
            )
    return names


def _forced(question: str, candidates: Mapping[str, Prepare]) -> str | None:
    """Return what the environment says of a question."""
    if os.environ.get(VARIABLE, "").strip() == DEFAULT:
        return next(iter(candidates))
    return next(iter(asked_for(question.partition(":")[0], candidates)), None)


def _fastest(seconds: Mapping[str, float], first: str) -> str:
    return min(seconds, key=lambda name: seconds[name] * (MARGIN if name == first else 1.0))


def _measured(question: str, about: str, candidates: Mapping[str, Prepare]) -> Mapping[str, float]:
    """Return the times: those of this process, those on disk, or new ones, which are kept."""
    if (about, question) not in _KNOWN:
        path = _path(about)
        found = _read(path).get(question, {})
        if found.keys() != candidates.keys():
            found = _times(candidates)
            _keep(path, about, question, found)
        _KNOWN[about, question] = found
    return _KNOWN[about, question]


def _times(candidates: Mapping[str, Prepare]) -> dict[str, float]:
    """Let the candidates take turns, and return the shortest time of each."""
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
    """Return the times in a file; nothing if it is damaged or cannot be read."""
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
    """Add times to what is in the file by now; where it cannot be written they are not kept."""
    content = {
        "about": about,
        "machine": str(machine()),
        "seconds": _read(path) | {question: dict(found)},
    }
    with contextlib.suppress(OSError, DataError):
        write_atomically(path, json.dumps(content, indent=1).encode(), make_folders=True)
