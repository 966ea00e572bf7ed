"""`Cluster`: the processes that `dnnbridge launch` or a scheduler started to train together."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dnnbridge.errors import BackendError

WORKERS, RANK = "DNNBRIDGE_WORKERS", "DNNBRIDGE_RANK"
"""Environment variables: the addresses of all workers, and the number of this one."""

COORDINATOR = "DNNBRIDGE_COORDINATOR"
"""Environment variable: the address where MindSpore's scheduler waits for the workers."""

TIMEOUT = "DNNBRIDGE_MEETING_SECONDS"
"""Environment variable: how long workers wait for each other at the beginning."""

MEETING_SECONDS = 300

IN_SECONDS = f"Give a number of seconds, such as {MEETING_SECONDS}."
TOGETHER = (
    f"A worker needs both {WORKERS} and {RANK}, which `dnnbridge launch` sets. "
    "Unset them to train alone."
)


@dataclass(frozen=True)
class Cluster:
    """Processes that train together, and which of them this is.

    Attributes:
        addresses: "host:port" of each worker, in order.
        rank: the number of this process, from 0.
        coordinator: "host:port" on the host of the first worker, at another port.
        seconds: how long workers wait for each other at the beginning.
    """

    addresses: tuple[str, ...]
    rank: int
    coordinator: str
    seconds: int = MEETING_SECONDS

    @property
    def count(self) -> int:
        return len(self.addresses)

    @property
    def local_rank(self) -> int:
        """The number of this process among those of its host, which is that of its device."""
        return self.hosts[: self.rank].count(self.hosts[self.rank])

    @property
    def hosts(self) -> list[str]:
        """The host of each worker."""
        return [address.rpartition(":")[0] for address in self.addresses]

    def environment(self) -> dict[str, str]:
        """Return the variables from which `this_cluster` makes it again."""
        return {
            WORKERS: ",".join(self.addresses),
            RANK: str(self.rank),
            COORDINATOR: self.coordinator,
            TIMEOUT: str(self.seconds),
        }


def this_cluster() -> Cluster | None:
    """Return the processes that this one was started with; None if it is alone."""
    given = os.environ.get(WORKERS)
    if not given:
        return None
    addresses = tuple(given.split(","))
    if not all(map(_is_address, addresses)):
        raise BackendError(
            "must be host:port of each worker", where=WORKERS, got=repr(given), hint=TOGETHER
        )
    if not os.environ.get(RANK):
        raise BackendError(
            f"is missing, but {WORKERS} is there",
            where=RANK,
            got=repr(os.environ.get(RANK, "")),
            hint=TOGETHER,
        )
    rank = _number(RANK, os.environ[RANK], TOGETHER)
    if rank >= len(addresses):
        raise BackendError(
            f"must be less than the number of workers, {len(addresses)}",
            where=RANK,
            got=str(rank),
            hint=TOGETHER,
        )
    seconds = _number(TIMEOUT, os.environ.get(TIMEOUT, str(MEETING_SECONDS)), IN_SECONDS)
    return Cluster(addresses, rank, os.environ.get(COORDINATOR, ""), seconds)


def is_first() -> bool:
    """Return whether this process writes files and shows progress: worker 0 does for all."""
    cluster = this_cluster()
    return cluster is None or cluster.rank == 0


def _is_address(text: str) -> bool:
    host, _colon, port = text.rpartition(":")
    return bool(host) and port.isdecimal()


def _number(variable: str, text: str, hint: str) -> int:
    if not text.isdecimal():
        raise BackendError("must be a whole number", where=variable, got=repr(text), hint=hint)
    return int(text)
